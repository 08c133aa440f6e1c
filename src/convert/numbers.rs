//! An input becomes one [`Answer`] a target.

use crate::{
    block::{BlockError, Quantizer, spec::Spec},
    codec::{Error, Flags, Projected, Projection, Unpacked, decode, project},
    format::{F32, F64, Format, Layout},
    random::Stream,
    text::literal::{self, Constant, Literal, LiteralError, Pattern},
};

/// What decides the answers.
#[derive(Clone, Debug)]
pub struct Config {
    /// The format inputs are held in; `None` takes numbers exactly.
    pub from: Option<Format>,
    /// What to convert to.
    pub targets: Vec<Spec>,
    /// How to round, but for what a target's name says itself.
    pub projection: Projection,
    /// The seed of stochastic rounding.
    pub seed: u64,
    /// Whether inputs are bare hex codes of `from`.
    pub codes: bool,
}

/// Why an input has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// It is no literal.
    #[error(transparent)]
    Literal(#[from] LiteralError),
    /// A pattern whose format is not known.
    #[error("{text} is {width} bits wide: {}", hint(*width))]
    NeedsFormat {
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
    /// Blocks along an axis that a list of numbers does not have.
    #[error(transparent)]
    Block(#[from] BlockError),
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
}

fn hint(width: u32) -> &'static str {
    match width {
        16 => "add --from f16 or --from bf16",
        8 => "add --from e4m3fn or --from e5m2",
        _ => "add --from FORMAT to say which format's code it is",
    }
}

/// Why targets or a source cannot be used on numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A format that only `inspect` reads.
    #[error("{0} is read by 'fpx inspect' only: its codes are not all numbers")]
    InspectOnly(String),
    /// A target whose elements cannot be scaled.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// Bare codes of no format.
    #[error("--codes needs --from FORMAT to say whose codes the inputs are")]
    CodesNeedFrom,
}

impl Config {
    /// Says in words how inputs are held and answers rounded.
    pub fn modes(&self) -> String {
        let from = self.from.as_ref().map_or_else(String::new, |from| format!("from {from}; "));
        format!("{from}rounded once, {}", self.projection)
    }

    /// Refuses what has no meaning on numbers.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.codes && self.from.is_none() {
            return Err(ConfigError::CodesNeedFrom);
        }
        for spec in self.targets.iter().filter(|spec| !spec.is_plain()) {
            Quantizer::new(spec, &self.projection)?;
        }
        let formats = self.targets.iter().map(|spec| &spec.format).chain(&self.from);
        let explicit = |f: &&Format| f.facts().layout == Layout::Explicit;
        match formats.into_iter().find(explicit) {
            Some(format) => Err(ConfigError::InspectOnly(format.name().to_owned())),
            None => Ok(()),
        }
    }
}

/// An input as understood.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// As written.
    pub text: &'a str,
    /// What it stands for.
    pub meaning: Meaning,
    /// The format it is held in and its code there, if it is held in one.
    pub held_in: Option<(&'a Format, u128)>,
}

impl<'a> Input<'a> {
    /// Returns a code of a format as an input.
    pub fn code(text: &'a str, format: &'a Format, code: u128) -> Self {
        let held = decode(format, code);
        Self { text, meaning: Meaning::Datum { held, exact: held }, held_in: Some((format, code)) }
    }
}

/// What an input stands for.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// A datum, and the exact one before it was held in `from`, if that rounded it.
    Datum {
        /// What is converted.
        held: Unpacked,
        /// What was written.
        exact: Unpacked,
    },
    /// A constant of each target.
    Constant {
        /// Whether a minus stood before it.
        negative: bool,
        /// Which one.
        constant: Constant,
    },
}

impl Meaning {
    /// Returns what is converted to a format, and what was written.
    pub fn of(&self, format: &Format) -> (Unpacked, Unpacked) {
        match *self {
            Self::Datum { held, exact } => (held, exact),
            Self::Constant { negative, constant } => {
                let x = Unpacked { negative, ..constant.value(format) };
                (x, x)
            }
        }
    }
}

