//! A number that a format has becomes its code, and a code its number. Nothing is rounded.

use super::Real;
use super::codes::Word;
use super::lane::{Float, Lane};
use super::round::Low;
use super::slice::BLOCK;
use crate::codec::{Projection, QUIET_BIT, Unpacked, decode, project};
use crate::format::{Format, Underflow};

/// Where one format's codes lie among the codes `W` of a wider one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coder<W> {
    /// The trailing bits that the wider format has more.
    pub shift: u32,
    /// What is subtracted from the shifted magnitude of a normal number.
    offset: W,
    /// The least magnitude, and its code, that the subtraction is right for.
    normal: [W; 2],
    /// A power of two whose quantum is the format's least one.
    anchor: W,
    /// How far the sign moves down.
    sign_shift: u32,
    /// The code's sign bit, 0 if there is none.
    sign: W,
    /// The code's other bits.
    magnitude: W,
    /// The code of the largest finite number.
    largest: W,
    /// The code of infinity, if there is one.
    infinity: Option<W>,
    /// The bits of a NaN's code that follow the number's, and those that are set.
    nan: [W; 2],
    /// What the code of a sign alone stands for: −0, zero or NaN.
    negative_zero: W,
    /// The bits that tell the code of a sign alone, and what they are in it, if that is not −0.
    sign_alone: [W; 2],
    /// Whether a finite code is the first bits of the wider one.
    pub is_in_place: bool,
}

impl<W: Lane> Coder<W> {
    /// Returns where the codes of a format lie.
    pub(super) fn new(format: &Format, low: Low) -> Self {
        let project = |x: &Unpacked| W::from_code(project(format, &Projection::default(), x).code);
        let sign = W::from_code(format.sign_mask());
        let quiet = project(&Unpacked::nan(false, QUIET_BIT));
        let emin = Unpacked::scaled(false, 1, format.emin());
        let spread = W::TRAILING - format.trailing_width();
        let is_gradual = format.facts().underflow == Underflow::Gradual;
        let least = W::nearest(&decode(format, format.least_positive()));
        let normal = match low {
            Low::Aligned => [W::ZERO; 2],
            Low::Inside if is_gradual => [W::nearest(&emin), project(&emin)],
            Low::Inside => [least, W::from_code(format.least_positive())],
        };
        let field = format.emin() - W::format().emin() + 1 - format.least_biased();
        let anchor = if is_gradual { format.emin() + spread.cast_signed() } else { 0 };
        let offset = W::from_signed(field) << format.trailing_width();
        let sign_shift = W::BITS - format.width();
        let has_negative_zero = format.has_negative_zero();
        Self {
            shift: spread,
            offset,
            normal,
            anchor: W::nearest(&Unpacked::scaled(false, 1, anchor)),
            sign_shift,
            sign,
            magnitude: W::from_code(format.code_mask()) ^ sign,
            largest: W::from_code(format.largest_finite()),
            infinity: format.has_infinity().then(|| project(&Unpacked::infinity(false))),
            nan: [project(&Unpacked::nan(false, u128::MAX)) & !quiet, quiet],
            negative_zero: W::nearest(&decode(format, format.sign_mask())),
            sign_alone: if format.is_signed() && !has_negative_zero {
                [W::from_code(format.code_mask()), sign]
            } else {
                [W::ZERO, W::ONE]
            },
            is_in_place: low == Low::Aligned
                && sign_shift == spread
                && offset == W::ZERO
                && has_negative_zero,
        }
    }

    /// Writes the codes of numbers that the format has; without `SPECIAL`, of finite ones.
    #[inline(always)]
    pub(super) fn encode<const SPECIAL: bool, C: Word>(
        &self,
        numbers: &[W::Float],
        codes: &mut [C],
    ) {
        for (number, code) in numbers.iter().zip(codes) {
            *code = C::from_code(self.encode_one::<SPECIAL>(number.code()).widened());
        }
    }

    #[inline(always)]
    fn encode_one<const SPECIAL: bool>(&self, number: W) -> W {
        let magnitude = number.magnitude();
        let normal = (magnitude >> self.shift).minus(self.offset);
        // The sum's quantum is the format's least one, so its last bits count the multiples of it.
        let sum = W::Float::from_code(magnitude) + W::Float::from_code(self.anchor);
        let subnormal = sum.code().minus(self.anchor);
        let mut code = W::select(magnitude >= self.normal[0], normal, subnormal);
        if SPECIAL {
            let nan = magnitude >> self.shift & self.nan[0] | self.nan[1];
            code = W::select(magnitude > W::INFINITY, nan, code);
            let infinity = self.infinity.unwrap_or(code);
            code = W::select(magnitude == W::INFINITY, infinity, code);
        }
        code | number >> self.sign_shift & self.sign
    }

