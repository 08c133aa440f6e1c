//! An input becomes [`Reading`]s: one code in one format, and where it came from.

use serde_json::{Map, json};

use super::{blocks, explain, full, table};
use crate::{
    block::{BlockError, spec::Spec},
    codec::{Error, Flags, Projection, Unpacked, decode, project},
    format::{
        Format,
        catalogue::{self as c, CATALOGUE},
    },
    random::Stream,
    report::{Report, answer},
    text::literal::{self, Literal, LiteralError, Pattern},
};

/// What decides what is shown.
#[derive(Clone, Debug)]
pub struct Config {
    /// The numbers and patterns.
    pub inputs: Vec<String>,
    /// The formats.
    pub formats: Formats,
    /// How to round.
    pub projection: Projection,
    /// The seed of stochastic rounding.
    pub seed: u64,
    /// Whether to show the rounding step by step.
    pub explain: bool,
}

/// Which formats to show inputs in.
#[derive(Clone, Debug)]
pub enum Formats {
    /// The usual five for a number; for a pattern, the common ones of its width.
    Usual,
    /// Every row of the catalogue.
    All,
    /// These.
    Given(Vec<Spec>),
}

/// The formats in which a number is shown unless others are named.
pub(super) static USUAL: [&Format; 5] = [&c::F32, &c::F16, &c::BF16, &c::E4M3FN, &c::E5M2];

/// The formats in which a pattern of a width is read unless one is named.
static READINGS: [(u32, &[&Format]); 6] = [
    (4, &[&c::E2M1FN]),
    (6, &[&c::E3M2FN, &c::E2M3FN]),
    (8, &[&c::E4M3FN, &c::E5M2, &c::E4M3FNUZ, &c::E5M2FNUZ, &c::E8M0]),
    (16, &[&c::F16, &c::BF16]),
    (32, &[&c::F32]),
    (64, &[&c::F64]),
];

/// Why an input cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// It is no literal.
    #[error(transparent)]
    Literal(#[from] LiteralError),
    /// No format is usual for patterns of this width.
    #[error("{text} is {width} bits wide, which no common format is: add --format FORMAT")]
    NoReading {
        /// The pattern.
        text: String,
        /// Its width in bits.
        width: u32,
    },
    /// A pattern beyond the format's width.
    #[error("bit pattern '{text}' does not fit the {width} bits of {format}")]
    TooWide {
        /// The pattern.
        text: String,
        /// The bits there are.
        width: u32,
        /// The format.
        format: String,
    },
    /// A NaN for a format without one.
    #[error(
        "'{text}' is NaN, and {format} has no NaN: --nan-to zero or --nan-to max chooses a substitute"
    )]
    NoNan {
        /// The input.
        text: String,
        /// The format.
        format: String,
    },
    /// A target whose elements cannot be scaled, or blocks along an axis that a list of numbers does
    /// not have.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// An unscaled target beside scaled ones.
    #[error("'{0}' has no scale: show it by itself")]
    Mixed(String),
    /// A pattern where numbers are to be scaled.
    #[error("'{text}' is a bit pattern: '{target}' takes numbers, from which the scale follows")]
    Code {
        /// The pattern.
        text: String,
        /// The target.
        target: String,
    },
    /// `--explain` without exactly one format.
    #[error("--explain shows one rounding: give one number and one --format")]
    ExplainsOne,
}

/// One code in one format, and what it stands for.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The input as written.
    pub text: String,
    /// The target.
    pub spec: Spec,
    /// How it was rounded.
    pub projection: Projection,
    /// The exact input.
    pub exact: Unpacked,
    /// The code.
    pub code: u128,
    /// The exceptions of rounding; none if the code was not rounded.
    pub flags: Flags,
    /// Where the code comes from.
    pub origin: Origin,
}

/// Where a code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is the input.
    Code,
    /// It is held by a tensor, and the input says where.
    Held,
    /// A number was rounded.
    Rounded,
}

impl Reading {
    /// Whether the code was not rounded.
    pub fn is_code(&self) -> bool {
        self.origin != Origin::Rounded
    }

    /// Returns the reading of a code as it is.
    pub(super) fn code(
        config: &Config,
        text: &str,
        (spec, code): (&Spec, u128),
        origin: Origin,
    ) -> Self {
        Self {
            text: text.to_owned(),
            spec: spec.clone(),
            projection: spec.projection(&config.projection),
            exact: decode(&spec.format, code),
            code,
            flags: Flags::NONE,
            origin,
        }
    }

    /// Returns the format.
    pub fn format(&self) -> &Format {
        &self.spec.format
    }

    /// Returns the error of the code against the exact input.
    pub fn error(&self) -> Error {
        Error::of(self.format(), &self.exact, self.code)
    }
}

/// Reads the inputs and returns what there is to show.
///
/// # Errors
///
/// [`InspectError`], for the first input that cannot be shown.
pub fn run(config: &Config) -> Result<Report, InspectError> {
    if let Formats::Given(specs) = &config.formats
        && specs.iter().any(|spec| !spec.is_plain())
    {
        if config.explain {
            return Err(InspectError::ExplainsOne);
        }
        let mut report = blocks::report(config, specs)?;
        report.options = options(config, specs.iter());
        return Ok(report);
    }
    let mut readings = Vec::new();
    for (position, text) in (0..).zip(&config.inputs) {
        readings.extend(read(config, text, position)?);
    }
    report(config, &readings)
}

