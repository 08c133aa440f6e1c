//! The reals that round to a code: every point lies in the interval of its result, and in no other.

use std::{cmp::Ordering, collections::HashMap};

use fpx::codec::{
    Kind, Overflow, Projection, Rounding, Subnormals, Unpacked, decode,
    neighbor::{self, Interval},
    project,
};
use fpx::format::Format;
use rayon::prelude::*;

use crate::oracle::{Magnitude, Value, catalogue};
use crate::{MODES, Target, describe, specs, stride, telling_points, unpacked};

/// The order of a datum among the reals, infinities at the ends; -0 equals 0.
fn cmp_values(a: &Value, b: &Value) -> Ordering {
    let key = |value: &Value| match *value {
        Value::Nan { .. } => panic!("a NaN has no order"),
        Value::Infinity { negative } => (if negative { -2 } else { 2 }, Magnitude::new(0, 0)),
        Value::Real { magnitude: m @ Magnitude { integer: 0, above: false, .. }, .. } => (0, m),
        Value::Real { negative, magnitude } => (if negative { -1 } else { 1 }, magnitude),
    };
    let ((sign, a), (other, b)) = (key(a), key(b));
    sign.cmp(&other).then(if sign < 0 { b.cmp(&a) } else { a.cmp(&b) })
}

/// What a datum is in the oracle's terms.
fn value_of(x: &Unpacked) -> Value {
    match x.kind {
        Kind::Nan => panic!("an interval has no NaN"),
        Kind::Infinity => Value::Infinity { negative: x.negative },
        Kind::Zero => Value::Real { negative: x.negative, magnitude: Magnitude::new(0, 0) },
        Kind::Finite => Value::Real {
            negative: x.negative,
            magnitude: Magnitude {
                integer: x.significand,
                exponent: x.exponent - 127,
                above: x.sticky,
            },
        },
    }
}

fn holds(interval: Option<&Interval>, x: &Value) -> bool {
    interval.is_some_and(|Interval { low, high }| {
        let from_low = cmp_values(x, &value_of(&low.at));
        let from_high = cmp_values(x, &value_of(&high.at));
        (from_low.is_gt() || (low.closed && from_low.is_eq()))
            && (from_high.is_lt() || (high.closed && from_high.is_eq()))
    })
}

/// Checks that each point lies in the interval of the code it rounds to, and in no neighbour's.
fn check_intervals(format: &Format, projection: &Projection, points: &[Value]) {
    let mut intervals: HashMap<u128, Option<Interval>> = HashMap::new();
    for point in points {
        let x = unpacked(point);
        let reached =
            [0, u32::MAX].map(|random| project(format, &projection.with_random(random), &x).code);
        let same_number = |a: u128, b: u128| a == b || neighbor::distance(format, a, b) == Some(0);
        let nearby = reached.into_iter().flat_map(|code| {
            let (up, down) = (neighbor::next_up(format, code), neighbor::next_down(format, code));
            [Some(code), up, down].into_iter().flatten()
        });
        let is_real = matches!(point, Value::Real { .. });
        for code in nearby.filter(|code| decode(format, *code).kind != Kind::Nan) {
            let interval = intervals
                .entry(code)
                .or_insert_with(|| neighbor::interval(format, projection, code));
            let expected = reached.iter().any(|reached| same_number(*reached, code));
            if interval.is_none() && !is_real {
                continue; // An infinity that no real rounds to.
            }
            assert_eq!(
                holds(interval.as_ref(), point),
                expected,
                "{format}: {point:x?} under {}, {code:x} has {interval:x?}",
                describe(projection)
            );
        }
    }
}

#[test]
fn a_code_has_the_interval_of_the_points_that_round_to_it() {
    let roundings = MODES.into_iter().map(Rounding::new).chain([1, 32].map(Rounding::stochastic));
    let mut projections = Vec::new();
    for rounding in roundings {
        for overflow in Overflow::ALL.iter().copied() {
            for subnormals in Subnormals::ALL.iter().copied() {
                projections.push(Projection {
                    rounding,
                    overflow,
                    subnormals,
                    ..Projection::default()
                });
            }
        }
    }
    let named = catalogue(8).len();
    specs(8).par_iter().enumerate().for_each(|(i, spec)| {
        let target = Target::new(spec);
        let mut points = [false, true].map(|negative| Value::Infinity { negative }).to_vec();
        for magnitude in telling_points(&target.oracle, 1) {
            points.extend([false, true].map(|negative| Value::Real { negative, magnitude }));
        }
        let step = if i < named { 1 } else { stride(12) };
        for projection in projections.iter().skip(i % step).step_by(step) {
            check_intervals(&target.format, projection, &points);
        }
    });
}