    /// Writes the numbers of codes, each turned into what is asked for.
    #[inline(always)]
    pub(super) fn decode<C: Word>(
        &self,
        codes: &[C],
        numbers: &mut [f32],
        narrowed: fn(W::Float) -> f32,
    ) {
        for (codes, numbers) in codes.chunks(BLOCK).zip(numbers.chunks_mut(BLOCK)) {
            match (self.are_special(codes), self.is_in_place) {
                (true, _) => self.decode_block::<true, false, _>(codes, numbers, narrowed),
                (false, true) => self.decode_block::<false, true, _>(codes, numbers, narrowed),
                (false, false) => self.decode_block::<false, false, _>(codes, numbers, narrowed),
            }
        }
    }

    /// Whether some codes of a block are those of infinities, NaNs or a lone sign. In a tensor they
    /// are few.
    #[inline(always)]
    fn are_special<C: Word>(&self, codes: &[C]) -> bool {
        // What follows the largest finite code: infinity, NaNs.
        let largest = C::from_code(self.largest.widened());
        let magnitude = C::from_code(self.magnitude.widened());
        let zero = C::from_code(0);
        let [kept, alone] = self.sign_alone.map(|word| C::from_code(word.widened()));
        let top = codes.iter().fold(zero, |top, &code| top.max(code & magnitude));
        let is_alone = |code: &C| u16::from(*code & kept == alone);
        top > largest || (kept != zero && codes.iter().map(is_alone).sum::<u16>() > 0)
    }

    /// Writes the numbers of the codes of a block, each times a factor; returns whether the block has
    /// no special code, and what is written is undefined if it has.
    #[inline(always)]
    pub(super) fn decode_times<C: Word, R: Real>(
        &self,
        codes: &[C],
        factors: &[W::Float],
        products: &mut [R],
    ) -> bool
    where
        f64: From<W::Float>,
    {
        if self.are_special(codes) {
            return false;
        }
        let coder = *self;
        for ((code, factor), product) in codes.iter().zip(factors).zip(products) {
            let code = W::from_u64(code.code());
            let number = W::Float::from_code(coder.decode_one::<false, false>(code));
            *product = R::from_f64((number * *factor).into());
        }
        true
    }

    #[inline(always)]
    fn decode_block<const SPECIAL: bool, const IN_PLACE: bool, C: Word>(
        &self,
        codes: &[C],
        numbers: &mut [f32],
        narrowed: fn(W::Float) -> f32,
    ) {
        let coder = *self;
        for (code, number) in codes.iter().zip(numbers) {
            let code = W::from_u64(code.code());
            *number = narrowed(W::Float::from_code(coder.decode_one::<SPECIAL, IN_PLACE>(code)));
        }
    }

    #[inline(always)]
    fn decode_one<const SPECIAL: bool, const IN_PLACE: bool>(&self, code: W) -> W {
        if IN_PLACE && !SPECIAL {
            return code << self.shift;
        }
        let magnitude = code & self.magnitude;
        let sign = code & self.sign;
        let normal = magnitude.plus(self.offset) << self.shift;
        let sum = W::Float::from_code(magnitude.plus(self.anchor));
        let subnormal = (sum - W::Float::from_code(self.anchor)).code();
        let mut number = W::select(magnitude >= self.normal[1], normal, subnormal);
        if SPECIAL {
            let payload = (magnitude & self.nan[0]) << self.shift;
            let nan = W::INFINITY | W::HIDDEN >> 1 | payload;
            let is_infinite = self.infinity.is_some_and(|infinity| magnitude == infinity);
            let special = W::select(is_infinite, W::INFINITY, nan);
            number = W::select(magnitude > self.largest, special, number);
        }
        number = number | sign << self.sign_shift;
        if SPECIAL {
            let is_sign_alone = magnitude == W::ZERO && sign != W::ZERO;
            number = W::select(is_sign_alone, self.negative_zero, number);
        }
        number
    }
}
