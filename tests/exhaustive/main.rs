//! Witness: the oracle of `tests/oracle`, which searches lists of exact values, and for binary16 and
//! bfloat16 the `half` crate with the processor's own conversions.
//!
//! Every code of every format up to 16 bits: its value, class, neighbours, and that it rounds to
//! itself in every mode. Every value, midpoint and their surroundings, in every mode and policy, for the
//! formats up to 8 bits. Every pair of formats up to 8 bits. All binary32 numbers into five narrow
//! formats, by the codec and, compared with it, by the kernels. What takes minutes is thinned by default;
//!
//! ```text
//! cargo test --release --features exhaustive --test exhaustive
//! ```
//!
//! leaves out next to nothing, and takes over an hour on two cores.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../oracle/mod.rs"]
mod oracle;

mod binary32;
mod codes;
mod intervals;
mod kernel;
mod points;

use fpx::codec::{
    Flags, NanPolicy, NanTo, Overflow, Projection, RDN, RNA, RNE, RTO, RTZ, RUP, RoundingMode,
    Subnormals, Tininess, Unpacked, project,
};
use fpx::format::{Format, parse};
use oracle::{Magnitude, Oracle, Spec, Value, catalogue, custom, p3109_up_to};

const MODES: [&RoundingMode; 6] = [&RNE, &RNA, &RTZ, &RUP, &RDN, &RTO];

/// Takes every `stride`-th case, or every one when asked for all.
const fn stride(stride: usize) -> usize {
    if cfg!(feature = "exhaustive") { 1 } else { stride }
}

/// Every format of at most so many bits.
fn specs(most_bits: u32) -> Vec<Spec> {
    let mut specs = catalogue(most_bits);
    specs.extend(custom());
    specs.extend(p3109_up_to(most_bits));
    specs
}

fn format(spec: &Spec) -> Format {
    let format = parse(&spec.name).unwrap_or_else(|e| panic!("{e}")).format;
    assert_eq!(format.width(), spec.width(), "{}", spec.name);
    format
}

/// The datum that a value of the oracle is.
fn unpacked(value: &Value) -> Unpacked {
    match *value {
        Value::Nan { negative, trailing, width } => {
            Unpacked::nan(negative, trailing << (128 - width))
        }
        Value::Infinity { negative } => Unpacked::infinity(negative),
        Value::Real { negative, magnitude: Magnitude { integer, exponent, above } } => {
            Unpacked { sticky: above, ..Unpacked::scaled(negative, integer, exponent) }
        }
    }
}

fn describe(projection: &Projection) -> String {
    let Projection { rounding, overflow, nan, nan_to, subnormals, tininess, random } = projection;
    format!(
        "{rounding} overflow={overflow} nan={nan} nan-to={nan_to} subnormals={subnormals} \
         tininess={tininess} random={random:x}"
    )
}

/// A target as both sides know it.
struct Target {
    format: Format,
    oracle: Oracle,
}

impl Target {
    fn new(spec: &Spec) -> Self {
        Self { format: format(spec), oracle: Oracle::new(spec.clone()) }
    }

    /// Compares code and flags with the oracle's.
    fn check(&self, projection: &Projection, value: &Value, x: &Unpacked) {
        let got = project(&self.format, projection, x);
        let code = (!got.flags.contains(Flags::REFUSED)).then_some(got.code);
        let got = (code, got.flags.testfloat());
        let expected = self.oracle.project(projection, value);
        assert!(
            got == expected,
            "{}: {value:x?} under {}: expected {expected:x?}, got {got:x?}",
            self.format,
            describe(projection)
        );
    }
}

/// Every combination of mode and overflow policy, with the tininess rule and the treatment of
/// subnormals and NaNs taking turns.
fn projections() -> Vec<Projection> {
    let mut projections = Vec::new();
    for (i, mode) in MODES.into_iter().enumerate() {
        for (j, overflow) in Overflow::ALL.iter().copied().enumerate() {
            for turn in 0..2 {
                projections.push(Projection {
                    overflow,
                    tininess: Tininess::ALL[turn],
                    subnormals: Subnormals::ALL[(i + j + turn) % 2],
                    nan: NanPolicy::ALL[(i + turn) % 2],
                    nan_to: NanTo::ALL[(i + j + turn) % 3],
                    ..Projection::with_mode(mode)
                });
            }
        }
    }
    projections
}

/// A magnitude, and points around it at distances from far to the least that a datum can state.
fn around(m: &Magnitude) -> Vec<Magnitude> {
    if m.integer == 0 {
        return vec![*m];
    }
    let room = m.integer.leading_zeros();
    let mut points = vec![*m, Magnitude { above: true, ..*m }];
    for finer in [room, room.min(30), room.min(3)] {
        let (integer, exponent) = (m.integer << finer, m.exponent - finer.cast_signed());
        points.extend([
            Magnitude::new(integer - 1, exponent),
            Magnitude { above: true, ..Magnitude::new(integer - 1, exponent) },
        ]);
        points.extend(integer.checked_add(1).map(|integer| Magnitude::new(integer, exponent)));
    }
    points
}

/// The points where a target changes its answer, and some far outside its range; of more than
/// 1000 places where it does, only every `stride`-th between the first and last hundred.
fn telling_points(oracle: &Oracle, stride: usize) -> Vec<Magnitude> {
    const ENDS: usize = 100;
    let least = oracle.midpoints()[0];
    let most = oracle.magnitudes()[oracle.magnitudes().len() - 1];
    let far = [-1, -2, -33, -126, -127, -128, -129, -200, -256, -300]
        .map(|by| Magnitude::new(least.integer, least.exponent + by))
        .into_iter()
        .chain([1, 2, 40, 300].map(|by| Magnitude::new(most.integer, most.exponent + by)));
    let values = oracle.magnitudes();
    let thinned = |all: &[Magnitude]| -> Vec<Magnitude> {
        let is_taken = |i: usize| i < ENDS || i + ENDS >= all.len() || i.is_multiple_of(stride);
        (0..all.len()).filter(|i| all.len() < 1000 || is_taken(*i)).map(|i| all[i]).collect()
    };
    let places = thinned(values).into_iter().chain(thinned(oracle.midpoints())).chain(far);
    places.flat_map(|m| around(&m)).collect()
}
