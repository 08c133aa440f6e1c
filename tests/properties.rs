//! Properties that hold for every format, however wide: random codes and data in catalogue formats, P3109
//! formats and custom formats of the grammar. The standard library is the witness for the texts of
//! binary32 and binary64.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cmp::Ordering;

use fpx::codec::{
    Error, Flags, Kind, Overflow, Projection, QUIET_BIT, RDN, RNA, RNE, ROUNDING_MODES, RTZ, RUP,
    Rounding, RoundingMode, Subnormals, Tininess, Unpacked, decode, neighbor, project,
};
use fpx::format::{CATALOGUE, Class, F32, F64, Format, Nan, Underflow, Zeros, p3109_names, parse};
use fpx::text::{
    literal::{self, parse_number},
    render,
};
use num_bigint::BigUint;
use proptest::{prelude::*, sample::select};

/// Names of the grammar, most of them possible.
fn custom_names() -> impl Strategy<Value = String> {
    let suffixes = [
        ":ieee",
        ":fn",
        ":fnuz",
        ":finite",
        ":unsigned",
        ":nosub",
        ":inf",
        ":noinf",
        ":nan=ieee",
        ":nan=ones",
        ":nan=zero",
        ":nan=none",
        ":nonegzero",
    ];
    let bias = prop_oneof![3 => Just(String::new()), 1 => (-70_000..70_000).prop_map(|b| format!(":bias={b}")),
        1 => (-20..20).prop_map(|b| format!(":bias={b}"))];
    let widths = prop_oneof![(1..16u32, 0..113u32), (1..6u32, 0..6u32)];
    (widths, prop::collection::vec(select(suffixes.to_vec()), 0..3), bias).prop_map(
        |((x, y), suffixes, bias)| {
            let suffixes = suffixes.concat();
            format!("e{x}m{y}{suffixes}{bias}")
        },
    )
}

/// Formats of every kind.
fn formats() -> impl Strategy<Value = Format> {
    let named: Vec<Format> = CATALOGUE.iter().map(|row| row.format.clone()).collect();
    let p3109: Vec<String> = p3109_names().collect();
    prop_oneof![
        2 => select(named),
        1 => select(p3109).prop_map(|name| parse(&name).unwrap().format),
        3 => custom_names()
            .prop_filter_map("impossible", |name| parse(&name).ok().map(|parsed| parsed.format)),
    ]
}

fn roundings() -> impl Strategy<Value = Rounding> {
    let modes = ROUNDING_MODES.iter().map(|mode| Rounding::new(mode));
    select(modes.chain([1, 2, 13].map(Rounding::stochastic)).collect::<Vec<_>>())
}

fn projections() -> impl Strategy<Value = Projection> {
    let policies = (
        select(Overflow::ALL.to_vec()),
        select(Subnormals::ALL.to_vec()),
        select(Tininess::ALL.to_vec()),
    );
    (roundings(), policies, any::<u32>()).prop_map(
        |(rounding, (overflow, subnormals, tininess), random)| Projection {
            rounding,
            overflow,
            subnormals,
            tininess,
            random,
            ..Projection::default()
        },
    )
}

/// How a datum near a format's numbers is made.
type Recipe = (u8, u128, u128, bool);

/// A finite datum at, near, between or beyond the numbers of a format, of a sign that it has.
fn datum(format: &Format, (kind, code, noise, sticky): Recipe) -> Unpacked {
    let x = decode(format, code & format.code_mask());
    let x = if x.kind == Kind::Finite { x } else { Unpacked::scaled(x.negative, 1, format.emin()) };
    let below_precision = (noise >> 1) >> format.precision().min(126);
    let x = match kind % 4 {
        0 => return x,
        1 => Unpacked { significand: x.significand | below_precision, sticky, ..x },
        2 => Unpacked { significand: x.significand | 1 << (127 - format.precision()), sticky, ..x },
        _ => {
            let span = format.emax() - format.least_quantum_exponent() + 9;
            let span = i64::from(span);
            let exponent = i64::try_from(code >> 70).unwrap() % span;
            let exponent = format.least_quantum_exponent() - 4 + i32::try_from(exponent).unwrap();
            Unpacked { sticky, ..Unpacked::scaled(x.negative, noise | QUIET_BIT, exponent - 127) }
        }
    };
    Unpacked { negative: x.negative && format.is_signed(), ..x }
}

