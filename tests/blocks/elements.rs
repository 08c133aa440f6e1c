//! Elements: every mode against a brute force over the codes, and what is counted.

use super::{
    POWER_OF_TWO, RULES, Random, base,
    brute::{Element, is_product},
    power, quantizer, row,
};
use fpx::block::{Piece, Quantizer, Spec};
use fpx::codec::{Flags, NanTo, Projection, ROUNDING_MODES, Rounding, Unpacked, decode, project};
use fpx::kernel::{Counts, Dither};
use fpx::random::Stream;

/// The modes that the oracle knows.
const MODES: [&str; 6] = ["rne", "rna", "rtz", "rup", "rdn", "rto"];

/// Checks codes, numbers and counts of every element against the oracle, given the scales.
fn check(spec: &str, mode: &str, source: &[f32]) {
    let target: Spec = spec.parse().unwrap();
    let element = Element::of(base(spec));
    let rounding: Rounding = mode.parse().unwrap();
    let projection = Projection { rounding, ..Projection::default() };
    let quantizer = Quantizer::new(&target, &projection).unwrap();
    let tensor = quantizer.quantize(&[source.len() as u64], source, Dither::default()).unwrap();
    let numbers: Vec<f32> = quantizer.dequantize(&tensor);
    let values = quantizer.scale_values(&tensor.scales, tensor.tensor_scale);
    let mut counts = Counts::default();
    for (i, (&x, (&code, &number))) in
        source.iter().zip(tensor.codes.iter().zip(&numbers)).enumerate()
    {
        let scale = values[usize::try_from(tensor.grouping.scale_of(i as u64)).unwrap()];
        let what = format!("{spec}/{mode}: {x:e} under {scale:e} is {code:#x}");
        if scale == 0.0 {
            assert_eq!(element.value(code), 0.0, "{what}");
        } else {
            assert_eq!(code, element.code(x.into(), scale, mode), "{what}");
        }
        let value = element.value(code);
        assert!(is_product(number, value, scale), "{what}, read as {number:e}");
        counts.elements += 1;
        counts.inexact += u64::from(value * scale != f64::from(x));
        counts.flushed += u64::from(x != 0.0 && value == 0.0);
    }
    let seen = tensor.counts.elements;
    assert_eq!(
        (seen.elements, seen.inexact, seen.flushed),
        (counts.elements, counts.inexact, counts.flushed),
        "{spec}/{mode}"
    );
}

#[test]
fn elements_of_power_of_two_scales_are_rounded_once() {
    let mut random = Random::new(3);
    for spec in POWER_OF_TWO {
        for (i, mode) in MODES.into_iter().enumerate() {
            for (j, exponent) in [-146, -125, -20, 0, 9, 128].into_iter().enumerate() {
                let rule = RULES[(i + j) % 4];
                let source: Vec<f32> = (0..40).map(|_| random.number(exponent, 12)).collect();
                check(&format!("{spec}/{rule}"), mode, &source);
            }
        }
    }
}

#[test]
fn elements_of_nvfp4_and_binary32_scales_are_rounded_once() {
    let mut random = Random::new(4);
    for spec in ["nvfp4", "nvfp4/scale:0.001", "e4m3fn/tensor", "e5m2/channel", "e4m3fn/tile:1x7"] {
        for mode in MODES {
            for exponent in [-146, -125, -20, 0, 9, 128] {
                let source: Vec<f32> = (0..40).map(|_| random.number(exponent, 12)).collect();
                check(spec, mode, &source);
            }
        }
    }
}

/// Numbers that are an element times a scale, or midway between two, exactly or one code away: where
/// a quotient that is rounded before it is rounded goes wrong.
#[test]
fn quotients_at_the_edge_are_not_rounded_twice() {
    let mut random = Random::new(5);
    for (spec, divisor) in [("nvfp4", 6.0f32), ("e4m3fn/tensor", 448.0), ("e5m2/tensor", 57344.0)] {
        let element = Element::of(base(spec));
        for _ in 0..40 {
            let amax = random.number(3, 4).abs().max(0.01);
            let scale = f64::from(amax) / f64::from(divisor);
            let mut source = vec![amax];
            for _ in 0..9 {
                let i = random.below(element.magnitudes.len() as u32 - 1) as usize;
                let middle = f64::midpoint(element.magnitudes[i], element.magnitudes[i + 1]);
                let code = ((middle * scale) as f32).to_bits();
                source.extend([code - 1, code, code + 1].map(f32::from_bits));
            }
            source.truncate(16);
            check(spec, "rne", &source);
        }
    }
}

