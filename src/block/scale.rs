//! The largest magnitude of a tile becomes the code of its scale, and a code its value.
//!
//! Nothing here goes through a floating-point logarithm or a rounded quotient: exponents are read
//! off, significands compared, and a quotient that is rounded is exact until then.

use super::{
    rows::ScaleKind,
    spec::{Scaling, Spec},
};
use crate::{
    codec::{Kind, Overflow, Projection, Unpacked, decode, project},
    format::{E4M3FN, F32, Format, catalogue::E8M0},
    kernel::{
        Codes, CodesRef, Counts, Dither, Plan, Power, Scales, decode_powers, decode_scaled,
        encode_powers, encode_scaled,
    },
};

/// How the scales of a target follow from largest magnitudes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scaler {
    /// The largest element.
    largest: Unpacked,
    rule: Rule,
    /// How a quotient becomes the code of a scale: rounded once to nearest even, saturating.
    plan: Plan,
}

/// The three kinds of scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// A power of two: `2^(e − emax)`, or the next where the significand is above the threshold.
    PowerOfTwo { threshold: u128 },
    /// An E4M3 number under a scale of the whole tensor, which may be given.
    Nv { given: Option<u32> },
    /// A binary32 number.
    Binary32,
}

impl Rule {
    fn format(self) -> &'static Format {
        match self {
            Self::PowerOfTwo { .. } => &E8M0,
            Self::Nv { .. } => &E4M3FN,
            Self::Binary32 => &F32,
        }
    }
}

/// How scales are rounded.
fn saturating() -> Projection {
    Projection { overflow: Overflow::Saturate, ..Projection::default() }
}

impl Scaler {
    /// Returns the scaler of a target; `None` for a plain one.
    pub(super) fn new(spec: &Spec) -> Option<Self> {
        let rule = match &spec.scaling {
            Scaling::Plain => return None,
            Scaling::Tensor | Scaling::Channel | Scaling::Tile { .. } => Rule::Binary32,
            Scaling::Block(block) => match block.scale() {
                ScaleKind::E8m0 => {
                    Rule::PowerOfTwo { threshold: (block.rule.threshold)(&spec.format) }
                }
                ScaleKind::Nv => Rule::Nv { given: block.tensor_scale.map(f32::to_bits) },
            },
        };
        let largest = decode(&spec.format, spec.format.largest_finite());
        Some(Self { largest, rule, plan: Plan::new(rule.format(), &saturating()) })
    }

    /// Returns the format of the scales' codes.
    pub(super) fn format(&self) -> &'static Format {
        self.rule.format()
    }

    /// Whether a NaN or an infinity spoils its tile rather than itself alone.
    pub(super) fn is_spoiled(&self) -> bool {
        self.rule != Rule::Binary32
    }

    /// Whether the whole tensor has a scale.
    pub(super) fn has_tensor_scale(&self) -> bool {
        matches!(self.rule, Rule::Nv { .. })
    }

    /// Whether the whole tensor has a scale that follows from its largest magnitude.
    pub(super) fn needs_tensor_scale(&self) -> bool {
        self.rule == Rule::Nv { given: None }
    }

    /// Returns the scale of a whole tensor for its largest finite magnitude.
    pub(super) fn tensor_scale(&self, largest: &Unpacked) -> f32 {
        match self.rule {
            Rule::Nv { given: Some(scale) } => f32::from_bits(scale),
            Rule::Nv { given: None } => {
                let range = decode(&E4M3FN, E4M3FN.largest_finite()).times(&self.largest);
                f32::from_bits(quotient(&F32, largest, &range))
            }
            Rule::PowerOfTwo { .. } | Rule::Binary32 => 1.0,
        }
    }

    /// Returns the code of a tile's scale for its largest magnitude.
    pub(super) fn code(&self, largest: &Unpacked, tensor_scale: f32) -> u32 {
        match self.rule {
            Rule::PowerOfTwo { threshold } => self.power_of_two(largest, threshold),
            Rule::Nv { .. } if !largest.is_finite() => NV_NAN,
            Rule::Nv { .. } if largest.kind == Kind::Zero || tensor_scale == 0.0 => 0,
            Rule::Nv { .. } => {
                let divisor = self.largest.times(&Unpacked::from_f32(tensor_scale));
                quotient(&E4M3FN, largest, &divisor)
            }
            // Nothing to scale: any scale will do, and readers that divide by it want no zero.
            Rule::Binary32 if largest.kind == Kind::Zero => 1f32.to_bits(),
            // Of a quotient that rounds to zero the elements still are in range of the least scale.
            Rule::Binary32 => quotient(&F32, largest, &self.largest).max(1),
        }
    }

    fn power_of_two(&self, x: &Unpacked, threshold: u128) -> u32 {
        match x.kind {
            Kind::Nan | Kind::Infinity => E8M0_NAN,
            Kind::Zero => 0,
            Kind::Finite => self.biased(x.exponent, x.significand > threshold),
        }
    }

    /// Returns the code of the power of two for a magnitude with this exponent, or of the next.
    fn biased(&self, exponent: i32, is_above: bool) -> u32 {
        let biased = exponent - self.largest.exponent + i32::from(is_above) + E8M0.bias();
        biased.clamp(0, E8M0_LARGEST).cast_unsigned()
    }

    /// Returns what a scale's code stands for, the tensor's scale included, exactly.
    pub(super) fn value(&self, code: u32, tensor_scale: f32) -> Unpacked {
        decode(self.format(), code.into()).times(&Unpacked::from_f32(tensor_scale))
    }
}

