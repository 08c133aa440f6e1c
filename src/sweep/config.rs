//! What is measured, and how: everything that decides the numbers.

use glob::Pattern;
use serde_json::{Map, Value, json};

use super::{numbers::MAX_SCALE, target::Target};
use crate::{
    block::{
        BlockError,
        rows::{BLOCKS, SCALE_RULES, ScaleKind},
        spec::{Scaling, Spec},
    },
    codec::Projection,
    container::{
        ContainerError, Shard, Source, quote,
        reading::weights::{Weight, weights},
    },
    format::{BF16, E4M3FN, E5M2, F16, Format, catalogue::E2M1FN},
    random::Distribution,
    text::literal::parse_number,
};

/// What numbers are measured.
#[derive(Debug)]
pub enum Input {
    /// Samples of a distribution.
    Samples {
        /// The distribution.
        distribution: Distribution,
        /// How many, at least 1.
        samples: u64,
    },
    /// Every code of a format.
    Exhaustive(Format),
    /// The tensors of a file or folder.
    Files(Files),
}

/// A file or a folder of files, opened.
#[derive(Debug)]
pub struct Files {
    /// What it is called.
    pub name: String,
    /// The file, or the folder's files in the order of their names.
    pub parts: Vec<Source>,
    /// What the numbers of a text are rounded to first.
    pub from: Option<Format>,
    /// Whether 8-bit weights without a scale are plain numbers.
    pub allow_unscaled: bool,
    /// Globs of the tensors that are measured; all if there is none.
    pub include: Vec<Pattern>,
    /// Globs of the tensors that are not.
    pub exclude: Vec<Pattern>,
}

impl Files {
    /// Returns the tensors that are measured.
    pub(super) fn weights(&self) -> Result<Vec<Weight<'_>>, SweepError> {
        let weights = weights(&self.parts, self.from.as_ref(), self.allow_unscaled)?;
        let takes = |name: &str| {
            let is_in = |globs: &[Pattern]| globs.iter().any(|glob| glob.matches(name));
            (self.include.is_empty() || is_in(&self.include)) && !is_in(&self.exclude)
        };
        let taken: Vec<Weight> = weights.into_iter().filter(|weight| takes(&weight.name)).collect();
        if taken.is_empty() {
            return Err(SweepError::NoTensor(self.name.clone()));
        }
        Ok(taken)
    }
}

/// Returns globs as they were written.
pub(super) fn globs(globs: &[Pattern]) -> Vec<String> {
    globs.iter().map(ToString::to_string).collect()
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Samples { distribution, .. } => distribution.fmt(f),
            Self::Exhaustive(format) => write!(f, "exhaustive:{format}"),
            Self::Files(files) => f.write_str(&files.name),
        }
    }
}

/// Powers of two by which inputs are multiplied: every `step`-th exponent from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scales {
    low: i32,
    high: i32,
    step: i32,
}

impl Scales {
    /// The numbers as they are.
    pub const NONE: Self = Self { low: 0, high: 0, step: 1 };

    /// Returns the exponents.
    pub fn exponents(self) -> Vec<i32> {
        (self.low..=self.high).step_by(self.step.unsigned_abs() as usize).collect()
    }

    /// Whether there is anything to compare.
    pub const fn is_sweep(self) -> bool {
        self.low != self.high
    }
}

impl std::fmt::Display for Scales {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}..{}:{}", self.low, self.high, self.step)
    }
}

impl std::str::FromStr for Scales {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<Self, SweepError> {
        let error = || SweepError::Scale(text.to_owned());
        let (range, step) = text.split_once(':').unwrap_or((text, "1"));
        let (low, high) = range.split_once("..").ok_or_else(error)?;
        let number = |text: &str| text.trim().parse::<i32>().map_err(|_| error());
        let (low, high, step) = (number(low)?, number(high)?, number(step)?);
        let limits = -MAX_SCALE..=MAX_SCALE;
        if low > high || step < 1 || !limits.contains(&low) || !limits.contains(&high) {
            return Err(error());
        }
        Ok(Self { low, high, step })
    }
}

/// The most samples of a run: those of a thousand machine days.
const MAX_SAMPLES: f64 = 1_099_511_627_776.0;

/// Reads a number of samples: whole, with `k`, `M` or `G` behind it, or a power.
///
/// # Errors
///
/// [`SweepError::Samples`] if it is not a whole number from 1 to 2^40.
///
/// ```
/// use fpx::sweep::samples;
/// assert_eq!((samples("10k").unwrap(), samples("2^24").unwrap()), (10_000, 1 << 24));
/// ```
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
pub fn samples(text: &str) -> Result<u64, SweepError> {
    let units = [("k", 1e3), ("M", 1e6), ("G", 1e9)];
    let found = units.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, *size)));
    let (number, unit) = found.unwrap_or((text, 1.0));
    let count = parse_number(number).map(|x| x.to_f64() * unit);
    let in_range = |count: &f64| (1.0..=MAX_SAMPLES).contains(count) && count.fract() == 0.0;
    let count = count.ok().filter(in_range);
    count.map(|count| count as u64).ok_or_else(|| SweepError::Samples(text.to_owned()))
}

