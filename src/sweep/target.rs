//! A target: numbers become the numbers its codes stand for, and statistics of the difference.

use super::numbers::Numbers;
use crate::{
    block::spec::Spec,
    codec::{Projection, decode},
    container::Storage,
    format::{F32, Format},
    kernel::{self, Codes, CodesRef, Counts, Dither, Grid, Plan},
    stats::{MAX_WIDTH, Pass, Statistics},
};

/// Elements that are rounded and measured while they are in the cache.
const BLOCK: usize = 4096;

/// A format and how to round to it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// As it was asked for.
    pub(super) spec: Spec,
    /// The rounding and the policies.
    pub(super) projection: Projection,
    plan: Plan,
    grid: Grid,
    /// Whether every number of the format is a binary32 number.
    is_narrow: bool,
}

/// The memory of one worker.
#[derive(Debug, Default)]
pub(super) struct Work {
    pass: Pass,
    bytes: Vec<u8>,
    halves: Vec<u16>,
    words: Vec<u32>,
    doubles: Vec<u64>,
    narrow: Vec<f32>,
    wide: Vec<f64>,
}

/// A place in a source: an index for the random bits, and one in the whole input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The random bits of the first element and those after it.
    pub(super) dither: Dither,
    /// The index of the first element in all tensors together.
    pub(super) index: u64,
}

/// Whether every number of `inner` is one of `outer`.
pub(super) fn fits(inner: &Format, outer: &Format) -> bool {
    inner.precision() <= outer.precision()
        && inner.emax() <= outer.emax()
        && inner.least_quantum_exponent() >= outer.least_quantum_exponent()
}

impl Target {
    /// Returns the target of a specification; its own rounding wins over the projection's.
    pub(super) fn new(spec: &Spec, projection: &Projection) -> Self {
        let projection = spec.projection(projection);
        Self {
            spec: spec.clone(),
            projection,
            plan: Plan::new(&spec.format, &projection),
            grid: Grid::new(spec.format.emin(), spec.format.trailing_width()),
            is_narrow: fits(&spec.format, &F32),
        }
    }

    /// Returns the canonical name without a rounding.
    pub(super) fn name(&self) -> String {
        Spec { rounding: None, ..self.spec.clone() }.to_string()
    }

    /// Returns statistics of no element.
    pub(super) fn statistics(&self) -> Statistics {
        Statistics::new(self.spec.format.width())
    }

    /// Returns the bytes that store so many elements.
    pub(super) fn bytes(&self, elements: u64) -> u64 {
        Storage::new(&self.spec.format).bytes(elements).unwrap_or(u64::MAX)
    }

    /// Rounds the numbers of a chunk and adds the errors to the statistics.
    pub(super) fn measure(
        &self,
        numbers: Numbers,
        place: Place,
        work: &mut Work,
        statistics: &mut Statistics,
    ) {
        for start in (0..numbers.len()).step_by(BLOCK) {
            let block = numbers.slice(start..numbers.len().min(start + BLOCK));
            let Place { dither, index } = place;
            let dither = Dither { first: dither.first + start as u64, ..dither };
            self.measure_block(block, dither, index + start as u64, work, statistics);
        }
        work.pass.end(statistics);
    }

    fn measure_block(
        &self,
        x: Numbers,
        dither: Dither,
        index: u64,
        work: &mut Work,
        statistics: &mut Statistics,
    ) {
        let Work { pass, bytes, halves, words, doubles, narrow, wide } = work;
        let counts = match self.plan.width() {
            0..=8 => self.round(x, dither, bytes, narrow, wide),
            9..=16 => self.round(x, dither, halves, narrow, wide),
            17..=32 => self.round(x, dither, words, narrow, wide),
            _ => self.round(x, dither, doubles, narrow, wide),
        };
        match (self.plan.width(), counts.refused) {
            (0..=8, 0) => pass.mark(bytes.iter().map(|code| u16::from(*code))),
            (9..=MAX_WIDTH, 0) => pass.mark(halves.iter().copied()),
            // What was refused has no code.
            (0..=8, _) => pass.mark(kept(x, bytes).map(u16::from)),
            (9..=MAX_WIDTH, _) => pass.mark(kept(x, halves)),
            _ => {}
        }
        statistics.counts += counts;
        let (narrow, wide) = (&narrow[..], &wide[..]);
        match (x, self.is_narrow) {
            (Numbers::Narrow(x), true) => pass.block(statistics, self.grid, index, (x, narrow)),
            (Numbers::Narrow(x), false) => pass.block(statistics, self.grid, index, (x, wide)),
            (Numbers::Wide(x), true) => pass.block(statistics, self.grid, index, (x, narrow)),
            (Numbers::Wide(x), false) => pass.block(statistics, self.grid, index, (x, wide)),
        }
    }

    /// Writes the codes of numbers and the numbers that the codes stand for.
    fn round<W>(
        &self,
        x: Numbers,
        dither: Dither,
        codes: &mut Vec<W>,
        narrow: &mut Vec<f32>,
        wide: &mut Vec<f64>,
    ) -> Counts
    where
        W: Copy + Default + Into<u64>,
        for<'a> Codes<'a>: From<&'a mut [W]>,
        for<'a> CodesRef<'a>: From<&'a [W]>,
    {
        codes.resize(x.len(), W::default());
        let counts = match x {
            Numbers::Narrow(x) => {
                kernel::encode_f32(&self.plan, x, codes.as_mut_slice().into(), dither)
            }
            Numbers::Wide(x) => {
                kernel::encode_f64(&self.plan, x, codes.as_mut_slice().into(), dither)
            }
        };
        if self.is_narrow {
            narrow.resize(x.len(), 0.0);
            kernel::decode_f32(&self.plan, codes.as_slice().into(), narrow);
        } else {
            let number = |code: &W| {
                let code: u64 = (*code).into();
                decode(&self.spec.format, code.into()).to_f64()
            };
            wide.clear();
            wide.extend(codes.iter().map(number));
        }
        counts
    }
}

/// The codes of numbers that are not NaN.
fn kept<'a, W: Copy>(x: Numbers<'a>, codes: &'a [W]) -> impl Iterator<Item = W> + 'a {
    x.iter().zip(codes).filter(|(x, _)| !x.is_nan()).map(|(_, code)| *code)
}
