//! Scales: the four rules of E8M0, NVFP4's two levels, binary32 scales.

use super::{
    POWER_OF_TWO, RULES, Random, base,
    brute::{Element, e4m3_quotient, fixed, is_quotient},
    power, quantizer, row,
};

/// The binary logarithm of the scale of a block with one number, from the code of its scale.
fn exponent(spec: &str, amax: f32) -> i32 {
    let scales = row(spec, &[amax]).scales;
    scales[0].cast_signed() - 127
}

#[test]
fn the_rules_give_the_scales_of_their_table() {
    let e2m1 = [4.0, 5.0, 6.0, 6.5, 7.0, 7.999, 8.0, 12.5];
    let e4m3 = [256.0, 448.0, 449.0, 464.0, 480.0, 496.0, 511.0, 512.0];
    for (format, largest, table) in [
        (
            "mxfp4",
            e2m1,
            [
                ("floor", [0, 0, 0, 0, 0, 0, 1, 1]),
                ("rceil", [0, 0, 0, 1, 1, 1, 1, 2]),
                ("ceil", [0, 1, 1, 1, 1, 1, 1, 2]),
                ("even", [0, 0, 0, 0, 1, 1, 1, 1]),
            ],
        ),
        (
            "mxfp8_e4m3",
            e4m3,
            [
                ("floor", [0, 0, 0, 0, 0, 0, 0, 1]),
                ("rceil", [0, 0, 1, 1, 1, 1, 1, 1]),
                ("ceil", [0, 1, 1, 1, 1, 1, 1, 1]),
                ("even", [0, 0, 0, 0, 0, 1, 1, 1]),
            ],
        ),
    ] {
        for (rule, expected) in table {
            let spec = format!("{format}/{rule}");
            assert_eq!(largest.map(|amax| exponent(&spec, amax)), expected, "{spec}");
        }
    }
}

/// Powers of two and their neighbours, one code apart and one quantum of each element apart, over
/// the whole range of binary32, subnormal numbers included.
fn edges() -> Vec<f32> {
    let mut edges = Vec::new();
    for exponent in -149..128 {
        let at = power(exponent);
        let code = at.to_bits();
        edges.extend([code - 1, code, code + 1].map(f32::from_bits));
        for fraction in [1.125f32, 1.25, 1.5, 1.75, 1.875, 1.9375, 1.96875, 1.984_375, 1.992_187_5]
        {
            let code = (at * fraction).to_bits();
            edges.extend([code - 1, code, code + 1].map(f32::from_bits));
        }
    }
    edges.extend([f32::MAX, f32::from_bits(1), f32::from_bits(0x007f_ffff)]);
    edges.retain(|x| *x > 0.0 && x.is_finite());
    edges
}

#[test]
fn every_rule_is_exact_at_powers_of_two_and_for_subnormal_blocks() {
    let edges = edges();
    for spec in POWER_OF_TWO {
        let element = Element::of(base(spec));
        for rule in RULES {
            let quantizer = quantizer(&format!("{spec}/{rule}"));
            let largest: Vec<f64> = edges.iter().map(|&x| x.into()).collect();
            let codes = quantizer.scale_codes(&largest, 1.0);
            // A brute force takes a while: every edge of one format and rule, a sample of the rest.
            for (i, (&amax, code)) in largest.iter().zip(codes).enumerate() {
                if spec != "mxfp4" && i % 7 != spec.len() % 7 && amax > power(-120).into() {
                    continue;
                }
                let expected = element.scale_exponent(rule, amax);
                assert_eq!(code.cast_signed() - 127, expected, "{spec}/{rule} of {amax:e}");
            }
        }
    }
}

#[test]
fn nothing_saturates_under_rceil_and_ceil() {
    for spec in POWER_OF_TWO {
        for rule in ["rceil", "ceil"] {
            for amax in edges().into_iter().filter(|&x| x < power(126)) {
                let counts = row(&format!("{spec}/{rule}"), &[amax]).counts;
                assert_eq!(counts.elements.overflow, 0, "{spec}/{rule} of {amax:e}");
            }
        }
    }
}

#[test]
fn nvfp4_scales_are_quotients_rounded_once() {
    let mut random = Random::new(1);
    for trial in 0..300 {
        let exponent = [-140, -126, -60, 0, 60, 127][trial % 6];
        let source: Vec<f32> = (0..64).map(|_| random.number(exponent, 30)).collect();
        let tensor = row("nvfp4", &source);
        let amax = |part: &[f32]| part.iter().fold(0.0, |a: f32, x| a.max(x.abs()));
        let t = tensor.tensor_scale;
        assert!(is_quotient(t, amax(&source).into(), &fixed(2688.0)), "{t:e}");
        for (block, scale) in source.chunks(16).zip(tensor.scales) {
            let expected = match amax(block) {
                0.0 => 0,
                _ if t == 0.0 => 0,
                amax => e4m3_quotient(amax.into(), &(fixed(t.into()) * 6)),
            };
            assert_eq!(u64::from(scale), expected, "{block:?} under {t:e}");
        }
    }
}

#[test]
fn binary32_scales_are_quotients_rounded_once() {
    let mut random = Random::new(2);
    for trial in 0..300 {
        let exponent = [-140, -126, -60, 0, 60, 127][trial % 6];
        let source: Vec<f32> = (0..5).map(|_| random.number(exponent, 9)).collect();
        let amax = source.iter().fold(0.0, |a: f32, x| a.max(x.abs()));
        for (spec, largest) in [("e4m3fn/tensor", 448.0), ("e5m2/tensor", 57344.0)] {
            let scale = f32::from_bits(row(spec, &source).scales[0]);
            if amax == 0.0 {
                assert_eq!(scale, 1.0, "nothing to scale");
            } else if scale == f32::from_bits(1) {
                // The least scale stands in for zero.
                assert!(f64::from(amax) < 1.5 * largest * f64::from(scale));
            } else {
                assert!(is_quotient(scale, amax.into(), &fixed(largest)), "{amax:e}");
            }
        }
    }
}

#[test]
fn a_given_tensor_scale_is_used_and_block_scales_saturate() {
    let tensor = row("nvfp4/scale:0x1p-10", &[6.0; 16]);
    assert_eq!((tensor.tensor_scale, &tensor.scales[..]), (power(-10), &[0x7e][..]));
    assert_eq!(tensor.codes, [7; 16]);
    assert_eq!(tensor.counts.elements.overflow, 16);
}
