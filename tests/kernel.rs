//! The kernels equal the codec, bit for bit, for every format, mode and policy, at every length.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use fpx::codec::{
    Flags, Kind, NanPolicy, NanTo, Overflow, Projection, ROUNDING_MODES, Rounding, Subnormals,
    Unpacked, decode, project,
};
use fpx::format::{CATALOGUE, Class, F32, Format, p3109_names, parse};
use fpx::kernel::{
    Codes, CodesRef, Counts, Dither, InstructionSet, Plan, decode_f32, encode_f32, encode_f64,
    quantize, quantize_in_place,
};
use fpx::random::Stream;

/// Formats of the grammar that leave the beaten track: ranges beyond binary32's, no subnormals, one
/// zero, no sign, one significand bit, one exponent bit, as wide as binary32.
const GRAMMAR: &[&str] = &[
    "e4m3:bias=200",
    "e4m3:bias=-200",
    "e5m2:bias=140",
    "e5m2:bias=120",
    "e5m10:bias=150",
    "e8m7:bias=128",
    "e8m7:bias=125",
    "e8m7:bias=90",
    "e8m3:fnuz",
    "e9m4",
    "e11m4",
    "e4m3:fn:nosub",
    "e5m10:nosub",
    "e8m7:nosub",
    "e4m3:nonegzero",
    "e4m3:fn:unsigned",
    "e5m2:unsigned",
    "e3m2:finite:unsigned",
    "e4m0",
    "e5m0:finite",
    "e1m6",
    "e5m22",
    "e8m23:fn",
    "e8m24",
    "e11m40",
];

fn formats() -> Vec<Format> {
    let named = CATALOGUE.iter().map(|row| row.format.clone());
    let built = GRAMMAR.iter().map(|name| parse(name).unwrap().format);
    named.chain(built).filter(|format| format.width() <= 64).collect()
}

fn roundings() -> Vec<Rounding> {
    let modes = ROUNDING_MODES.iter().map(|mode| Rounding::new(mode));
    modes.chain([1, 7, 31].map(Rounding::stochastic)).collect()
}

fn policies(format: &Format) -> Vec<Projection> {
    let nans: Vec<_> = if format.has_nan() {
        NanPolicy::ALL.iter().map(|&nan| (nan, NanTo::Error)).collect()
    } else {
        NanTo::ALL.iter().map(|&nan_to| (NanPolicy::Keep, nan_to)).collect()
    };
    let mut all = Vec::new();
    for &overflow in Overflow::ALL {
        for &(nan, nan_to) in &nans {
            for &subnormals in Subnormals::ALL {
                let default = Projection::default();
                all.push(Projection { overflow, nan, nan_to, subnormals, ..default });
            }
        }
    }
    all
}

/// The positive numbers around which a rounding to `format` changes its mind, as binary64.
fn boundaries(format: &Format, count: u128) -> Vec<f64> {
    let largest = format.largest_finite();
    let step = (largest / count).max(1);
    let ends = (0..=largest.min(3)).chain(largest.saturating_sub(3)..=largest);
    let magnitudes = ends.chain((1..count).map(|i| (i * step).min(largest)));
    let mut points: Vec<f64> = magnitudes
        .flat_map(|magnitude| {
            let here = decode(format, magnitude).to_f64();
            let next = decode(format, (magnitude + 1).min(largest)).to_f64();
            [here, here / 2.0 + next / 2.0, here * 0.75 + next * 0.25]
        })
        .filter(|x| x.is_finite())
        .collect();
    let largest = decode(format, largest);
    let beyond = largest.to_f64() * (1.0 + 0.5f64.powi(format.precision().cast_signed()));
    points.extend([beyond, beyond * 2.0].into_iter().filter(|x| x.is_finite()));
    points
}

