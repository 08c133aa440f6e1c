//! Formats that are built from their names: `eXmY` with suffixes, crackNum's `a+b`, and the P3109
//! family.

use super::{
    Domain, Facts, Format, Layout, Nan, Parity, Sign, Underflow, Zeros, catalogue::CATALOGUE,
};

/// The widest exponent field.
const MAX_EXPONENT_WIDTH: u32 = 15;
/// The widest trailing significand, that of binary128.
const MAX_TRAILING_WIDTH: u32 = 112;
/// The largest bias in magnitude: four times that of binary128.
const MAX_BIAS: i32 = 65_536;
/// The widths that P3109 defines.
const P3109_WIDTHS: std::ops::RangeInclusive<u32> = 3..=16;

/// Reads a name that has the shape of this grammar; `None` if it has another shape.
///
/// The name is folded but for its colons. An error is one sentence without the name.
pub(super) fn parse(name: &str) -> Option<Result<Format, String>> {
    let (base, suffixes) = match name.split_once(':') {
        Some((base, suffixes)) => (base, Some(suffixes)),
        None => (name, None),
    };
    if let Some(facts) = p3109(base) {
        return Some(match suffixes {
            None => facts.map(|facts| Format::named(base.to_owned(), facts)),
            Some(_) => Err("a P3109 format takes no suffix".to_owned()),
        });
    }
    let base = match exmy(base).or_else(|| cracknum(base))? {
        Ok(facts) => facts,
        Err(error) => return Some(Err(error)),
    };
    Some(with_suffixes(base, suffixes))
}

/// Applies suffixes to a base and gives the result its canonical name.
pub(super) fn with_suffixes(base: Facts, suffixes: Option<&str>) -> Result<Format, String> {
    let mut facts = base;
    let mut bias = None;
    for suffix in suffixes.into_iter().flat_map(|s| s.split(':')) {
        apply(&mut facts, &mut bias, suffix)?;
    }
    if let Some(bias) = bias {
        facts.bias = bias;
    }
    check(&mut facts)?;
    let row = CATALOGUE.iter().find(|row| *row.format.facts() == facts);
    Ok(row.map_or_else(|| Format::named(canonical_name(&facts), facts), |row| row.format.clone()))
}

/// Changes one axis. `:fnuz` implies a bias one larger, unless `:bias=` gives it.
fn apply(facts: &mut Facts, bias: &mut Option<i32>, suffix: &str) -> Result<(), String> {
    match suffix {
        "ieee" => (facts.domain, facts.nan) = (Domain::Extended, Nan::AboveInfinity),
        "fn" => (facts.domain, facts.nan) = (Domain::Finite, Nan::AllOnes),
        "fnuz" => {
            (facts.domain, facts.nan, facts.zeros) =
                (Domain::Finite, Nan::NegativeZero, Zeros::One);
            facts.bias += 1;
        }
        "finite" => (facts.domain, facts.nan) = (Domain::Finite, Nan::Absent),
        "unsigned" => {
            facts.width -= u32::from(facts.sign == Sign::Signed);
            (facts.sign, facts.zeros) = (Sign::Unsigned, Zeros::One);
        }
        "nosub" => facts.underflow = Underflow::Abrupt,
        "inf" => facts.domain = Domain::Extended,
        "noinf" => facts.domain = Domain::Finite,
        "nan=ieee" => facts.nan = Nan::AboveInfinity,
        "nan=ones" => facts.nan = Nan::AllOnes,
        "nan=zero" => (facts.nan, facts.zeros) = (Nan::NegativeZero, Zeros::One),
        "nan=none" => facts.nan = Nan::Absent,
        "nonegzero" => facts.zeros = Zeros::One,
        _ => {
            let value = suffix.strip_prefix("bias=").ok_or_else(|| {
                format!(
                    "unknown suffix ':{suffix}', expected :bias=N :ieee :fn :fnuz :finite \
                     :unsigned :nosub :inf :noinf :nan=ieee|ones|zero|none :nonegzero"
                )
            })?;
            let parsed = value.parse().ok().filter(|b: &i32| (-MAX_BIAS..=MAX_BIAS).contains(b));
            *bias = Some(parsed.ok_or_else(|| {
                format!("bias '{value}' is not an integer of magnitude at most {MAX_BIAS}")
            })?);
        }
    }
    Ok(())
}

/// Refuses impossible combinations and brings equivalent ones to one form.
fn check(facts: &mut Facts) -> Result<(), String> {
    if facts.width < 2 {
        return Err("a format needs at least 2 bits".to_owned());
    }
    if facts.sign == Sign::Unsigned && facts.nan == Nan::NegativeZero {
        return Err("an unsigned format has no −0 to be its NaN; use :nan=ones".to_owned());
    }
    if facts.precision == 1 && facts.nan == Nan::AboveInfinity {
        // An exponent of ones has a single code, which is infinity, if there is one.
        facts.nan = if facts.domain == Domain::Extended { Nan::Absent } else { Nan::AllOnes };
    }
    if facts.precision == 1 {
        facts.underflow = Underflow::Gradual;
    }
    let magnitude_width = facts.width - u32::from(facts.sign == Sign::Signed);
    if magnitude_width == 1 && (facts.domain, facts.nan) == (Domain::Extended, Nan::AllOnes) {
        return Err("one bit cannot hold zero, infinity and NaN".to_owned());
    }
    Ok(())
}

