//! Binary32 numbers become codes in one pass, to nearest, ties to even: what most conversions ask
//! for.
//!
//! It is right for blocks in which no number reaches a policy, and says so of others, which then go
//! the way of every mode. A number is added to so large a power of two that the sum's quantum is the
//! grid's (see [`EvenBySum`](super::mode::EvenBySum)): the sum's last bits are then the significand of
//! the result, leading bit included. As the exponent's part of the code is in the last bits of that
//! power from the beginning, they are the code, normal or subnormal. Where the format has binary32's
//! exponents there is no such power, nor a need for one: the code is the number's, shifted. Where the
//! format is binary16, x86 processors have an instruction.

use super::codes::{Codes, Word, with_slice};
use super::instruction_set::InstructionSet;
use super::lane::Lane;
use super::mode::Family;
use super::slice::{Blocks, Lanes, Sink, Source};
use super::{Counts, Dither, Plan, Real, doors, processor};
use crate::codec::{Projection, Subnormals, Unpacked, project};
use crate::format::{F16, Format};

/// How a number becomes a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// By the sum.
    Sum,
    /// By shifting.
    Shift,
    /// By the sum, or by the processor if it can.
    Binary16,
}

/// The numbers of one rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Direct {
    form: Form,
    /// The trailing bits that binary32 has more.
    shift: u32,
    /// The least normal number.
    least_normal: u32,
    /// What makes an exponent field and its place in the code the scale of the sum.
    scale: u32,
    /// How far the sign moves down.
    sign_shift: u32,
    /// The code's sign bit, and the others.
    sign: u32,
    magnitude: u32,
    /// The code of the least normal number.
    normal: u32,
    /// The largest finite magnitude.
    largest: u32,
    /// Whether a sign alone is the code of zero.
    has_negative_zero: bool,
    /// 1, as a number the compiler does not know: it then counts with one masked addition.
    one: u32,
}

/// What a pass over a block saw.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sight {
    /// The largest magnitude.
    pub top: u32,
    /// The results that differ from their number.
    pub inexact: u32,
}

impl Direct {
    /// Returns the direct form of a rounding, if there is one.
    pub(super) fn new(
        format: &Format,
        projection: &Projection,
        lanes: &Lanes<u32>,
    ) -> Option<Self> {
        let Lanes { rounder, edges, coder } = lanes;
        // The code's last bit must be the significand's, and its bits fit below the sum's leading two.
        let is_summed = rounder.family == Family::EvenBySum
            && format.trailing_width() > 0
            && format.width() < 22;
        let is_shifted =
            rounder.family == Family::Even && rounder.away == [[0, 1]; 2] && coder.is_in_place;
        if !format.is_signed() || projection.subnormals == Subnormals::Flush {
            return None;
        }
        let form = match (is_summed, is_shifted) {
            (true, _) if format.facts() == F16.facts() => Form::Binary16,
            (true, _) => Form::Sum,
            (false, true) => Form::Shift,
            (false, false) => return None,
        };
        let emin = Unpacked::scaled(false, 1, format.emin());
        Some(Self {
            form,
            shift: coder.shift,
            least_normal: rounder.least_normal,
            scale: rounder.scale.wrapping_sub(rounder.least_normal >> coder.shift),
            sign_shift: u32::BITS - format.width(),
            sign: Lane::from_code(format.sign_mask()),
            magnitude: Lane::from_code(format.code_mask() ^ format.sign_mask()),
            normal: Lane::from_code(project(format, &Projection::default(), &emin).code),
            largest: edges.largest,
            has_negative_zero: format.has_negative_zero(),
            one: 1,
        })
    }

    /// Writes the codes of a block and returns its counts, or `None` if a number reaches a policy.
    #[inline(always)]
    fn block<const COUNT: bool, C: Word>(
        &self,
        set: InstructionSet,
        source: &[f32],
        codes: &mut [C],
    ) -> Option<Counts>
    where
        for<'b> Codes<'b>: From<&'b mut [C]>,
    {
        let seen = if self.form == Form::Shift {
            self.pass::<true, COUNT, _>(source, codes)
        } else if self.form == Form::Binary16
            && processor::has_binary16(set)
            && let Codes::U16(codes) = Codes::from(&mut *codes)
        {
            processor::encode_binary16::<COUNT>(set, source, codes)
        } else {
            self.pass::<false, COUNT, _>(source, codes)
        };
        self.finish::<COUNT, _>(source, codes, seen)
    }

    #[inline(always)]
    fn pass<const SHIFT: bool, const COUNT: bool, C: Word>(
        &self,
        source: &[f32],
        codes: &mut [C],
    ) -> Sight {
        let direct = *self;
        let mut seen = Sight::default();
        for (x, code) in source.iter().zip(codes) {
            let magnitude = x.to_bits().magnitude();
            let (result, rounded) = if SHIFT {
                direct.shifted(x.to_bits())
            } else {
                direct.summed(magnitude, x.to_bits())
            };
            seen.top = seen.top.max(magnitude);
            if COUNT {
                seen.inexact += if rounded == magnitude { 0 } else { direct.one };
            }
            *code = C::from_code(result.into());
        }
        seen
    }

    /// Whether every number up to the largest goes by the sum, zeros of both signs too.
    pub(super) fn is_ordinary(&self) -> bool {
        self.form != Form::Shift && self.has_negative_zero
    }