#[expect(clippy::cast_possible_truncation, reason = "a point near the boundary will do")]
/// Binary32 inputs: around the boundaries, at both signs, and the special data.
fn inputs_f32(format: &Format, count: u128) -> Vec<f32> {
    let mut bits: Vec<u32> = vec![0, 1, 2, 0x40_0000, 0x7f_ffff, 0x80_0000, 0x7f7f_ffff];
    bits.extend([0x7f80_0000, 0x7f80_0001, 0x7fa0_1234, 0x7fc0_0000, 0x7fff_ffff]);
    for point in boundaries(format, count) {
        let near = (point as f32).to_bits();
        bits.extend((0..5).map(|i| near.wrapping_add(i).wrapping_sub(2) & 0x7fff_ffff));
    }
    bits.iter().flat_map(|&b| [b, b | 1 << 31]).map(f32::from_bits).collect()
}

/// Binary64 inputs, likewise.
fn inputs_f64(format: &Format, count: u128) -> Vec<f64> {
    let mut bits: Vec<u64> = vec![0, 1, 0xf_ffff_ffff_ffff, 1 << 52, 0x7fef_ffff_ffff_ffff];
    bits.extend([0x7ff0_0000_0000_0000, 0x7ff0_0000_0000_0001, 0x7ff8_0000_0000_0000]);
    bits.extend([0x7ff4_0000_0000_0000, 0x7fff_ffff_ffff_ffff]);
    for point in boundaries(format, count) {
        bits.extend(
            (0..5).map(|i| point.to_bits().wrapping_add(i).wrapping_sub(2) & (u64::MAX >> 1)),
        );
    }
    bits.iter().flat_map(|&b| [b, b | 1 << 63]).map(f64::from_bits).collect()
}

/// What the codec says of each input: the codes and the counts.
fn expected(
    format: &Format,
    projection: &Projection,
    inputs: impl Iterator<Item = Unpacked>,
    dither: Dither,
) -> (Vec<u64>, Counts) {
    let mut counts = Counts::default();
    let mut codes = Vec::new();
    for (x, index) in inputs.zip(dither.first..) {
        let random = dither.stream.bits(index);
        let projected = project(format, &projection.with_random(random), &x);
        let class = format.class(projected.code);
        let is_number = matches!(x.kind, Kind::Finite | Kind::Zero);
        let is_lost = matches!(class, Class::Infinity | Class::QuietNan | Class::SignalingNan);
        let count = |counter: &mut u64, seen: bool| *counter += u64::from(seen);
        count(&mut counts.elements, true);
        count(&mut counts.inexact, projected.flags.contains(Flags::INEXACT));
        count(&mut counts.overflow, projected.flags.contains(Flags::OVERFLOW));
        let is_zero = matches!(x.kind, Kind::Zero | Kind::Nan);
        count(&mut counts.flushed, class == Class::Zero && !is_zero);
        count(&mut counts.subnormal, class == Class::Subnormal);
        count(&mut counts.nan_in, x.kind == Kind::Nan);
        count(&mut counts.inf_in, x.kind == Kind::Infinity);
        count(&mut counts.lost, is_number && is_lost);
        count(&mut counts.refused, projected.flags.contains(Flags::REFUSED));
        codes.push(u64::try_from(projected.code).unwrap());
    }
    (codes, counts)
}

/// A code as the binary32 number that a decoding kernel is to give.
fn as_f32_bits(format: &Format, code: u64) -> u32 {
    let x = decode(format, code.into());
    u32::try_from(project(&F32, &Projection::default(), &x).code).unwrap()
}

/// Runs `$encode` into the narrowest word that holds the format's codes, and widens the codes.
macro_rules! encoded {
    ($encode:ident, $plan:expr, $source:expr, $dither:expr) => {{
        let source = $source;
        let (mut u8s, mut u16s) = (vec![0u8; source.len()], vec![0u16; source.len()]);
        let (mut u32s, mut u64s) = (vec![0u32; source.len()], vec![0u64; source.len()]);
        match $plan.width() {
            0..=8 => {
                let counts = $encode($plan, source, Codes::U8(&mut u8s), $dither);
                (u8s.iter().map(|&c| c.into()).collect::<Vec<u64>>(), counts)
            }
            9..=16 => {
                let counts = $encode($plan, source, Codes::U16(&mut u16s), $dither);
                (u16s.iter().map(|&c| c.into()).collect(), counts)
            }
            17..=32 => {
                let counts = $encode($plan, source, Codes::U32(&mut u32s), $dither);
                (u32s.iter().map(|&c| c.into()).collect(), counts)
            }
            _ => {
                let counts = $encode($plan, source, Codes::U64(&mut u64s), $dither);
                (u64s, counts)
            }
        }
    }};
}

