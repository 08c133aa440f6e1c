//! A name with parameters becomes a [`Distribution`], and a seed and an index become a sample.
//!
//! A sample is a function of 64 random bits, which are a function of seed and index: so samples can
//! be drawn in any order, and are the same on every machine. The transformations are closed forms
//! that reject nothing (Box and Muller for the normal, Bailey for Student's t, inversion for the
//! others), computed in binary64 and rounded once to binary32.
//!
//! ```
//! use fpx::random::Distribution;
//! let normal: Distribution = "normal:0,1".parse().unwrap();
//! let mut samples = [0f32; 4];
//! normal.fill(0, 0, &mut samples);
//! let mut tail = [0f32; 2];
//! normal.fill(0, 2, &mut tail);
//! assert_eq!(samples[2..], tail);
//! ```

use std::{f64::consts::LN_2, fmt};

use super::{
    Stream,
    elementary::{exp, exp_minus_1, ln, sin_cos_turns},
};
use crate::{format::nearest, text::literal::parse_number};

/// Two independent draws of 32 random bits.
#[derive(Clone, Copy)]
struct Draw(u32, u32);

const STEP: f64 = 1.0 / 4_294_967_296.0;

impl Draw {
    /// Uniform in (0, 1), from the first draw: never 0, so that its logarithm is finite.
    #[inline(always)]
    fn first(self) -> f64 {
        (f64::from(self.0) + 0.5) * STEP
    }

    /// Uniform in [0, 1), from the second draw.
    #[inline(always)]
    fn second(self) -> f64 {
        f64::from(self.1) * STEP
    }

    /// Uniform in (0, 1], from both draws.
    #[inline(always)]
    fn both(self) -> f64 {
        (f64::from(self.0) + (f64::from(self.1) + 0.5) * STEP) * STEP
    }
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Domain {
    /// Any finite number.
    Any,
    /// More than 0.
    Positive,
    /// More than the parameter before it.
    Above,
}

/// A row of [`DISTRIBUTIONS`].
#[derive(Debug)]
pub struct Family {
    /// The name given to `--dist`.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// The parameters' names.
    pub parameters: &'static [&'static str],
    domains: &'static [Domain],
    defaults: &'static [f64],
}

/// N samples as a function of parameters and a draw.
///
/// A type instead of a closure, which could not be told to become part of the loop around it.
trait Sample<const N: usize> {
    fn samples(parameters: [f64; 2], draw: Draw) -> [f64; N];
}

