//! Buffers of numbers in the narrowest type that holds them exactly.

use crate::{
    container::reading::{buffer::Workspace, load::Lane},
    kernel::{Quanta, largest_finite},
    stats::{Pass, Statistics},
};

/// Numbers of a chunk.
#[derive(Clone, Copy, Debug)]
pub(super) enum Numbers<'a> {
    /// Each is a binary32 number.
    Narrow(&'a [f32]),
    /// Each is a binary64 number.
    Wide(&'a [f64]),
}

impl<'a> Numbers<'a> {
    /// Returns how many there are.
    pub(super) fn len(self) -> usize {
        match self {
            Self::Narrow(numbers) => numbers.len(),
            Self::Wide(numbers) => numbers.len(),
        }
    }

    /// Returns some of them.
    pub(super) fn slice(self, range: std::ops::Range<usize>) -> Self {
        match self {
            Self::Narrow(numbers) => Self::Narrow(&numbers[range]),
            Self::Wide(numbers) => Self::Wide(&numbers[range]),
        }
    }

    /// Returns the largest finite magnitude, 0 if there is none.
    pub(super) fn largest(self) -> f64 {
        match self {
            Self::Narrow(numbers) => largest_finite(numbers),
            Self::Wide(numbers) => largest_finite(numbers),
        }
    }

    /// Adds their errors, given the results, whose first has an index in the whole input.
    pub(super) fn measure(
        self,
        results: Numbers,
        quanta: Quanta,
        first: u64,
        pass: &mut Pass,
        statistics: &mut Statistics,
    ) {
        match (self, results) {
            (Self::Narrow(x), Numbers::Narrow(r)) => pass.block(statistics, quanta, first, (x, r)),
            (Self::Narrow(x), Numbers::Wide(r)) => pass.block(statistics, quanta, first, (x, r)),
            (Self::Wide(x), Numbers::Narrow(r)) => pass.block(statistics, quanta, first, (x, r)),
            (Self::Wide(x), Numbers::Wide(r)) => pass.block(statistics, quanta, first, (x, r)),
        }
    }

    /// Returns them in binary64.
    pub(super) fn iter(self) -> impl Iterator<Item = f64> + 'a {
        let (narrow, wide): (&[f32], &[f64]) = match self {
            Self::Narrow(numbers) => (numbers, &[]),
            Self::Wide(numbers) => (&[], numbers),
        };
        narrow.iter().map(|x| f64::from(*x)).chain(wide.iter().copied())
    }
}

/// Memory for the numbers of a chunk.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// What is read of a file.
    pub(super) workspace: Workspace,
    narrow: Vec<f32>,
    wide: Vec<f64>,
    is_wide: bool,
}

/// The largest magnitude of an exponent that [`Buffer::scale`] takes: squares stay in range.
pub(super) const MAX_SCALE: i32 = 256;

impl Buffer {
    /// Returns the numbers written last.
    pub(super) fn numbers(&self) -> Numbers<'_> {
        if self.is_wide { Numbers::Wide(&self.wide) } else { Numbers::Narrow(&self.narrow) }
    }

    /// Takes over the numbers that were read of a file.
    pub(super) fn landed(&mut self, lane: Lane, count: usize) {
        self.is_wide = lane != Lane::F32;
        if self.is_wide {
            self.wide.clear();
            self.wide.extend_from_slice(self.workspace.wide.numbers(count));
        } else {
            self.narrow.clear();
            self.narrow.extend_from_slice(self.workspace.narrow.numbers(count));
        }
    }

    /// Returns room for binary32 numbers, whose contents are those of the last use.
    pub(super) fn narrow(&mut self, count: usize) -> &mut [f32] {
        self.is_wide = false;
        self.narrow.resize(count, 0.0);
        &mut self.narrow
    }

    /// Returns room for binary64 numbers, whose contents are those of the last use.
    pub(super) fn wide(&mut self, count: usize) -> &mut [f64] {
        self.is_wide = true;
        self.wide.resize(count, 0.0);
        &mut self.wide
    }

    /// Writes `numbers × 2^exponent`, exactly: in binary64 where a product leaves the normal range of
    /// binary32. Only binary64 numbers near the ends of their own range may be rounded.
    pub(super) fn scale(&mut self, numbers: Numbers, exponent: i32) {
        debug_assert!(exponent.abs() <= MAX_SCALE, "checked with the options");
        let factor = f64::from_bits((1023 + i64::from(exponent)).cast_unsigned() << 52);
        if let Numbers::Narrow(numbers) = numbers
            && self.scale_narrow(numbers, factor)
        {
            return;
        }
        let wide = self.wide(numbers.len());
        for (out, x) in wide.iter_mut().zip(numbers.iter()) {
            *out = x * factor;
        }
    }

    /// Scales in binary32, if all products are exact there.
    #[expect(clippy::cast_possible_truncation, reason = "exactness is checked")]
    fn scale_narrow(&mut self, numbers: &[f32], factor: f64) -> bool {
        let factor = factor as f32;
        let out = self.narrow(numbers.len());
        let mut exact = factor.is_normal();
        for (out, x) in out.iter_mut().zip(numbers) {
            *out = x * factor;
            exact &= out.is_normal() || *x == 0.0 || !x.is_finite();
        }
        exact
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_is_exact_in_the_narrowest_type_that_allows_it() {
        let x = [1.5f32, -0.0, f32::INFINITY, 3e38, f32::from_bits(1)];
        let mut buffer = Buffer::default();
        buffer.scale(Numbers::Narrow(&x[..3]), -100);
        let narrow = match buffer.numbers() {
            Numbers::Narrow(numbers) => numbers.to_vec(),
            Numbers::Wide(_) => vec![],
        };
        assert_eq!(narrow, [1.5 * 2f32.powi(-100), -0.0, f32::INFINITY]);
        for exponent in [1, 40, -30, 200, -200, MAX_SCALE, -MAX_SCALE] {
            buffer.scale(Numbers::Narrow(&x), exponent);
            for (scaled, x) in buffer.numbers().iter().zip(x) {
                assert_eq!(scaled, f64::from(x) * 2f64.powi(exponent), "2^{exponent}");
            }
        }
        buffer.scale(Numbers::Narrow(&x), 1);
        assert!(matches!(buffer.numbers(), Numbers::Wide(_)), "3e38 × 2 is no binary32 number");
    }
}
