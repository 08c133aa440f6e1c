//! Witness: `rustc_apfloat`, the Rust port of LLVM's APFloat, for f16, bf16, f32, f64, x87, binary128,
//! e5m2 and e4m3fn: every pair of them, five modes, codes, NaN payloads, flags, neighbours and decimal
//! strings.
//!
//! Where APFloat is known to differ, the test says so and asks for what IEEE 754-2019 asks:
//! it raises no overflow when a directed mode gives the largest finite number, and no underflow
//! when a subnormal result rounds up to the least normal number; its overflow of negative numbers
//! in e4m3fn follows the mode of positive ones; it reads the one NaN of e4m3fn as one with a payload;
//! and its decimal parser can be one unit low toward zero just above a representable number, so the
//! directed modes are checked by comparing integers instead.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cmp::Ordering;

use fpx::codec::{
    Flags, Kind, Projection, RDN, RNA, RNE, RTZ, RUP, RoundingMode, Unpacked, decode, neighbor,
    project,
};
use fpx::format::{CATALOGUE, Class, Format, Layout};
use fpx::text::{literal::parse_number, render};
use num_bigint::BigUint;
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use rayon::prelude::*;
use rustc_apfloat::{Float, FloatConvert, Round, Status, StatusAnd, ieee};

const MODES: [(&RoundingMode, Round); 5] = [
    (&RNE, Round::NearestTiesToEven),
    (&RNA, Round::NearestTiesToAway),
    (&RTZ, Round::TowardZero),
    (&RUP, Round::TowardPositive),
    (&RDN, Round::TowardNegative),
];

/// A code and the exceptions of finding it.
type Rounded = (u128, Status);

/// A format as APFloat has it.
struct Peer {
    name: &'static str,
    /// Converts a code of this format to one of each peer, in order.
    convert: [fn(u128, Round) -> Rounded; 8],
    read: fn(&str, Round) -> Rounded,
    next_up: fn(u128) -> u128,
}

fn convert<S: Float + FloatConvert<T>, T: Float>(code: u128, round: Round) -> Rounded {
    let StatusAnd { status, value } = S::from_bits(code).convert_r(round, &mut false);
    (value.to_bits(), status)
}

fn read<T: Float>(text: &str, round: Round) -> Rounded {
    let StatusAnd { status, value } = T::from_str_r(text, round).unwrap();
    (value.to_bits(), status)
}

fn next_up<T: Float>(code: u128) -> u128 {
    T::from_bits(code).next_up().value.to_bits()
}

macro_rules! peers {
    ($($name:literal $peer:ident)*) => {
        peers!(@rows [$($name $peer)*] [$($peer)*])
    };
    (@rows [$($name:literal $peer:ident)*] $all:tt) => {
        [$(Peer {
            name: $name,
            convert: peers!(@convert $peer $all),
            read: read::<ieee::$peer>,
            next_up: next_up::<ieee::$peer>,
        }),*]
    };
    (@convert $source:ident [$($target:ident)*]) => {
        [$(convert::<ieee::$source, ieee::$target>),*]
    };
}

static PEERS: [Peer; 8] = peers! {
    "f16" Half
    "bf16" BFloat
    "f32" Single
    "f64" Double
    "x87-80" X87DoubleExtended
    "binary128" Quad
    "e5m2" Float8E5M2
    "e4m3fn" Float8E4M3FN
};

fn format(peer: &Peer) -> &'static Format {
    &CATALOGUE.iter().find(|row| row.format.name() == peer.name).unwrap().format
}

/// Codes of the source at which a target may change its answer: its zeros, limits and random codes, carried
/// over to the source with their midpoints, and their neighbours there; random codes of the source.
fn telling_codes(source: &Format, target: &Format, rng: &mut ChaCha8Rng) -> Vec<u128> {
    let top = target.largest_finite();
    let least_normal = target.least_normal().unwrap();
    let mut magnitudes =
        vec![0, 1, 2, least_normal - 1, least_normal, least_normal + 1, top - 1, top];
    magnitudes.extend((0..300).map(|_| rng.random_range(0..=top)));
    let mut codes = Vec::new();
    for magnitude in magnitudes {
        // The interval of a number under nearest even ends at the midpoints on both sides.
        let sign = if rng.random() { target.sign_mask() } else { 0 };
        let number = neighbor::next_up(target, sign | magnitude).unwrap_or(0);
        let nearest = neighbor::interval(target, &Projection::default(), number);
        let around = nearest.map(|interval| [interval.low.at, interval.high.at]);
        for x in around.into_iter().flatten().chain([decode(target, number)]) {
            let code = project(source, &Projection::default(), &x).code;
            for step in 0..3 {
                codes.extend([code.wrapping_add(step), code.wrapping_sub(step)]);
            }
        }
    }
    codes.extend((0..300).map(|_| rng.random::<u128>()));
    if source.facts().layout == Layout::Explicit {
        codes.extend(odd_codes(source));
    }
    codes.into_iter().map(|code| code & source.code_mask()).collect()
}