/// Compares every kernel that rounds binary32 with the codec.
fn check_f32(format: &Format, projection: &Projection, source: &[f32], dither: Dither) {
    let numbers = source.iter().map(|&x| Unpacked::from_f32(x));
    let (codes, counts) = expected(format, projection, numbers, dither);
    for set in InstructionSet::found() {
        let plan = Plan::new(format, projection).on(set).unwrap();
        check_plan(format, &plan, source, (&codes, counts), dither);
    }
}

/// Compares the kernels of one plan with what the codec says.
fn check_plan(
    format: &Format,
    plan: &Plan,
    source: &[f32],
    (codes, counts): (&[u64], Counts),
    dither: Dither,
) {
    let (found, found_counts) = encoded!(encode_f32, plan, source, dither);
    if let Some(i) = (0..source.len()).find(|&i| found[i] != codes[i]) {
        panic!(
            "{format} {plan:?}: {:e} (0x{:08x}) gives {:#x}, the codec {:#x}",
            source[i],
            source[i].to_bits(),
            found[i],
            codes[i]
        );
    }
    assert_eq!(found_counts, counts, "{format} {plan:?}");
    let mut rounded = vec![0.0; source.len()];
    let quantized_counts = quantize(plan, source, &mut rounded, dither);
    for ((x, y), code) in source.iter().zip(&rounded).zip(codes) {
        let wanted = as_f32_bits(format, *code);
        assert_eq!(
            y.to_bits(),
            wanted,
            "{format} {plan:?}: {x:e} (0x{:08x}) is rounded to {y:e}, not {:e}",
            x.to_bits(),
            f32::from_bits(wanted)
        );
    }
    assert_eq!(quantized_counts, counts, "{format} {plan:?}");
    let uncounted = plan.without_counts();
    let (found, found_counts) = encoded!(encode_f32, &uncounted, source, dither);
    assert_eq!(found, codes, "{format} {plan:?} without counts");
    assert_eq!(found_counts, Counts { elements: counts.elements, ..Counts::default() });
}

fn check_f64(format: &Format, projection: &Projection, source: &[f64], dither: Dither) {
    let numbers = source.iter().map(|&x| Unpacked::from_f64(x));
    let (codes, counts) = expected(format, projection, numbers, dither);
    for set in InstructionSet::found() {
        let plan = Plan::new(format, projection).on(set).unwrap();
        let (found, found_counts) = encoded!(encode_f64, &plan, source, dither);
        if let Some(i) = (0..source.len()).find(|&i| found[i] != codes[i]) {
            panic!(
                "{format} {projection:?}: {:e} (0x{:016x}) gives {:#x}, the codec {:#x}",
                source[i],
                source[i].to_bits(),
                found[i],
                codes[i]
            );
        }
        assert_eq!(found_counts, counts, "{format} {projection:?}");
    }
}

/// A dither whose indices cross 2^32 within the first elements.
fn crossing() -> Dither {
    Dither { stream: Stream::new(7, 1), first: (1 << 32) - 21 }
}

#[test]
fn every_format_mode_and_policy_equals_the_codec() {
    for format in formats() {
        let source = inputs_f32(&format, 24);
        let wide = inputs_f64(&format, 12);
        for policy in policies(&format) {
            for rounding in roundings() {
                let projection = Projection { rounding, ..policy };
                check_f32(&format, &projection, &source, crossing());
                check_f64(&format, &projection, &wide, crossing());
            }
        }
    }
}