fn recipes() -> impl Strategy<Value = Recipe> {
    (any::<u8>(), any::<u128>(), any::<u128>(), any::<bool>())
}

fn with_mode(mode: &'static RoundingMode) -> Projection {
    Projection { overflow: Overflow::SaturateFinite, ..Projection::with_mode(mode) }
}

/// The order of two data that are not NaN.
fn cmp(a: &Unpacked, b: &Unpacked) -> Ordering {
    let sign = |x: &Unpacked| match x.kind {
        Kind::Zero => 0,
        Kind::Finite => 1 - 2 * i8::from(x.negative),
        Kind::Infinity => 2 - 4 * i8::from(x.negative),
        Kind::Nan => panic!("a NaN has no order"),
    };
    sign(a).cmp(&sign(b)).then_with(|| match sign(a) {
        1 => a.cmp_magnitude(b),
        -1 => b.cmp_magnitude(a),
        _ => Ordering::Equal,
    })
}

fn code_of(format: &Format, projection: &Projection, x: &Unpacked) -> u128 {
    project(format, projection, x).code
}

/// A datum infinitesimally farther from zero, or nearer to it.
fn nudged(x: &Unpacked, outward: bool) -> Option<Unpacked> {
    if x.kind != Kind::Finite {
        return None;
    }
    Some(if outward {
        Unpacked { sticky: true, ..*x }
    } else if x.significand == QUIET_BIT {
        Unpacked { sticky: true, significand: u128::MAX, exponent: x.exponent - 1, ..*x }
    } else {
        Unpacked { sticky: true, significand: x.significand - 1, ..*x }
    })
}

