//! A rounding mode's truth table becomes what a lane adds before it truncates.

use super::lane::{Float, Lane};
use super::round::Rounder;
use crate::codec::{RoundingMode, Tail};

/// Which modes share one kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// To nearest, ties away.
    Away,
    /// To nearest, ties by parity.
    Even,
    /// To nearest, ties to even, in floating-point arithmetic.
    EvenBySum,
    /// Always toward zero, or always away from it.
    Truncated,
    /// Toward zero or away from it, by sign.
    Directed,
    /// Toward zero or away from it, by parity.
    Odd,
    /// At random.
    Stochastic,
    /// At random, with a word of random bits.
    AllRandom,
}

/// From which discarded fraction on a magnitude moves away from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threshold {
    /// From any above 0.
    Any,
    /// From one half.
    Half,
    /// From any above one half.
    AboveHalf,
    /// From none.
    Never,
}

/// Returns a mode's kernel and its thresholds by sign and parity, or `None` if no kernel has it.
pub(super) fn read(mode: &RoundingMode) -> Option<(Family, [[Threshold; 2]; 2])> {
    use Threshold::{AboveHalf, Any, Half, Never};
    let mut table = [[Never; 2]; 2];
    for (row, negative) in table.iter_mut().zip([false, true]) {
        for (cell, odd) in row.iter_mut().zip([false, true]) {
            let away = |half, sticky| mode.away(Tail { negative, odd, half, sticky });
            *cell = match [away(false, true), away(true, false), away(true, true)] {
                [true, true, true] => Any,
                [false, true, true] => Half,
                [false, false, true] => AboveHalf,
                [false, false, false] => Never,
                _ => return None,
            };
        }
    }
    let is_nearest = table.as_flattened().iter().all(|cell| matches!(cell, Half | AboveHalf));
    let is_directed = table.as_flattened().iter().all(|cell| matches!(cell, Any | Never));
    let by_sign = table[0] != table[1];
    let by_parity = table[0][0] != table[0][1];
    let family = match (by_sign, by_parity) {
        _ if mode.is_stochastic() => Family::Stochastic,
        (false, false) if is_nearest => Family::Away,
        (false, true) if is_nearest => Family::Even,
        (false, false) if is_directed => Family::Truncated,
        (true, false) if is_directed => Family::Directed,
        (false, true) if is_directed => Family::Odd,
        _ => return None,
    };
    Some((family, table))
}

/// A kernel: how one lane is rounded.
pub(super) trait Kernel {
    /// Returns the number rounded to the grid, with its sign; an infinity or a NaN gives no number.
    ///
    /// Only the stochastic kernels read the random bits.
    fn round<W: Lane>(rounder: &Rounder<W>, code: W, random: u32) -> W;
}

/// [`Family::EvenBySum`]: adds and subtracts a power of two so large that the sum's quantum is that
/// of the grid.
///
/// It is 1.5 × 2^k, so that a negative number leaves the sum in the same binade. Where it would be
/// beyond the source's range, the number is beyond the format's, and so is what this returns: the
/// field wraps to a scale too small to change the number, or is that of NaN.
pub(super) struct EvenBySum;

impl Kernel for EvenBySum {
    #[inline(always)]
    fn round<W: Lane>(rounder: &Rounder<W>, code: W, _: u32) -> W {
        let field = (code & W::INFINITY).max(rounder.least_normal);
        let scale = W::Float::from_code(field.plus(rounder.scale));
        let rounded = (W::Float::from_code(code) + scale) - scale;
        rounded.code().magnitude() | code.sign()
    }
}

/// One lane in the middle of its rounding.
#[derive(Clone, Copy)]
pub(super) struct Partial<W> {
    /// The source's code.
    pub code: W,
    /// The magnitude, raised to the least positive number.
    pub raised: W,
    /// All ones below the trailing bits that are kept.
    pub below: W,
}

/// What a family of modes adds to a magnitude before the bits below the kept ones are cut off.
pub(super) trait Addition {
    fn added<W: Lane>(rounder: &Rounder<W>, lane: Partial<W>) -> W;

    /// Whether the result is not zero.
    #[inline(always)]
    fn survives<W: Lane>(rounder: &Rounder<W>, lane: Partial<W>) -> bool {
        lane.code.magnitude() >= rounder.survives[0]
    }
}

