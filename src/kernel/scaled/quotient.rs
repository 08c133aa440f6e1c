//! Numbers over their scales, a chunk at a time, and products with them: the part of scaled work
//! that the plain kernels do not do.
//!
//! A quotient goes on to the plain kernels, so it must round as the exact one does, in every way and
//! with the same counts. There are three ways, tried in this order:
//!
//! * Scales that are powers of two are multiplied by in binary32, exactly, as long as the quotient
//!   is in the normal range.
//! * Other scales of `D` digits, to formats of `p`: the product with the reciprocal is within 2 ulps
//!   of binary64. What decides a rounding is on which side the quotient lies of a number `g` of at
//!   most `p + 1` digits. Unless they are equal, the dividend differs from `g` times the scale by a
//!   unit in the last place of one of them, which is more than 2^-44 of it while
//!   `p + 1 + D ≤ 43`, and that is 256 ulps. So to the nearest multiple of 256 ulps the product is
//!   `g` exactly if the quotient is, and otherwise on the same side; rounded to odd it stays there
//!   in binary32, which has at least two digits more than `g`.
//! * Everything else is divided in binary64, rounding to odd; see [`division`](super::super::division).
//!
//! Stochastic rounding compares more digits, so it goes the first or the last way.

use std::{cell::RefCell, hint::black_box};

use super::super::{
    Codes, Counts, Dither, Plan, Real,
    division::to_odd,
    doors, encode_f32, encode_f64,
    lane::{Float, Lane},
    slice::{Sink, Source, narrowed},
};
use super::Scales;
use crate::codec::{Flags, Projected, Projection, Unpacked, decode, project};
use crate::format::{F32, Format};

/// Elements of a chunk: what is kept of it stays in the first cache.
pub(super) const CHUNK: usize = 2048;

/// Room for the numbers of a chunk, on the boundaries of the widest registers.
#[repr(align(64))]
pub(in super::super) struct Room {
    narrow: [f32; CHUNK],
    wide: [f64; CHUNK],
    /// What belongs to each scale rather than each element.
    scales: [f32; CHUNK],
    /// Elements, as numbers.
    pub(super) numbers: [f32; CHUNK],
}

thread_local! {
    /// The room of each thread: slices may be too short to make one for each.
    static ROOM: RefCell<Room> = const {
        RefCell::new(Room {
            narrow: [0.0; CHUNK],
            wide: [0.0; CHUNK],
            scales: [0.0; CHUNK],
            numbers: [0.0; CHUNK],
        })
    };
}

impl Room {
    /// Does something with the room, without doing so within itself.
    pub(super) fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        ROOM.with_borrow_mut(work)
    }

    /// Projects some quotients and writes their codes.
    pub(super) fn encode(
        &self,
        plan: &Plan,
        form: Form,
        codes: Codes<'_>,
        dither: Dither,
    ) -> Counts {
        match form {
            Form::Narrow => encode_f32(plan, &self.narrow[..codes.len()], codes, dither),
            Form::Wide => encode_f64(plan, &self.wide[..codes.len()], codes, dither),
        }
    }

    /// Rounds some quotients to elements.
    pub(super) fn round(
        &mut self,
        plan: &Plan,
        form: Form,
        elements: usize,
        dither: Dither,
    ) -> Counts {
        let quotients = match form {
            Form::Narrow => Source::F32(&self.narrow[..elements]),
            Form::Wide => Source::F64(&self.wide[..elements]),
        };
        doors::project(plan, quotients, Sink::Numbers(&mut self.numbers[..elements]), dither)
    }
}

/// In which lanes the quotients of a chunk are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Form {
    /// Those of binary32.
    Narrow,
    /// Those of binary64.
    Wide,
}

/// What a plan says of scaled work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Limits {
    /// The most digits of scales by which numbers can be divided in binary32 lanes; 0 if by none.
    narrow: u32,
    /// The same of binary64 lanes.
    wide: u32,
    /// The most digits of scales that products with binary32 numbers of the format are exact for in
    /// binary64; `None` if binary32 does not have all of its numbers.
    exact: Option<u32>,
    /// The bits of a binary32 code that are zero in all numbers of one digit more than the format
    /// has, if there are so many that few quotients have nearly all of them alike.
    below: Option<u32>,
    /// Where quotients in binary32 are clipped, if they are.
    clip: Option<Clip>,
}

