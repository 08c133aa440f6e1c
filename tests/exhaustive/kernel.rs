//! The kernels against the codec, which the other rooms compare with the oracle: binary32 numbers into
//! five narrow formats, in every mode, on every instruction set of this machine. By default every 509th
//! piece of the 2^32; with the feature `exhaustive` all of them.

use fpx::codec::{
    Overflow, Projection, RDN, RNA, RNE, ROUNDING_MODES, RTO, RTZ, RUP, RoundingMode, SR, Unpacked,
    decode, project,
};
use fpx::format::{F32, Format, parse};
use fpx::kernel::{Codes, Counts, Dither, InstructionSet, Plan, encode_f32, quantize};
use fpx::random::Stream;
use rayon::prelude::*;

use crate::binary32::TARGETS;
use crate::{describe, stride};

/// Numbers of a piece: some blocks of the kernels.
const PIECE: u32 = 1 << 14;

/// One rounding, and the binary32 code of every number of its format.
struct Rounding {
    format: Format,
    projection: Projection,
    plans: Vec<Plan>,
    numbers: Vec<u32>,
}

/// The codes of a piece, as the kernel of a plan gives them.
fn encoded(plan: &Plan, source: &[f32], dither: Dither) -> (Vec<u16>, Counts) {
    let (mut bytes, mut words) = (vec![0u8; source.len()], vec![0u16; source.len()]);
    if plan.width() > 8 {
        let counts = encode_f32(plan, source, Codes::U16(&mut words), dither);
        return (words, counts);
    }
    let counts = encode_f32(plan, source, Codes::U8(&mut bytes), dither);
    (bytes.into_iter().map(u16::from).collect(), counts)
}

impl Rounding {
    fn new(name: &str, projection: Projection) -> Self {
        let format = parse(name).unwrap().format;
        let plan = Plan::new(&format, &projection);
        let nearest = |code| project(&F32, &Projection::default(), &decode(&format, code)).code;
        let numbers = (0..=format.code_mask()).map(|code| u32::try_from(nearest(code)).unwrap());
        Self {
            plans: InstructionSet::found().map(|set| plan.on(set).unwrap()).collect(),
            numbers: numbers.collect(),
            format,
            projection,
        }
    }

    fn check(&self, piece: u32) {
        let Self { format, projection, .. } = self;
        let first = u64::from(piece) * u64::from(PIECE);
        let dither = Dither { stream: Stream::new(1, 2), first };
        let source: Vec<f32> = (piece * PIECE..).take(PIECE as usize).map(f32::from_bits).collect();
        let (mut codes, mut counts) = (Vec::new(), Counts::default());
        // Neighbours mostly become the same, and then count the same.
        let (mut last, mut seen) = (None, Counts::default());
        for (&x, index) in source.iter().zip(first..) {
            let (x, random) = (Unpacked::from_f32(x), dither.stream.bits(index));
            let projected = project(format, &projection.with_random(random), &x);
            if last.replace((x.kind, projected)) != Some((x.kind, projected)) {
                seen = Counts::of(format, &x, projected);
            }
            counts += seen;
            codes.push(u16::try_from(projected.code).unwrap());
        }
        let numbers: Vec<u32> = codes.iter().map(|&code| self.numbers[usize::from(code)]).collect();
        for plan in &self.plans {
            let how = || format!("{format} {} {piece:x} {plan:?}", describe(projection));
            assert!(encoded(plan, &source, dither) == (codes.clone(), counts), "{}", how());
            assert!(encoded(&plan.without_counts(), &source, dither).0 == codes, "{}", how());
            let mut rounded = vec![0.0; source.len()];
            assert_eq!(quantize(plan, &source, &mut rounded, dither), counts, "{}", how());
            assert!(rounded.iter().map(|x| x.to_bits()).eq(numbers.iter().copied()), "{}", how());
        }
    }
}

fn kernels_equal_the_codec(mode: &'static RoundingMode) {
    let place = ROUNDING_MODES.iter().position(|other| other.name == mode.name).unwrap();
    let overflow = Overflow::ALL[place % 3];
    for name in TARGETS {
        let projection = Projection { overflow, ..Projection::with_mode(mode) };
        let rounding = Rounding::new(name, projection);
        let pieces = (0..u32::MAX / PIECE + 1).into_par_iter();
        pieces.step_by(stride(509)).for_each(|piece| rounding.check(piece));
    }
}

macro_rules! kernels {
    ($($test:ident $mode:ident;)*) => {
        $(#[test]
        fn $test() {
            kernels_equal_the_codec(&$mode);
        })*

        #[test]
        fn every_mode_has_its_test() {
            let tested = [$($mode.name),*];
            assert!(ROUNDING_MODES.iter().all(|mode| tested.contains(&mode.name)));
        }
    };
}

kernels! {
    kernels_to_nearest_even_equal_the_codec RNE;
    kernels_to_nearest_away_equal_the_codec RNA;
    kernels_toward_zero_equal_the_codec RTZ;
    kernels_upward_equal_the_codec RUP;
    kernels_downward_equal_the_codec RDN;
    kernels_to_odd_equal_the_codec RTO;
    stochastic_kernels_equal_the_codec SR;
}
