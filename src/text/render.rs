//! A datum or a code becomes text: exact decimal, shortest decimal, hex float, bit fields.
//!
//! ```
//! use fpx::{codec::decode, format::{E5M2, F16}, text::render};
//! assert_eq!(render::exact(&decode(&F16, 0x2e66)), "0.0999755859375");
//! assert_eq!(render::value(&E5M2, 0x7b), "57344");
//! assert_eq!(render::hex_float(&decode(&F16, 0x2e66)), "0x1.998p-4");
//! ```

use num_bigint::BigUint;

use crate::{
    codec::{Kind, Projection, Unpacked, decode, neighbor},
    format::{F32, F64, Format, Layout},
};

/// Significant digits up to which [`value`] shows the exact decimal.
const MAX_EXACT_DIGITS: usize = 17;

/// A positive decimal `0.DIGITS × 10^point`, without leading or trailing zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Decimal {
    digits: String,
    point: i32,
}

impl Decimal {
    /// Brings `digits × 10^exponent` to normal form.
    fn new(digits: &str, exponent: i32) -> Self {
        let trimmed = digits.trim_start_matches('0').trim_end_matches('0');
        let leading_zeros = digits.len() - digits.trim_start_matches('0').len();
        let point = i32::try_from(digits.len() - leading_zeros).unwrap_or(i32::MAX);
        Self { digits: trimmed.to_owned(), point: point + exponent }
    }

    /// Writes every digit without an exponent.
    fn plain(&self) -> String {
        let count = self.digits.len();
        match usize::try_from(self.point) {
            Ok(point @ 1..) if point >= count => self.digits.clone() + &"0".repeat(point - count),
            Ok(point @ 1..) => format!("{}.{}", &self.digits[..point], &self.digits[point..]),
            _ => {
                let zeros = usize::try_from(-self.point).unwrap_or(0);
                format!("0.{}{}", "0".repeat(zeros), self.digits)
            }
        }
    }

    /// Writes `d.ddde-7`.
    fn scientific(&self) -> String {
        let (first, rest) = self.digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        format!("{first}{point}{rest}e{}", self.point - 1)
    }

    /// Writes plain notation for `1e-5 ≤ x < 1e16`, scientific otherwise.
    fn short(&self) -> String {
        if (-4..=16).contains(&self.point) { self.plain() } else { self.scientific() }
    }
}

/// Returns the odd integer and the exponent whose product `m × 2^e` is a finite datum's magnitude,
/// its sticky bit apart; `None` for zero, infinities and NaNs.
pub fn odd_integer(x: &Unpacked) -> Option<(u128, i32)> {
    (x.kind == Kind::Finite).then(|| {
        let zeros = x.significand.trailing_zeros();
        (x.significand >> zeros, x.exponent - 127 + zeros.cast_signed())
    })
}

/// The exact decimal of a nonzero finite magnitude.
fn exact_decimal(x: &Unpacked) -> Option<Decimal> {
    let (integer, exponent) = odd_integer(x)?;
    let power = exponent.unsigned_abs();
    if exponent >= 0 {
        let small = (integer.leading_zeros() > power).then(|| (integer << power).to_string());
        let digits = small.unwrap_or_else(|| (BigUint::from(integer) << power).to_string());
        return Some(Decimal::new(&digits, 0));
    }
    let small = 5u128.checked_pow(power).and_then(|p| integer.checked_mul(p));
    let digits = small.map_or_else(
        || (BigUint::from(integer) * BigUint::from(5u32).pow(power)).to_string(),
        |product| product.to_string(),
    );
    Some(Decimal::new(&digits, exponent))
}

/// Writes a datum with its sign, given how to write a nonzero magnitude.
fn signed(x: &Unpacked, finite: impl FnOnce() -> String) -> String {
    let sign = if x.negative { "-" } else { "" };
    match x.kind {
        Kind::Zero => format!("{sign}0"),
        Kind::Infinity => format!("{sign}inf"),
        Kind::Nan if x.is_signaling() => format!("{sign}snan"),
        Kind::Nan => format!("{sign}nan"),
        Kind::Finite => sign.to_owned() + &finite(),
    }
}

/// Returns the exact decimal of a datum in full, without an exponent.
///
/// Zeros keep their sign; infinities are `inf`, NaNs `nan` or `snan`. A sticky datum is written as
/// its leading 128 bits.
pub fn exact(x: &Unpacked) -> String {
    signed(x, || exact_decimal(x).map_or_else(String::new, |d| d.plain()))
}

/// Returns the value of a code as people read it: the exact decimal where it has at most 17
/// significant digits, else the shortest decimal that reads back to the code.
///
/// Plain notation for `1e-5 ≤ |x| < 1e16`, else `d.ddde-7`.
pub fn value(format: &Format, code: u128) -> String {
    let x = decode(format, code);
    signed(&x, || match exact_decimal(&x) {
        Some(decimal) if decimal.digits.len() <= MAX_EXACT_DIGITS => decimal.short(),
        _ => shortest_decimal(format, code, &x).short(),
    })
}

/// Returns the shortest decimal that reads back to a code under nearest even, the nearest to the
/// code's value if there are several.
///
/// ```
/// use fpx::{format::BF16, text::render::shortest};
/// assert_eq!(shortest(&BF16, 0x3dcd), "0.1");
/// ```
pub fn shortest(format: &Format, code: u128) -> String {
    let x = decode(format, code);
    signed(&x, || shortest_decimal(format, code, &x).short())
}