impl<A: Addition> Kernel for A {
    #[inline(always)]
    fn round<W: Lane>(rounder: &Rounder<W>, code: W, _: u32) -> W {
        let raised = code.magnitude().max(rounder.least);
        let kept = (raised >> W::TRAILING).minus(rounder.bottom).min_signed(rounder.trailing);
        let below = W::HIDDEN.minus(W::ONE).shifted_right(kept);
        let lane = Partial { code, raised, below };
        let rounded = raised.plus(A::added(rounder, lane)) & !below;
        W::select(A::survives(rounder, lane), rounded, W::ZERO).magnitude() | code.sign()
    }
}

/// Whether the last kept bit is 1.
#[inline(always)]
fn is_odd<W: Lane>(rounder: &Rounder<W>, lane: Partial<W>) -> bool {
    (lane.raised ^ rounder.parity) & lane.below.plus(W::ONE) != W::ZERO
}

/// [`Family::Away`]: half a quantum.
pub(super) struct Away;

impl Addition for Away {
    #[inline(always)]
    fn added<W: Lane>(_: &Rounder<W>, lane: Partial<W>) -> W {
        lane.below.plus(W::ONE) >> 1
    }
}

/// [`Family::Even`]: half a quantum, or just less.
pub(super) struct Even;

impl Addition for Even {
    #[inline(always)]
    fn added<W: Lane>(rounder: &Rounder<W>, lane: Partial<W>) -> W {
        let [even, odd] = rounder.away[0];
        lane.below.plus(W::select(is_odd(rounder, lane), odd, even)) >> 1
    }
}

/// [`Family::Truncated`]: nothing or all ones.
pub(super) struct Truncated;

impl Addition for Truncated {
    #[inline(always)]
    fn added<W: Lane>(rounder: &Rounder<W>, lane: Partial<W>) -> W {
        lane.below & rounder.away[0][0]
    }
}

/// [`Family::Directed`]: nothing or all ones.
pub(super) struct Directed;

impl Addition for Directed {
    #[inline(always)]
    fn added<W: Lane>(rounder: &Rounder<W>, lane: Partial<W>) -> W {
        let [[positive, _], [negative, _]] = rounder.away;
        lane.below & W::select(lane.code.is_negative(), negative, positive)
    }

    #[inline(always)]
    fn survives<W: Lane>(rounder: &Rounder<W>, lane: Partial<W>) -> bool {
        let [positive, negative] = rounder.survives;
        lane.code.magnitude() >= W::select(lane.code.is_negative(), negative, positive)
    }
}

/// [`Family::Odd`]: nothing or all ones.
pub(super) struct Odd;

impl Addition for Odd {
    #[inline(always)]
    fn added<W: Lane>(rounder: &Rounder<W>, lane: Partial<W>) -> W {
        let [even, odd] = rounder.away[0];
        lane.below & W::select(is_odd(rounder, lane), odd, even)
    }
}

/// [`Family::Stochastic`] and, with as many random bits as the word has, [`Family::AllRandom`].
///
/// P3109's `StochasticB` goes away from zero iff `floor(ν·2^(N+1)) + 2R + 1 ≥ 2^(N+1)`, with ν the
/// discarded fraction. That is the carry of ν + (2R + 1)/2^(N+1), whose second term is held here
/// left-aligned in a word. Cut off to as many bits as are discarded it gives the same carry.
pub(super) struct Stochastic<const ALL: bool>;

impl<const ALL: bool> Kernel for Stochastic<ALL> {
    #[inline(always)]
    fn round<W: Lane>(rounder: &Rounder<W>, code: W, random: u32) -> W {
        let dither = W::from_u32(random);
        let dither = if ALL { dither } else { dither << rounder.spare | rounder.half };
        let magnitude = code.magnitude();
        let raised = magnitude.max(rounder.least);
        let field = magnitude >> W::TRAILING;
        let kept = field.max_signed(rounder.bottom).minus(rounder.bottom_unused);
        let unused = kept.min_signed(rounder.trailing_unused);
        let below = (!W::ZERO).wrapping_shifted_right(unused);
        let rounded = raised.plus(dither.wrapping_shifted_right(unused)) & !below;
        // Below the least positive number the fraction is the number itself over the least one.
        let aligned = code << (W::BITS - W::TRAILING - 1) | W::SIGN;
        let zeros = rounder.below_bottom[0].minus(field);
        let mut fraction = aligned.shifted_right(zeros);
        if ALL {
            // The carry of ν·2^33 + 2R + 1 is that of ν·2^32, rounded up from one half, and R.
            let half = aligned.shifted_right(rounder.below_bottom[1].minus(field)) & W::ONE;
            fraction = fraction.plus(half);
        }
        let carries = fraction.plus(dither) < fraction;
        let survives = magnitude >= rounder.survives[0] || carries;
        W::select(survives, rounded, W::ZERO).magnitude() | code.sign()
    }
}
