//! `NAME[/WORD]...` becomes a [`Spec`]: a format, how it is scaled, and perhaps a rounding.
//!
//! ```
//! use fpx::block::spec::{Scaling, Spec};
//! let spec: Spec = "e4m3fn/tile:128x128/rtz".parse().unwrap();
//! assert_eq!(spec.scaling, Scaling::Tile { rows: 128, columns: 128 });
//! assert_eq!(spec.to_string(), "e4m3fn/tile:128x128/rtz");
//! ```

use std::fmt;

use super::rows::{BLOCKS, BlockRow, Coding, SCALE_RULES, ScaleKind, ScaleRule};
use crate::{
    codec::{Projection, Rounding, RoundingError, project},
    format::{self, F32, Format, FormatError, nearest},
    text::literal::{self, LiteralError},
};

/// A target of a conversion: what `--to`, `--format` and `--formats` list.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The format of each element.
    pub format: Format,
    /// What shares a scale.
    pub scaling: Scaling,
    /// The rounding attached to the name; it wins over the one given for all.
    pub rounding: Option<Rounding>,
    /// What an ambiguous name was taken for, to be shown to people.
    pub note: Option<String>,
}

/// What shares a scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scaling {
    /// Nothing: the format's own codes.
    Plain,
    /// The tensor, by one float32 scale amax/largest.
    Tensor,
    /// Each slice along the first dimension, by a float32 scale.
    Channel,
    /// Each tile of the last two dimensions, by a float32 scale.
    Tile {
        /// Rows of a tile.
        rows: usize,
        /// Columns of a tile.
        columns: usize,
    },
    /// Each block along an axis, by the rules of a block format.
    Block(Block),
}

/// A block format with its words.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// The row of the table; `None` for generic block floating point, which is any format under
    /// E8M0 scales (OCP MX 1.0 §5.1, generalised).
    pub row: Option<&'static BlockRow>,
    /// How an E8M0 scale is chosen.
    pub rule: &'static ScaleRule,
    /// Elements a block, at least 1.
    pub size: usize,
    /// The axis along which blocks lie; negative counts from the last.
    pub axis: i32,
    /// NVFP4's scale of the whole tensor, if it is given rather than found.
    pub tensor_scale: Option<f32>,
}

impl PartialEq for Block {
    fn eq(&self, other: &Self) -> bool {
        let facts =
            |b: &Self| (b.name(), b.rule.name, b.size, b.axis, b.tensor_scale.map(f32::to_bits));
        facts(self) == facts(other)
    }
}

impl Block {
    /// Returns the name in the table, if there is one.
    pub fn name(&self) -> Option<&'static str> {
        self.row.map(|row| row.name)
    }

    /// Returns what a block's scale is.
    pub fn scale(&self) -> ScaleKind {
        self.row.map_or(ScaleKind::E8m0, |row| row.scale)
    }

    /// Returns how the codes of elements are stored.
    pub fn coding(&self) -> Coding {
        self.row.map_or(Coding::Format, |row| row.coding)
    }
}

/// Elements of a generic block unless the name says otherwise, as in OCP's formats.
const GENERIC_SIZE: usize = 32;
/// The default axis of blocks: the last.
const LAST_AXIS: i32 = -1;
/// The most elements a block may have.
const MAX_BLOCK: usize = 1 << 20;

/// Why a text is not a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The name is no format.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The number of random bits of `sr` is wrong.
    #[error(transparent)]
    Rounding(#[from] RoundingError),
    /// NVFP4's tensor scale is no number.
    #[error("in '{word}': {error}")]
    Scale {
        /// The word.
        word: String,
        /// What is wrong with its number.
        error: LiteralError,
    },
    /// A word has a wrong value.
    #[error("'{word}' in '{text}': expected {expected}")]
    Value {
        /// The word.
        word: String,
        /// The whole text.
        text: String,
        /// What would be accepted.
        expected: &'static str,
    },
    /// A word that nothing takes.
    #[error(
        "unknown word '/{word}' in '{text}', expected /tensor /channel /tile:RxC /block:N /axis:K \
         /floor /rceil /ceil /even /scale:VALUE or a rounding mode"
    )]
    Word {
        /// The word.
        word: String,
        /// The whole text.
        text: String,
    },
    /// Two words that exclude each other, or one that the format does not take.
    #[error("'/{word}' does not go with '{before}' in '{text}'")]
    Conflict {
        /// The word.
        word: String,
        /// What it meets.
        before: String,
        /// The whole text.
        text: String,
    },
}

