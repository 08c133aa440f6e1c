//! Values, midpoints and their surroundings, and all pairs of small formats, under every policy.

use fpx::codec::{Overflow, Projection, Rounding, Unpacked, decode};
use rayon::prelude::*;

use crate::oracle::{Value, catalogue};
use crate::{Target, format, projections, specs, stride, telling_points, unpacked};

#[test]
fn every_telling_point_projects_as_the_oracle_says() {
    let projections = projections();
    specs(8).par_iter().for_each(|spec| {
        let target = Target::new(spec);
        for magnitude in telling_points(&target.oracle, 1) {
            for negative in [false, true] {
                let value = Value::Real { negative, magnitude };
                let x = unpacked(&value);
                for projection in &projections {
                    target.check(projection, &value, &x);
                }
            }
        }
    });
}

#[test]
fn telling_points_of_16_bit_formats_project_as_the_oracle_says() {
    let projections = projections();
    specs(16).par_iter().filter(|spec| spec.width() > 8).for_each(|spec| {
        let target = Target::new(spec);
        let points = telling_points(&target.oracle, stride(997));
        for (i, magnitude) in points.into_iter().enumerate() {
            let value = Value::Real { negative: i % 2 == 1, magnitude };
            let x = unpacked(&value);
            for projection in projections.iter().skip(i % 11).step_by(11) {
                target.check(projection, &value, &x);
            }
        }
    });
}

#[test]
fn stochastic_rounding_turns_where_the_oracle_says() {
    specs(8).par_iter().for_each(|spec| {
        let target = Target::new(spec);
        for (i, magnitude) in
            telling_points(&target.oracle, 1).into_iter().enumerate().step_by(stride(5))
        {
            let value = Value::Real { negative: i % 2 == 1, magnitude };
            let x = unpacked(&value);
            for bits in [1, 2, 5, 24, 32] {
                for random in target.oracle.telling_randoms(&magnitude, bits) {
                    for overflow in Overflow::ALL.iter().copied() {
                        let rounding = Rounding::stochastic(bits);
                        let projection =
                            Projection { rounding, overflow, random, ..Projection::default() };
                        target.check(&projection, &value, &x);
                    }
                }
            }
        }
    });
}

#[test]
fn every_pair_of_small_formats_agrees_with_the_oracle() {
    let (projections, specs) = (projections(), specs(8));
    let named = catalogue(8).len();
    let targets: Vec<Target> = specs.iter().map(Target::new).collect();
    specs.par_iter().enumerate().for_each(|(i, source)| {
        let source_format = format(source);
        let data: Vec<(Value, Unpacked)> =
            source.codes().map(|code| (source.value(code), decode(&source_format, code))).collect();
        for (j, target) in targets.iter().enumerate() {
            let both_are_named = i < named && j < named;
            let step = if both_are_named { 1 } else { stride(10) };
            for (projection_index, projection) in projections.iter().enumerate() {
                let first = (i + j + projection_index) % step;
                for (value, x) in data.iter().skip(first).step_by(step) {
                    target.check(projection, value, x);
                }
            }
        }
    });
}