/// Codes whose stored leading bit matters: exponent fields at the limits with and without it.
fn odd_codes(source: &Format) -> Vec<u128> {
    let leading = 1u128 << source.trailing_width();
    let ones = (1u128 << source.exponent_width()) - 1;
    let mut codes = Vec::new();
    for sign in [0, source.sign_mask()] {
        for biased in [0, 1, ones / 2, ones - 1, ones] {
            for trailing in [0, 1, leading / 2 - 1, leading / 2, leading / 2 + 1, leading - 1] {
                let code = sign | (biased * 2 * leading) | trailing;
                codes.extend([code, code | leading]);
            }
        }
    }
    codes
}

/// Whether flags agree, APFloat's omissions apart.
fn flags_agree(target: &Format, code: u128, ours: Flags, theirs: Status) -> bool {
    let both = |flag, status| ours.contains(flag) == theirs.contains(status);
    let result = decode(target, code);
    let saturates = ours.contains(Flags::OVERFLOW) && result.kind == Kind::Finite;
    let is_least_normal = result == Unpacked::scaled(result.negative, 1, target.emin());
    both(Flags::INEXACT, Status::INEXACT)
        && both(Flags::INVALID, Status::INVALID_OP)
        && (saturates || both(Flags::OVERFLOW, Status::OVERFLOW))
        && (is_least_normal || both(Flags::UNDERFLOW, Status::UNDERFLOW))
}

/// Whether APFloat applies a positive number's overflow to a negative one.
fn has_wrong_overflow(target: &Format, mode: &RoundingMode, flags: Flags, x: &Unpacked) -> bool {
    let is_directed = mode.name == "rup" || mode.name == "rdn";
    !target.has_infinity() && is_directed && x.negative && flags.contains(Flags::OVERFLOW)
}

#[test]
fn conversions_between_all_pairs_agree() {
    let pairs: Vec<(usize, usize)> = (0..8).flat_map(|i| (0..8).map(move |j| (i, j))).collect();
    pairs.into_par_iter().for_each(|(i, j)| {
        let (source, target) = (format(&PEERS[i]), format(&PEERS[j]));
        let mut rng = ChaCha8Rng::seed_from_u64((8 * i + j) as u64);
        for code in telling_codes(source, target, &mut rng) {
            let x = decode(source, code);
            for (mode, round) in MODES {
                let got = project(target, &Projection::with_mode(mode), &x);
                if has_wrong_overflow(target, mode, got.flags, &x) {
                    continue;
                }
                let (expected, status) = PEERS[i].convert[j](code, round);
                let is_nan_without_payload = !source.has_infinity() && x.kind == Kind::Nan;
                let becomes_nan = !target.has_infinity() && x.kind == Kind::Infinity;
                if is_nan_without_payload || becomes_nan {
                    assert_eq!(target.class(got.code), target.class(expected), "{target}");
                    continue; // What payload and flags these have is not specified.
                }
                assert_eq!(got.code, expected, "{source} {code:x} to {target}, {}", mode.name);
                assert!(
                    flags_agree(target, got.code, got.flags, status),
                    "{source} {code:x} to {target}, {}: {:?}, expected {status:?}",
                    mode.name,
                    got.flags
                );
            }
        }
    });
}

#[test]
fn neighbours_agree() {
    for (i, peer) in PEERS.iter().enumerate() {
        let format = format(peer);
        let mut rng = ChaCha8Rng::seed_from_u64(i as u64);
        for code in telling_codes(format, format, &mut rng) {
            if fpx::codec::defect(format, code).is_some() {
                continue;
            }
            let expected = (peer.next_up)(code);
            match format.class(code) {
                Class::QuietNan | Class::SignalingNan => {
                    assert_eq!(neighbor::next_up(format, code), None);
                }
                Class::Infinity if code & format.sign_mask() == 0 => {
                    assert_eq!((neighbor::next_up(format, code), expected), (None, code));
                }
                Class::Zero | Class::Subnormal | Class::Normal | Class::Infinity => {
                    // APFloat goes from the negative least subnormal to −0.
                    let up = neighbor::next_up(format, code).map(|up| (decode(format, up), up));
                    let expected = (decode(format, expected), expected);
                    let is_zero = expected.0.kind == Kind::Zero;
                    assert!(
                        up == Some(expected)
                            || (is_zero && up.is_some_and(|(x, _)| x.kind == Kind::Zero))
                            || (up.is_none() && expected.0.kind == Kind::Nan),
                        "{format} {code:x}: {up:x?}, expected {expected:x?}"
                    );
                }
            }
        }
    }
}