/// Returns what there is to show of some readings.
pub(super) fn report(config: &Config, readings: &[Reading]) -> Result<Report, InspectError> {
    let mut report = match (readings, &config.formats) {
        ([reading], Formats::Given(_)) => full::report(reading),
        _ if config.explain => return Err(InspectError::ExplainsOne),
        _ => table::report(config, readings),
    };
    if config.explain {
        report.blocks.extend(explain::blocks(&readings[0]));
    }
    report.options = options(config, readings.iter().map(|reading| &reading.spec));
    Ok(report)
}

fn options<'a>(
    config: &Config,
    specs: impl Iterator<Item = &'a Spec>,
) -> Map<String, serde_json::Value> {
    let mut formats: Vec<String> = Vec::new();
    for spec in specs {
        let name = spec.to_string();
        if !formats.contains(&name) {
            formats.push(name);
        }
    }
    let mut options = Map::from_iter([("format".to_owned(), json!(formats))]);
    options.extend(answer::rounding_options(&config.projection, config.seed));
    options
}

/// Every format of the catalogue.
fn all() -> impl Iterator<Item = Spec> {
    CATALOGUE.iter().map(|row| Spec::plain(row.format.clone()))
}

/// The formats in which a number is shown.
pub(super) fn formats(config: &Config) -> Vec<Spec> {
    match &config.formats {
        Formats::Given(specs) => specs.clone(),
        Formats::All => all().collect(),
        Formats::Usual => usual(&USUAL),
    }
}

/// Returns the readings of one input.
fn read(config: &Config, text: &str, position: u64) -> Result<Vec<Reading>, InspectError> {
    let literal = literal::parse(text)?;
    let specs: Vec<Spec> = match (&config.formats, &literal) {
        (Formats::All, Literal::Code(pattern)) => {
            all().filter(|spec| spec.format.width() == pattern.written_width).collect()
        }
        (Formats::Usual, Literal::Code(pattern)) => match readings(pattern) {
            [] => all().filter(|spec| spec.format.width() == pattern.written_width).collect(),
            names => usual(names),
        },
        _ => formats(config),
    };
    match literal {
        Literal::Code(pattern) => read_pattern(config, text, pattern, &specs),
        Literal::Number(exact) => {
            specs.iter().map(|spec| rounded(config, text, spec, &exact, position)).collect()
        }
        Literal::Constant { negative, constant } => specs
            .iter()
            .map(|spec| {
                let exact = Unpacked { negative, ..constant.value(&spec.format) };
                rounded(config, text, spec, &exact, position)
            })
            .collect(),
    }
}

fn readings(pattern: &Pattern) -> &'static [&'static Format] {
    READINGS.iter().find(|(width, _)| *width == pattern.written_width).map_or(&[], |(_, f)| f)
}

fn usual(formats: &[&Format]) -> Vec<Spec> {
    formats.iter().map(|format| Spec::plain((*format).clone())).collect()
}

/// Reads a pattern: with formats given, as a code of the first; else as one of each.
fn read_pattern(
    config: &Config,
    text: &str,
    pattern: Pattern,
    specs: &[Spec],
) -> Result<Vec<Reading>, InspectError> {
    let Some((first, others)) = specs.split_first() else {
        let width = pattern.written_width;
        return Err(InspectError::NoReading { text: text.to_owned(), width });
    };
    if !matches!(config.formats, Formats::Given(_)) {
        return specs.iter().map(|spec| coded(config, text, spec, pattern)).collect();
    }
    let first = coded(config, text, first, pattern)?;
    let mut readings = Vec::from([first.clone()]);
    for spec in others {
        readings.push(rounded(config, text, spec, &first.exact, 0)?);
    }
    Ok(readings)
}

/// Reads a pattern as a code.
fn coded(
    config: &Config,
    text: &str,
    spec: &Spec,
    pattern: Pattern,
) -> Result<Reading, InspectError> {
    let format = &spec.format;
    let stated_too_wide = pattern.width_is_stated && pattern.written_width > format.width();
    if pattern.code & !format.code_mask() != 0 || stated_too_wide {
        return Err(InspectError::TooWide {
            text: text.to_owned(),
            width: format.width(),
            format: format.name().to_owned(),
        });
    }
    Ok(Reading::code(config, text, (spec, pattern.code), Origin::Code))
}

/// Rounds a number to a format.
pub(super) fn rounded(
    config: &Config,
    text: &str,
    spec: &Spec,
    exact: &Unpacked,
    position: u64,
) -> Result<Reading, InspectError> {
    let bits = Stream::new(config.seed, 0).bits(position);
    let projection = spec.projection(&config.projection).with_random(bits);
    let result = project(&spec.format, &projection, exact);
    if result.flags.contains(Flags::REFUSED) {
        let format = spec.format.name().to_owned();
        return Err(InspectError::NoNan { text: text.to_owned(), format });
    }
    Ok(Reading {
        text: text.to_owned(),
        spec: spec.clone(),
        projection,
        exact: *exact,
        code: result.code,
        flags: result.flags,
        origin: Origin::Rounded,
    })
}
