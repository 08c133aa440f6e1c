//! A text becomes the value of a slot, and a value becomes the text that reads back to it.

use crate::{
    block::spec::{self, Spec},
    codec::{Projection, project},
    format::{self, F32, Format},
    text::literal,
};

/// A value of a slot.
pub trait Choice: Sized {
    /// What is accepted, in a few words.
    const EXPECTED: &'static str;

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, or what would be accepted.
    fn read(text: &str) -> Result<Self, String>;

    /// Writes the text that reads back to this value.
    fn write(&self) -> String;
}

/// Declares slots' enums whose values each have one word.
macro_rules! words {
    ($($(#[$doc:meta])* $choice:ident $expected:literal {
        $($(#[$about:meta])* $variant:ident = $word:literal;)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $choice { $($(#[$about])* $variant),* }

        impl Choice for $choice {
            const EXPECTED: &'static str = $expected;

            fn read(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(expected::<Self>()),
                }
            }

            fn write(&self) -> String {
                match self { $(Self::$variant => $word),* }.to_owned()
            }
        }
    )*};
}

words! {
    /// How an updated weight is rounded to the format it is kept in.
    Update "nearest|sr|kahan" {
        /// To nearest, or as the format's own rounding says.
        Nearest = "nearest";
        /// Stochastically: up or down with probabilities that keep the mean.
        Stochastic = "sr";
        /// To nearest, what is lost being kept in a second number and added next time.
        Kahan = "kahan";
    }
    /// A random Hadamard transform: signs, then sums and differences of 16 neighbours.
    Hadamard "none|wgrad" {
        /// No transform.
        None = "none";
        /// Of both operands of the weight gradients' products, along the examples.
        Wgrad = "wgrad";
    }
    /// What the blocks of weights are.
    WeightScales "1d|2d" {
        /// Runs along the inner index: each of the two uses of a weight has its own scale.
        OneDimensional = "1d";
        /// Squares: both uses of a weight see the same number.
        TwoDimensional = "2d";
    }
    /// How a softmax is computed.
    Softmax "stable|naive" {
        /// In float32, after subtracting the largest logit.
        Stable = "stable";
        /// `exp(z) / sum exp(z)` in the format of activations.
        Naive = "naive";
    }
    /// The function between layers.
    Activation "task|relu|tanh|logistic" {
        /// The task's own.
        Task = "task";
        /// `max(x, 0)`.
        Relu = "relu";
        /// The hyperbolic tangent.
        Tanh = "tanh";
        /// `1 / (1 + exp(-x))`.
        Logistic = "logistic";
    }
}

fn expected<C: Choice>() -> String {
    format!("expected {}", C::EXPECTED)
}

impl Choice for Spec {
    const EXPECTED: &'static str = "FORMAT[/ROUNDING]";

    fn read(text: &str) -> Result<Self, String> {
        let spec: Self = text.parse().map_err(|error: spec::SpecError| error.to_string())?;
        match spec.scaling {
            spec::Scaling::Plain => holds_weights(&spec.format)?,
            spec::Scaling::Block(_) => {}
            spec::Scaling::Tensor | spec::Scaling::Channel | spec::Scaling::Tile { .. } => {
                return Err("scales of formats are the slot scaling=current|delayed".to_owned());
            }
        }
        Ok(spec)
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

/// Whether a format can hold what training computes.
fn holds_weights(format: &Format) -> Result<(), String> {
    let lacks = if !format.is_signed() {
        "negative numbers"
    } else if !format.has_zero() {
        "zero"
    } else if format.width() > F32.width() {
        return Err("training computes in float32: expected at most 32 bits".to_owned());
    } else {
        return Ok(());
    };
    Err(format!("{format} has no {lacks}, which weights and gradients need"))
}

impl Choice for Option<Spec> {
    const EXPECTED: &'static str = "none|FORMAT[/ROUNDING]";

    fn read(text: &str) -> Result<Self, String> {
        if text == "none" { Ok(None) } else { Spec::read(text).map(Some) }
    }

    fn write(&self) -> String {
        self.as_ref().map_or("none".to_owned(), Spec::to_string)
    }
}

/// The format of the running sum of a matrix product.
#[derive(Clone, Debug, PartialEq)]
pub struct Accumulate {
    /// Rounded to after each multiply-add.
    pub format: Format,
    /// Terms after which the sum goes to a float32 one and starts again.
    pub chunk: Option<usize>,
}

impl Default for Accumulate {
    fn default() -> Self {
        Self { format: F32.clone(), chunk: None }
    }
}

impl Choice for Accumulate {
    const EXPECTED: &'static str = "FORMAT[:CHUNK]";

    fn read(text: &str) -> Result<Self, String> {
        let split = text.rsplit_once(':').and_then(|(name, n)| Some((name, n.parse().ok()?)));
        let (name, chunk) = split.map_or((text, None), |(name, chunk)| (name, Some(chunk)));
        let format = format::parse(name).map_err(|error| error.to_string())?.format;
        holds_weights(&format)?;
        if chunk == Some(0) {
            return Err("a chunk has at least one term".to_owned());
        }
        Ok(Self { format, chunk })
    }

    fn write(&self) -> String {
        match self.chunk {
            Some(chunk) => format!("{}:{chunk}", self.format),
            None => self.format.to_string(),
        }
    }
}

/// The factor on the loss that lifts small gradients into a format's range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LossScale {
    /// None, and no check.
    None,
    /// A constant, and no check.
    Static(f32),
    /// PyTorch's `GradScaler`: steps with infinities are skipped.
    Dynamic {
        /// The first scale.
        initial: f32,
        /// Steps without infinities after which it doubles.
        interval: u32,
    },
}

impl LossScale {
    /// PyTorch's defaults (`torch/amp/grad_scaler.py`).
    pub const DYNAMIC: Self = Self::Dynamic { initial: 65536.0, interval: 2000 };
}

impl Choice for LossScale {
    const EXPECTED: &'static str = "none|static:K|dynamic[:INIT[,INTERVAL]]";

    fn read(text: &str) -> Result<Self, String> {
        let (word, numbers) = text.split_once(':').unwrap_or((text, ""));
        match (word, numbers) {
            ("none", "") => Ok(Self::None),
            ("static", scale) => Ok(Self::Static(positive(scale)?)),
            ("dynamic", "") => Ok(Self::DYNAMIC),
            ("dynamic", numbers) => {
                let (initial, interval) = numbers.split_once(',').unwrap_or((numbers, "2000"));
                let interval = interval.parse().ok().filter(|&steps| steps > 0);
                let interval = interval.ok_or_else(expected::<Self>)?;
                Ok(Self::Dynamic { initial: positive(initial)?, interval })
            }
            _ => Err(expected::<Self>()),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Static(scale) => format!("static:{scale}"),
            Self::Dynamic { initial, interval } => format!("dynamic:{initial},{interval}"),
        }
    }
}

/// How tensors in formats of fewer than 16 bits are scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// Not at all.
    None,
    /// By the largest magnitude of the tensor.
    Current,
    /// By the largest magnitude of the last steps.
    Delayed {
        /// How many steps are remembered.
        history: usize,
    },
    /// By blocks, as a block format says.
    Block,
}

/// Steps that delayed scaling remembers if no number is given.
const HISTORY: usize = 16;

impl Choice for Scaling {
    const EXPECTED: &'static str = "none|current|delayed[:STEPS]|block";

    fn read(text: &str) -> Result<Self, String> {
        match text.split_once(':').unwrap_or((text, "")) {
            ("none", "") => Ok(Self::None),
            ("current", "") => Ok(Self::Current),
            ("block", "") => Ok(Self::Block),
            ("delayed", "") => Ok(Self::Delayed { history: HISTORY }),
            ("delayed", steps) => {
                let history = steps.parse().ok().filter(|steps| (1..=65536).contains(steps));
                let history = history.ok_or("expected 1 to 65536 steps of history")?;
                Ok(Self::Delayed { history })
            }
            _ => Err(expected::<Self>()),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Current => "current".to_owned(),
            Self::Delayed { history } => format!("delayed:{history}"),
            Self::Block => "block".to_owned(),
        }
    }
}

/// Which layers are left in float32.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keep(Vec<Place>);

/// A layer, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    First,
    Last,
    Number(usize),
}

impl Keep {
    /// Whether the layer of this number, from 1, of `count` is left in float32.
    pub fn contains(&self, number: usize, count: usize) -> bool {
        self.0.iter().any(|place| match *place {
            Place::First => number == 1,
            Place::Last => number == count,
            Place::Number(kept) => number == kept,
        })
    }

    /// Returns the largest layer number named.
    pub fn largest(&self) -> usize {
        let numbers = self.0.iter().map(|place| match *place {
            Place::First | Place::Last => 1,
            Place::Number(number) => number,
        });
        numbers.max().unwrap_or(0)
    }
}

impl Choice for Keep {
    const EXPECTED: &'static str = "none|first|last|LAYER[,..] (from 1)";

    fn read(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::default());
        }
        let places = text.split(',').map(|word| match word.trim() {
            "first" => Ok(Place::First),
            "last" => Ok(Place::Last),
            number => match number.parse() {
                Ok(number) if number > 0 => Ok(Place::Number(number)),
                _ => Err(expected::<Self>()),
            },
        });
        places.collect::<Result<_, _>>().map(Self)
    }

    fn write(&self) -> String {
        if self.0.is_empty() {
            return "none".to_owned();
        }
        let words = self.0.iter().map(|place| match place {
            Place::First => "first".to_owned(),
            Place::Last => "last".to_owned(),
            Place::Number(number) => number.to_string(),
        });
        words.collect::<Vec<_>>().join(",")
    }
}

impl Choice for f32 {
    const EXPECTED: &'static str = "a finite number, 0 or more";

    fn read(text: &str) -> Result<Self, String> {
        number(text).filter(|&x| x >= 0.0).ok_or_else(expected::<Self>)
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

/// Reads a positive number, as every number of the command line is written.
///
/// # Errors
///
/// What would be accepted.
pub fn positive(text: &str) -> Result<f32, String> {
    number(text).filter(|&x| x > 0.0).ok_or_else(|| "expected a positive finite number".to_owned())
}

/// Reads a finite number and rounds it once to float32.
#[expect(clippy::cast_possible_truncation, reason = "a binary32 code has 32 bits")]
fn number(text: &str) -> Option<f32> {
    let x = literal::parse_number(text).ok()?;
    let x = f32::from_bits(project(&F32, &Projection::default(), &x).code as u32);
    x.is_finite().then_some(x)
}
