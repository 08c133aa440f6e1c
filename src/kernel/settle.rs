//! A rounded number becomes one that the format has: overflow, infinities, NaNs, flushing and signs
//! by the policies, and the count of what became of them.
//!
//! What the policies give is asked of the codec once, so that a lane cannot disagree with it.

use super::Counts;
use super::lane::{Float, Lane};
use crate::codec::{NanTo, Projection, QUIET_BIT, Subnormals, Unpacked, decode, project};
use crate::format::Format;

/// The numbers at the edges of one format, in codes `W` of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edges<W> {
    /// The largest magnitude that no policy touches.
    ordinary: W,
    /// Whether signs, zeros or subnormal results concern a policy.
    settles_all: bool,
    /// The largest finite magnitude.
    pub largest: W,
    /// The least normal magnitude.
    pub least_normal: W,
    /// Magnitudes below this become zero.
    kept_from: W,
    /// The sign bit if there is a −0.
    zero_sign: W,
    /// What a finite number beyond the largest becomes, by sign.
    overflow: [W; 2],
    /// What an infinity becomes, by sign.
    infinity: [W; 2],
    /// The bits of a NaN that stay, and those that are set.
    nan: [W; 2],
    /// The sign bit if there are no negative numbers.
    no_sign: W,
    /// Whether there is no zero.
    no_zero: bool,
    /// What a number of a sign that does not exist becomes, or a zero where there is none.
    invalid: W,
    /// Whether a NaN is refused.
    refuses: bool,
    /// 1, as a number the compiler does not know: it then counts with one masked addition.
    one: W,
}

impl<W: Lane> Edges<W> {
    /// Returns the edges of a format under the policies of a projection.
    pub(super) fn new(format: &Format, projection: &Projection) -> Self {
        let becomes = |x: &Unpacked| {
            let code = project(format, projection, x).code;
            W::nearest(&decode(format, code))
        };
        let by_sign = |x: fn(bool) -> Unpacked| [false, true].map(|negative| becomes(&x(negative)));
        let magnitude = |code| W::nearest(&decode(format, code));
        let no_sign = !format.is_signed();
        let flushes = projection.subnormals == Subnormals::Flush && format.has_subnormals();
        let quiet = becomes(&Unpacked::nan(false, QUIET_BIT));
        let least_normal = W::nearest(&Unpacked::scaled(false, 1, format.emin()));
        Self {
            ordinary: magnitude(format.largest_finite()),
            settles_all: flushes || !format.has_negative_zero(),
            largest: magnitude(format.largest_finite()),
            least_normal,
            kept_from: if flushes { least_normal } else { W::ZERO },
            zero_sign: if format.has_negative_zero() { W::SIGN } else { W::ZERO },
            overflow: by_sign(|negative| Unpacked::scaled(negative, 1, 1 << 20)),
            infinity: by_sign(Unpacked::infinity),
            nan: [becomes(&Unpacked::nan(true, u128::MAX)) & !quiet, quiet],
            no_sign: if no_sign { W::SIGN } else { W::ZERO },
            no_zero: !format.has_zero(),
            invalid: becomes(&Unpacked::scaled(true, 1, 0)),
            one: W::ONE,
            refuses: !format.has_nan() && projection.nan_to == NanTo::Error,
        }
    }

    /// Notes what one element of a block was and became.
    #[inline(always)]
    pub(super) fn note<const COUNT: bool>(&self, seen: &mut Seen<W>, code: W, rounded: W) {
        let magnitude = code.magnitude();
        seen.top = seen.top.max(magnitude);
        if COUNT {
            let result = rounded.magnitude();
            let one = |condition| W::select(condition, self.one, W::ZERO);
            seen.inexact = seen.inexact.plus(one(result != magnitude));
            seen.nonzero = seen.nonzero.plus(result.min(self.one));
            seen.below_normal = seen.below_normal.plus(one(result < self.least_normal));
        }
    }

    /// Whether the rounded numbers of a block are not final yet.
    #[inline(always)]
    pub(super) fn concern(&self, seen: &Seen<W>) -> bool {
        self.settles_all || seen.top > self.ordinary
    }