#[expect(clippy::cast_possible_truncation, reason = "codes have at most the format's width")]
fn shortest_decimal(format: &Format, code: u128, x: &Unpacked) -> Decimal {
    // The standard library's printer is exact for the two hardware formats, and fast.
    let scientific = if format == &F64 {
        format!("{:e}", f64::from_bits(code as u64).abs())
    } else if format == &F32 {
        format!("{:e}", f32::from_bits(code as u32).abs())
    } else {
        return search_shortest(format, code, x);
    };
    let (significand, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = significand.replace('.', "");
    let places = i32::try_from(digits.len()).unwrap_or(0) - 1;
    Decimal::new(&digits, exponent.parse::<i32>().unwrap_or(0) - places)
}

/// Integers over one denominator: the interval that reads back to a code, and its value.
struct Scaled {
    low: BigUint,
    value: BigUint,
    high: BigUint,
    low_closed: bool,
    high_closed: bool,
    denominator: BigUint,
}

/// Finds the shortest decimal in the interval that rounds to a code, digit count by digit count.
fn search_shortest(format: &Format, code: u128, x: &Unpacked) -> Decimal {
    let exact = exact_decimal(x).unwrap_or(Decimal { digits: "0".to_owned(), point: 0 });
    let Some(scaled) = scaled_interval(format, code, x) else { return exact };
    for count in 1..exact.digits.len() {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        if let Some(digits) = nearest_inside(&scaled, exact.point - count) {
            return Decimal::new(&digits, exact.point - count);
        }
    }
    exact
}

fn scaled_interval(format: &Format, code: u128, x: &Unpacked) -> Option<Scaled> {
    let interval = neighbor::interval(format, &Projection::default(), code)?;
    let (low, high) =
        if x.negative { (interval.high, interval.low) } else { (interval.low, interval.high) };
    let ends = [low.at, *x, high.at];
    let least = ends.iter().filter_map(odd_integer).map(|(_, e)| e).min()?.min(0);
    let scale = |x: &Unpacked| {
        odd_integer(x).map_or_else(BigUint::default, |(integer, exponent)| {
            BigUint::from(integer) << (exponent - least).unsigned_abs()
        })
    };
    let (below, value, above) = (scale(&low.at), scale(x), scale(&high.at));
    // Where everything above rounds to the largest number, a text should still be near it.
    let is_open = high.at.kind == Kind::Infinity;
    Some(Scaled {
        high: if is_open { &value + &value - &below } else { above },
        low: below,
        value,
        low_closed: low.closed,
        high_closed: high.closed && !is_open,
        denominator: BigUint::from(1u32) << least.unsigned_abs(),
    })
}

/// Returns the multiple of `10^exponent` nearest to the value, if one lies in the interval.
fn nearest_inside(scaled: &Scaled, exponent: i32) -> Option<String> {
    let power = BigUint::from(10u32).pow(exponent.unsigned_abs());
    // One unit of `10^exponent`, and everything it is compared with, over one denominator.
    let (unit, factor) = if exponent >= 0 {
        (&scaled.denominator * &power, BigUint::from(1u32))
    } else {
        (scaled.denominator.clone(), power)
    };
    let value = &scaled.value * &factor;
    let below = &value / &unit;
    let above = &below + 1u32;
    let inside = |multiple: &BigUint| {
        let at = multiple * &unit;
        let (low, high) = (&scaled.low * &factor, &scaled.high * &factor);
        (at > low || (at == low && scaled.low_closed))
            && (at < high || (at == high && scaled.high_closed))
    };
    let to_below = &value - &below * &unit;
    let to_above = &above * &unit - &value;
    let candidates = if to_below <= to_above { [below, above] } else { [above, below] };
    candidates.iter().find(|c| c.bits() > 0 && inside(c)).map(ToString::to_string)
}

/// Returns the hex float of a datum, normalised: `0x1.9ap-4`. IEEE 754-2019 §5.12.3.
///
/// A sticky datum is written as its leading 128 bits.
pub fn hex_float(x: &Unpacked) -> String {
    if x.kind == Kind::Zero {
        return if x.negative { "-0x0p+0" } else { "0x0p+0" }.to_owned();
    }
    signed(x, || {
        // Four bits a digit, of the 127 below the leading one.
        let digits = format!("{:032x}", x.significand << 1);
        let digits = digits.trim_end_matches('0');
        let point = if digits.is_empty() { "" } else { "." };
        format!("0x1{point}{digits}p{:+}", x.exponent)
    })
}

/// Returns a code in hexadecimal without prefix, padded to the format's width.
pub fn hex(format: &Format, code: u128) -> String {
    format!("{code:0width$x}", width = format.hex_digits())
}

/// The bit fields of a code, each as binary digits; a field the format lacks is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// The sign bit.
    pub sign: String,
    /// The exponent field.
    pub exponent: String,
    /// The stored leading significand bit of x87.
    pub leading: String,
    /// The trailing significand.
    pub trailing: String,
}

/// Splits a code into its fields.
///
/// ```
/// use fpx::{format::E4M3FN, text::render::fields};
/// let fields = fields(&E4M3FN, 0x1d);
/// assert_eq!((&*fields.sign, &*fields.exponent, &*fields.trailing), ("0", "0011", "101"));
/// ```
pub fn fields(format: &Format, code: u128) -> Fields {
    let bits = format!("{:0width$b}", code & format.code_mask(), width = format.width() as usize);
    let mut rest = bits.as_str();
    let mut take = |count: u32| {
        let (head, tail) = rest.split_at(count as usize);
        rest = tail;
        head.to_owned()
    };
    Fields {
        sign: take(u32::from(format.is_signed())),
        exponent: take(format.exponent_width()),
        leading: take(u32::from(format.facts().layout == Layout::Explicit)),
        trailing: take(format.trailing_width()),
    }
}
