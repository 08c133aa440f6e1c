//! Two matrices become their product, each element summed in the order of the inner index.
//!
//! The order is fixed, so that the same numbers give the same bits on every machine: element (i, j)
//! is `((a[i][0]·b[0][j] + a[i][1]·b[1][j]) + …`, every product and every sum rounded to binary32, and
//! to the accumulator's format where there is one. Vector registers run along j, never along the sum.
//!
//! ```
//! use fpx::kernel::{Gemm, View};
//! let (a, b) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
//! let (a, b) = (View::new(&a, 2, 2), View::new(&b, 2, 2));
//! let mut product = [0.0; 4];
//! Gemm::default().multiply(a, b, &mut product);
//! assert_eq!(product, [19.0, 22.0, 43.0, 50.0]);
//! Gemm::default().multiply(a.turned(), b, &mut product);
//! assert_eq!(product, [26.0, 30.0, 38.0, 44.0]);
//! ```

use std::marker::PhantomData;

use super::lane::{Float, Lane};
use super::mode::{Even, EvenBySum, Family, Kernel};
use super::round::Rounder;
use super::settle::Seen;
use super::slice::Lanes;
use super::{
    Dither, InstructionSet, InstructionSetError, Plan, instruction_set, quantize_in_place,
};

/// A matrix as a product reads it: as it lies in memory, or with rows and columns exchanged.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The numbers, row after row of the matrix that is not turned.
    data: &'a [f32],
    rows: usize,
    columns: usize,
    is_turned: bool,
}

impl<'a> View<'a> {
    /// Returns the matrix of these numbers, row after row.
    ///
    /// # Panics
    ///
    /// If the numbers do not fill the rows.
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(rows * columns, data.len(), "the numbers fill the rows");
        Self { data, rows, columns, is_turned: false }
    }

    /// Returns the view with rows and columns exchanged; nothing is copied.
    #[must_use]
    pub const fn turned(self) -> Self {
        Self { rows: self.columns, columns: self.rows, is_turned: !self.is_turned, data: self.data }
    }

    /// Returns the number of rows.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the number of columns.
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// Copies the columns from `left` on, `N` or as many as there are; returns how many.
    #[inline(always)]
    fn pack<const N: usize>(self, left: usize, panel: &mut [[f32; N]]) -> usize {
        let width = N.min(self.columns - left);
        if self.is_turned {
            for (j, column) in self.data.chunks_exact(self.rows).skip(left).take(N).enumerate() {
                for (row, x) in panel.iter_mut().zip(column) {
                    row[j] = *x;
                }
            }
        } else {
            for (row, source) in panel.iter_mut().zip(self.data.chunks_exact(self.columns)) {
                let source = &source[left..left + width];
                match source.try_into() {
                    Ok(source) => *row = source,
                    Err(_) => row[..width].copy_from_slice(source),
                }
            }
        }
        width
    }
}

/// A matrix product: what its running sums are rounded to, and the instruction set it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gemm {
    accumulator: Option<Accumulator>,
    /// Never one that this machine lacks: the doors rely on it.
    instruction_set: InstructionSet,
}

/// An accumulator that is narrower than binary32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Accumulator {
    /// Rounds the running sum after each multiply-add.
    plan: Plan,
    /// The terms after which the running sum is added to a binary32 one and starts again at 0.
    chunk: usize,
}

impl Default for Gemm {
    /// Returns the product whose running sums are binary32 numbers.
    fn default() -> Self {
        let instruction_set = instruction_set().unwrap_or(InstructionSet::Baseline);
        Self { accumulator: None, instruction_set }
    }
}

impl Gemm {
    /// Returns the product whose running sums are rounded after each multiply-add, and after every
    /// `chunk` of them added to a binary32 number.
    ///
    /// # Panics
    ///
    /// If a chunk is of no terms, or the rounding is stochastic.
    #[must_use]
    pub fn rounded(plan: Plan, chunk: Option<usize>) -> Self {
        let chunk = chunk.unwrap_or(usize::MAX);
        assert!(chunk > 0, "a chunk has terms");
        let rounding = plan.target().projection.rounding;
        assert!(!rounding.mode.is_stochastic(), "a running sum draws no random bits");
        let accumulator = Some(Accumulator { plan: plan.without_counts(), chunk });
        Self { accumulator, instruction_set: plan.instruction_set() }
    }