#[test]
fn binary64_numbers_are_rounded_once() {
    // Just above a midpoint of E2M1, by less than binary32 can tell.
    let above = 2.5 + f64::from(power(-40));
    let quantizer = quantizer("mxfp4");
    let tensor = quantizer.quantize(&[2], &[6.0, above], Dither::default()).unwrap();
    assert_eq!(tensor.codes, [7, 5]);
    let tensor = quantizer.quantize(&[2], &[6.0, 2.5f64], Dither::default()).unwrap();
    assert_eq!(tensor.codes, [7, 4]);
}

#[test]
fn stochastic_elements_draw_the_bits_of_their_index() {
    let mut random = Random::new(6);
    let source: Vec<f32> = (0..300).map(|_| random.number(0, 6)).collect();
    let stream = Stream::new(7, 9);
    for name in ["mxfp4/sr", "mxfp8/sr:5", "mxfp6/rceil/sr:17"] {
        let spec: Spec = name.parse().unwrap();
        let quantizer = Quantizer::new(&spec, &Projection::default()).unwrap();
        let dither = Dither { stream, first: 1000 };
        let tensor = quantizer.quantize(&[300], &source, dither).unwrap();
        let values = quantizer.scale_values(&tensor.scales, 1.0);
        let projection = Projection {
            overflow: fpx::codec::Overflow::Saturate,
            ..spec.projection(&Projection::default())
        };
        for (i, (&x, &code)) in source.iter().zip(&tensor.codes).enumerate() {
            let projection = projection.with_random(stream.bits(1000 + i as u64));
            // A power of two divides exactly.
            let quotient = Unpacked::from_f64(f64::from(x) / values[i / 32]);
            let expected = project(quantizer.element(), &projection, &quotient).code;
            assert_eq!(u128::from(code), expected, "{name}: element {i}, {x:e}");
        }
    }
}

#[test]
fn stochastic_rounding_of_quotients_is_unbiased() {
    const N: usize = 40_000;
    // Elements at 0.3 of the way from 2 to 3 under scales that are no powers of two.
    for name in ["nvfp4/sr", "e4m3fn/tensor/sr"] {
        let spec: Spec = name.parse().unwrap();
        let quantizer = Quantizer::new(&spec, &Projection::default()).unwrap();
        let mut source = vec![0.7f32; N];
        source.iter_mut().step_by(16).for_each(|x| *x = 1.9);
        let grouping = quantizer.grouping(&[N as u64]).unwrap();
        let mut rounded = vec![0.0; N];
        quantizer.fake_quantize(&grouping, &source, &mut rounded, Dither::default());
        let (mut sum, mut n) = (0.0, 0.0);
        for (_, x) in source.iter().zip(&rounded).filter(|(s, _)| **s == 0.7) {
            sum += f64::from(*x);
            n += 1.0;
        }
        let mut values: Vec<u32> = source
            .iter()
            .zip(&rounded)
            .filter(|(s, _)| **s == 0.7)
            .map(|(_, x)| x.to_bits())
            .collect();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), 2, "{name}: the two neighbours");
        let gap = f64::from(f32::from_bits(values[1]) - f32::from_bits(values[0]));
        // The mean of n draws is within five standard deviations, each at most half the gap.
        assert!((sum / n - 0.7).abs() < 5.0 * 0.5 * gap / f64::sqrt(n), "{name}: {}", sum / n);
    }
}

#[test]
fn a_nan_or_an_infinity_makes_its_block_nan() {
    for spec in ["mxfp4", "mxfp8", "mxint8", "nvfp4"] {
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut source = vec![1.0f32; 100];
            source[40] = x;
            let tensor = row(spec, &source);
            let numbers: Vec<f32> = quantizer(spec).dequantize(&tensor);
            let size = if spec == "nvfp4" { 16 } else { 32 };
            for (i, number) in numbers.iter().enumerate() {
                assert_eq!(number.is_nan(), i / size == 40 / size, "{spec} {x} at {i}");
            }
            let nan_scale = if spec == "nvfp4" { 0x7f } else { 0xff };
            assert_eq!(tensor.scales[40 / size], nan_scale, "{spec}");
            let counts = tensor.counts;
            assert_eq!((counts.nan, counts.zero, counts.short), (1, 0, 1));
            assert_eq!(counts.elements.lost, size as u64 - 1);
            assert_eq!(counts.elements.nan_in, u64::from(x.is_nan()));
            assert_eq!(counts.elements.inf_in, u64::from(x.is_infinite()));
        }
    }
}

