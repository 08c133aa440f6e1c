//! One rounding step by step: the bits kept, guard and sticky, the decision, and a check of it.

use super::numbers::Reading;
use crate::{
    codec::{Error, Flags, Kind, Overflow, Projection, RTZ, Unpacked, decode, neighbor, project},
    format::{Format, Underflow},
    report::{Block, Role, Span, number},
    text::render,
};

/// Bits of the input that are written out.
const SHOWN: usize = 24;

/// Returns the steps as lines.
pub(super) fn blocks(reading: &Reading) -> Vec<Block> {
    let mut blocks = vec![Block::blank()];
    let lines = match reading.exact.kind {
        Kind::Finite => finite(reading),
        Kind::Zero => vec![
            "a zero keeps its sign where the format has two zeros: nothing to round".to_owned(),
        ],
        Kind::Infinity => vec![format!(
            "an infinity: overflow {} decides what it becomes",
            reading.projection.overflow
        )],
        Kind::Nan => vec![format!(
            "a NaN: nan {} decides its code; it becomes quiet",
            reading.projection.nan
        )],
    };
    let mut lines = lines.into_iter();
    if let Some(first) = lines.next() {
        blocks.push(Block::Line(vec![Span::new(first, Role::Heading)]));
    }
    blocks.extend(lines.map(Block::line));
    blocks
}

/// The leading bits of a significand, `1.1001 1001...`.
fn binary(x: &Unpacked) -> String {
    let digits = format!("{:0128b}", x.significand);
    let significant = digits.trim_end_matches('0');
    let rest = &significant[1..];
    let cut = rest.len() > SHOWN || x.sticky;
    let shown = &rest[..rest.len().min(SHOWN)];
    let groups: Vec<&str> =
        (0..shown.len()).step_by(4).map(|i| &shown[i..(i + 4).min(shown.len())]).collect();
    let point = if shown.is_empty() { "" } else { "." };
    format!("1{point}{}{}b", groups.join(" "), if cut { "..." } else { "" })
}

fn finite(reading: &Reading) -> Vec<String> {
    let (format, x) = (reading.format(), &reading.exact);
    let sign = if x.negative { "-" } else { "" };
    let first = format!("{} = {sign}{} x 2^{}", reading.text, binary(x), x.exponent);
    let mut lines = vec![format!("{first:<52}  {}", range(format, x))];
    if x.exponent <= format.emax() && (format.is_signed() || !x.negative) {
        lines.extend(decision(reading));
    }
    lines.push(consequence(reading));
    lines.extend(check(reading));
    lines
}

/// Where the exponent lies in the format's range.
fn range(format: &Format, x: &Unpacked) -> String {
    let (e, emin, emax) = (x.exponent, format.emin(), format.emax());
    if x.negative && !format.is_signed() {
        "negative, and the format has no sign".to_owned()
    } else if e > emax {
        format!("the exponent {e} is above emax {emax}: overflow")
    } else if e >= emin {
        format!("the exponent {e} is in range: normal")
    } else if format.facts().underflow == Underflow::Gradual {
        format!("the exponent {e} is below emin {emin}: {} bits less are kept", emin - e)
    } else {
        format!("the exponent {e} is below emin {emin}: there are no subnormals")
    }
}

/// Kept bits, guard, sticky, and what the mode says.
fn decision(reading: &Reading) -> Vec<String> {
    let (format, x) = (reading.format(), &reading.exact);
    let below_emin = (format.emin() - x.exponent).max(0);
    let kept = format.precision().cast_signed() - below_emin;
    let bit = |i: i32| match u32::try_from(i) {
        Ok(i @ 0..128) => u8::from(x.significand >> (127 - i) & 1 == 1),
        _ => 0,
    };
    let bits: String = (-below_emin..kept).map(|i| char::from(b'0' + bit(i))).collect();
    let (head, tail) = bits.split_at(bits.len().min(1));
    let point = if tail.is_empty() { "" } else { "." };
    let guard = bit(kept);
    let rest = match u32::try_from(kept + 1) {
        Ok(first @ 0..128) => x.significand << first != 0,
        Ok(_) => false,
        Err(_) => true,
    };
    let sticky = rest || x.sticky;
    let describe = |guard, sticky| match (guard, sticky) {
        (0, false) => "nothing is dropped: exact",
        (0, true) => "below the half",
        (1, false) => "a tie: exactly the half",
        _ => "above the half",
    };
    let truncated = project(format, &truncation(), x).code;
    let away = reading.code != truncated;
    vec![
        format!("      kept      {head}{point}{tail}    {} bits after the point", tail.len()),
        format!(
            "      guard     {guard}    {}",
            if guard == 1 { "half an ulp or more" } else { "less than half an ulp" }
        ),
        format!(
            "      sticky    {}    {}",
            u8::from(sticky),
            if sticky { "something below it: not a tie" } else { "nothing below it" }
        ),
        format!(
            "      {}: {} -> {}",
            reading.projection.rounding,
            describe(guard, sticky),
            if guard == 0 && !sticky {
                "stays"
            } else if away {
                "away from zero, 1 ulp is added"
            } else {
                "toward zero, the rest is dropped"
            },
        ),
    ]
}

/// Truncation that never overflows, which gives the neighbour toward zero.
fn truncation() -> Projection {
    Projection { overflow: Overflow::Saturate, ..Projection::with_mode(&RTZ) }
}

/// The result and its flags.
fn consequence(reading: &Reading) -> String {
    let flags: Vec<_> = reading.flags.names().collect();
    let flags = if flags.is_empty() { "none".to_owned() } else { flags.join(" ") };
    let (format, projection) = (reading.format(), &reading.projection);
    let beyond = if reading.flags.contains(Flags::OVERFLOW) {
        let largest = render::value(format, format.largest_finite());
        format!("beyond the largest finite {largest}, so by overflow {}: ", projection.overflow)
    } else {
        String::new()
    };
    format!(
        "      result    {beyond}0x{} = {}    flags: {flags}",
        render::hex(format, reading.code),
        render::value(format, reading.code),
    )
}

/// The neighbours on both sides and how far away they are.
fn check(reading: &Reading) -> Option<String> {
    let (format, x) = (reading.format(), &reading.exact);
    let toward_zero = project(format, &truncation(), x).code;
    let error = Error::of(format, x, toward_zero);
    if error.is_zero() {
        return Some(format!("check {} is the input: exact", render::value(format, toward_zero)));
    }
    let outward = if x.negative { neighbor::next_down } else { neighbor::next_up };
    let away = outward(format, toward_zero)?;
    if !decode(format, away).is_finite() {
        return None;
    }
    let (low, high) = if x.negative { (away, toward_zero) } else { (toward_zero, away) };
    let ulps = |code| number::significant(Error::of(format, x, code).ulp.abs(), 3);
    Some(format!(
        "check {} < {} < {}    {} ulp and {} ulp away",
        render::value(format, low),
        reading.text,
        render::value(format, high),
        ulps(low),
        ulps(high),
    ))
}