/// Many tiles at once.
impl Scaler {
    /// Writes what [`code`](Self::code) returns for each largest magnitude.
    pub(super) fn codes(&self, largest: &[f64], tensor_scale: f32, codes: &mut [u32]) {
        match self.rule {
            Rule::PowerOfTwo { threshold } => {
                encode_powers(self.power_of(threshold), largest, codes);
            }
            Rule::Nv { .. } => {
                let divisor = self.largest.times(&Unpacked::from_f32(tensor_scale));
                let counts = self.quotients(largest, &divisor, codes);
                if counts.nan_in + counts.inf_in > 0 {
                    for (x, code) in pairs(largest, codes) {
                        *code = if x.is_finite() { *code } else { NV_NAN };
                    }
                }
            }
            Rule::Binary32 => {
                self.quotients(largest, &self.largest, codes);
                for (x, code) in pairs(largest, codes) {
                    *code = if *x == 0.0 { 1f32.to_bits() } else { (*code).max(1) };
                }
            }
        }
    }

    /// Returns how a power of two follows from a largest magnitude, if scales are such powers.
    pub(super) fn power(&self) -> Option<Power> {
        match self.rule {
            Rule::PowerOfTwo { threshold } => Some(self.power_of(threshold)),
            Rule::Nv { .. } | Rule::Binary32 => None,
        }
    }

    fn power_of(&self, threshold: u128) -> Power {
        let trailing = (threshold << 1 >> (u128::BITS - TRAILING)) as u64;
        Power { below: self.largest.exponent, trailing }
    }

    /// Writes the codes of quotients.
    fn quotients(&self, largest: &[f64], divisor: &Unpacked, codes: &mut [u32]) -> Counts {
        let divisor = divisor.to_f64();
        let codes = Codes::U32(codes);
        encode_scaled(&self.plan, largest, one_for(largest, &divisor), codes, Dither::default())
    }

    /// Writes what [`value`](Self::value) returns for each code: at most 28 digits, which binary64
    /// holds.
    pub(super) fn values(&self, codes: &[u32], tensor_scale: f32, values: &mut [f64]) {
        match self.rule {
            Rule::PowerOfTwo { .. } => decode_powers(codes, values),
            Rule::Nv { .. } => {
                let scale = tensor_scale.into();
                let one = one_for(codes, &scale);
                decode_scaled(&self.plan, CodesRef::U32(codes), one, values);
            }
            Rule::Binary32 => {
                for (code, value) in codes.iter().zip(values) {
                    *value = f32::from_bits(*code).into();
                }
            }
        }
    }
}

/// Returns one scale for all elements, of which there may be none.
fn one_for<'a, T>(elements: &[T], scale: &'a f64) -> Scales<'a> {
    let values = std::slice::from_ref(scale);
    Scales { values: &values[..elements.len().min(1)], size: elements.len().max(1) }
}

fn pairs<'a>(
    largest: &'a [f64],
    codes: &'a mut [u32],
) -> impl Iterator<Item = (&'a f64, &'a mut u32)> {
    largest.iter().zip(codes)
}

/// The trailing bits of binary64.
const TRAILING: u32 = f64::MANTISSA_DIGITS - 1;
const E8M0_NAN: u32 = 0xff;
const E8M0_LARGEST: i32 = 0xfe;
const NV_NAN: u32 = 0x7f;

/// Returns the code of a quotient, rounded once to nearest even, saturating.
#[expect(clippy::cast_possible_truncation, reason = "scales have at most 32 bits")]
fn quotient(format: &Format, dividend: &Unpacked, divisor: &Unpacked) -> u32 {
    project(format, &saturating(), &dividend.over(divisor)).code as u32
}