#[test]
fn elements_keep_their_own_nan_under_a_binary32_scale() {
    let source = [1.0, f32::NAN, f32::INFINITY, -2.0];
    let tensor = row("e4m3fn/tensor", &source);
    let numbers: Vec<f32> = quantizer("e4m3fn/tensor").dequantize(&tensor);
    assert_eq!((numbers[0], numbers[3]), (1.0, -2.0));
    assert!(numbers[1].is_nan() && numbers[2].is_nan());
    assert_eq!((tensor.counts.nan, tensor.counts.elements.nan_in), (0, 1));
    let tensor = row("e5m2/tensor", &source);
    let numbers: Vec<f32> = quantizer("e5m2/tensor").dequantize(&tensor);
    assert_eq!(numbers[2], f32::INFINITY);
    let spec: Spec = "fp4/tensor".parse().unwrap();
    let refused = Quantizer::new(&spec, &Projection::default()).unwrap();
    let tensor = refused.quantize(&[4], &source, Dither::default()).unwrap();
    assert_eq!(tensor.counts.elements.refused, 1);
    let zero = Projection { nan_to: NanTo::Zero, ..Projection::default() };
    let tensor =
        Quantizer::new(&spec, &zero).unwrap().quantize(&[4], &source, Dither::default()).unwrap();
    assert_eq!((tensor.counts.elements.refused, tensor.codes[1]), (0, 0));
}

#[test]
fn blocks_of_zeros_are_zeros() {
    for spec in ["mxfp8", "mxfp4", "mxint8", "nvfp4", "e4m3fn/tensor"] {
        let tensor = row(spec, &[0.0, -0.0, 0.0]);
        let numbers: Vec<f32> = quantizer(spec).dequantize(&tensor);
        assert_eq!(numbers, [0.0, 0.0, 0.0], "{spec}");
        let has_negative_zero = spec != "mxint8";
        assert_eq!(numbers[1].is_sign_negative(), has_negative_zero, "{spec}");
        let scale = if spec == "e4m3fn/tensor" { 1f32.to_bits() } else { 0 };
        assert_eq!(tensor.scales, [scale], "{spec}");
        assert_eq!(tensor.counts.zero, u64::from(spec == "nvfp4"), "{spec}");
        assert_eq!(tensor.counts.elements.flushed, 0, "{spec}");
    }
    // A block far below the tensor's largest number has scale zero, and is counted.
    let mut source = vec![1e-9f32; 32];
    source[0] = 1.0;
    let tensor = row("nvfp4", &source);
    assert_eq!((tensor.scales[1], tensor.counts.zero), (0, 1));
    assert_eq!(tensor.counts.elements.flushed, 31);
    assert!(quantizer("nvfp4").dequantize::<f32>(&tensor)[16..].iter().all(|&x| x == 0.0));
}

#[test]
fn integers_of_files_may_be_minus_two() {
    let quantizer = quantizer("mxint8");
    let mut tensor = row("mxint8", &[1.0, -1.984_375, 1.984_375]);
    assert_eq!(tensor.codes, [0x40, 0x81, 0x7f]);
    tensor.codes[0] = 0x80;
    assert_eq!(quantizer.dequantize::<f32>(&tensor), [-2.0, -1.984_375, 1.984_375]);
}

#[test]
fn fake_quantisation_is_quantisation_and_back() {
    let mut random = Random::new(8);
    let mut source: Vec<f32> = (0..9000).map(|_| random.number(2, 20)).collect();
    (source[77], source[5000]) = (f32::NAN, f32::INFINITY);
    let specs = POWER_OF_TWO.into_iter().chain(["nvfp4", "e4m3fn/tile:7x9", "e5m2/channel"]);
    for spec in specs {
        for mode in ROUNDING_MODES {
            let projection = Projection::with_mode(mode);
            let quantizer = Quantizer::new(&spec.parse().unwrap(), &projection).unwrap();
            let dither = Dither { stream: Stream::new(3, 4), first: 0 };
            let tensor = quantizer.quantize(&[90, 100], &source, dither).unwrap();
            let expected: Vec<f32> = quantizer.dequantize(&tensor);
            let mut rounded = vec![0.0; source.len()];
            let counts = quantizer.fake_quantize(&tensor.grouping, &source, &mut rounded, dither);
            assert_eq!(counts, tensor.counts, "{spec}/{}", mode.name);
            for (i, (x, y)) in expected.iter().zip(&rounded).enumerate() {
                assert_eq!(x.to_bits(), y.to_bits(), "{spec}/{} at {i}", mode.name);
            }
        }
    }
}

