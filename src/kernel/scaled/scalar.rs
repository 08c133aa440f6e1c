//! Numbers over scales, and products with them, one element at a time through the codec: what the
//! lanes must equal, and what runs where they do not reach.

use super::super::{Counts, Dither, Real, codes::Word, scalar::Target};
use super::part::Part;
use crate::codec::{Kind, Unpacked, decode, project_over};

impl Target {
    /// Projects each number over its scale.
    pub(super) fn encode_scaled<R: Real, W: Word>(
        &self,
        source: &[R],
        part: Part<'_>,
        codes: &mut [W],
        dither: Dither,
    ) -> Counts {
        let mut counts = Counts::default();
        for (i, (x, code)) in source.iter().zip(codes).enumerate() {
            let random = dither.bits(dither.first + i as u64);
            *code = W::from_code(self.divide(
                (*x).into(),
                &Unpacked::from_f64(part.at(i)),
                random,
                &mut counts,
            ));
        }
        counts
    }

    /// Multiplies the number of each code by its scale.
    pub(super) fn decode_scaled<R: Real, W: Word>(
        &self,
        codes: &[W],
        part: Part<'_>,
        numbers: &mut [R],
    ) {
        for (i, (code, x)) in codes.iter().zip(numbers).enumerate() {
            *x = self.multiply(code.code(), &Unpacked::from_f64(part.at(i)));
        }
    }

    /// Rounds each number to a multiple of its scale.
    pub(super) fn quantize_scaled<R: Real>(
        &self,
        source: &[R],
        part: Part<'_>,
        rounded: &mut [R],
        dither: Dither,
    ) -> Counts {
        let mut codes = vec![0u64; source.len()];
        let counts = self.encode_scaled(source, part, &mut codes, dither);
        self.decode_scaled(&codes, part, rounded);
        counts
    }

    /// Projects a number over its scale.
    #[expect(clippy::cast_possible_truncation, reason = "the format has at most 64 bits")]
    fn divide(&self, x: f64, scale: &Unpacked, random: u32, counts: &mut Counts) -> u64 {
        let x = Unpacked::from_f64(x);
        let projection = self.projection.with_random(random);
        let projected = project_over(&self.format, &projection, &x, scale);
        let mut seen = Counts::of(&self.format, &x, projected);
        if scale.kind == Kind::Nan {
            let finite = u64::from(x.is_finite());
            (seen.inexact, seen.lost) = (finite, finite);
            (seen.flushed, seen.subnormal) = (0, 0);
        }
        *counts += seen;
        projected.code as u64
    }

