//! One reading in full: bits, fields, value, neighbours, the reals that round to it.

use super::{
    numbers::{Origin, Reading, USUAL},
    table::{exact_or_shortest, rows, signed},
};
use crate::{
    codec::{
        Decides, Defect, Error, Kind, Projection, Unpacked, decode, defect, neighbor, project,
    },
    format::{Class, Format, Layout},
    report::{Block, Report, Role, Span, escape, number},
    text::render,
};

/// Bits that fit one line under their ruler.
const MAX_BITS: u32 = 72;
/// Where values begin.
const LABEL: usize = 14;
/// Characters of a value on one line.
const MAX_VALUE: usize = 100 - LABEL;
/// Where remarks on values begin, after the values.
const VALUE: usize = 30;

/// Returns the report of one reading.
pub(super) fn report(reading: &Reading) -> Report {
    let mut report = Report::new("inspect", rows(std::slice::from_ref(reading)))
        .with(title(reading))
        .with(Block::blank());
    report.blocks.extend(bits(reading));
    report.blocks.push(Block::blank());
    report.blocks.extend(facts(reading).iter().flat_map(lines));
    report.blocks.extend(elsewhere(reading).into_iter().map(Block::line));
    report
}

fn title(reading: &Reading) -> Block {
    let format = reading.format();
    let facts = format.facts();
    let mut parts = Vec::new();
    if format.is_signed() {
        parts.push("1 sign".to_owned());
    }
    parts.push(format!("{} exponent", format.exponent_width()));
    let hidden = match facts.layout {
        Layout::Hidden => format!(
            "{} significand ({} with the hidden bit)",
            format.trailing_width(),
            format.precision()
        ),
        Layout::Explicit => format!("{} significand, none hidden", format.precision()),
    };
    parts.push(hidden);
    let code = format!("0x{}", render::hex(format, reading.code));
    let text = escape(&reading.text);
    let subject = if reading.origin == Origin::Code {
        format!("{text} as {}", reading.spec)
    } else {
        format!("{text} as {}: {code}", reading.spec)
    };
    Block::Line(vec![
        Span::new(subject, Role::Heading),
        Span::plain(format!(
            "   {} bits: {}, bias {}",
            format.width(),
            parts.join(", "),
            format.bias()
        )),
    ])
}

/// Lays one fact out: label, value over as many lines as it needs, and the remark where it fits.
pub(super) fn lines((label, value, remark): &Fact) -> Vec<Block> {
    let mut chunks: Vec<String> = value
        .lines()
        .flat_map(|line| line.as_bytes().chunks(MAX_VALUE))
        .map(|c| String::from_utf8_lossy(c).into_owned())
        .collect();
    let last = chunks.pop().unwrap_or_default();
    if last.len().max(VALUE) + 1 + remark.len() <= MAX_VALUE {
        chunks.push(format!("{last:<VALUE$} {remark}"));
    } else {
        chunks.extend([last, remark.clone()]);
    }
    let labels = std::iter::once(*label).chain(std::iter::repeat(""));
    let line =
        |(label, text): (&str, String)| format!("{label:<LABEL$}{text}").trim_end().to_owned();
    labels.zip(chunks).map(line).map(Block::line).collect()
}

/// A field of the picture: its bits, and what stands under them.
struct Field {
    bits: String,
    role: Role,
    below: [String; 2],
}

impl Field {
    /// The field in lines of its own, with what it means behind it where that is short.
    fn long(&self) -> Vec<Block> {
        let meaning = self.below.join(" ");
        let chunks: Vec<_> = self.bits.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        let is_short = chunks.len() == 1 && self.bits.len() + meaning.len() < MAX_VALUE;
        let line = |bits: &std::borrow::Cow<str>| {
            let mut spans = vec![Span::plain("  "), Span::new(bits.clone(), self.role)];
            if is_short {
                spans.push(Span::new(format!("   {}", meaning.trim_end()), Role::Dim));
            }
            Block::Line(trimmed(spans))
        };
        chunks.iter().map(line).collect()
    }
}

/// The bits under a ruler of bit numbers, with their meaning below.
fn bits(reading: &Reading) -> Vec<Block> {
    let format = reading.format();
    let fields = fields(reading);
    if format.width() > MAX_BITS {
        return fields.iter().flat_map(Field::long).collect();
    }
    let mut lines: [Vec<Span>; 4] = std::array::from_fn(|_| vec![Span::plain("  ")]);
    let mut top = format.width();
    for field in fields {
        let count = u32::try_from(field.bits.len()).unwrap_or(0);
        let ruler = ruler(top, count);
        top -= count;
        let texts = [ruler, field.bits.clone(), field.below[0].clone(), field.below[1].clone()];
        let width = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0) + 1;
        for (i, (line, text)) in lines.iter_mut().zip(texts).enumerate() {
            let role = if i == 1 { field.role } else { Role::Dim };
            line.push(Span::new(text.clone(), role));
            line.push(Span::plain(" ".repeat(width - text.chars().count())));
        }
    }
    lines.into_iter().map(trimmed).filter(|line| line.len() > 1).map(Block::Line).collect()
}