/// The most digits of a divisor that [`to_odd`] takes.
const DIVISOR: u32 = 35;

impl Limits {
    /// Returns the limits of a rounding that has lanes of binary32, of binary64.
    pub(in super::super) fn new(
        format: &Format,
        projection: &Projection,
        [has_narrow, has_wide]: [bool; 2],
    ) -> Self {
        let precision = format.precision();
        let is_stochastic = projection.rounding.mode.is_stochastic();
        // Random bits are compared with the 33 digits that follow those that are kept.
        let compared = precision + if is_stochastic { 33 } else { 1 };
        let by_reciprocal = !is_stochastic && compared + 2 <= f32::MANTISSA_DIGITS;
        let by_division = compared + 1 <= f64::MANTISSA_DIGITS;
        // A subnormal quotient that is not exact must be too small to matter.
        let is_small = decode(format, format.least_positive()).exponent > F32.emin() + 2;
        let by_reciprocal = by_reciprocal && is_small;
        let limit = |has_lanes: bool, has_others: bool, others: u32| match (has_lanes, has_others) {
            // Under a scale of zero or NaN, the lanes are given zeros.
            _ if !has_lanes || !format.has_zero() => 0,
            (_, true) => others,
            (_, false) => 1,
        };
        Self {
            narrow: limit(has_narrow, by_reciprocal, 42 - precision.min(41)),
            wide: limit(has_wide, by_division, DIVISOR),
            exact: has_narrow.then(|| f64::MANTISSA_DIGITS - precision),
            below: (precision <= 5).then(|| (u32::HIDDEN >> precision) - 1),
            clip: if has_narrow { Clip::new(format, projection) } else { None },
        }
    }
}

/// Where every number of a rounding saturates, whatever its sign: the magnitudes, as codes of
/// binary32.
///
/// Quotients above the largest number are made that number before they are rounded. Blocks have some
/// as a rule, and the plain kernels take a step of its own for any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clip {
    /// The largest finite number.
    largest: u32,
    /// The least number that overflows.
    overflow: u32,
}

impl Clip {
    /// Returns where a rounding saturates; `None` if it does not, or not at one magnitude.
    fn new(format: &Format, projection: &Projection) -> Option<Self> {
        if projection.rounding.mode.is_stochastic() {
            return None;
        }
        let largest = u32::nearest(&decode(format, format.largest_finite()));
        let saturates = |code: &u32| {
            let x = Unpacked::from_f32(f32::from_bits(*code));
            let Projected { code, flags } = project(format, projection, &x);
            let becomes = decode(format, code);
            let is_largest = u32::nearest(&becomes.magnitude()) == largest;
            is_largest && becomes.negative == x.negative && flags.contains(Flags::OVERFLOW)
        };
        // A mode may begin to overflow just above the largest number, halfway to what would be the
        // next, just above that, and there.
        let half = u32::HIDDEN >> format.trailing_width() >> 1;
        let candidates = [largest + 1, largest + half, largest + half + 1, largest + 2 * half];
        let overflow = candidates.into_iter().find(saturates)?;
        // Both signs must overflow from the same magnitude on.
        let below = candidates.into_iter().filter(|code| *code < overflow);
        let is_same = saturates(&(overflow | u32::SIGN))
            && below.into_iter().all(|code| !saturates(&(code | u32::SIGN)));
        (is_same && overflow < u32::INFINITY).then_some(Self { largest, overflow })
    }
}

/// The scales of a chunk.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Part<'a> {
    /// The scale of each run.
    pub values: &'a [f64],
    /// Elements of a run.
    pub size: usize,
    /// Elements of the first run.
    pub first: usize,
}

impl<'a> Part<'a> {
    /// Returns the scales of some elements.
    pub(super) fn of(scales: Scales<'a>, elements: &std::ops::Range<usize>) -> Self {
        let Scales { values, size } = scales;
        let runs = elements.start / size..elements.end.div_ceil(size);
        Self { values: &values[runs], size, first: size - elements.start % size }
    }