    /// Multiplies what a code stands for by its scale.
    fn multiply<R: Real>(&self, code: u64, scale: &Unpacked) -> R {
        match scale.kind {
            Kind::Nan => R::NAN,
            Kind::Zero | Kind::Finite | Kind::Infinity => {
                R::nearest(&decode(&self.format, code.into()).times(scale))
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "numbers near those meant will do as inputs")]
mod tests {
    use super::super::{
        room::{Form, Room},
        *,
    };
    use super::*;
    use crate::{
        codec::{NanTo, Overflow, Projection, ROUNDING_MODES, Rounding, Subnormals},
        format::{self, Format},
        kernel::InstructionSet,
        random::Stream,
    };

    /// Random bits, the same in every run.
    struct Random(u64);

    impl Random {
        fn bits(&mut self) -> u32 {
            self.0 += 1;
            Stream::new(11, 0).bits(self.0)
        }

        fn below(&mut self, n: u32) -> u32 {
            self.bits() % n
        }

        fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
            choices[self.bits() as usize % choices.len()]
        }

        /// A positive number in the binades around an exponent, of few or many digits.
        fn number(&mut self, exponent: i32, spread: u32, digits: u32) -> f64 {
            let exponent =
                exponent + self.below(2 * spread + 1).cast_signed() - spread.cast_signed();
            let random = u64::from(self.bits()) << 32 | u64::from(self.bits());
            let significand = random >> 11 >> (53 - digits) << (53 - digits);
            f64::from_bits(1023 << 52 | significand & ((1 << 52) - 1)) * f64::from(exponent).exp2()
        }
    }

    /// Kinds of scales; the last ones are those of the formats and of damaged files.
    const SCALES: [&str; 6] = ["powers", "binary32", "products", "wide", "zero and NaN", "any"];

    fn scale(random: &mut Random, kind: &str) -> f64 {
        match kind {
            "powers" => {
                let spread = random.one_of(&[3, 130]);
                random.number(0, spread, 1)
            }
            "binary32" => random.number(0, 3, 24),
            "products" => random.number(-20, 30, 28),
            "wide" => {
                let digits = random.one_of(&[34, 53]);
                random.number(0, 3, digits)
            }
            "zero and NaN" => random.one_of(&[0.0, f64::NAN, 2.0, 0.75, 1.0]),
            _ => random.one_of(&[-2.0, f64::INFINITY, -0.0, 1e300, 5e-324, 3.0]),
        }
    }

    /// What dividends are like, from what the fastest lanes hold to what they leave to others.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Dividends {
        /// Quotients of all digits.
        Long,
        /// Also a few elements and midpoints times the scale, and their neighbours.
        Few,
        /// Also many elements and midpoints times the scale, and their neighbours.
        Edges,
        /// Also quotients of any size, subnormal numbers, infinities and NaNs.
        Any,
    }

    fn dividend(random: &mut Random, scale: f64, kind: Dividends) -> f64 {
        let short = match kind {
            Dividends::Long => 0,
            Dividends::Few => 2,
            Dividends::Edges | Dividends::Any => 75,
        };
        let quotient = match random.below(4) {
            0 if kind == Dividends::Any => random.number(0, 300, 24),
            _ if random.below(100) < short => {
                let digits = random.one_of(&[1, 2, 3, 5]);
                random.number(0, 6, digits)
            }
            _ => random.number(0, 12, 24),
        };
        let x = match random.below(40) {
            0 => 0.0,
            1 if kind == Dividends::Any => f64::INFINITY,
            2 if kind == Dividends::Any => f64::NAN,
            3 if kind == Dividends::Any => f64::from(f32::from_bits(random.below(1 << 23))),
            _ if scale.is_finite() && scale != 0.0 => quotient * scale.abs(),
            _ => quotient,
        };
        let step = random.below(3);
        let nudged = match random.below(3) {
            _ if x == 0.0 || !x.is_finite() => x,
            0 => f64::from_bits(x.to_bits() + u64::from(step) - 1),
            1 => f64::from(f32::from_bits((x as f32).to_bits().saturating_add(step).max(1) - 1)),
            _ => x,
        };
        if random.below(2) == 0 { nudged } else { -nudged }
    }