    /// Returns the least normal number.
    pub(super) const fn least_normal(&self) -> u32 {
        self.least_normal
    }

    /// Returns the code of a magnitude under the sign of another code, and the magnitude that it stands
    /// for.
    #[inline(always)]
    pub(super) fn summed(&self, magnitude: u32, signed: u32) -> (u32, u32) {
        let field = (magnitude & u32::INFINITY).max(self.least_normal);
        let scale = field.wrapping_add(field >> self.shift).wrapping_add(self.scale);
        let sum = f32::from_bits(magnitude) + f32::from_bits(scale);
        let sign = signed >> self.sign_shift;
        // The sum's bits where the code has its magnitude.
        let code = (sum.to_bits() ^ sign) & self.magnitude ^ sign;
        (code, (sum - f32::from_bits(scale)).to_bits())
    }

    /// Returns the code of a number, and the magnitude that it stands for; the sign keeps its place.
    #[inline(always)]
    fn shifted(&self, x: u32) -> (u32, u32) {
        let is_odd = x >> self.shift & 1;
        let below = (1 << (self.shift - 1)) - 1;
        let rounded = x.wrapping_add(below + is_odd) >> self.shift;
        (rounded, (rounded << self.shift).magnitude())
    }

    /// Counts by the codes of a block, and gives zero its code, unless a number reaches a policy.
    #[inline(always)]
    fn finish<const COUNT: bool, C: Word>(
        &self,
        source: &[f32],
        codes: &mut [C],
        seen: Sight,
    ) -> Option<Counts> {
        if seen.top > self.largest {
            return None;
        }
        if !self.has_negative_zero {
            let (sign, zero) = (C::from_code(self.sign.into()), C::from_code(0));
            for code in codes.iter_mut() {
                *code = if *code == sign { zero } else { *code };
            }
        }
        if !COUNT {
            return Some(Counts { elements: source.len() as u64, ..Counts::default() });
        }
        let [zeros, subnormal] = self.small(codes);
        Some(Counts {
            elements: source.len() as u64,
            inexact: seen.inexact.into(),
            flushed: flushed(zeros, source),
            subnormal,
            ..Counts::default()
        })
    }

    /// Counts the codes of zeros and of subnormal numbers.
    #[inline(always)]
    pub(super) fn small<C: Word>(&self, codes: &[C]) -> [u64; 2] {
        let magnitude = C::from_code(self.magnitude.into());
        let normal = C::from_code(self.normal.into());
        if codes.iter().fold(magnitude, |least, &code| least.min(code & magnitude)) >= normal {
            return [0; 2];
        }
        let [zeros, small] = below(codes, magnitude, [C::from_code(1), normal]);
        [zeros, small - zeros].map(u64::from)
    }

    /// Counts zeros and subnormal numbers.
    #[inline(always)]
    pub(super) fn small_numbers(&self, rounded: &[f32]) -> [u64; 2] {
        let (mut zeros, mut small) = (0u32, 0u32);
        for x in rounded {
            let magnitude = x.to_bits().magnitude();
            zeros += u32::from(magnitude == 0);
            small += u32::from(magnitude < self.least_normal);
        }
        [zeros, small - zeros].map(u64::from)
    }
}

/// Projects each number of `source` by a plan's direct form, and blocks that reach a policy by the
/// form of every mode.
#[inline(always)]
pub(super) fn encode(plan: &Plan, source: &[f32], codes: Codes<'_>, dither: Dither) -> Counts {
    with_slice!(codes, Codes, codes => if plan.counts() {
        encode_words::<true, _>(plan, source, codes, dither)
    } else {
        encode_words::<false, _>(plan, source, codes, dither)
    })
}

#[inline(always)]
fn encode_words<const COUNT: bool, C: Word>(
    plan: &Plan,
    source: &[f32],
    codes: &mut [C],
    dither: Dither,
) -> Counts
where
    for<'b> Codes<'b>: From<&'b mut [C]>,
{
    let mut counts = Counts::default();
    let direct = plan.direct.expect("a plan with a direct form");
    for (block, _) in Blocks::of(plan, source, dither) {
        let (source, codes) = (&source[block.clone()], &mut codes[block.clone()]);
        let seen = direct.block::<COUNT, _>(plan.instruction_set(), source, codes);
        counts += seen.unwrap_or_else(|| {
            let first = dither.first.wrapping_add(block.start as u64);
            let dither = Dither { first, ..dither };
            doors::project(plan, Source::F32(source), Sink::Codes(codes.into()), dither)
        });
    }
    counts
}

/// Returns how many magnitudes of a block lie below each of two limits.
#[inline(always)]
fn below<C: Word>(codes: &[C], magnitude: C, limits: [C; 2]) -> [u16; 2] {
    let mut counts = [0u16; 2];
    for &code in codes {
        for (count, limit) in counts.iter_mut().zip(limits) {
            *count += u16::from(code & magnitude < limit);
        }
    }
    counts
}

/// Returns how many of so many zeros were other numbers of a block.
#[inline(always)]
pub(super) fn flushed<R: Real>(zeros: u64, source: &[R]) -> u64 {
    if zeros == 0 {
        return 0;
    }
    let were_zero: u32 = source.iter().map(|&x| u32::from(x.into() == 0.0)).sum();
    zeros - u64::from(were_zero)
}