    /// Returns the scale of an element.
    pub(super) fn at(self, element: usize) -> Unpacked {
        Unpacked::from_f64(self.values[(element + self.size - self.first) / self.size])
    }

    /// Writes the value of each element, given that of each scale. The usual sizes of blocks are known
    /// to the compiler.
    #[inline(always)]
    fn spread<T: Copy>(self, values: impl Iterator<Item = T>, places: &mut [T]) {
        match self.size {
            1 => places.iter_mut().zip(values).for_each(|(place, value)| *place = value),
            16 if self.first == 16 => spread_known::<T, 16>(values, places),
            32 if self.first == 32 => spread_known::<T, 32>(values, places),
            _ => {
                let (mut rest, mut length) = (places, self.first);
                for value in values {
                    let (run, after) = rest.split_at_mut(length.min(rest.len()));
                    run.fill(value);
                    (rest, length) = (after, self.size);
                }
            }
        }
    }

    /// Sets the quotients by scales of zero and NaN, which the lanes do not divide by: zeros.
    /// Returns the counts that the lanes do not see then.
    #[inline(always)]
    fn set_zeros<R: Real, F: Float>(self, source: &[R], quotients: &mut [F]) -> Counts {
        let mut counts = Counts::default();
        let mut start = 0;
        for (i, value) in self.values.iter().enumerate() {
            let end = (self.first + i * self.size).min(source.len());
            let run = start..end;
            start = end;
            if !is_special(*value) {
                continue;
            }
            for (x, quotient) in source[run.clone()].iter().zip(&mut quotients[run]) {
                let x: f64 = (*x).into();
                let is_finite = u64::from(x.is_finite());
                if value.is_nan() {
                    counts.inexact += is_finite;
                    counts.lost += is_finite;
                    counts.nan_in += u64::from(x.is_nan());
                    counts.inf_in += u64::from(x.is_infinite());
                    *quotient = F::from_code(F::Word::ZERO);
                } else if x.is_finite() {
                    counts.inexact += u64::from(x != 0.0);
                    counts.flushed += u64::from(x != 0.0);
                    *quotient = F::from_code(quotient.code().sign());
                }
            }
        }
        counts
    }
}

#[inline(always)]
fn spread_known<T: Copy, const SIZE: usize>(mut values: impl Iterator<Item = T>, places: &mut [T]) {
    let (runs, short) = places.as_chunks_mut::<SIZE>();
    for (run, value) in runs.iter_mut().zip(&mut values) {
        // Opaque, or else the compiler takes many runs at a time and scatters.
        *run = [black_box(value); SIZE];
    }
    if let Some(value) = values.next() {
        short.fill(value);
    }
}

/// Whether what is divided by a scale is zero whatever it is.
#[inline(always)]
fn is_special(scale: f64) -> bool {
    scale.is_nan() || scale.to_bits() == 0
}

/// Returns what the lanes divide by.
#[inline(always)]
fn divisor(scale: f64) -> f64 {
    if is_special(scale) { 1.0 } else { scale }
}

/// The least normal magnitude.
const NORMAL: u32 = f32::MIN_POSITIVE.to_bits();

/// Returns the code of a power of two.
const fn code_of_power(exponent: i64) -> u64 {
    (exponent + 1023).cast_unsigned() << 52
}

/// What the scales of a chunk are like.
#[derive(Clone, Copy)]
struct Divisors {
    /// The digits of the scale that has most.
    digits: u32,
    /// The largest scale.
    largest: f64,
    /// Whether some are special.
    has_special: bool,
}

impl Divisors {
    /// Looks at scales; `None` if some are negative, or so small or large that a quotient could leave
    /// the range of binary64.
    #[inline(always)]
    fn of(scales: &[f64]) -> Option<Self> {
        let (mut all, mut special) = (0u64, 0u64);
        // Codes of positive numbers are ordered as the numbers are, and below those of negative ones.
        let (mut least, mut largest) = (u64::MAX, 0u64);
        for scale in scales {
            let code = divisor(*scale).to_bits();
            all |= code;
            least = least.min(code);
            largest = largest.max(code);
            special |= u64::from(is_special(*scale));
        }
        let is_in_range = least >= code_of_power(-200) && largest <= code_of_power(200);
        is_in_range.then_some(Self {
            digits: f64::MANTISSA_DIGITS - (all | u64::HIDDEN).trailing_zeros(),
            largest: f64::from_bits(largest),
            has_special: special != 0,
        })
    }