/// Declares the families: the parameters `p`, and one or two samples as a function of them and a
/// draw `d`.
macro_rules! distributions {
    ($($(#[$doc:meta])* $kind:ident $name:literal
        [$($parameter:literal $domain:ident $default:literal),+] $about:literal
        |$p:ident, $d:ident| -> $count:literal $samples:expr;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Kind { $($(#[$doc])* $kind),* }

        /// Every family of distributions, the default first.
        pub static DISTRIBUTIONS: &[Family] = &[$(Family {
            name: $name,
            about: $about,
            parameters: &[$($parameter),+],
            domains: &[$(Domain::$domain),+],
            defaults: &[$($default),+],
        }),*];

        $(
            $(#[$doc])*
            struct $kind;

            impl Sample<$count> for $kind {
                #[inline(always)]
                fn samples($p: [f64; 2], $d: Draw) -> [f64; $count] { $samples }
            }
        )*

        impl Kind {
            const ALL: &'static [Self] = &[$(Self::$kind),*];

            #[inline(always)]
            fn fill(self, p: [f64; 2], streams: Pair, first: u64, out: &mut [f32]) {
                match self { $(Self::$kind => streams.fill::<$count, $kind>(p, first, out)),* }
            }
        }
    };
}

distributions! {
    /// Gauss.
    Normal "normal" ["MEAN" Any 0.0, "SD" Positive 1.0] "normal with mean and standard deviation"
        |p, d| -> 2 standard_normals(d).map(|z| p[0] + p[1] * z);
    /// Flat.
    Uniform "uniform" ["LO" Any 0.0, "HI" Above 1.0] "uniform between two numbers"
        |p, d| -> 1 [p[0] + (p[1] - p[0]) * d.both()];
    /// Flat in the exponent.
    Loguniform "loguniform" ["LO2" Any -14.0, "HI2" Above 16.0] "2 to a power that is uniform"
        |p, d| -> 1 [exp((p[0] + (p[1] - p[0]) * d.both()) * LN_2)];
    /// The exponential of a normal variable.
    Lognormal "lognormal" ["MU" Any 0.0, "SIGMA" Positive 1.0] "e to a power that is normal"
        |p, d| -> 2 {
            let [a, b] = standard_normals(d);
            [exp(p[0] + p[1] * a), exp(p[0] + p[1] * b)]
        };
    /// Two exponentials back to back.
    Laplace "laplace" ["MU" Any 0.0, "B" Positive 1.0] "two-sided exponential with location and scale"
        |p, d| -> 1 {
            let magnitude = -ln(d.both()) * p[1];
            [p[0] + if d.1 & 1 == 0 { magnitude } else { -magnitude }]
        };
    /// Waiting times.
    Exponential "exponential" ["RATE" Positive 1.0] "exponential with a rate"
        |p, d| -> 1 [-ln(d.both()) / p[0]];
    /// Student's t (Bailey, Mathematics of Computation 62, 1994).
    StudentT "student-t" ["NU" Positive 4.0] "Student's t with degrees of freedom: heavy tails"
        |p, d| -> 1 {
            let radius = p[0] * exp_minus_1(-2.0 / p[0] * ln(d.first()));
            [radius.sqrt() * sin_cos_turns(d.second()).1]
        };
    /// The ratio of two normal variables.
    Cauchy "cauchy" ["X0" Any 0.0, "GAMMA" Positive 1.0] "Cauchy with location and scale: no moments"
        |p, d| -> 1 {
            let (sine, cosine) = sin_cos_turns(0.5 * d.both());
            [p[0] - p[1] * cosine / sine]
        };
}

/// Box and Muller, Annals of Mathematical Statistics 29, 1958: at most 6.8 deviations.
#[inline(always)]
fn standard_normals(d: Draw) -> [f64; 2] {
    let radius = (-2.0 * ln(d.first())).sqrt();
    let (sine, cosine) = sin_cos_turns(d.second());
    [radius * cosine, radius * sine]
}

/// The two streams of a seed that samples are made of.
#[derive(Clone, Copy)]
struct Pair(Stream, Stream);

impl Pair {
    /// Streams of samples are numbered from the top, those of tensors from 0.
    const fn new(seed: u64) -> Self {
        Self(Stream::new(seed, u64::MAX), Stream::new(seed, u64::MAX - 1))
    }

    /// Writes samples of any index: whole groups of N in between, parts of groups at the ends.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a remainder below N")]
    fn fill<const N: usize, S: Sample<N>>(self, p: [f64; 2], first: u64, out: &mut [f32]) {
        let before = (first % N as u64) as usize;
        let (head, body) =
            out.split_at_mut(if before > 0 { (N - before).min(out.len()) } else { 0 });
        if !head.is_empty() {
            let mut group = [[0.0; N]];
            self.fill_groups::<N, S>(p, first - before as u64, &mut group);
            head.copy_from_slice(&group[0][before..before + head.len()]);
        }
        let first = first + head.len() as u64;
        let (groups, tail) = body.as_chunks_mut::<N>();
        self.fill_groups::<N, S>(p, first, groups);
        if !tail.is_empty() {
            let mut group = [[0.0; N]];
            self.fill_groups::<N, S>(p, first + (groups.len() * N) as u64, &mut group);
            tail.copy_from_slice(&group[0][..tail.len()]);
        }
    }

    /// Writes whole groups; each draws at the index of its first sample.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "an index in halves; a sample is binary32")]
    fn fill_groups<const N: usize, S: Sample<N>>(
        self,
        p: [f64; 2],
        mut first: u64,
        mut groups: &mut [[f32; N]],
    ) {
        while !groups.is_empty() {
            let (high, low) = ((first >> 32) as u32, first as u32);
            let keys = (self.0.key(high), self.1.key(high));
            // Up to where the high half of the index changes.
            let left = ((1 << 32) - u64::from(low)) / N as u64;
            let count = groups.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let (now, later) = groups.split_at_mut(count);
            for (i, group) in now.iter_mut().enumerate() {
                let index = low.wrapping_add((i * N) as u32);
                let draw = Draw(keys.0.bits(index), keys.1.bits(index));
                *group = S::samples(p, draw).map(|x| x as f32);
            }
            groups = later;
            first += (count * N) as u64;
        }
    }
}

/// A distribution of binary32 samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distribution {
    kind: Kind,
    parameters: [f64; 2],
}

/// Why a text is not a distribution.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DistributionError {
    /// No family has this name.
    #[error("unknown distribution '{name}', expected {}{suggestion}", names())]
    Unknown {
        /// The name.
        name: String,
        /// A name that resembles it, in words, or nothing.
        suggestion: String,
    },
    /// There are too many parameters.
    #[error("distribution '{text}': {name} takes {}", .parameters.join(","))]
    Count {
        /// The whole text.
        text: String,
        /// The family.
        name: &'static str,
        /// Its parameters.
        parameters: &'static [&'static str],
    },
    /// A parameter is no number or out of range.
    #[error("distribution '{text}': {parameter} is '{found}', expected {expected}")]
    Parameter {
        /// The whole text.
        text: String,
        /// The parameter's name.
        parameter: &'static str,
        /// What stands there.
        found: String,
        /// What would be accepted.
        expected: String,
    },
}

fn names() -> String {
    let mut names: Vec<_> = DISTRIBUTIONS.iter().map(|family| family.name).collect();
    names.push("exhaustive:FORMAT");
    names.join(", ")
}

impl Distribution {
    /// Returns the row of the table.
    pub fn family(&self) -> &'static Family {
        &DISTRIBUTIONS[self.kind as usize]
    }

    /// Writes the samples with indices from `first` on.
    ///
    /// A sample beyond binary32 is an infinity. This is the function that
    /// [`kernel::sample`](crate::kernel::sample) compiles for each instruction set.
    #[inline(always)]
    pub fn fill(&self, seed: u64, first: u64, samples: &mut [f32]) {
        self.kind.fill(self.parameters, Pair::new(seed), first, samples);
    }
}

impl Default for Distribution {
    /// The standard normal distribution.
    fn default() -> Self {
        Self { kind: Kind::Normal, parameters: [0.0, 1.0] }
    }
}

impl fmt::Display for Distribution {
    /// Writes the name and all parameters, which reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.family().parameters.len();
        let parameters: Vec<String> = self.parameters[..count].iter().map(f64::to_string).collect();
        write!(f, "{}:{}", self.family().name, parameters.join(","))
    }
}

impl std::str::FromStr for Distribution {
    type Err = DistributionError;

    fn from_str(text: &str) -> Result<Self, DistributionError> {
        let (name, given) = match text.split_once(':') {
            Some((name, given)) => (name, given.split(',').collect()),
            None => (text, Vec::new()),
        };
        let at = DISTRIBUTIONS.iter().position(|family| family.name == name);
        let Some(at) = at else { return Err(unknown(name)) };
        let family = &DISTRIBUTIONS[at];
        if given.len() > family.parameters.len() {
            let (name, parameters) = (family.name, family.parameters);
            return Err(DistributionError::Count { text: text.to_owned(), name, parameters });
        }
        let mut parameters = [0.0; 2];
        parameters[..family.defaults.len()].copy_from_slice(family.defaults);
        for (i, found) in given.iter().enumerate() {
            let number = parse_number(found).map(|x| x.to_f64());
            parameters[i] = number.ok().filter(|x| x.is_finite()).unwrap_or(f64::NAN);
        }
        for (i, domain) in family.domains.iter().enumerate() {
            if let Some(expected) = domain.refuses(parameters, i, family) {
                let found =
                    given.get(i).map_or_else(|| parameters[i].to_string(), ToString::to_string);
                let parameter = family.parameters[i];
                let text = text.to_owned();
                return Err(DistributionError::Parameter { text, parameter, found, expected });
            }
        }
        Ok(Self { kind: Kind::ALL[at], parameters })
    }
}

impl Domain {
    /// Returns what would be accepted, if parameter `i` is not.
    fn refuses(self, parameters: [f64; 2], i: usize, family: &Family) -> Option<String> {
        let x = parameters[i];
        let (holds, expected) = match self {
            Self::Any => (x.is_finite(), "a finite number".to_owned()),
            Self::Positive => (x > 0.0, "a finite number above 0".to_owned()),
            Self::Above => (
                x > parameters[i - 1],
                format!("a finite number above {}", family.parameters[i - 1]),
            ),
        };
        (!holds).then_some(expected)
    }
}

fn unknown(name: &str) -> DistributionError {
    let near = nearest(name, DISTRIBUTIONS.iter().map(|family| (family.name, family.name)));
    let suggestion = near.map_or_else(String::new, |near| format!(", did you mean '{near}'?"));
    DistributionError::Unknown { name: name.to_owned(), suggestion }
}