/// Why something cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The range of scales is malformed or too large.
    #[error(
        "scale '{0}': expected LO..HI or LO..HI:STEP with whole LO <= HI from -{MAX_SCALE} to {MAX_SCALE}, \
         such as -40..40"
    )]
    Scale(String),
    /// A file cannot be read, or not as numbers.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// A file has nothing to measure.
    #[error("{}: no tensor of floating-point numbers to measure", quote(.0))]
    NoTensor(String),
    /// Elements cannot share scales as the target asks.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// Scales follow from the largest magnitudes, which a stream shows too late.
    #[error("a stream is read once, and scaled formats need two passes: name a file")]
    Endless,
    /// The number of samples is none or out of range.
    #[error("samples '{0}': expected a whole number from 1 to 2^40, such as 1M, 10k or 2^24")]
    Samples(String),
    /// No target is given.
    #[error("no format is given")]
    NoTarget,
    /// The codes of a target have too many bits.
    #[error("'{name}' has {width} bits: error-sweep measures formats of at most 64")]
    TooWideTarget {
        /// The target.
        name: String,
        /// Its bits.
        width: u32,
    },
    /// The codes of a source are too many, or its numbers beyond binary64.
    #[error("exhaustive:{0}: expected a format of at most 32 bits whose numbers binary64 holds")]
    TooWideSource(String),
}

/// Everything that decides the numbers.
#[derive(Debug)]
pub struct Config {
    /// What is measured.
    pub input: Input,
    /// What it is rounded to.
    pub targets: Vec<Spec>,
    /// How, where a target does not say.
    pub projection: Projection,
    /// The seed of samples and of stochastic rounding.
    pub seed: u64,
    /// By what inputs are multiplied first.
    pub scales: Scales,
    /// Whether there is a row for each tensor, besides those for all.
    pub by_tensor: bool,
    /// Whether histograms are made.
    pub histograms: bool,
    /// Which share of the input is measured.
    pub shard: Shard,
}

/// Returns the targets of a file unless others are named: plain formats, a scale a tensor, and block
/// formats.
pub fn file_targets() -> Vec<Spec> {
    let plain = [&BF16, &F16, &E4M3FN].map(|format| Spec::plain(format.clone()));
    let tensor = Spec { scaling: Scaling::Tensor, ..Spec::plain(E4M3FN.clone()) };
    // The block formats of these elements: MXFP8 with E4M3, MXFP4 and NVFP4.
    let usual = BLOCKS.iter().filter(|row| [&E4M3FN, &E2M1FN].contains(&row.element));
    let blocks = usual.filter_map(|row| row.name.parse().ok());
    plain.into_iter().chain([tensor]).chain(blocks).collect()
}

/// Returns the targets among which one is recommended unless others are named: those of a file, a scale
/// a channel, and every block format under every scale rule.
pub fn candidates() -> Vec<Spec> {
    let channel = Spec { scaling: Scaling::Channel, ..Spec::plain(E4M3FN.clone()) };
    let is_block = |spec: &Spec| matches!(spec.scaling, Scaling::Block(_));
    let blocks = BLOCKS.iter().flat_map(|row| match row.scale {
        ScaleKind::E8m0 => {
            SCALE_RULES.iter().map(|rule| format!("{}/{}", row.name, rule.name)).collect()
        }
        ScaleKind::Nv => vec![row.name.to_owned()],
    });
    let unblocked = file_targets().into_iter().filter(|spec| !is_block(spec));
    unblocked.chain([channel]).chain(blocks.filter_map(|name| name.parse().ok())).collect()
}

impl Default for Config {
    /// A million standard normal samples in the four usual formats.
    fn default() -> Self {
        let targets = [&F16, &BF16, &E4M3FN, &E5M2];
        Self {
            input: Input::Samples { distribution: Distribution::default(), samples: 1_000_000 },
            targets: targets.iter().map(|format| Spec::plain((*format).clone())).collect(),
            projection: Projection::default(),
            seed: 0,
            scales: Scales::NONE,
            by_tensor: false,
            histograms: false,
            shard: Shard::WHOLE,
        }
    }
}

impl Config {
    pub(super) fn checked_targets(&self) -> Result<Vec<Target>, SweepError> {
        if self.targets.is_empty() {
            return Err(SweepError::NoTarget);
        }
        let target = |spec: &Spec| match spec.format.width() {
            0..=64 => Ok(Target::new(spec, &self.projection)?),
            width => Err(SweepError::TooWideTarget { name: spec.to_string(), width }),
        };
        self.targets.iter().map(target).collect()
    }

    /// Returns all options under their names.
    pub(super) fn options(&self) -> Map<String, Value> {
        let samples = match self.input {
            Input::Samples { samples, .. } => Some(samples),
            Input::Exhaustive(_) | Input::Files(_) => None,
        };
        let (include, exclude) = match &self.input {
            Input::Files(files) => (globs(&files.include), globs(&files.exclude)),
            Input::Samples { .. } | Input::Exhaustive(_) => (Vec::new(), Vec::new()),
        };
        let targets: Vec<String> = self.targets.iter().map(Spec::to_string).collect();
        let projection = &self.projection;
        let options = json!({
            "inputs": [self.input.to_string()],
            "samples": samples,
            "seed": self.seed,
            "formats": targets,
            "rounding": projection.rounding.to_string(),
            "overflow": projection.overflow.name(),
            "nan": projection.nan.name(),
            "nan_to": projection.nan_to.name(),
            "subnormals": projection.subnormals.name(),
            "tininess": projection.tininess.name(),
            "scale": self.scales.to_string(),
            "by": if self.by_tensor { "tensor" } else { "total" },
            "include": include,
            "exclude": exclude,
            "histogram": self.histograms,
            "shard": (self.shard != Shard::WHOLE).then(|| vec![self.shard.to_string()]),
        });
        options.as_object().cloned().unwrap_or_default()
    }
}