/// Bytes, and numbers rounded at once, go through memory once where blocks are ordinary.
#[test]
fn bytes_and_multiples_are_what_wider_codes_are() {
    let mut random = Random::new(10);
    for (i, spec) in POWER_OF_TWO.into_iter().chain(["nvfp4"]).enumerate() {
        for (j, exponent) in [-143, -60, -12, -4, 9].into_iter().enumerate() {
            let rule = if spec == "nvfp4" { "rne" } else { RULES[(i + j) % RULES.len()] };
            for shape in [vec![3, 1056], vec![2077], vec![40, 33]] {
                let elements: u64 = shape.iter().product();
                let mut source: Vec<f32> =
                    (0..elements).map(|_| random.number(exponent, 5)).collect();
                source[3..40].fill(-0.0);
                if shape.len() > 1 {
                    (source[1100], source[77]) = (f32::NAN, f32::NEG_INFINITY);
                }
                let quantizer = quantizer(&format!("{spec}/{rule}"));
                if quantizer.element().width() > 8 {
                    continue;
                }
                let dither = Dither::default();
                let tensor = quantizer.quantize(&shape, &source, dither).unwrap();
                let what = format!("{spec}/{rule} around 2^{exponent} of {shape:?}");
                let (mut codes, mut scales) = (vec![0u8; source.len()], tensor.scales.clone());
                scales.fill(0);
                let counts = quantizer.encode_tiles(
                    &Piece { grouping: &tensor.grouping, elements: 0..elements },
                    &source,
                    tensor.tensor_scale,
                    &mut scales,
                    &mut codes.as_mut_slice().into(),
                    dither,
                );
                assert_eq!((counts, &scales), (tensor.counts, &tensor.scales), "{what}");
                assert!(codes.iter().map(|&code| u64::from(code)).eq(tensor.codes.iter().copied()));
                let expected: Vec<f32> = quantizer.dequantize(&tensor);
                let mut rounded = vec![0.0; source.len()];
                let counts =
                    quantizer.fake_quantize(&tensor.grouping, &source, &mut rounded, dither);
                assert_eq!(counts, tensor.counts, "{what}");
                let bits =
                    |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&rounded), bits(&expected), "{what}");
            }
        }
    }
}

#[test]
fn subnormal_elements_are_counted() {
    let tensor = row("mxfp8", &[1.0, power(-15), power(-25), power(-17)]);
    let elements: Vec<f64> = tensor
        .codes
        .iter()
        .map(|&code| decode(&fpx::format::E4M3FN, code.into()).to_f64())
        .collect();
    assert_eq!(elements, [256.0, power(-7).into(), 0.0, power(-9).into()]);
    assert_eq!((tensor.counts.elements.subnormal, tensor.counts.elements.flushed), (2, 1));
}

/// What bulk work makes of a row against what the codec makes of each datum, with exact scales.
#[test]
fn every_target_mode_and_rule_is_what_exact_rows_are() {
    let mut random = Random::new(9);
    let mut targets: Vec<String> =
        ["nvfp4", "nvfp4/scale:0.001", "nvfp4/scale:0x1p-3", "nvfp4/block:7", "e4m3fn/tensor"]
            .into_iter()
            .chain(["e5m2/tile:1x48", "fp4/tile:1x16", "f16/tensor", "bf16/tile:1x5", "fp6/tensor"])
            .map(str::to_owned)
            .collect();
    for name in POWER_OF_TWO {
        targets.extend(RULES.map(|rule| format!("{name}/{rule}")));
        targets.push(format!("{}/block:{}", base(name), 1 + random.below(40)));
    }
    for (target, mode) in targets.iter().flat_map(|t| ROUNDING_MODES.iter().map(move |m| (t, m))) {
        let quantizer =
            Quantizer::new(&target.parse().unwrap(), &Projection::with_mode(mode)).unwrap();
        for exponent in [-140, -100, 3, 120] {
            let mut source: Vec<f32> = (0..173).map(|_| random.number(exponent, 20)).collect();
            match random.below(3) {
                0 => source[40] = f32::NAN,
                1 => source[80] = f32::NEG_INFINITY,
                _ => source[96..160].fill(0.0),
            }
            let what = format!("{target}/{} at 2^{exponent}", mode.name);
            let stream = Stream::new(1, 2);
            let data: Vec<Unpacked> = source.iter().map(|&x| Unpacked::from_f32(x)).collect();
            let exact = quantizer.row(&data, stream).unwrap();
            let dither = Dither { stream, first: 0 };
            let bulk = quantizer.quantize(&[173], &source, dither).unwrap();
            assert_eq!(bulk.tensor_scale.to_bits(), exact.tensor_scale.to_bits(), "{what}");
            let scales: Vec<u32> = exact.scales.iter().map(|scale| scale.code).collect();
            assert_eq!(bulk.scales, scales, "{what}");
            let numbers: Vec<f32> = quantizer.dequantize(&bulk);
            for (i, element) in exact.elements.iter().enumerate() {
                let got = (u128::from(bulk.codes[i]), numbers[i].to_bits());
                let expected = (element.stored, element.number.to_bits());
                assert_eq!(got, expected, "{what}: {:e} at {i}", source[i]);
            }
            let overflows = |e: &&fpx::block::exact::Element| e.flags.contains(Flags::OVERFLOW);
            let clipped = exact.elements.iter().filter(overflows).count();
            assert_eq!(bulk.counts.elements.overflow, clipped as u64, "{what}");
        }
    }
}