    /// Returns the counts of a block whose rounded numbers are final.
    #[inline(always)]
    pub(super) fn counts(source: &[W::Float], seen: &Seen<W>) -> Counts {
        let elements = source.len() as u64;
        let zeros = elements - seen.nonzero.widened();
        let mut zeros_in = W::ZERO;
        if zeros > 0 {
            for x in source {
                let is_zero = x.code().magnitude() == W::ZERO;
                zeros_in = zeros_in.plus(W::select(is_zero, W::ONE, W::ZERO));
            }
        }
        Counts {
            elements,
            inexact: seen.inexact.widened(),
            flushed: zeros - zeros_in.widened(),
            subnormal: seen.below_normal.widened() - zeros,
            ..Counts::default()
        }
    }
}

/// What a pass over a block saw.
#[derive(Clone, Copy)]
pub(super) struct Seen<W> {
    /// The largest magnitude.
    top: W,
    inexact: W,
    nonzero: W,
    below_normal: W,
}

impl<W: Lane> Seen<W> {
    /// Returns what is seen of nothing.
    #[inline(always)]
    pub(super) fn nothing() -> Self {
        let zero = W::ZERO;
        Self { top: zero, inexact: zero, nonzero: zero, below_normal: zero }
    }
}

/// What became of the elements of one block.
#[derive(Clone, Copy, Default)]
struct Tally {
    inexact: u32,
    overflow: u32,
    flushed: u32,
    subnormal: u32,
    nan_in: u32,
    inf_in: u32,
    lost: u32,
}

impl<W: Lane> Edges<W> {
    /// Settles the rounded numbers of any block, and counts.
    #[inline(always)]
    pub(super) fn settle(&self, source: &[W::Float], rounded: &mut [W::Float]) -> Counts {
        let mut tally = Tally::default();
        for (x, y) in source.iter().zip(rounded) {
            *y = W::Float::from_code(self.settle_one(x.code(), y.code(), &mut tally));
        }
        self.settled(source.len(), tally)
    }

    #[inline(always)]
    fn settle_one(&self, code: W, rounded: W, tally: &mut Tally) -> W {
        let by_sign =
            |[positive, negative]: [W; 2]| W::select(code.is_negative(), negative, positive);
        let magnitude = code.magnitude();
        let is_finite = magnitude < W::INFINITY;
        let is_zero = magnitude == W::ZERO;
        let is_invalid = code & self.no_sign != W::ZERO && !is_zero || self.no_zero && is_zero;
        let is_number = is_finite && !is_invalid;
        let overflows = rounded.magnitude() > self.largest;
        let kept = W::select(rounded.magnitude() < self.kept_from, code.sign(), rounded);
        let y = W::select(overflows, by_sign(self.overflow), kept);
        let y = W::select(y.magnitude() == W::ZERO, y & self.zero_sign, y);
        let y = W::select(is_invalid, self.invalid, y);
        let y = W::select(magnitude == W::INFINITY, by_sign(self.infinity), y);
        let is_nan = magnitude > W::INFINITY;
        let y = W::select(is_nan, code & self.nan[0] | self.nan[1], y);
        let result = y.magnitude();
        tally.inexact += u32::from(is_number && result != magnitude);
        tally.overflow += u32::from(is_number && overflows);
        tally.flushed += u32::from(!is_nan && !is_zero && result == W::ZERO);
        tally.subnormal += u32::from(result != W::ZERO && result < self.least_normal);
        tally.nan_in += u32::from(is_nan);
        tally.inf_in += u32::from(magnitude == W::INFINITY);
        tally.lost += u32::from(is_finite && result >= W::INFINITY);
        y
    }

    fn settled(&self, elements: usize, tally: Tally) -> Counts {
        Counts {
            elements: elements as u64,
            inexact: tally.inexact.into(),
            overflow: tally.overflow.into(),
            flushed: tally.flushed.into(),
            subnormal: tally.subnormal.into(),
            nan_in: tally.nan_in.into(),
            inf_in: tally.inf_in.into(),
            lost: tally.lost.into(),
            refused: if self.refuses { tally.nan_in.into() } else { 0 },
        }
    }
}