/// Drops blanks at the end of a line.
fn trimmed(mut line: Vec<Span>) -> Vec<Span> {
    while line.len() > 1 && line.last().is_some_and(|span| span.text.trim().is_empty()) {
        line.pop();
    }
    line
}

/// The numbers of a field's first and last bits, over them.
fn ruler(top: u32, count: u32) -> String {
    let first = (top - 1).to_string();
    let last = (top - count).to_string();
    let width = (count as usize).max(1);
    if count == 1 || first.len() + last.len() + 1 > width {
        return first;
    }
    format!("{first}{last:>rest$}", rest = width - first.len())
}

/// The fields of a code with their meaning: sign, exponent arithmetic, significand.
fn fields(reading: &Reading) -> Vec<Field> {
    let format = reading.format();
    let x = decode(format, reading.code);
    let parts = render::fields(format, reading.code);
    let (exponent, significand) = meaning(format, reading.code, &x);
    let sign = if x.negative { "-" } else { "+" };
    [
        Field { bits: parts.sign, role: Role::Sign, below: [sign.to_owned(), String::new()] },
        Field { bits: parts.exponent, role: Role::Exponent, below: exponent },
        Field {
            bits: parts.leading + &parts.trailing,
            role: Role::Significand,
            below: significand,
        },
    ]
    .into_iter()
    .filter(|field| !field.bits.is_empty())
    .collect()
}

/// What the exponent and the significand fields of a finite number say; nothing of the others.
fn meaning(format: &Format, code: u128, x: &Unpacked) -> ([String; 2], [String; 2]) {
    if x.kind != Kind::Finite {
        return Default::default();
    }
    let trailing_width = format.trailing_width();
    let exponent = x.exponent.max(format.emin());
    let biased = format.biased_exponent(code);
    let is_subnormal = format.class(code) == Class::Subnormal;
    let arithmetic = if is_subnormal {
        format!("0: {}-{}", 1, format.bias())
    } else {
        format!("{biased}-{}", format.bias())
    };
    // The integer significand: value / quantum, with the leading bit if there is one.
    let quantum_exponent = exponent - trailing_width.cast_signed();
    let integer = x.significand >> (127 - (x.exponent - quantum_exponent)).cast_unsigned();
    let digits = format!("{integer:0width$b}", width = format.precision() as usize);
    let (first, rest) = digits.split_at(1);
    let binary = if rest.is_empty() { format!("{first}b") } else { format!("{first}.{rest}b") };
    let zeros = integer.trailing_zeros().min(trailing_width);
    let (numerator, log2) = (integer >> zeros, trailing_width - zeros);
    let fraction = match log2 {
        0 => format!("= {numerator}"),
        1..=30 => format!("= {numerator}/{}", 1u64 << log2),
        _ => format!("= {numerator}/2^{log2}"),
    };
    ([arithmetic, format!("= {exponent}")], [binary, fraction])
}

/// The exact decimal if it is short, else as many leading digits as tell the format's values apart.
fn brief(format: &Format, x: &Unpacked) -> String {
    let digits = format.precision() as usize * 3 / 10 + 5;
    let exact = render::exact(x);
    if exact.len() <= VALUE {
        return exact;
    }
    let sign = if x.negative { "-" } else { "" };
    let magnitude = exact.trim_start_matches('-');
    let point = magnitude.find('.').unwrap_or(magnitude.len());
    let first = magnitude.find(|c: char| ('1'..='9').contains(&c)).unwrap_or(0);
    let exponent = if first < point {
        format!("e{}", point - first - 1)
    } else {
        format!("e-{}", first - point)
    };
    let digits: String = magnitude[first..].chars().filter(|&c| c != '.').take(digits).collect();
    format!("{sign}{}.{}...{exponent}", &digits[..1], &digits[1..])
}