/// A decimal that ends in one more digit, above or below the one given, whose digits go on for ever.
fn just_off(decimal: &str, digit: char) -> String {
    let point = if decimal.contains('.') { "" } else { "." };
    format!("{decimal}{point}{}{digit}", "0".repeat(10))
}

/// Decimals near the values and midpoints of a target, as long as they are, and short random ones.
fn telling_decimals(target: &Format, rng: &mut ChaCha8Rng) -> Vec<String> {
    let mut texts = Vec::new();
    let near_one = project(target, &Projection::default(), &Unpacked::from_f32(1.0)).code;
    let reach = i128::try_from(near_one).unwrap() / 8;
    let mut codes: Vec<u128> = vec![1, target.largest_finite()];
    for _ in 0..40 {
        let step = rng.random_range(-reach..=reach);
        codes.push(near_one.saturating_add_signed(step));
    }
    for code in codes.into_iter().filter(|code| decode(target, *code).kind == Kind::Finite) {
        texts.push(render::shortest(target, code));
        let interval = neighbor::interval(target, &Projection::default(), code).unwrap();
        for end in [interval.low.at, interval.high.at, decode(target, code)] {
            if end.kind != Kind::Infinity {
                let exact = render::exact(&end);
                texts.extend([
                    just_off(&exact, '1'),
                    exact.clone() + if exact.contains('.') { "" } else { "." },
                ]);
            }
        }
    }
    for _ in 0..400 {
        let digits: String =
            (0..rng.random_range(1..45)).map(|_| rng.random_range('0'..='9')).collect();
        let point = rng.random_range(0..=digits.len());
        let most = (i64::from(target.emax()) * 35) / 100;
        let exponent = rng.random_range(-most..=most);
        texts.push(format!("{}.{}e{exponent}", &digits[..point], &digits[point..]));
    }
    let signed = |text: String| if rng.random() { format!("-{text}") } else { text };
    texts.into_iter().map(signed).collect()
}

/// Compares the magnitude of a decimal with that of a finite code, by integers.
fn cmp_decimal(text: &str, target: &Format, code: u128) -> Ordering {
    let (digits, exponent) = text.trim_start_matches('-').split_once('e').unwrap_or((text, "0"));
    let digits = digits.trim_start_matches('-');
    let places = digits.find('.').map_or(0, |point| digits.len() - 1 - point);
    let exponent = exponent.parse::<i64>().unwrap() - i64::try_from(places).unwrap();
    let power =
        |base: u32, exponent: i64| BigUint::from(base).pow(u32::try_from(exponent.max(0)).unwrap());
    let x = decode(target, code);
    let quantum_exponent = i64::from(x.exponent) - 127;
    let decimal = BigUint::parse_bytes(digits.replace('.', "").as_bytes(), 10).unwrap();
    let ours = decimal * power(10, exponent) * power(2, -quantum_exponent);
    let theirs = BigUint::from(x.significand) * power(2, quantum_exponent) * power(10, -exponent);
    ours.cmp(&theirs)
}

#[test]
fn decimal_strings_agree() {
    PEERS.par_iter().enumerate().for_each(|(i, peer)| {
        let target = format(peer);
        let mut rng = ChaCha8Rng::seed_from_u64(i as u64);
        for text in telling_decimals(target, &mut rng) {
            let x = parse_number(&text).unwrap_or_else(|e| panic!("{e}"));
            let [nearest_even, nearest_away, truncated, up, down] = MODES.map(|(mode, round)| {
                let got = project(target, &Projection::with_mode(mode), &x);
                (got, (peer.read)(&text, round).0)
            });
            assert_eq!(nearest_even.0.code, nearest_even.1, "{text} to {target}, rne");
            assert_eq!(nearest_away.0.code, nearest_away.1, "{text} to {target}, rna");
            let truncated = truncated.0;
            let (away, toward) = if x.negative { (down.0, up.0) } else { (up.0, down.0) };
            assert_eq!(toward.code, truncated.code, "{text} to {target}, toward zero");
            let is_exact = !truncated.flags.contains(Flags::INEXACT);
            let from_truncated = cmp_decimal(&text, target, truncated.code);
            assert_eq!(from_truncated, if is_exact { Ordering::Equal } else { Ordering::Greater });
            let next = if is_exact { truncated.code } else { next_away(target, truncated.code) };
            assert_eq!(away.code, next, "{text} to {target}, away from zero");
            if decode(target, next).kind == Kind::Finite && !is_exact {
                assert_eq!(cmp_decimal(&text, target, next), Ordering::Less, "{text} to {target}");
            }
        }
    });
}

/// The code of the next magnitude, infinity or NaN beyond the largest.
fn next_away(target: &Format, code: u128) -> u128 {
    let negative = code & target.sign_mask() != 0;
    let next = if negative { neighbor::next_down } else { neighbor::next_up };
    next(target, code).unwrap_or((code & target.sign_mask()) | (target.code_mask() / 2))
}
