//! A number becomes the nearest one of a format's grid, by any rounding mode, as if the grid had no
//! upper end.
//!
//! The grid is laid over the codes of the source. At a number whose exponent is `e`, the format
//! keeps `min(e − q, t)` trailing bits, with `q` the exponent of the least positive number: fewer
//! in the subnormal range, none in its lowest binade. So rounding is one addition below the kept
//! bits and one mask, and a carry out of the significand *is* the next exponent. What is added
//! decides the mode: nothing truncates, all ones below the kept bits goes away from zero, half of
//! that rounds to nearest, random bits round at random. Only below the least positive number is a
//! comparison needed.

use super::lane::Lane;
use super::mode::{self, Family, Threshold};
use crate::codec::{Decides, Projection, RoundingMode, Unpacked, decode};
use crate::format::{Format, Layout, Parity, Underflow};

/// How a format's least numbers lie among those of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Low {
    /// The least normal numbers are the same, so every number keeps all trailing bits.
    Aligned,
    /// The least positive number is a normal number of the source, with room below.
    Inside,
}

impl Low {
    /// Exponents of the source below the least positive number: what lies below those needs more
    /// random bits than there are, so that its missing hidden bit does not show.
    const ROOM: i32 = 34;

    /// Returns the relation of a format to the source `W`, or `None` if not every number of the
    /// format is a number of the source, or there is no room below.
    pub(super) fn of<W: Lane>(format: &Format) -> Option<Self> {
        let source = W::format();
        let spread = W::TRAILING.checked_sub(format.trailing_width())?.cast_signed();
        let least = decode(format, format.least_positive());
        let fits = format.facts().layout == Layout::Hidden
            && format.width() <= W::BITS
            && format.emax() <= source.emax()
            && format.emin() + spread <= source.emax();
        let is_gradual = format.facts().underflow == Underflow::Gradual;
        if fits && is_gradual && format.emin() == source.emin() {
            Some(Self::Aligned)
        } else if fits && least.exponent >= source.emin() + Self::ROOM {
            Some(Self::Inside)
        } else {
            None
        }
    }
}

/// The numbers of one rounding, in codes `W` of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rounder<W> {
    /// The kernel to run.
    pub family: Family,
    /// The least positive number; 0 where the lower end is not [`Low::Inside`].
    pub least: W,
    /// The exponent field at which no trailing bit is kept.
    pub bottom: W,
    /// The trailing bits kept at most.
    pub trailing: W,
    /// What makes the last exponent bit the parity of the result, where no trailing bit is kept.
    pub parity: W,
    /// The least magnitude that does not become zero, for positive and negative numbers.
    pub survives: [W; 2],
    /// Whether the magnitude moves away from zero, by sign and parity: if it is inexact (all ones
    /// or nothing), or at a tie (1 or nothing).
    pub away: [[W; 2]; 2],
    /// The least normal number.
    pub least_normal: W,
    /// What makes an exponent field the scale of [`Family::EvenBySum`].
    pub scale: W,
    /// The last two exponent fields below it.
    pub below_bottom: [W; 2],
    /// `bottom` less and `trailing` plus the bits of the word that no significand uses.
    pub bottom_unused: W,
    pub trailing_unused: W,
    /// What the word has more than the random bits of stochastic rounding.
    pub spare: u32,
    /// Half of the last random bit.
    pub half: W,
}

impl<W: Lane> Rounder<W> {
    /// Returns the rounding to a format, or `None` if no lane form has it.
    pub(super) fn new(format: &Format, projection: &Projection, low: Low) -> Option<Self> {
        let mode = projection.rounding.mode;
        let (family, table) = if format.trailing_width() == W::TRAILING {
            (Family::Truncated, [[Threshold::Never; 2]; 2]) // nothing is ever discarded
        } else {
            mode::read(mode)?
        };
        let is_abrupt = format.facts().underflow == Underflow::Abrupt;
        let is_inside = low == Low::Inside;
        if is_inside && is_abrupt && format.has_zero() && mode.is_stochastic() {
            return None; // the quotient by the least number is not a shift
        }
        let least = decode(format, format.least_positive());
        let least = if is_inside { W::nearest(&least) } else { W::ZERO };
        let survives = table.map(|[even, _]| match even {
            _ if !is_inside => W::ZERO,
            _ if !format.has_zero() => W::ONE,
            _ if mode.is_stochastic() => least,
            Threshold::Any => W::ONE,
            Threshold::Half => least.minus(W::HIDDEN),
            Threshold::AboveHalf => least.minus(W::HIDDEN).plus(W::ONE),
            Threshold::Never => least,
        });
        let trailing = W::from_u32(format.trailing_width());
        let thins = is_inside && !is_abrupt;
        let spread = W::TRAILING - format.trailing_width();
        // A sum has no parity of codes, and it needs two spare bits.
        let sums = thins
            && table == [[Threshold::AboveHalf, Threshold::Half]; 2]
            && (format.trailing_width() > 0 || format.facts().parity == Parity::Significand)
            && spread >= 2
            && format.emax() + spread.cast_signed() <= W::format().emax();
        // Parity is asked of the exponent field only where the significand is 1 and so odd, or
        // where a code is an exponent and nothing else.
        let first = format.emin() - W::format().emin() + 1 - format.least_biased();
        let parity = W::from_u32(first.cast_unsigned() & 1) << W::TRAILING;
        let odd_field = (least ^ W::HIDDEN) & W::HIDDEN;
        let bottom = if thins { least >> W::TRAILING } else { W::ZERO.minus(trailing) };
        let unused = W::from_u32(W::BITS - W::TRAILING);
        let spare = W::BITS - projection.rounding.random_bits.max(1);
        let family = if sums {
            Family::EvenBySum
        } else if family == Family::Stochastic && spare == 0 {
            Family::AllRandom
        } else {
            family
        };
        Some(Self {
            family,
            least,
            bottom,
            trailing,
            parity: if thins { odd_field } else { parity },
            survives,
            away: away(format, mode, table),
            least_normal: W::nearest(&Unpacked::scaled(false, 1, format.emin())),
            scale: (W::from_u32(spread) << W::TRAILING) | (W::HIDDEN >> 1),
            below_bottom: [bottom.minus(W::ONE), bottom.minus(W::from_u32(2))],
            bottom_unused: bottom.minus(unused),
            trailing_unused: trailing.plus(unused),
            spare,
            half: if spare == 0 { W::ZERO } else { W::ONE << (spare - 1) },
        })
    }
}

/// Returns what the thresholds add, by sign and parity.
fn away<W: Lane>(format: &Format, mode: &RoundingMode, table: [[Threshold; 2]; 2]) -> [[W; 2]; 2] {
    let by_significand =
        mode.decides == Decides::BySignificand && format.facts().parity == Parity::Significand;
    table.map(|[even, odd]| {
        // A significand of one bit is 1, and so odd.
        let even = if format.trailing_width() == 0 && by_significand { odd } else { even };
        [even, odd].map(|threshold| match threshold {
            Threshold::Any => !W::ZERO,
            Threshold::Half => W::ONE,
            Threshold::AboveHalf | Threshold::Never => W::ZERO,
        })
    })
}