    /// Whether the quotient of a binary32 number may be smaller than that, and too small for a normal
    /// one.
    #[inline(always)]
    fn may_vanish<R: Real>(&self, source: &[R]) -> bool {
        if self.largest <= 1.0 {
            return false;
        }
        let least = source.iter().fold(u32::MAX, |least, x| {
            least.min(narrowed((*x).into()).code().magnitude().minus(1))
        });
        let least = f64::from(f32::from_code(least.min(u32::INFINITY - 1) + 1));
        least < self.largest * f64::from(f32::MIN_POSITIVE)
    }
}

/// Divides each number by its scale in lanes; `None` if they cannot hold all the quotients, which
/// are undefined then. Returns where the quotients are, and what must be added to their counts.
#[inline(always)]
pub(in super::super) fn divide<R: Real>(
    plan: &Plan,
    source: &[R],
    part: Part<'_>,
    room: &mut Room,
) -> Option<(Form, Counts)> {
    let limits = plan.limits;
    let divisors = Divisors::of(part.values)?;
    let Room { narrow, wide, scales, numbers } = room;
    let (narrow, wide) = (&mut narrow[..source.len()], &mut wide[..source.len()]);
    let by_product = if divisors.digits > limits.narrow {
        None
    } else if R::PRECISION == f32::MANTISSA_DIGITS {
        by_product(&limits, &divisors, source, part, scales, narrow, wide)
    } else if are_narrow(source, numbers) {
        let source = &numbers[..source.len()];
        by_product(&limits, &divisors, source, part, scales, narrow, wide)
    } else {
        None
    };
    let (form, mut counts) = if let Some(counts) = by_product {
        (Form::Narrow, counts)
    } else if divisors.digits <= limits.wide && by_division(source, part, wide) {
        (Form::Wide, Counts::default())
    } else {
        return None;
    };
    if divisors.has_special {
        counts += match form {
            Form::Narrow => part.set_zeros(source, narrow),
            Form::Wide => part.set_zeros(source, wide),
        };
    }
    Some((form, counts))
}

/// Whether binary32 has all of some numbers; writes them.
#[inline(always)]
fn are_narrow<R: Real>(source: &[R], numbers: &mut [f32]) -> bool {
    let mut differ = 0u64;
    for (x, number) in source.iter().zip(numbers) {
        let x: f64 = (*x).into();
        *number = narrowed(x);
        differ |= f64::from(*number).to_bits() ^ x.to_bits();
    }
    differ == 0
}

/// Divides binary32 numbers by multiplication; returns the counts of those that were clipped, or
/// `None` if some quotients are not held.
#[inline(always)]
fn by_product<R: Real>(
    limits: &Limits,
    divisors: &Divisors,
    source: &[R],
    part: Part<'_>,
    reciprocals: &mut [f32],
    quotients: &mut [f32],
    wide: &mut [f64],
) -> Option<Counts> {
    if divisors.may_vanish(source) {
        return None;
    }
    let clip = limits.clip.filter(|_| !divisors.has_special);
    for (reciprocal, scale) in reciprocals.iter_mut().zip(part.values) {
        *reciprocal = narrowed(divisor(*scale).recip());
    }
    let each = reciprocals[..part.values.len()].iter().copied();
    let by_reciprocal = |x: R, reciprocal: f32| narrowed(x.into()) * reciprocal;
    if divisors.digits == 1 {
        part.spread(each, quotients);
        return clipped(clip, None, source, quotients, by_reciprocal);
    }
    if limits.below.is_some() {
        part.spread(each, quotients);
        let counts = clipped(clip, limits.below, source, quotients, by_reciprocal);
        if counts.is_some() {
            return counts;
        }
    }
    part.spread(part.values.iter().map(|scale| divisor(*scale).recip()), wide);
    for ((x, reciprocal), quotient) in source.iter().zip(wide).zip(&mut *quotients) {
        *quotient = to_narrow_odd((*x).into() * *reciprocal);
    }
    clipped(clip, None, source, quotients, |_, quotient| quotient)
}