impl Spec {
    /// Returns an unscaled target.
    pub fn plain(format: Format) -> Self {
        Self { format, scaling: Scaling::Plain, rounding: None, note: None }
    }

    /// Whether elements are plain codes without any scale.
    pub fn is_plain(&self) -> bool {
        self.scaling == Scaling::Plain
    }

    /// Returns the projection to round with: the attached rounding wins over the general one.
    pub fn projection(&self, general: &Projection) -> Projection {
        Projection { rounding: self.rounding.unwrap_or(general.rounding), ..*general }
    }
}

impl std::str::FromStr for Spec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut words = text.split('/');
        let mut spec = named(words.next().unwrap_or_default())?;
        for word in words {
            spec.apply(word, text)?;
        }
        Ok(spec)
    }
}

/// Reads the name before the words.
fn named(name: &str) -> Result<Spec, SpecError> {
    let folded: String = name
        .trim()
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let row = BLOCKS.iter().find(|row| row.name == folded || row.aliases.contains(&&*folded));
    let Some(row) = row else {
        let parsed = format::parse(name).map_err(|error| suggest(error, &folded))?;
        return Ok(Spec { note: parsed.note, ..Spec::plain(parsed.format) });
    };
    Ok(Spec { scaling: Scaling::Block(block_of(Some(row))), ..Spec::plain(row.element.clone()) })
}

/// Suggests a block format where no plain one is near.
fn suggest(error: FormatError, folded: &str) -> FormatError {
    match error {
        FormatError::Unknown { name, suggestion_for: None } => {
            let near = nearest(folded, BLOCKS.iter().map(|row| (row.name, row.name)));
            FormatError::Unknown { name, suggestion_for: near.map(str::to_owned) }
        }
        other @ (FormatError::Unknown { .. } | FormatError::Impossible { .. }) => other,
    }
}

fn block_of(row: Option<&'static BlockRow>) -> Block {
    let size = row.map_or(GENERIC_SIZE, |row| row.size);
    Block { row, rule: &SCALE_RULES[0], size, axis: LAST_AXIS, tensor_scale: None }
}

impl Spec {
    /// Applies one word.
    fn apply(&mut self, word: &str, text: &str) -> Result<(), SpecError> {
        let (name, value) = match word.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let rule = SCALE_RULES.iter().find(|rule| rule.name == word);
        match (name, value) {
            ("tensor", None) => self.scale_by(Scaling::Tensor, word, text),
            ("channel", None) => self.scale_by(Scaling::Channel, word, text),
            ("tile", Some(value)) => {
                let (rows, columns) =
                    tile(value).ok_or_else(|| value_error(word, text, "RxC, each at least 1"))?;
                self.scale_by(Scaling::Tile { rows, columns }, word, text)
            }
            ("block", Some(value)) => {
                let size = count(value, MAX_BLOCK)
                    .ok_or_else(|| value_error(word, text, "a block size from 1 to 2^20"))?;
                self.block(word, text).map(|block| block.size = size)
            }
            ("axis", Some(value)) => {
                let axis = value
                    .parse()
                    .map_err(|_| value_error(word, text, "an axis such as 0 or -1"))?;
                self.block(word, text).map(|block| block.axis = axis)
            }
            ("scale", Some(value)) => {
                let scale = tensor_scale(word, value)?
                    .ok_or_else(|| value_error(word, text, "a positive finite float32"))?;
                let block = self.block_of_kind(ScaleKind::Nv, word, text)?;
                block.tensor_scale = Some(scale);
                Ok(())
            }
            _ => match rule {
                Some(rule) => {
                    self.block_of_kind(ScaleKind::E8m0, word, text).map(|block| block.rule = rule)
                }
                None => self.round_by(word, text),
            },
        }
    }

    fn scale_by(&mut self, scaling: Scaling, word: &str, text: &str) -> Result<(), SpecError> {
        if !self.is_plain() {
            return Err(conflict(word, &self.to_string(), text));
        }
        self.scaling = scaling;
        Ok(())
    }