/// Returns the shortest name that [`parse`] reads back as these facts.
fn canonical_name(facts: &Facts) -> String {
    let sign_bits = u32::from(facts.sign == Sign::Signed);
    let exponent_width = facts.width + 1 - facts.precision - sign_bits;
    let mut name = format!("e{exponent_width}m{}", facts.precision - 1);
    // The catalogue's finite e3m0 and e1m2 have taken the bare names.
    if CATALOGUE.iter().any(|row| row.format.name() == name) {
        name += ":ieee";
    }
    let mut bias = ieee_bias(exponent_width);
    let ieee_nan = if facts.precision == 1 { Nan::Absent } else { Nan::AboveInfinity };
    match (facts.domain, facts.nan) {
        (Domain::Extended, nan) if nan == ieee_nan => {}
        (Domain::Finite, Nan::AllOnes) => name += ":fn",
        (Domain::Finite, Nan::Absent) => name += ":finite",
        (Domain::Finite, Nan::NegativeZero) => {
            name += ":fnuz";
            bias += 1;
        }
        (domain, nan) => {
            name += if domain == Domain::Finite { ":noinf" } else { "" };
            name += match nan {
                Nan::AboveInfinity => "",
                Nan::AllOnes => ":nan=ones",
                Nan::NegativeZero => ":nan=zero",
                Nan::Absent => ":nan=none",
            };
        }
    }
    if facts.sign == Sign::Unsigned {
        name += ":unsigned";
    } else if facts.zeros == Zeros::One && facts.nan != Nan::NegativeZero {
        name += ":nonegzero";
    }
    if facts.underflow == Underflow::Abrupt {
        name += ":nosub";
    }
    if facts.bias != bias {
        name = format!("{name}:bias={}", facts.bias);
    }
    if CATALOGUE.iter().any(|row| row.format.name() == name) {
        name += ":ieee"; // e3m0 and e1m2 are the catalogue's finite ones.
    }
    name
}

/// The bias of an IEEE interchange format with this exponent width.
const fn ieee_bias(exponent_width: u32) -> i32 {
    (1 << (exponent_width - 1)) - 1
}

/// `eXmY`: X exponent bits, Y trailing significand bits.
fn exmy(name: &str) -> Option<Result<Facts, String>> {
    let (x, y) = name.strip_prefix('e')?.split_once('m')?;
    Some(ieee_like(digits(x)?, digits(y)?))
}

/// crackNum's `a+b`: a exponent bits, b significand bits with the hidden one.
fn cracknum(name: &str) -> Option<Result<Facts, String>> {
    let (a, b) = name.split_once('+')?;
    let (exponent_width, precision) = (digits(a)?, digits(b)?);
    Some(match precision.checked_sub(1) {
        Some(trailing_width) => ieee_like(exponent_width, trailing_width),
        None => Err("the significand needs at least one bit".to_owned()),
    })
}

/// An all-digit number; one too large for `u32` reads as its maximum, which no range admits.
fn digits(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u32::MAX))
}

fn ieee_like(exponent_width: u32, trailing_width: u32) -> Result<Facts, String> {
    if !(1..=MAX_EXPONENT_WIDTH).contains(&exponent_width) || trailing_width > MAX_TRAILING_WIDTH {
        return Err(format!(
            "eXmY takes X of 1 to {MAX_EXPONENT_WIDTH} exponent bits and Y of 0 to \
             {MAX_TRAILING_WIDTH} trailing significand bits"
        ));
    }
    Ok(Facts {
        width: 1 + exponent_width + trailing_width,
        precision: trailing_width + 1,
        bias: ieee_bias(exponent_width),
        sign: Sign::Signed,
        domain: Domain::Extended,
        nan: Nan::AboveInfinity,
        zeros: Zeros::Both,
        underflow: Underflow::Gradual,
        layout: Layout::Hidden,
        parity: Parity::Significand,
    })
}

/// `binary{K}p{P}{s|u}{e|f}` (P3109 interim report 4.0 §3).
fn p3109(name: &str) -> Option<Result<Facts, String>> {
    let (k, rest) = name.strip_prefix("binary")?.split_once('p')?;
    let (rest, domain) = match rest.strip_suffix('e') {
        Some(rest) => (rest, Domain::Extended),
        None => (rest.strip_suffix('f')?, Domain::Finite),
    };
    let (p, sign) = match rest.strip_suffix('s') {
        Some(p) => (p, Sign::Signed),
        None => (rest.strip_suffix('u')?, Sign::Unsigned),
    };
    let (width, precision) = (digits(k)?, digits(p)?);
    let signed = sign == Sign::Signed;
    let most_precision = width.saturating_sub(u32::from(signed));
    if !P3109_WIDTHS.contains(&width) || !(1..=most_precision).contains(&precision) {
        return Some(Err(format!(
            "P3109 has K of {} to {} bits and P of 1 to K − 1 (signed) or K (unsigned)",
            P3109_WIDTHS.start(),
            P3109_WIDTHS.end()
        )));
    }
    Some(Ok(Facts {
        width,
        precision,
        bias: 1 << (width - precision - u32::from(signed)),
        sign,
        domain,
        nan: if signed { Nan::NegativeZero } else { Nan::AllOnes },
        zeros: Zeros::One,
        underflow: Underflow::Gradual,
        layout: Layout::Hidden,
        parity: Parity::Code,
    }))
}

/// Returns the name of every P3109 format, by width, precision, sign and domain.
///
/// ```
/// assert_eq!(fpx::format::p3109_names().count(), 504);
/// ```
pub fn p3109_names() -> impl Iterator<Item = String> {
    P3109_WIDTHS.flat_map(|width| {
        [('s', width - 1), ('u', width)].into_iter().flat_map(move |(sign, most_precision)| {
            (1..=most_precision).flat_map(move |precision| {
                ['e', 'f'].map(|domain| format!("binary{width}p{precision}{sign}{domain}"))
            })
        })
    })
}
