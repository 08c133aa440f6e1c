//! Block formats and scaled formats against exact arithmetic: test vectors, a brute force over the
//! element codes, the tables of the scale rules, what `ml_dtypes` makes of the same blocks.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::cast_precision_loss, reason = "small integers")]
#![expect(clippy::cast_possible_truncation, reason = "numbers near those meant will do as inputs")]

mod brute;
mod elements;
mod groups;
mod scales;
mod vectors;

use fpx::block::{Quantized, Quantizer, Spec};
use fpx::codec::Projection;
use fpx::kernel::Dither;
use fpx::random::Stream;

/// The E8M0 formats of the table, and some generic ones.
const POWER_OF_TWO: [&str; 8] = [
    "mxfp8_e4m3",
    "mxfp8_e5m2",
    "mxfp6_e3m2",
    "mxfp6_e2m3",
    "mxfp4",
    "mxint8",
    "bf16/block:32",
    "e3m0/block:32",
];

const RULES: [&str; 4] = ["floor", "rceil", "ceil", "even"];

fn quantizer(spec: &str) -> Quantizer {
    let spec: Spec = spec.parse().unwrap_or_else(|e| panic!("{spec}: {e}"));
    Quantizer::new(&spec, &Projection::default()).unwrap()
}

/// Quantises one row.
fn row(spec: &str, numbers: &[f32]) -> Quantized {
    quantizer(spec).quantize(&[numbers.len() as u64], numbers, Dither::default()).unwrap()
}

/// The name of the element or format that the oracle knows a target by.
fn base(spec: &str) -> &str {
    spec.split('/').next().unwrap()
}

fn power(exponent: i32) -> f32 {
    f64::from(exponent).exp2() as f32
}

/// Random bits, the same in every run.
struct Random {
    stream: Stream,
    next: u64,
}

impl Random {
    fn new(seed: u64) -> Self {
        Self { stream: Stream::new(seed, 0), next: 0 }
    }

    fn bits(&mut self) -> u32 {
        self.next += 1;
        self.stream.bits(self.next)
    }

    fn below(&mut self, n: u32) -> u32 {
        self.bits() % n
    }

    /// A number of magnitude up to 2^`exponent`, over `spread` binades, sometimes with few bits so
    /// that ties are met, sometimes zero.
    fn number(&mut self, exponent: i32, spread: u32) -> f32 {
        let exponent = exponent - 1 - self.below(spread).cast_signed();
        let kept = [0, 1, 2, 3, 4, 8, 23][self.below(7) as usize];
        let significand = (self.bits() | 1 << 31) >> (31 - kept) << (31 - kept);
        let x = f64::from(significand) / 31f64.exp2() * f64::from(exponent).exp2();
        let x = if self.below(40) == 0 { 0.0 } else { x as f32 };
        if self.below(2) == 0 { x } else { -x }
    }
}