    /// Returns the block to change; a plain format becomes the element of a generic one.
    fn block(&mut self, word: &str, text: &str) -> Result<&mut Block, SpecError> {
        if self.is_plain() {
            self.scaling = Scaling::Block(block_of(None));
        }
        let name = self.to_string();
        match &mut self.scaling {
            Scaling::Block(block) => Ok(block),
            Scaling::Plain | Scaling::Tensor | Scaling::Channel | Scaling::Tile { .. } => {
                Err(conflict(word, &name, text))
            }
        }
    }

    /// Returns the block to change, if its scale is of this kind.
    fn block_of_kind(
        &mut self,
        kind: ScaleKind,
        word: &str,
        text: &str,
    ) -> Result<&mut Block, SpecError> {
        let before = self.to_string();
        let block = self.block(word, text)?;
        if block.scale() == kind { Ok(block) } else { Err(conflict(word, &before, text)) }
    }

    fn round_by(&mut self, word: &str, text: &str) -> Result<(), SpecError> {
        match word.parse() {
            Ok(rounding) => {
                self.rounding = Some(rounding);
                Ok(())
            }
            Err(error @ RoundingError::Bits(_)) => Err(error.into()),
            Err(RoundingError::Unknown(_)) => {
                Err(SpecError::Word { word: word.to_owned(), text: text.to_owned() })
            }
        }
    }
}

fn conflict(word: &str, before: &str, text: &str) -> SpecError {
    SpecError::Conflict { word: word.to_owned(), before: before.to_owned(), text: text.to_owned() }
}

fn value_error(word: &str, text: &str, expected: &'static str) -> SpecError {
    SpecError::Value { word: word.to_owned(), text: text.to_owned(), expected }
}

/// Reads a whole number from 1 to `most`.
fn count(text: &str, most: usize) -> Option<usize> {
    text.parse().ok().filter(|n| (1..=most).contains(n))
}

fn tile(text: &str) -> Option<(usize, usize)> {
    let (rows, columns) = text.split_once('x')?;
    Some((count(rows, usize::MAX)?, count(columns, usize::MAX)?))
}

/// Rounds a tensor scale once to binary32; `None` unless it is then positive and finite.
#[expect(clippy::cast_possible_truncation, reason = "a binary32 code has 32 bits")]
fn tensor_scale(word: &str, text: &str) -> Result<Option<f32>, SpecError> {
    let x = literal::parse_number(text)
        .map_err(|error| SpecError::Scale { word: word.to_owned(), error })?;
    let scale = f32::from_bits(project(&F32, &Projection::default(), &x).code as u32);
    Ok((scale.is_finite() && scale > 0.0).then_some(scale))
}

impl fmt::Display for Spec {
    /// Writes the canonical spelling, which [`Spec::from_str`](std::str::FromStr) reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scaling {
            Scaling::Plain => write!(f, "{}", self.format)?,
            Scaling::Tensor => write!(f, "{}/tensor", self.format)?,
            Scaling::Channel => write!(f, "{}/channel", self.format)?,
            Scaling::Tile { rows, columns } => write!(f, "{}/tile:{rows}x{columns}", self.format)?,
            Scaling::Block(block) => block.write(f, &self.format)?,
        }
        match self.rounding {
            Some(rounding) => write!(f, "/{rounding}"),
            None => Ok(()),
        }
    }
}

impl Block {
    /// Writes the name and the words that differ from the row's defaults.
    fn write(&self, f: &mut fmt::Formatter<'_>, element: &Format) -> fmt::Result {
        f.write_str(self.name().unwrap_or(element.name()))?;
        if self.row.is_none_or(|row| row.size != self.size) {
            write!(f, "/block:{}", self.size)?;
        }
        if self.rule.name != SCALE_RULES[0].name {
            write!(f, "/{}", self.rule.name)?;
        }
        if self.axis != LAST_AXIS {
            write!(f, "/axis:{}", self.axis)?;
        }
        match self.tensor_scale {
            Some(scale) => write!(f, "/scale:{scale}"),
            None => Ok(()),
        }
    }
}
