//! binary32 numbers into five narrow formats: by default every 4093rd of the 2^32 and all that lie
//! within 2 ulp of a change of the answer; with the feature `exhaustive` all of them to nearest even,
//! and every 61st in the other modes.

use fpx::codec::{Kind, Overflow, Projection, decode, project};
use fpx::format::{BF16, F16, F32, Format};
use half::{bf16, f16};
use rayon::prelude::*;

use crate::oracle::catalogue;
use crate::{MODES, Target, describe, stride};

pub(crate) const TARGETS: [&str; 5] = ["f16", "bf16", "e5m2", "e4m3fn", "e4m3fnuz"];
/// The code of binary32's infinity, the last magnitude that is not a NaN.
const INFINITY: u32 = 0x7f80_0000;
const SIGN: u32 = 1 << 31;
/// Numbers that one thread checks at a time; it divides 2^31.
const CHUNK: u32 = 1 << 19;

/// From this magnitude on, the answer is this code.
struct Step {
    first: u32,
    code: u128,
}

/// The oracle's answers for all magnitudes of one sign, in order. An answer never comes back, so equal
/// answers at two magnitudes mean the same answer between them.
fn steps(target: &Target, projection: &Projection, sign: u32) -> Vec<Step> {
    let source = catalogue(32).into_iter().find(|spec| spec.name == "f32").unwrap();
    let answer = |magnitude: u32| {
        let value = source.value(u128::from(sign | magnitude));
        target.oracle.project(projection, &value).0.unwrap()
    };
    let mut steps = vec![Step { first: 0, code: answer(0) }];
    let mut at = 0;
    while answer(INFINITY) != answer(at) {
        let stays = |to: u32| to <= INFINITY && answer(to) == answer(at);
        // Ties to even make steps long and short by turns, so the last but one is the best guess.
        let guess =
            at + steps.len().checked_sub(3).map_or(1, |i| steps[i + 1].first - steps[i].first);
        let (mut same, mut other) = (at, INFINITY);
        if stays(guess - 1) && !stays(guess) {
            (same, other) = (guess - 1, guess);
        }
        while other - same > 1 {
            let middle = same.midpoint(other);
            *(if stays(middle) { &mut same } else { &mut other }) = middle;
        }
        at = other;
        steps.push(Step { first: at, code: answer(at) });
    }
    steps
}

fn check(target: &Target, projection: &Projection, sign: u32, magnitude: u32, expected: u128) {
    let x = decode(&F32, u128::from(sign | magnitude));
    let got = project(&target.format, projection, &x).code;
    assert_eq!(
        got,
        expected,
        "{:08x} to {} under {}",
        sign | magnitude,
        target.format,
        describe(projection)
    );
}

fn check_target(target: &Target, projection: &Projection, stride: usize) {
    for sign in [0, SIGN] {
        let steps = steps(target, projection, sign);
        for pair in steps.windows(2) {
            let (before, step) = (&pair[0], &pair[1]);
            for back in 1..=(step.first - before.first).min(2) {
                check(target, projection, sign, step.first - back, before.code);
            }
            check(target, projection, sign, step.first, step.code);
        }
        (0..INFINITY / CHUNK + 1).into_par_iter().for_each(|chunk| {
            let start = chunk * CHUNK;
            let mut at = steps.partition_point(|step| step.first <= start) - 1;
            let end = (start + CHUNK).min(INFINITY + 1);
            for magnitude in (start..end).step_by(stride) {
                while steps.get(at + 1).is_some_and(|next| next.first <= magnitude) {
                    at += 1;
                }
                check(target, projection, sign, magnitude, steps[at].code);
            }
        });
    }
}

#[test]
fn binary32_to_narrow_formats_agrees_with_the_oracle() {
    for spec in catalogue(16).iter().filter(|spec| TARGETS.contains(&spec.name.as_str())) {
        let target = Target::new(spec);
        for (i, mode) in MODES.into_iter().enumerate() {
            let overflow = Overflow::ALL[i % 3];
            let projection = Projection { overflow, ..Projection::with_mode(mode) };
            let least_stride = if i == 0 { 1 } else { 61 };
            check_target(&target, &projection, stride(4093).max(least_stride));
        }
    }
}

/// Compares with `half`, NaN payloads included, which on x86 with F16C asks the processor.
fn check_half(format: &Format, from_f32: fn(f32) -> u16) {
    (0..=u32::MAX / CHUNK).into_par_iter().for_each(|chunk| {
        let start = chunk * CHUNK;
        for code in (start..=start + (CHUNK - 1)).step_by(stride(509)) {
            let expected = from_f32(f32::from_bits(code));
            let x = decode(&F32, u128::from(code));
            let got = project(format, &Projection::default(), &x).code;
            assert_eq!(got, u128::from(expected), "{code:08x} to {format}");
        }
    });
}

#[test]
fn binary32_to_f16_agrees_with_half_and_the_processor() {
    check_half(&F16, |x| f16::from_f32(x).to_bits());
}

#[test]
fn binary32_to_f16_agrees_with_half_in_software() {
    check_half(&F16, |x| f16::from_f32_const(x).to_bits());
}

#[test]
fn binary32_to_bf16_agrees_with_half() {
    check_half(&BF16, |x| bf16::from_f32(x).to_bits());
}

#[test]
fn f16_and_bf16_to_binary32_agree_with_half() {
    for code in 0..=u16::MAX {
        for (format, expected) in [
            (&F16, f16::from_bits(code).to_f32_const()),
            (&F16, f16::from_bits(code).to_f32()),
            (&BF16, bf16::from_bits(code).to_f32()),
        ] {
            let x = decode(format, u128::from(code));
            let got = project(&F32, &Projection::default(), &x).code;
            assert_eq!(got, u128::from(expected.to_bits()), "{code:04x} of {format}");
            assert_eq!(x.kind == Kind::Nan, expected.is_nan(), "{code:04x} of {format}");
        }
    }
}