/// The sign, digits and scale of a decimal, however it is written: 0.digits × 10^scale.
fn digits(text: &str) -> (bool, String, i64) {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let length = |text: &str| i64::try_from(text.len()).unwrap();
    let point = digits.find('.').map_or(length(digits), |at| length(&digits[..at]));
    let all = digits.replace('.', "");
    let zeros = length(&all) - length(all.trim_start_matches('0'));
    (negative, all.trim_matches('0').to_owned(), exponent.parse::<i64>().unwrap() + point - zeros)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, max_global_rejects: 1_000_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn results_bracket_the_exact_value(format in formats(), recipe in recipes(), rounding in roundings(), random: u32) {
        let x = datum(&format, recipe);
        let (down, up) = (code_of(&format, &with_mode(&RDN), &x), code_of(&format, &with_mode(&RUP), &x));
        let flags = project(&format, &with_mode(&RDN), &x).flags;
        if !format.has_zero() && flags.contains(Flags::UNDERFLOW) {
            prop_assert_eq!((down, up), (0, 0));
        } else {
            let overflows = project(&format, &with_mode(&RUP), &x).flags | flags;
            if !overflows.contains(Flags::OVERFLOW) {
                prop_assert!(cmp(&decode(&format, down), &x).is_le());
                prop_assert!(cmp(&decode(&format, up), &x).is_ge());
            }
            let steps = neighbor::distance(&format, down, up).unwrap();
            prop_assert!(steps == 0 || (steps == 1 && flags.contains(Flags::INEXACT)), "{} steps", steps);
        }
        let projection = Projection { rounding, random, ..with_mode(&RNE) };
        let got = code_of(&format, &projection, &x);
        let same = |a, b| neighbor::distance(&format, a, b) == Some(0);
        prop_assert!(same(got, down) || same(got, up), "{:x} is neither {:x} nor {:x}", got, down, up);
    }

    #[test]
    fn rounding_is_monotone(format in formats(), a in recipes(), b in recipes(), projection in projections()) {
        let (a, b) = (datum(&format, a), datum(&format, b));
        let (low, high) = if cmp(&a, &b).is_le() { (a, b) } else { (b, a) };
        let projection = Projection { overflow: Overflow::Saturate, ..projection };
        let steps = neighbor::distance(
            &format,
            code_of(&format, &projection, &low),
            code_of(&format, &projection, &high),
        );
        prop_assert!(steps.unwrap() >= 0, "{:?}", steps);
    }

    #[test]
    fn negation_mirrors_the_mode(format in formats(), recipe in recipes(), projection in projections()) {
        prop_assume!(format.is_signed());
        let x = datum(&format, recipe);
        let mode = projection.rounding.mode;
        let mirrored = match mode.name {
            "rup" => &RDN,
            "rdn" => &RUP,
            _ => mode,
        };
        let rounding = Rounding { mode: mirrored, ..projection.rounding };
        let there = project(&format, &projection, &x);
        let minus_x = Unpacked { negative: !x.negative, ..x };
        let back = project(&format, &Projection { rounding, ..projection }, &minus_x);
        prop_assert_eq!(there.flags, back.flags);
        let (there, back) = (decode(&format, there.code), decode(&format, back.code));
        let has_no_sign = |x: &Unpacked| match x.kind {
            Kind::Zero => !format.has_negative_zero(),
            Kind::Nan => format.facts().nan == Nan::NegativeZero,
            Kind::Finite | Kind::Infinity => false,
        };
        if has_no_sign(&there) && has_no_sign(&back) {
            prop_assert_eq!(there, back);
        } else {
            prop_assert_eq!(Unpacked { negative: !there.negative, ..there }, back);
        }
    }

    #[test]
    fn a_code_rounds_to_itself(format in formats(), code: u128, projection in projections()) {
        let code = code & format.code_mask();
        let x = decode(&format, code);
        let is_flushed = format.class(code) == Class::Subnormal
            && projection.subnormals == Subnormals::Flush;
        let is_infinite = x.kind == Kind::Infinity && projection.overflow == Overflow::Saturate;
        prop_assume!(x.kind != Kind::Nan && !is_flushed && !is_infinite);
        let got = project(&format, &projection, &x);
        prop_assert_eq!(decode(&format, got.code), x);
        prop_assert_eq!(got.flags, Flags::NONE);
    }

    #[test]
    fn widening_is_exact(format in formats(), code: u128, projection in projections()) {
        let wide = parse("e15m112:nonegzero").unwrap().format;
        let wide = if format.has_negative_zero() { parse("binary128").unwrap().format } else { wide };
        let fits = format.emax() <= wide.emax()
            && format.least_quantum_exponent() >= wide.least_quantum_exponent();
        let x = decode(&format, code & format.code_mask());
        prop_assume!(fits && x.is_finite());
        let projection = Projection { subnormals: Subnormals::Keep, ..projection };
        let got = project(&wide, &projection, &x);
        prop_assert_eq!((decode(&wide, got.code), got.flags), (x, Flags::NONE));
    }

    #[test]
    fn flags_are_consistent(format in formats(), recipe in recipes(), projection in projections()) {
        let x = datum(&format, recipe);
        let got = project(&format, &projection, &x);
        let is_exact = !x.sticky && decode(&format, got.code) == x;
        prop_assert_eq!(got.flags.contains(Flags::INEXACT), !is_exact);
        prop_assert!(!got.flags.contains(Flags::OVERFLOW) || !got.flags.contains(Flags::UNDERFLOW));
        prop_assert!(!got.flags.contains(Flags::INVALID) && !got.flags.contains(Flags::REFUSED));
        // The flags of IEEE 754 say nothing that the value does not.
        let other = Projection { tininess: Tininess::Before, ..projection };
        let before = project(&format, &other, &x);
        prop_assert_eq!(before.code, got.code);
        let was_tiny = x.exponent < format.emin();
        prop_assert!(!before.flags.contains(Flags::UNDERFLOW) || was_tiny || format.facts().zeros == Zeros::Absent
            || format.facts().underflow == Underflow::Abrupt);
        prop_assert!(!got.flags.contains(Flags::UNDERFLOW) || before.flags.contains(Flags::UNDERFLOW));
    }

    #[test]
    fn intervals_end_where_results_change(format in formats(), code: u128, mode in select(ROUNDING_MODES[..6].to_vec()), overflow in select(Overflow::ALL.to_vec())) {
        let projection = Projection { overflow, ..Projection::with_mode(mode) };
        let code = code & format.code_mask();
        let own = decode(&format, code);
        prop_assume!(own.kind != Kind::Nan);
        let rounds_here = |x: &Unpacked| {
            let got = decode(&format, code_of(&format, &projection, x));
            got == own || (got.kind == Kind::Zero && own.kind == Kind::Zero)
        };
        let Some(interval) = neighbor::interval(&format, &projection, code) else {
            return Ok(());
        };
        prop_assert!(cmp(&interval.low.at, &interval.high.at).is_le());
        let is_point = interval.low.at == interval.high.at;
        for (end, is_high) in [(interval.low, false), (interval.high, true)] {
            prop_assert_eq!(end.closed, rounds_here(&end.at), "{:?}", end);
            let outward = end.at.negative != is_high;
            if let Some(outside) = nudged(&end.at, outward) {
                prop_assert!(!rounds_here(&outside), "{:?}", end);
            }
            if let Some(inside) = nudged(&end.at, !outward).filter(|_| !is_point) {
                prop_assert!(rounds_here(&inside), "{:?}", end);
            }
        }
    }

    #[test]
    fn neighbours_undo_each_other(format in formats(), code: u128, steps in 1..40usize) {
        let code = code & format.code_mask();
        prop_assume!(decode(&format, code).kind != Kind::Nan);
        let mut up = code;
        let mut taken = 0;
        while let Some(next) = neighbor::next_up(&format, up).filter(|_| taken < steps as i128) {
            prop_assert!(cmp(&decode(&format, next), &decode(&format, up)).is_gt());
            (up, taken) = (next, taken + 1);
        }
        prop_assert_eq!(neighbor::distance(&format, code, up), Some(taken));
        prop_assert_eq!(neighbor::distance(&format, up, code), Some(-taken));
        for _ in 0..taken {
            up = neighbor::next_down(&format, up).unwrap();
        }
        prop_assert_eq!(neighbor::distance(&format, code, up), Some(0));
    }

    #[test]
    fn errors_are_at_most_an_ulp(format in formats(), recipe in recipes(), projection in projections()) {
        let x = datum(&format, recipe);
        let projection = Projection { subnormals: Subnormals::Keep, ..projection };
        let got = project(&format, &projection, &x);
        let is_abrupt = format.facts().underflow == Underflow::Abrupt;
        let is_in_gap = is_abrupt && x.exponent <= format.emin();
        prop_assume!(!got.flags.contains(Flags::OVERFLOW) && !is_in_gap);
        let ulp = Error::of(&format, &x, got.code).ulp.abs();
        let most = if ["rne", "rna"].contains(&projection.rounding.mode.name) { 0.5 } else { 1.0 };
        prop_assert!(ulp <= most, "{} ulp", ulp);
        prop_assert_eq!(ulp > 0.0 || x.sticky, got.flags.contains(Flags::INEXACT));
    }

    #[test]
    fn exponents_of_any_size_are_projected(
        format in formats(), projection in projections(), significand: u128, by in 0..140_000i32, sticky: bool,
    ) {
        let x = |exponent| {
            Unpacked { sticky, exponent, ..Unpacked::scaled(false, significand | QUIET_BIT, 0) }
        };
        let huge = project(&format, &projection, &x(format.emax() + 2));
        for exponent in [format.emax() + 3 + by, 1 << 30, i32::MAX - by] {
            prop_assert_eq!(project(&format, &projection, &x(exponent)), huge);
        }
        let least = format.least_quantum_exponent() - 200;
        let tiny = project(&format, &projection, &x(least));
        for exponent in [least - 1 - by, -(1 << 30), i32::MIN + by] {
            prop_assert_eq!(project(&format, &projection, &x(exponent)), tiny);
        }
    }

    #[test]
    fn names_read_back(format in formats()) {
        let again = parse(format.name()).unwrap().format;
        prop_assert_eq!(again.name(), format.name());
        prop_assert_eq!(again, format);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,40}", name in "[eEfFbB][0-9a-zA-Z:=+_.-]{0,20}", number in "[-+0-9.eExXpP_/^'hbn:]{0,24}") {
        for text in [&text, &name, &number] {
            if let Err(error) = parse(text) {
                prop_assert!(!error.to_string().contains('\n') || text.contains('\n'));
            }
            if let Err(error) = literal::parse(text) {
                prop_assert!(!error.to_string().is_empty());
            }
            let _ = literal::parse_code(text);
            let _ = text.parse::<Rounding>();
        }
    }

    #[test]
    fn texts_of_a_code_read_back(format in formats(), code: u128) {
        prop_assume!(format.emax() < 3000 && format.least_quantum_exponent() > -3000);
        let code = code & format.code_mask();
        let x = decode(&format, code);
        prop_assume!(x.kind != Kind::Nan && fpx::codec::defect(&format, code).is_none());
        let own = code_of(&format, &Projection::default(), &x);
        for text in [render::exact(&x), render::hex_float(&x)] {
            prop_assert_eq!(parse_number(&text), Ok(x), "{}", text);
        }
        for text in [render::shortest(&format, code), render::value(&format, code)] {
            let read = parse_number(&text).unwrap();
            prop_assert_eq!(code_of(&format, &Projection::default(), &read), own, "{}", text);
        }
    }

    #[test]
    fn no_shorter_decimal_reads_back(format in formats(), code: u128) {
        prop_assume!(format.emax() < 400 && format.least_quantum_exponent() > -400);
        let code = code & format.code_mask();
        let x = decode(&format, code);
        let nearest = Projection::default();
        let interval = neighbor::interval(&format, &nearest, code);
        let has_ends = interval.is_some_and(|i| i.low.at.is_finite() && i.high.at.is_finite());
        prop_assume!(x.kind == Kind::Finite && has_ends && fpx::codec::defect(&format, code).is_none());
        let (negative, exact, scale) = digits(&render::exact(&x));
        let (_, shortest, _) = digits(&render::shortest(&format, code));
        let reads_back = |text: &str| {
            code_of(&format, &nearest, &parse_number(text).unwrap()) == code
        };
        // Of fewer digits, the nearest below and above the value are the likeliest to read back.
        for count in 1..shortest.len() {
            let below: BigUint = exact[..count].parse().unwrap();
            for decimal in [below.clone(), below + 1u32] {
                let sign = if negative { "-" } else { "" };
                let exponent = scale - i64::try_from(count).unwrap();
                let text = format!("{sign}{decimal}e{exponent}");
                prop_assert!(!reads_back(&text), "{} is shorter than {}", text, shortest);
            }
        }
    }

    #[test]
    fn texts_of_binary64_are_those_of_the_standard_library(code: u64, single: u32) {
        let (x, single) = (f64::from_bits(code), f32::from_bits(single));
        prop_assume!(x.is_finite());
        let ours = render::shortest(&F64, u128::from(code));
        prop_assert_eq!(digits(&ours), digits(&format!("{x:e}")), "{}", ours);
        if single.is_finite() {
            let ours = render::shortest(&F32, u128::from(single.to_bits()));
            prop_assert_eq!(digits(&ours), digits(&format!("{single:e}")), "{}", ours);
        }
    }

    #[test]
    fn decimals_are_read_as_the_standard_library_reads_them(digits in "[0-9]{1,40}", point in 0..40usize, exponent in -340..310i32) {
        let point = point.min(digits.len());
        let text = format!("{}.{}e{exponent}", &digits[..point], &digits[point..]);
        let text = if point == digits.len() { format!("{digits}e{exponent}") } else { text };
        let x = parse_number(&text).unwrap();
        let nearest = Projection::with_mode(&RNE);
        let double: f64 = text.parse().unwrap();
        prop_assert_eq!(code_of(&F64, &nearest, &x), u128::from(double.to_bits()), "{}", text);
        let single: f32 = text.parse().unwrap();
        prop_assert_eq!(code_of(&F32, &nearest, &x), u128::from(single.to_bits()), "{}", text);
    }
}

#[test]
fn ties_go_where_their_mode_says() {
    let half = Unpacked::from_f64(2.5);
    let format = parse("e4m3fn").unwrap().format;
    let ulps = |mode: &'static RoundingMode, x: f64| {
        decode(&format, code_of(&format, &with_mode(mode), &Unpacked::from_f64(x))).to_f64()
    };
    assert_eq!(half.to_f64().to_bits(), 2.5f64.to_bits());
    for (x, even, away, zero) in [(1.0625, 1.0, 1.125, 1.0), (1.1875, 1.25, 1.25, 1.125)] {
        let got = [&RNE, &RNA, &RTZ].map(|mode| ulps(mode, x));
        assert_eq!(got.map(f64::to_bits), [even, away, zero].map(f64::to_bits), "{x}");
        let got = [&RNE, &RNA, &RTZ].map(|mode| -ulps(mode, -x));
        assert_eq!(got.map(f64::to_bits), [even, away, zero].map(f64::to_bits), "-{x}");
    }
}