/// The result of one input in one target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The datum that was rounded.
    pub input: Unpacked,
    /// The code.
    pub code: u128,
    /// The exceptions.
    pub flags: Flags,
    /// The code that the exact input would have had, where holding it in `from` changed the answer.
    pub without_holding: Option<u128>,
}

impl Answer {
    /// Returns the error against the datum that was rounded.
    pub fn error(&self, format: &Format) -> Error {
        Error::of(format, &self.input, self.code)
    }
}

/// Reads inputs and rounds them.
#[derive(Debug)]
pub struct Converter<'a> {
    config: &'a Config,
    projections: Vec<Projection>,
    stream: Stream,
}

impl<'a> Converter<'a> {
    /// Returns a converter for a configuration.
    pub fn new(config: &'a Config) -> Self {
        let projections =
            config.targets.iter().map(|spec| spec.projection(&config.projection)).collect();
        Self { config, projections, stream: Stream::new(config.seed, 0) }
    }

    /// Returns the configuration.
    pub fn config(&self) -> &'a Config {
        self.config
    }

    /// Reads one input.
    ///
    /// # Errors
    ///
    /// [`InputError`], if it is no number, or a pattern that fits no format at hand.
    pub fn read<'t>(&self, text: &'t str) -> Result<Input<'t>, InputError>
    where
        'a: 't,
    {
        if self.config.codes {
            return self.code(text, literal::parse_code(text)?);
        }
        match literal::parse(text)? {
            Literal::Code(pattern) => self.code(text, pattern),
            Literal::Number(exact) => Ok(self.hold(text, exact)),
            Literal::Constant { negative, constant } => Ok(match &self.config.from {
                Some(from) => self.hold(text, Unpacked { negative, ..constant.value(from) }),
                None => {
                    Input { text, meaning: Meaning::Constant { negative, constant }, held_in: None }
                }
            }),
        }
    }

    fn code<'t>(&self, text: &'t str, pattern: Pattern) -> Result<Input<'t>, InputError>
    where
        'a: 't,
    {
        let from = match (&self.config.from, pattern.written_width) {
            (Some(from), _) => from,
            (None, 32) => &F32,
            (None, 64) => &F64,
            (None, width) => return Err(InputError::NeedsFormat { text: text.to_owned(), width }),
        };
        let stated_too_wide = pattern.width_is_stated && pattern.written_width > from.width();
        if pattern.code & !from.code_mask() != 0 || stated_too_wide {
            return Err(InputError::TooWide {
                text: text.to_owned(),
                width: from.width(),
                format: from.name().to_owned(),
            });
        }
        Ok(Input::code(text, from, pattern.code))
    }

    /// Rounds a number to the format it is held in, to nearest even, as a compiler holds a constant.
    fn hold<'t>(&self, text: &'t str, exact: Unpacked) -> Input<'t>
    where
        'a: 't,
    {
        let Some(from) = &self.config.from else {
            return Input { text, meaning: Meaning::Datum { held: exact, exact }, held_in: None };
        };
        let code = project(from, &Projection::default(), &exact).code;
        let held = decode(from, code);
        Input { text, meaning: Meaning::Datum { held, exact }, held_in: Some((from, code)) }
    }

    /// Returns the random bits that inputs draw.
    pub fn stream(&self) -> Stream {
        self.stream
    }

    /// Rounds an input to target `target`; `position` counts inputs from 0, for stochastic rounding.
    ///
    /// # Errors
    ///
    /// [`InputError::NoNan`], if the policies refuse a NaN.
    pub fn answer(
        &self,
        input: &Input,
        target: usize,
        position: u64,
    ) -> Result<Answer, InputError> {
        let format = &self.config.targets[target].format;
        let mut projection = self.projections[target];
        if projection.rounding.mode.is_stochastic() {
            projection = projection.with_random(self.stream.bits(position));
        }
        let (held, exact) = input.meaning.of(format);
        let Projected { code, flags } = project(format, &projection, &held);
        if flags.contains(Flags::REFUSED) {
            let format = format.name().to_owned();
            return Err(InputError::NoNan { text: input.text.to_owned(), format });
        }
        let direct = (held != exact).then(|| project(format, &projection, &exact).code);
        Ok(Answer { input: held, code, flags, without_holding: direct.filter(|&d| d != code) })
    }
}