pub(super) type Fact = (&'static str, String, String);

/// The facts below the bits: label, value, remark.
fn facts(reading: &Reading) -> Vec<Fact> {
    let (format, code) = (reading.format(), reading.code);
    let x = decode(format, code);
    let mut facts = vec![("class", class(reading), String::new())];
    if x.kind == Kind::Finite {
        let product = render::odd_integer(&x).map_or_else(String::new, |(integer, e)| {
            format!("= {}{integer} x 2^{e}", if x.negative { "-" } else { "" })
        });
        facts.push(("value", render::exact(&x), product));
    } else {
        facts.push(("value", render::exact(&x), payload(format, &x)));
    }
    if !reading.is_code() {
        facts.push(error(reading));
    }
    if x.kind == Kind::Finite {
        let hex = format!("0x{}", render::hex(format, code));
        let shortest = render::shortest(format, code);
        facts.push(("shortest", shortest, format!("the fewest digits that read back to {hex}")));
        facts.push(("hex float", render::hex_float(&x), String::new()));
    }
    if let Some(q) = neighbor::quantum_exponent(format, &x) {
        facts.push(("ulp", brief(format, &Unpacked::scaled(false, 1, q)), format!("2^{q}")));
    }
    for (label, neighbor) in
        [("previous", neighbor::next_down(format, code)), ("next", neighbor::next_up(format, code))]
    {
        if let Some(code) = neighbor {
            let value = exact_or_shortest(format, code);
            facts.push((label, value, format!("0x{}", render::hex(format, code))));
        }
    }
    facts.extend(interval(reading));
    facts
}

fn class(reading: &Reading) -> String {
    let format = reading.format();
    let name = format.class(reading.code).name();
    match defect(format, reading.code) {
        None => name.to_owned(),
        Some(Defect::PseudoDenormal) => format!("{name}, a pseudo-denormal"),
        Some(Defect::Invalid) => "invalid: the stored leading bit is missing".to_owned(),
    }
}

/// The payload of a NaN as `nan:PAYLOAD` states it, right-aligned below the quiet bit.
fn payload(format: &Format, x: &Unpacked) -> String {
    let width = format.trailing_width().saturating_sub(1);
    match (x.significand << 1).checked_shr(128 - width) {
        Some(payload) if x.kind == Kind::Nan && payload != 0 => format!("payload 0x{payload:x}"),
        _ => String::new(),
    }
}

fn error(reading: &Reading) -> Fact {
    let error = reading.error();
    let flags: Vec<_> = reading.flags.names().collect();
    let remark = format!(
        "{}; {}",
        reading.projection,
        if flags.is_empty() { "no flags".to_owned() } else { flags.join(" ") }
    );
    let value = if error.is_zero() {
        "none: exact".to_owned()
    } else if !error.relative.is_finite() {
        format!("not a number of ulps: {}", render::value(reading.format(), reading.code))
    } else {
        format!(
            "{} relative, {} ulp",
            signed(error.relative, number::scientific(error.relative, 3)),
            signed(error.ulp, number::fixed(error.ulp, 3))
        )
    };
    ("error", value, remark)
}

/// The reals that round to the code, with open or closed ends.
fn interval(reading: &Reading) -> Option<Fact> {
    let (format, code) = (reading.format(), reading.code);
    let interval = neighbor::interval(format, &reading.projection, code)?;
    let (low, high) = (interval.low, interval.high);
    let (low_text, high_text) = (brief(format, &low.at), brief(format, &high.at));
    let separator = if low_text.len() + high_text.len() + 4 > MAX_VALUE { ",\n " } else { ", " };
    let text = format!(
        "{}{low_text}{separator}{high_text}{}",
        if low.closed { '[' } else { '(' },
        if high.closed { ']' } else { ')' },
    );
    let by_parity = reading.projection.rounding.mode.decides == Decides::BySignificand
        && reading.projection.rounding == Projection::default().rounding
        && format.precision() > 1;
    let why = match (low.closed, high.closed) {
        (true, true) if by_parity => "ends included: the code is even",
        (false, false) if by_parity && code & 1 == 1 => "ends excluded: the code is odd",
        (true, true) => "ends included",
        (false, false) => "ends excluded",
        (true, false) => "lower end included",
        (false, true) => "upper end included",
    };
    Some(("rounds to it", text, why.to_owned()))
}

/// The same value in the usual formats.
fn elsewhere(reading: &Reading) -> Vec<String> {
    let format = reading.format();
    let x = decode(format, reading.code);
    if x.kind != Kind::Finite {
        return Vec::new();
    }
    let others: Vec<String> = USUAL
        .into_iter()
        .filter(|other| *other != format)
        .map(|other| {
            let code = project(other, &Projection::default(), &x).code;
            let error = Error::of(other, &x, code);
            let how = if error.is_zero() {
                "exact".to_owned()
            } else if error.relative.is_finite() {
                signed(error.relative, number::scientific(error.relative, 2))
            } else {
                exact_or_shortest(other, code)
            };
            format!("{other} 0x{} {how}", render::hex(other, code))
        })
        .collect();
    let mut lines = vec![String::new(), "the same value in ".to_owned()];
    let indent = lines[1].len();
    for (i, other) in others.iter().enumerate() {
        let last = lines.len() - 1;
        if lines[last].chars().count() + 3 + other.len() > LABEL + MAX_VALUE {
            lines.push(format!("{:indent$} {other}", ""));
        } else {
            lines[last] += if i == 0 { " " } else { " · " };
            lines[last] += other;
        }
    }
    lines
}