    /// Compares the three jobs with the codec in every instruction set.
    fn check<R: Real>(plan: &Plan, source: &[R], scales: Scales<'_>, what: &str) {
        let dither = Dither { stream: Stream::new(5, 6), first: (1 << 32) - 2500 };
        let whole = Part::of(scales, &(0..source.len()));
        let (mut expected, mut numbers) = (vec![0u64; source.len()], vec![R::NAN; source.len()]);
        let counts = plan.target().encode_scaled(source, whole, &mut expected, dither);
        plan.target().decode_scaled(&expected, whole, &mut numbers);
        let bits = |numbers: &[R]| -> Vec<u64> {
            numbers
                .iter()
                .map(|&x| {
                    let x: f64 = x.into();
                    x.to_bits()
                })
                .collect()
        };
        for set in InstructionSet::found() {
            let plan = plan.on(set).unwrap();
            let mut codes = vec![0u32; source.len()];
            let seen = encode_scaled(&plan, source, scales, (&mut codes[..]).into(), dither);
            for (i, (code, expected)) in codes.iter().zip(&expected).enumerate() {
                let (x, scale): (f64, f64) = (source[i].into(), scales.values[i / scales.size]);
                assert_eq!(
                    u64::from(*code),
                    *expected,
                    "{what} {set:?}: {x:e} over {scale:e} at {i}"
                );
            }
            assert_eq!(seen, counts, "{what} {set:?}");
            if plan.width() <= 8 {
                let mut short = vec![0u8; source.len()];
                let seen = encode_scaled(&plan, source, scales, (&mut short[..]).into(), dither);
                assert!(short.iter().map(|&code| u64::from(code)).eq(expected.iter().copied()));
                assert_eq!(seen, counts, "{what} {set:?} in bytes");
                let uncounted = plan.without_counts();
                encode_scaled(&uncounted, source, scales, (&mut short[..]).into(), dither);
                assert!(short.iter().map(|&code| u64::from(code)).eq(expected.iter().copied()));
            }
            let mut back = vec![R::NAN; source.len()];
            decode_scaled(&plan, (&codes[..]).into(), scales, &mut back);
            assert_eq!(bits(&back), bits(&numbers), "{what} {set:?}");
            let mut rounded = vec![R::NAN; source.len()];
            let seen = quantize_scaled(&plan, source, scales, &mut rounded, dither);
            assert_eq!((bits(&rounded), seen), (bits(&numbers), counts), "{what} {set:?}");
        }
    }

    fn check_all(
        format: &Format,
        projection: &Projection,
        random: &mut Random,
        size: usize,
        n: usize,
    ) {
        let plan = Plan::new(format, projection);
        for kind in SCALES {
            let scales: Vec<f64> = (0..n.div_ceil(size)).map(|_| scale(random, kind)).collect();
            for dividends in [Dividends::Long, Dividends::Few, Dividends::Edges, Dividends::Any] {
                let wide: Vec<f64> =
                    (0..n).map(|i| dividend(random, scales[i / size], dividends)).collect();
                let narrow: Vec<f32> = wide.iter().map(|&x| x as f32).collect();
                let widened: Vec<f64> = narrow.iter().map(|&x| x.into()).collect();
                let scales = Scales { values: &scales, size };
                let rounding = projection.rounding;
                let what = format!("{format}/{rounding} by {size}, {kind}, {dividends:?}");
                check(&plan, &narrow, scales, &what);
                check(&plan, &widened, scales, &what);
                check(&plan, &wide, scales, &what);
            }
        }
    }

    fn named(name: &str) -> Format {
        format::parse(name).unwrap().format
    }

    /// What the other tests are about: that ordinary work is done in binary32 lanes.
    #[test]
    fn ordinary_blocks_are_divided_in_binary32() {
        let source: Vec<f32> = (0..96u8).map(|i| f32::from(i) * 0.37 - 17.3).collect();
        for (name, scale, size, expected) in [
            ("e4m3fn", 0.25, 32, Some(Form::Narrow)),
            ("e2m1fn", 0.3f32.into(), 16, Some(Form::Narrow)),
            ("f16", 0.3f32.into(), 96, Some(Form::Narrow)),
            ("e8m15", 0.3f32.into(), 96, Some(Form::Wide)),
            ("e4m3fn", -0.25, 32, None),
        ] {
            let plan = Plan::new(&named(name), &Projection::default());
            let values = vec![scale; source.len() / size];
            let part = Part::of(Scales { values: &values, size }, &(0..source.len()));
            let divided = Room::with(|room| doors::divide(&plan, &source[..], part, room));
            assert_eq!(divided.map(|(form, _)| form), expected, "{name} over {scale}");
        }
    }