    /// Returns the same product for another instruction set; the results are the same.
    ///
    /// # Errors
    ///
    /// [`InstructionSetError::Missing`] if this machine lacks it.
    pub fn on(self, instruction_set: InstructionSet) -> Result<Self, InstructionSetError> {
        let instruction_set = instruction_set.check()?;
        let on = |Accumulator { plan, chunk }| {
            plan.on(instruction_set).map(|plan| Accumulator { plan, chunk })
        };
        Ok(Self { accumulator: self.accumulator.map(on).transpose()?, instruction_set })
    }

    /// Multiplies two matrices.
    ///
    /// # Panics
    ///
    /// If the columns of `a` are not as many as the rows of `b`, or the product has no room.
    #[cfg_attr(
        target_arch = "x86_64",
        expect(unsafe_code, reason = "calls of #[target_feature] functions, after detection")
    )]
    pub fn multiply(&self, a: View<'_>, b: View<'_>, product: &mut [f32]) {
        assert_eq!(a.columns, b.rows, "the inner sides of a product agree");
        assert_eq!(a.rows * b.columns, product.len(), "one place an element");
        product.fill(0.0);
        if product.is_empty() || a.columns == 0 {
            return;
        }
        match self.instruction_set {
            // SAFETY: a product's instruction set was found on this machine, see `Gemm::on`.
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => unsafe { avx512(self, a, b, product) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => unsafe { avx2(self, a, b, product) },
            _ => multiply::<4, 8>(self, a, b, product),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,f16c")]
fn avx512(gemm: &Gemm, a: View<'_>, b: View<'_>, product: &mut [f32]) {
    multiply::<8, 16>(gemm, a, b, product);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,f16c")]
fn avx2(gemm: &Gemm, a: View<'_>, b: View<'_>, product: &mut [f32]) {
    multiply::<4, 16>(gemm, a, b, product);
}

/// Multiplies in tiles of `ROWS` by `COLUMNS` sums, as many as the registers hold.
#[inline(always)]
fn multiply<const ROWS: usize, const COLUMNS: usize>(
    gemm: &Gemm,
    a: View<'_>,
    b: View<'_>,
    product: &mut [f32],
) {
    let Some(Accumulator { plan, chunk }) = &gemm.accumulator else {
        return tiles::<ROWS, COLUMNS>(&Plain, a, b, product);
    };
    let chunk = *chunk;
    match &plan.narrow {
        Some(lanes) if lanes.rounder.family == Family::EvenBySum => {
            let sums = InLanes::<EvenBySum> { plan, lanes, kernel: PhantomData };
            tiles::<ROWS, COLUMNS>(&Chunks { chunk, sums }, a, b, product);
        }
        Some(lanes) if EvenAligned::is_for(&lanes.rounder) => {
            let sums = InLanes::<EvenAligned> { plan, lanes, kernel: PhantomData };
            tiles::<ROWS, COLUMNS>(&Chunks { chunk, sums }, a, b, product);
        }
        Some(lanes) if lanes.rounder.family == Family::Even => {
            let sums = InLanes::<Even> { plan, lanes, kernel: PhantomData };
            tiles::<ROWS, COLUMNS>(&Chunks { chunk, sums }, a, b, product);
        }
        _ => {
            let sums = BySlices { plan };
            tiles::<ROWS, COLUMNS>(&Chunks { chunk, sums }, a, b, product);
        }
    }
}

/// Multiplies tile by tile, from copies in which the numbers lie as a tile reads them.
#[inline(always)]
fn tiles<const ROWS: usize, const COLUMNS: usize>(
    sums: &impl Sums,
    a: View<'_>,
    b: View<'_>,
    product: &mut [f32],
) {
    let mut groups = vec![[0.0; ROWS]; a.rows.div_ceil(ROWS) * a.columns];
    for (group, top) in groups.chunks_exact_mut(a.columns).zip((0..).step_by(ROWS)) {
        a.turned().pack(top, group);
    }
    let mut panel = vec![[0.0; COLUMNS]; b.rows];
    for left in (0..b.columns).step_by(COLUMNS) {
        let width = b.pack(left, &mut panel);
        let mut rows = product.chunks_exact_mut(b.columns);
        for group in groups.chunks_exact(a.columns) {
            let sums = sums.of(group, &panel);
            for (row, sums) in rows.by_ref().take(ROWS).zip(&sums) {
                row[left..left + width].copy_from_slice(&sums[..width]);
            }
        }
    }
}

/// So many rows and columns of sums.
type Tile<const R: usize, const C: usize> = [[f32; C]; R];

/// How a tile is summed: the numbers of `a` and `b` come by the inner index.
trait Sums {
    fn of<const R: usize, const C: usize>(&self, a: &[[f32; R]], b: &[[f32; C]]) -> Tile<R, C>;
}

/// In binary32.
struct Plain;

impl Sums for Plain {
    #[inline(always)]
    fn of<const R: usize, const C: usize>(&self, a: &[[f32; R]], b: &[[f32; C]]) -> Tile<R, C> {
        let mut sums = [[0.0; C]; R];
        for (a, b) in a.iter().zip(b) {
            // Columns outside: the compiler then makes each row of a few columns one register.
            for (j, b) in b.iter().enumerate() {
                for (sums, a) in sums.iter_mut().zip(a) {
                    sums[j] += a * b;
                }
            }
        }
        sums
    }
}

/// In chunks, each added to binary32 sums.
struct Chunks<S> {
    /// The terms of a chunk.
    chunk: usize,
    sums: S,
}

impl<S: Sums> Sums for Chunks<S> {
    #[inline(always)]
    fn of<const R: usize, const C: usize>(&self, a: &[[f32; R]], b: &[[f32; C]]) -> Tile<R, C> {
        let mut total = [[0.0; C]; R];
        for (a, b) in a.chunks(self.chunk).zip(b.chunks(self.chunk)) {
            let part = self.sums.of(a, b);
            for (total, part) in total.as_flattened_mut().iter_mut().zip(part.as_flattened()) {
                *total += part;
            }
        }
        total
    }
}

/// In an accumulator, lane by lane.
struct InLanes<'a, K> {
    plan: &'a Plan,
    lanes: &'a Lanes<u32>,
    kernel: PhantomData<K>,
}

impl<K: Kernel> Sums for InLanes<'_, K> {
    /// A tile in which a sum concerns a policy, as overflow does, is summed again by slices.
    #[inline(always)]
    fn of<const R: usize, const C: usize>(&self, a: &[[f32; R]], b: &[[f32; C]]) -> Tile<R, C> {
        let Lanes { rounder, edges, .. } = self.lanes;
        let mut sums = [[0.0; C]; R];
        let mut largest = [0; C];
        for (factors, terms) in a.iter().zip(b) {
            for (j, (term, largest)) in terms.iter().zip(&mut largest).enumerate() {
                for (sums, factor) in sums.iter_mut().zip(factors) {
                    let code = (sums[j] + factor * term).code();
                    *largest = (*largest).max(code.magnitude());
                    sums[j] = f32::from_code(K::round(rounder, code, 0));
                }
            }
        }
        let mut seen = Seen::nothing();
        for magnitude in largest {
            edges.note::<false>(&mut seen, magnitude, magnitude);
        }
        if edges.concern(&seen) { BySlices { plan: self.plan }.of(a, b) } else { sums }
    }
}

/// [`Family::Even`] where every number keeps the same trailing bits, as in bf16: half a quantum or
/// just less is added to the code itself.
struct EvenAligned;

impl EvenAligned {
    fn is_for(rounder: &Rounder<u32>) -> bool {
        rounder.family == Family::Even && rounder.least == 0 && rounder.trailing > 0
    }
}

impl Kernel for EvenAligned {
    #[inline(always)]
    fn round<W: Lane>(rounder: &Rounder<W>, code: W, _: u32) -> W {
        let below = W::HIDDEN.minus(W::ONE).shifted_right(rounder.trailing);
        let last = W::from_u32(W::TRAILING).minus(rounder.trailing);
        let odd = code.shifted_right(last) & W::ONE;
        code.plus(below >> 1).plus(odd) & !below
    }
}

/// In an accumulator, a slice at a time.
struct BySlices<'a> {
    plan: &'a Plan,
}

impl Sums for BySlices<'_> {
    fn of<const R: usize, const C: usize>(&self, a: &[[f32; R]], b: &[[f32; C]]) -> Tile<R, C> {
        let mut sums = [[0.0; C]; R];
        for (factors, terms) in a.iter().zip(b) {
            for (sums, factor) in sums.iter_mut().zip(factors) {
                for (sum, term) in sums.iter_mut().zip(terms) {
                    *sum += factor * term;
                }
            }
            quantize_in_place(self.plan, sums.as_flattened_mut(), Dither::default());
        }
        sums
    }
}