#[test]
fn every_p3109_format_equals_the_codec() {
    for name in p3109_names() {
        let format = parse(&name).unwrap().format;
        let source = inputs_f32(&format, 8);
        for rounding in roundings() {
            for &overflow in Overflow::ALL {
                let projection = Projection { rounding, overflow, ..Projection::default() };
                check_f32(&format, &projection, &source, crossing());
            }
        }
    }
}

#[test]
fn every_length_and_offset_equals_the_codec() {
    for format in formats() {
        let source = inputs_f32(&format, 30);
        for rounding in roundings() {
            let projection = Projection { rounding, ..Projection::default() };
            let is_default = rounding == Projection::default().rounding;
            for length in 0..=67 {
                let offsets = if is_default { 0..16 } else { length * 3 % 16..length * 3 % 16 + 1 };
                for first in offsets {
                    check_f32(&format, &projection, &source[first..first + length], crossing());
                }
            }
        }
    }
}

#[test]
fn a_stride_through_binary32_equals_the_codec() {
    const STRIDE: usize = 211_283; // a prime: about 20,000 inputs
    let source: Vec<f32> = (0..=u32::MAX).step_by(STRIDE).map(f32::from_bits).collect();
    for format in formats() {
        for rounding in roundings() {
            let projection = Projection { rounding, ..Projection::default() };
            check_f32(&format, &projection, &source, Dither::default());
        }
    }
}

/// Compares the numbers of codes in words of one type, at every length and offset.
fn check_decoding<W>(format: &Format, plan: &Plan, codes: &[u64])
where
    W: TryFrom<u64, Error: std::fmt::Debug>,
    for<'a> CodesRef<'a>: From<&'a [W]>,
{
    let words: Vec<W> = codes.iter().map(|&code| W::try_from(code).unwrap()).collect();
    let wanted: Vec<u32> = codes.iter().map(|&code| as_f32_bits(format, code)).collect();
    let lengths = (0..=67.min(codes.len())).flat_map(|length| {
        (0..16.min(codes.len() - length + 1)).map(move |first| first..first + length)
    });
    for range in lengths.chain(std::iter::once(0..codes.len())) {
        let mut numbers = vec![0.0; range.len()];
        decode_f32(plan, words[range.clone()].into(), &mut numbers);
        for ((x, &wanted), code) in numbers.iter().zip(&wanted[range.clone()]).zip(&codes[range]) {
            assert_eq!(x.to_bits(), wanted, "{format} {plan:?}: {code:#x} decodes to {x:e}");
        }
    }
}

#[test]
fn every_code_decodes_as_the_codec_does() {
    for format in formats() {
        let step = (format.code_mask() >> 17) + 1;
        let codes: Vec<u64> = (0..=format.code_mask())
            .step_by(usize::try_from(step).unwrap())
            .map(|code| u64::try_from(code).unwrap())
            .collect();
        for set in InstructionSet::found() {
            let plan = Plan::new(&format, &Projection::default()).on(set).unwrap();
            match format.width() {
                0..=8 => check_decoding::<u8>(&format, &plan, &codes),
                9..=16 => check_decoding::<u16>(&format, &plan, &codes),
                17..=32 => check_decoding::<u32>(&format, &plan, &codes),
                _ => {}
            }
            check_decoding::<u64>(&format, &plan, &codes);
        }
    }
}

#[test]
fn quantizing_in_place_equals_quantizing() {
    let format = parse("e4m3fn").unwrap().format;
    for rounding in roundings() {
        let plan = Plan::new(&format, &Projection { rounding, ..Projection::default() });
        let source: Vec<f32> = (0..5000u16).map(|i| (f32::from(i) - 2500.0) / 97.0).collect();
        let mut rounded = vec![0.0; source.len()];
        let counts = quantize(&plan, &source, &mut rounded, crossing());
        let mut in_place = source.clone();
        assert_eq!(quantize_in_place(&plan, &mut in_place, crossing()), counts);
        assert_eq!(in_place, rounded);
    }
}