    #[test]
    fn every_mode_under_every_kind_of_scale_is_the_codecs() {
        let mut random = Random(0);
        let stochastic = [1, 9].map(Rounding::stochastic);
        let roundings = ROUNDING_MODES.iter().map(|mode| Rounding::new(mode)).chain(stochastic);
        for rounding in roundings {
            for (i, name) in ["e4m3fn", "e5m2", "e2m1fn", "e3m0", "bf16"].into_iter().enumerate() {
                let size = random.one_of(&[16, 32, 1, 48, 5, 100, 3000]);
                let overflow = Overflow::ALL[i % Overflow::ALL.len()];
                let projection = Projection { rounding, overflow, ..Projection::default() };
                check_all(&named(name), &projection, &mut random, size, 300);
            }
        }
    }

    #[test]
    fn every_policy_and_kind_of_format_is_the_codecs() {
        let mut random = Random(1 << 40);
        for name in [
            "e1m6:finite:nonegzero:bias=1",
            "f16",
            "e8m0",
            "ue4m3",
            "e4m3fnuz",
            "tf32",
            "f32",
            "e8m15",
            "e11m4",
        ] {
            for subnormals in Subnormals::ALL {
                for nan_to in NanTo::ALL {
                    let projection = Projection {
                        subnormals: *subnormals,
                        nan_to: *nan_to,
                        ..Projection::default()
                    };
                    check_all(&named(name), &projection, &mut random, 16, 300);
                }
            }
        }
    }

    #[test]
    fn every_block_size_and_length_is_the_codecs() {
        let mut random = Random(1 << 41);
        for size in 1..=64 {
            for n in [1, size - 1, size + 1, 3 * size - 1] {
                check_all(&named("e2m1fn"), &Projection::default(), &mut random, size, n);
            }
        }
    }

    #[test]
    fn chunks_follow_one_another() {
        let mut random = Random(1 << 43);
        for size in [1, 16, 20, 32, 5000] {
            let n = 2 * CHUNK + 300;
            check_all(&named("e2m1fn"), &Projection::default(), &mut random, size, n);
            let stochastic = Projection::with_mode(&crate::codec::SR);
            check_all(&named("e2m1fn"), &stochastic, &mut random, size, CHUNK + 77);
        }
    }

    #[test]
    fn largest_magnitudes_are_those_of_a_plain_loop() {
        let mut random = Random(1 << 42);
        for size in (1..70).chain([128, 4096]) {
            let wide: Vec<f64> = (0..size * 3 + size / 2)
                .map(|_| dividend(&mut random, 1.0, Dividends::Any))
                .collect();
            let narrow: Vec<f32> = wide.iter().map(|&x| x as f32).collect();
            let expected = |wide: &[f64], finite: bool| -> Vec<u64> {
                let magnitudes = |run: &[f64]| -> Vec<f64> {
                    run.iter().map(|x| x.abs()).filter(|x| !finite || x.is_finite()).collect()
                };
                wide.chunks(size)
                    .map(|run| {
                        let all = magnitudes(run);
                        let largest = all.iter().copied().fold(0.5, f64::max);
                        if all.iter().any(|x| x.is_nan()) { f64::NAN } else { largest }.to_bits()
                    })
                    .collect()
            };
            let bits = |largest: &[f64]| -> Vec<u64> {
                let canonical = |x: f64| if x.is_nan() { f64::NAN } else { x };
                largest.iter().map(|&x| canonical(x).to_bits()).collect()
            };
            let exact: Vec<f64> = narrow.iter().map(|&x| x.into()).collect();
            for finite in [false, true] {
                let mut largest = vec![0.5; wide.len().div_ceil(size)];
                raise(&wide, size, &mut largest, finite);
                assert_eq!(bits(&largest), expected(&wide, finite), "{size}");
                let mut largest = vec![0.5; wide.len().div_ceil(size)];
                raise(&narrow, size, &mut largest, finite);
                assert_eq!(bits(&largest), expected(&exact, finite), "{size}");
            }
        }
    }

    fn raise<R: Real>(source: &[R], size: usize, largest: &mut [f64], finite: bool) {
        if finite {
            largest_finite_magnitudes(source, size, largest);
        } else {
            largest_magnitudes(source, size, largest);
        }
    }
}