/// Makes quotients of what belongs to each number, and clips them; `None` if some are no finite
/// numbers, or are within 3 ulps of a number whose bits `below` are zero.
#[inline(always)]
fn clipped<R: Real>(
    clip: Option<Clip>,
    below: Option<u32>,
    source: &[R],
    quotients: &mut [f32],
    divide: impl Fn(R, f32) -> f32,
) -> Option<Counts> {
    let clip = clip.unwrap_or(Clip { largest: u32::INFINITY, overflow: u32::INFINITY });
    // A number the compiler does not know: it then counts with one masked addition.
    let one = black_box(1u32);
    let (mut inexact, mut overflow, mut largest, mut nearest) = (0u32, 0u32, 0u32, u32::MAX);
    for (x, quotient) in source.iter().zip(quotients) {
        let code = divide(*x, *quotient).code();
        let magnitude = code.magnitude();
        largest = largest.max_signed(magnitude);
        if let Some(below) = below {
            let distance = u32::select(magnitude == 0, below, code.plus(3) & below);
            nearest = nearest.min(distance);
        }
        let is_clipped = magnitude > clip.largest;
        inexact = inexact.plus(u32::select(is_clipped, one, 0));
        overflow = overflow.plus(u32::select(magnitude >= clip.overflow, one, 0));
        let code = u32::select(is_clipped, clip.largest | code.sign(), code);
        *quotient = f32::from_code(code);
    }
    let (inexact, overflow) = (inexact.into(), overflow.into());
    let are_held = largest < u32::INFINITY && nearest > 6;
    are_held.then_some(Counts { inexact, overflow, ..Counts::default() })
}

/// Rounds to the nearest multiple of 256 ulps, and then to odd in binary32.
#[inline(always)]
fn to_narrow_odd(x: f64) -> f32 {
    const BELOW: u64 = (1 << (f64::MANTISSA_DIGITS - f32::MANTISSA_DIGITS)) - 1;
    let code = x.to_bits().wrapping_add(0x80);
    let sticky = (code & BELOW & !0xff) + BELOW;
    narrowed(f64::from_bits((code | sticky) & !BELOW))
}

/// Divides in binary64, rounding to odd.
#[inline(always)]
fn by_division<R: Real>(source: &[R], part: Part<'_>, quotients: &mut [f64]) -> bool {
    const LEAST: u64 = code_of_power(-800);
    const LARGEST: u64 = code_of_power(800);
    part.spread(part.values.iter().map(|scale| divisor(*scale)), quotients);
    let mut are_held = true;
    for (x, quotient) in source.iter().zip(quotients) {
        let x: f64 = (*x).into();
        let magnitude = x.code().magnitude();
        let stays = magnitude.minus(1) >= u64::INFINITY - 1;
        are_held &= stays | (magnitude.minus(LEAST) < LARGEST - LEAST);
        *quotient = f64::from_code(u64::select(stays, x.code(), to_odd(x, *quotient).code()));
    }
    are_held
}

/// Multiplies `room.numbers` by their scales, rounding once; returns whether lanes can
/// do it.
#[inline(always)]
pub(in super::super) fn multiply<R: Real>(
    plan: &Plan,
    part: Part<'_>,
    room: &mut Room,
    products: &mut [R],
) -> bool {
    let Some(exact) = plan.limits.exact else {
        return false;
    };
    // The only rounding of a product that is exact in binary64 is the one to `R`.
    let is_exact = || Divisors::of(part.values).is_some_and(|divisors| divisors.digits <= exact);
    if R::PRECISION < f64::MANTISSA_DIGITS && !is_exact() {
        return false;
    }
    let scales = &mut room.wide[..products.len()];
    part.spread(part.values.iter().copied(), scales);
    for ((product, number), scale) in products.iter_mut().zip(&room.numbers).zip(scales) {
        let number = f64::from(*number);
        let exact = number * *scale;
        let keeps_nan = number.is_nan() & !scale.is_nan();
        let nan = if keeps_nan { R::from_f64(number) } else { R::NAN };
        *product = if exact.is_nan() { nan } else { R::from_f64(exact) };
    }
    true
}
