//! Nanoseconds to project and to decode one value, beside `half`, `rustc_apfloat` and the
//! processor: `cargo bench --bench codec`.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
#![expect(clippy::cast_precision_loss, reason = "counts of a few thousand")]
#![expect(clippy::cast_possible_truncation, reason = "random bits are cut to the width of a code")]

mod common;

use common::{Subject, each, medians};
use fpx::{
    codec::{Projection, Unpacked, decode, project},
    format::{BF16, E4M3FN, F16, Format},
    random::Stream,
};
use rustc_apfloat::{Float as _, FloatConvert as _, ieee};

/// Values a run.
const VALUES: usize = 4096;
/// Runs of each subject.
const ROUNDS: usize = 31;

fn main() {
    let stream = Stream::new(0, 0);
    let random = |i: usize| stream.bits(i as u64);
    // Finite numbers of either sign around 1, over twice the range of binary16.
    let numbers: Vec<f32> =
        (0..VALUES).map(|i| f32::from_bits(0x3000_0000 | random(i) & 0x8fff_ffff)).collect();
    let codes: Vec<u16> = (0..VALUES).map(|i| random(i) as u16 & 0xbbff).collect();

    let projected = |format: &'static Format| {
        let projection = Projection::default();
        move |x: f32| project(format, &projection, &Unpacked::from_f32(x)).code as u32
    };
    let subjects = [
        each("fpx codec, f16", &numbers, projected(&F16)),
        each("fpx codec, bf16", &numbers, projected(&BF16)),
        each("fpx codec, e4m3fn", &numbers, projected(&E4M3FN)),
        each("half, f16", &numbers, |x| u32::from(half::f16::from_f32(x).to_bits())),
        each("half, bf16", &numbers, |x| u32::from(half::bf16::from_f32(x).to_bits())),
        each("rustc_apfloat, f16", &numbers, |x| {
            let x = ieee::Single::from_bits(x.to_bits().into());
            let result: ieee::Half = x.convert(&mut false).value;
            result.to_bits() as u32
        }),
    ];
    print("project one binary32 number, to nearest even", subjects);

    let decoded =
        |format: &'static Format| move |code: u16| decode(format, code.into()).to_f64() as f32;
    let subjects = [
        each("fpx codec, f16 to Unpacked", &codes, |c: u16| decode(&F16, c.into()).exponent),
        each("fpx codec, f16 to a number", &codes, decoded(&F16)),
        each("half, f16", &codes, |c| half::f16::from_bits(c).to_f32()),
        each("half, bf16", &codes, |c| half::bf16::from_bits(c).to_f32()),
        each("rustc_apfloat, f16", &codes, |c: u16| {
            let result: ieee::Single = ieee::Half::from_bits(c.into()).convert(&mut false).value;
            result.to_bits() as u32
        }),
    ];
    print("decode one code", subjects);
}

fn print<const N: usize>(title: &str, mut subjects: [Subject<'_>; N]) {
    println!("{title}");
    let seconds = medians(&mut subjects, ROUNDS);
    for (subject, seconds) in subjects.iter().zip(&seconds) {
        println!("  {:<28} {:>7.2} ns", subject.name, seconds * 1e9 / VALUES as f64);
    }
}
