//! Witness: the numbers of the specifications, typed in from them: fields, specials, limits and overflow
//! thresholds of the named formats and of P3109's.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use fpx::codec::{Flags, Projection, Unpacked, decode, neighbor, project};
use fpx::format::{CATALOGUE, Class, Format, p3109_names, parse};
use fpx::text::literal::parse_number;

/// The least magnitude that overflows under nearest even.
#[derive(Clone, Copy)]
enum Overflows {
    /// The midpoint itself, the largest finite code being odd.
    From(&'static str),
    /// Everything above the midpoint, the largest finite code being even.
    Above(&'static str),
}

/// What a specification says of a format.
struct Facts {
    name: &'static str,
    /// Sign, exponent and trailing significand bits.
    fields: (u32, u32, u32),
    bias: i32,
    /// The code of +∞.
    infinity: Option<u128>,
    /// The first and last NaN code, the sign bit clear if it can be.
    nan: Option<(u128, u128)>,
    /// The largest finite number and its code.
    largest: (&'static str, u128),
    least_normal: &'static str,
    /// Empty where there is none.
    least_subnormal: &'static str,
    overflows: Overflows,
}

use Overflows::{Above, From};

macro_rules! facts {
    ($($name:literal $fields:tt $bias:literal $infinity:expr, $nan:expr, $largest:tt $normal:literal $subnormal:literal $overflows:expr;)*) => {
        &[$(Facts {
            name: $name,
            fields: $fields,
            bias: $bias,
            infinity: $infinity,
            nan: $nan,
            largest: $largest,
            least_normal: $normal,
            least_subnormal: $subnormal,
            overflows: $overflows,
        }),*]
    };
}

#[rustfmt::skip]
const FACTS: &[Facts] = facts! {
    // IEEE 754-2019 §3.6; bfloat16, TF32 and the others follow its encoding.
    "f16"         (1, 5, 10)  15  Some(0x7c00), Some((0x7c01, 0x7fff)), ("65504", 0x7bff) "2^-14" "2^-24" From("65520");
    "bf16"        (1, 8, 7)   127 Some(0x7f80), Some((0x7f81, 0x7fff)), ("0x1.fep127", 0x7f7f) "2^-126" "2^-133" From("0x1.ffp127");
    "f32"         (1, 8, 23)  127 Some(0x7f80_0000), Some((0x7f80_0001, 0x7fff_ffff)), ("0x1.fffffep127", 0x7f7f_ffff) "2^-126" "2^-149" From("0x1.ffffffp127");
    "f64"         (1, 11, 52) 1023 Some(0x7ff << 52), Some(((0x7ff << 52) + 1, (1 << 63) - 1)), ("0x1.fffffffffffffp1023", (0x7ff << 52) - 1) "2^-1022" "2^-1074" From("0x1.fffffffffffff8p1023");
    "binary128"   (1, 15, 112) 16383 Some(0x7fff << 112), Some(((0x7fff << 112) + 1, (1 << 127) - 1)), ("0x1.ffffffffffffffffffffffffffffp16383", (0x7fff << 112) - 1) "2^-16382" "2^-16494" From("0x1.ffffffffffffffffffffffffffff8p16383");
    "tf32"        (1, 8, 10)  127 Some(0x3fc00), Some((0x3fc01, 0x3ffff)), ("0x1.ffcp127", 0x3fbff) "2^-126" "2^-136" From("0x1.ffep127");
    "e5m2"        (1, 5, 2)   15  Some(0x7c), Some((0x7d, 0x7f)), ("57344", 0x7b) "2^-14" "2^-16" From("61440");
    "e4m3ieee"    (1, 4, 3)   7   Some(0x78), Some((0x79, 0x7f)), ("240", 0x77) "2^-6" "2^-9" From("248");
    "e3m4"        (1, 3, 4)   3   Some(0x70), Some((0x71, 0x7f)), ("15.5", 0x6f) "0.25" "0.015625" From("15.75");
    "fp24"        (1, 7, 16)  63  Some(0x7f_0000), Some((0x7f_0001, 0x7f_ffff)), ("0x1.ffffp63", 0x7e_ffff) "2^-62" "2^-78" From("0x1.ffff8p63");
    "pxr24"       (1, 8, 15)  127 Some(0x7f_8000), Some((0x7f_8001, 0x7f_ffff)), ("0x1.fffep127", 0x7f_7fff) "2^-126" "2^-141" From("0x1.ffffp127");
    // OCP OFP8 1.0, arXiv 2206.02915, PTX ISA.
    "e4m3fn"      (1, 4, 3)   7   None, Some((0x7f, 0x7f)), ("448", 0x7e) "0.015625" "0.001953125" Above("464");
    "e5m2fnuz"    (1, 5, 2)   16  None, Some((0x80, 0x80)), ("57344", 0x7f) "2^-15" "2^-17" From("61440");
    "e4m3fnuz"    (1, 4, 3)   8   None, Some((0x80, 0x80)), ("240", 0x7f) "2^-7" "2^-10" From("248");
    "e4m3b11fnuz" (1, 4, 3)   11  None, Some((0x80, 0x80)), ("30", 0x7f) "2^-10" "2^-13" From("31");
    "ue4m3"       (0, 4, 3)   7   None, Some((0x7f, 0x7f)), ("448", 0x7e) "2^-6" "2^-9" Above("464");
    "ue5m3"       (0, 5, 3)   15  None, Some((0xff, 0xff)), ("114688", 0xfe) "2^-14" "2^-17" Above("118784");
    // OCP MX 1.0 and finite studies.
    "e3m2fn"      (1, 3, 2)   3   None, None, ("28", 0x1f) "0.25" "0.0625" From("30");
    "e2m3fn"      (1, 2, 3)   1   None, None, ("7.5", 0x1f) "1" "0.125" From("7.75");
    "e2m1fn"      (1, 2, 1)   1   None, None, ("6", 0x7) "1" "0.5" From("7");
    "e3m0"        (1, 3, 0)   3   None, None, ("16", 0x7) "0.25" "" From("24");
    "e1m2"        (1, 1, 2)   1   None, None, ("1.75", 0x7) "1" "0.25" From("1.875");
    "arm-alt-half" (1, 5, 10) 15  None, None, ("131008", 0x7fff) "2^-14" "2^-24" From("131040");
    "e8m0"        (0, 8, 0)   127 None, Some((0xff, 0xff)), ("2^127", 0xfe) "2^-127" "" From("0x1.8p127");
    // IBM, ARITH 2019.
    "dlfloat16"   (1, 6, 9)   31  None, Some((0x7fff, 0x7fff)), ("8573157376", 0x7ffe) "0x2.01p-32" "" Above("8577351680");
    // Intel SDM vol. 1 §4.2.2; the leading bit is stored besides the fields.
    "x87-80"      (1, 15, 63) 16383 Some(0x7fff << 64 | 1 << 63), Some(((0x7fff << 64 | 1 << 63) + 1, (1 << 79) - 1)), ("0x1.fffffffffffffffep16383", (0x7fff << 64) - 1) "2^-16382" "2^-16445" From("0x1.ffffffffffffffffp16383");
    // P3109 interim report 4.0, value tables.
    "binary8p3se"   (1, 5, 2) 16  Some(0x7f), Some((0x80, 0x80)), ("49152", 0x7e) "2^-15" "2^-17" Above("53248");
    "binary8p4se"   (1, 4, 3) 8   Some(0x7f), Some((0x80, 0x80)), ("224", 0x7e) "2^-7" "2^-10" Above("232");
    "binary8p5se"   (1, 3, 4) 4   Some(0x7f), Some((0x80, 0x80)), ("15", 0x7e) "0.125" "2^-7" Above("15.25");
    "binary8p2se"   (1, 6, 1) 32  Some(0x7f), Some((0x80, 0x80)), ("2^31", 0x7e) "2^-31" "2^-32" Above("0x5p29");
    "binary8p3sf"   (1, 5, 2) 16  None, Some((0x80, 0x80)), ("57344", 0x7f) "2^-15" "2^-17" From("61440");
    "binary8p4sf"   (1, 4, 3) 8   None, Some((0x80, 0x80)), ("240", 0x7f) "2^-7" "2^-10" From("248");
    "binary8p1uf"   (0, 8, 0) 128 None, Some((0xff, 0xff)), ("2^126", 0xfe) "2^-127" "" Above("0x3p125");
    "binary6p3sf"   (1, 3, 2) 4   None, Some((0x20, 0x20)), ("14", 0x1f) "0.125" "0.03125" From("15");
    "binary6p4sf"   (1, 2, 3) 2   None, Some((0x20, 0x20)), ("3.75", 0x1f) "0.5" "0.0625" From("3.875");
    "binary4p2sf"   (1, 2, 1) 2   None, Some((0x8, 0x8)), ("3", 0x7) "0.5" "0.25" From("3.5");
    "binary16p11se" (1, 5, 10) 16 Some(0x7fff), Some((0x8000, 0x8000)), ("65472", 0x7ffe) "2^-15" "2^-25" Above("65488");
};

fn format(name: &str) -> Format {
    parse(name).unwrap().format
}

fn number(text: &str) -> Unpacked {
    parse_number(text).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn every_catalogue_row_is_in_the_table() {
    for row in CATALOGUE {
        let name = row.format.name();
        assert!(FACTS.iter().any(|facts| facts.name == name), "{name} is missing here");
    }
}

#[test]
fn fields_and_limits_are_those_of_the_specification() {
    for facts in FACTS {
        let f = format(facts.name);
        let fields = (u32::from(f.is_signed()), f.exponent_width(), f.trailing_width());
        assert_eq!((fields, f.bias()), (facts.fields, facts.bias), "{f}");
        let (largest, code) = facts.largest;
        assert_eq!(decode(&f, code), number(largest), "{f}: largest finite");
        assert_eq!(project(&f, &Projection::default(), &number(largest)).code, code, "{f}");
        let least_normal = number(facts.least_normal);
        let code = project(&f, &Projection::default(), &least_normal).code;
        assert_eq!((decode(&f, code), f.class(code)), (least_normal, Class::Normal), "{f}");
        assert_eq!(f.has_subnormals(), !facts.least_subnormal.is_empty(), "{f}");
        if f.has_subnormals() {
            assert_eq!(decode(&f, 1), number(facts.least_subnormal), "{f}: least subnormal");
            assert_eq!(f.class(1), Class::Subnormal, "{f}");
            let below = neighbor::next_down(&f, code).unwrap();
            assert_eq!(f.class(below), Class::Subnormal, "{f}: below the least normal");
        }
    }
}

#[test]
fn specials_are_those_of_the_specification() {
    for facts in FACTS {
        let f = format(facts.name);
        assert_eq!(
            (f.has_infinity(), f.has_nan()),
            (facts.infinity.is_some(), facts.nan.is_some())
        );
        if let Some(code) = facts.infinity {
            assert_eq!(decode(&f, code), Unpacked::infinity(false), "{f}");
            if f.is_signed() {
                assert_eq!(decode(&f, code | f.sign_mask()), Unpacked::infinity(true), "{f}");
            }
        }
        let is_nan = |code| matches!(f.class(code), Class::QuietNan | Class::SignalingNan);
        if let Some((first, last)) = facts.nan {
            assert!(is_nan(first) && is_nan(last) && is_nan(first.midpoint(last)), "{f}");
            assert!(!is_nan(first - 1) && (last == f.code_mask() || !is_nan(last + 1)), "{f}");
        }
        if f.width() <= 19 {
            let count = (0..=f.code_mask()).filter(|code| is_nan(*code)).count() as u128;
            let one_sign = facts.nan.map_or(0, |(first, last)| last - first + 1);
            let has_signs =
                f.is_signed() && facts.nan.is_some_and(|(first, _)| first != f.sign_mask());
            assert_eq!(count, one_sign << u32::from(has_signs), "{f}: NaN codes");
        }
    }
}

#[test]
fn overflow_begins_where_the_specification_says() {
    for facts in FACTS {
        let f = format(facts.name);
        let overflows = |x: &Unpacked| {
            let flags = project(&f, &Projection::default(), x).flags;
            flags.contains(Flags::OVERFLOW)
        };
        let (threshold, at_threshold) = match facts.overflows {
            From(text) => (number(text), true),
            Above(text) => (number(text), false),
        };
        let below = Unpacked {
            significand: threshold.significand - 1,
            sticky: true,
            ..Unpacked::scaled(false, threshold.significand - 1, threshold.exponent - 127)
        };
        let below = if threshold.significand == 1 << 127 {
            Unpacked {
                sticky: true,
                ..Unpacked::scaled(false, u128::MAX, threshold.exponent - 128)
            }
        } else {
            below
        };
        assert_eq!(overflows(&threshold), at_threshold, "{f}: at the midpoint");
        assert!(!overflows(&below), "{f}: just below the midpoint");
        assert!(overflows(&Unpacked { sticky: true, ..threshold }), "{f}: just above it");
    }
}

#[test]
fn p3109_has_504_formats_with_one_at_its_place() {
    let names: Vec<String> = p3109_names().collect();
    assert_eq!(names.len(), 504);
    for name in names {
        let f = format(&name);
        // 1.0 is 2^(K−2) in signed formats and 2^(K−1) in unsigned ones.
        let one = 1 << (f.width() - 1 - u32::from(f.is_signed()));
        assert_eq!(decode(&f, one), Unpacked::scaled(false, 1, 0), "{name}");
    }
}

#[test]
fn x87_codes_with_an_odd_leading_bit_are_what_intel_says() {
    let f = format("x87-80");
    let leading = 1 << 63;
    let field = |biased: u128| biased << 64;
    let classes = [
        (leading, Class::Normal), // pseudo-denormal
        (leading | 1, Class::Normal),
        (field(1), Class::SignalingNan),      // unnormal: unsupported
        (field(0x7fff), Class::SignalingNan), // pseudo-infinity: unsupported
        (field(0x7fff) | 1 << 62, Class::SignalingNan), // pseudo-NaN: unsupported
        (field(0x7fff) | leading, Class::Infinity),
        (field(0x7fff) | leading | 1, Class::SignalingNan),
        (field(0x7fff) | leading | 1 << 62, Class::QuietNan),
    ];
    for (code, class) in classes {
        assert_eq!(f.class(code), class, "{code:x}");
    }
    assert_eq!(decode(&f, leading), number("2^-16382"));
    assert_eq!(f.biased_exponent(leading), 0);
}
