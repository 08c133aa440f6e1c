//! A shape and a scaling become a [`Grouping`]: which elements share which scale.
//!
//! ```
//! use fpx::block::grouping::Grouping;
//! let tiles = Grouping::tiles(&[3, 200], 2, 128);
//! assert_eq!(tiles.scale_shape(), [2, 2]);
//! let runs: Vec<_> = tiles.runs(100..300).collect();
//! assert_eq!(runs, [(100..128, 0), (128..200, 1), (200..300, 0)]);
//! ```

use std::ops::Range;

use super::spec::{Block, Scaling};

/// Which elements share a scale: the tensor as `slabs` matrices of `rows` × `columns`, row by row,
/// each cut into tiles. Tiles at an edge are cropped. Scales are numbered tile by tile, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouping {
    pub(super) slabs: u64,
    pub(super) rows: u64,
    pub(super) columns: u64,
    pub(super) tile_rows: u64,
    pub(super) tile_columns: u64,
    scale_shape: Vec<u64>,
}

/// The tile sizes that are looked for when a file does not say which it has.
const USUAL_SIZES: [u64; 8] = [16, 32, 64, 128, 256, 512, 1024, 2048];

/// The product of some dimensions, which overflows only beside a dimension of 0: shapes come from
/// headers that were checked.
fn product(dimensions: &[u64]) -> u64 {
    dimensions.iter().fold(1, |product, dimension| product.saturating_mul(*dimension))
}

impl Grouping {
    /// One scale for the tensor, in a tensor of one element.
    pub fn whole(shape: &[u64]) -> Self {
        let columns = product(shape);
        Self::new([1, 1, columns], [1, columns], vec![1])
    }

    /// One scale for each index of the first dimension, in a column; a tensor with fewer than two
    /// dimensions has one.
    pub fn channels(shape: &[u64]) -> Self {
        match shape {
            [rows, rest @ .., _] => {
                let columns = product(&shape[1..]);
                let scale_shape = std::iter::once(*rows).chain(rest.iter().map(|_| 1)).chain([1]);
                Self::new([1, *rows, columns], [1, columns], scale_shape.collect())
            }
            [] | [_] => Self::whole(shape),
        }
    }

    /// One scale for each tile of the last two dimensions.
    pub fn tiles(shape: &[u64], tile_rows: u64, tile_columns: u64) -> Self {
        let (slabs, rows, columns) = match shape {
            [slabs @ .., rows, columns] => (product(slabs), *rows, *columns),
            [columns] => (1, 1, *columns),
            [] => (1, 1, 1),
        };
        let tile = [tile_rows.max(1), tile_columns.max(1)];
        let mut scale_shape = shape.to_vec();
        for (size, tile) in scale_shape.iter_mut().rev().zip([tile[1], tile[0]]) {
            *size = size.div_ceil(tile);
        }
        Self::new([slabs, rows, columns], tile, scale_shape)
    }

    /// One scale for each `size` elements along an axis; negative axes count from the last.
    ///
    /// `None` if there is no such axis.
    pub fn blocks(shape: &[u64], size: u64, axis: i32) -> Option<Self> {
        let rank = i32::try_from(shape.len()).ok()?;
        let axis = usize::try_from(if axis < 0 { axis + rank } else { axis }).ok()?;
        let length = *shape.get(axis)?;
        let mut scale_shape = shape.to_vec();
        scale_shape[axis] = length.div_ceil(size.max(1));
        let (before, after) = (product(&shape[..axis]), product(&shape[axis + 1..]));
        Some(if axis + 1 == shape.len() {
            Self::new([1, before, length], [1, size], scale_shape)
        } else {
            Self::new([before, length, after], [size, 1], scale_shape)
        })
    }

    /// The grouping of a scaling, if the shape has the axis it names; `None` for unscaled.
    pub fn of(scaling: &Scaling, shape: &[u64]) -> Option<Self> {
        match *scaling {
            Scaling::Plain => None,
            Scaling::Tensor => Some(Self::whole(shape)),
            Scaling::Channel => Some(Self::channels(shape)),
            Scaling::Tile { rows, columns } => {
                Some(Self::tiles(shape, rows as u64, columns as u64))
            }
            Scaling::Block(Block { size, axis, .. }) => Self::blocks(shape, size as u64, axis),
        }
    }

    /// The grouping of a tensor whose scales have this shape, where the shapes alone tell.
    ///
    /// One scale is the tensor's; a column is the channels'; otherwise the leading dimensions must
    /// agree and the last two be cut by powers of two from 16 to 2048 (or not at all): at most one
    /// fits any two lengths of which the smaller exceeds one.
    pub fn infer(shape: &[u64], scale_shape: &[u64]) -> Option<Self> {
        if product(scale_shape) == 1 {
            return Some(Self::whole(shape));
        }
        let trimmed = &scale_shape[..=scale_shape.iter().rposition(|&n| n != 1)?];
        if shape.len() > 1 && trimmed == &shape[..1] {
            let mut channels = Self::channels(shape);
            channels.scale_shape = scale_shape.to_vec();
            return Some(channels);
        }
        if shape.len() != scale_shape.len() {
            return None;
        }
        let cut = shape.len().saturating_sub(2);
        let mut tile = [1, 1];
        for (slot, (&length, &scales)) in tile[2 - (shape.len() - cut)..]
            .iter_mut()
            .zip(shape[cut..].iter().zip(&scale_shape[cut..]))
        {
            *slot = tile_size(length, scales)?;
        }
        let tiles = Self::tiles(shape, tile[0], tile[1]);
        (tiles.scale_shape == scale_shape).then_some(tiles)
    }

    fn new(
        [slabs, rows, columns]: [u64; 3],
        [tile_rows, tile_columns]: [u64; 2],
        scale_shape: Vec<u64>,
    ) -> Self {
        let (tile_rows, tile_columns) = (tile_rows.max(1), tile_columns.max(1));
        Self { slabs, rows, columns, tile_rows, tile_columns, scale_shape }
    }

    /// The shape of the tensor of scales.
    pub fn scale_shape(&self) -> &[u64] {
        &self.scale_shape
    }

    /// The number of scales.
    pub fn scales(&self) -> u64 {
        product(&[self.slabs, self.bands_a_slab(), self.scales_a_band()])
    }

    /// The elements of a row: where they have different scales, those of neighbours are neighbours.
    pub fn row(&self) -> u64 {
        self.columns
    }

    /// The number of scales in one row of tiles.
    pub(super) fn scales_a_band(&self) -> u64 {
        self.columns.div_ceil(self.tile_columns)
    }

    /// The number of rows of tiles in a slab.
    pub(super) fn bands_a_slab(&self) -> u64 {
        self.rows.div_ceil(self.tile_rows)
    }

    /// The first element of a row of tiles.
    pub(super) fn band_start(&self, band: u64) -> u64 {
        let (slab, within) = (band / self.bands_a_slab(), band % self.bands_a_slab());
        (slab * self.rows + within * self.tile_rows) * self.columns
    }

    /// The number of elements.
    pub fn elements(&self) -> u64 {
        product(&[self.slabs, self.rows, self.columns])
    }

    /// The first element of a scale.
    pub(super) fn scale_start(&self, scale: u64) -> u64 {
        let (band, within) = (scale / self.scales_a_band(), scale % self.scales_a_band());
        self.band_start(band) + within * self.tile_columns
    }

    /// The scales that the elements of a range may have, as one stretch.
    pub fn scales_of(&self, elements: &Range<u64>) -> Range<u64> {
        if elements.is_empty() {
            return 0..0;
        }
        let (first, last) = (elements.start, elements.end - 1);
        if self.tile_rows == 1 || first / self.columns == last / self.columns {
            return self.scale_of(first)..self.scale_of(last) + 1;
        }
        let band = |element: u64| self.scale_of(element) / self.scales_a_band();
        band(first) * self.scales_a_band()..(band(last) + 1) * self.scales_a_band()
    }

    /// The scale of an element.
    pub fn scale_of(&self, element: u64) -> u64 {
        let (row, column) = (element / self.columns, element % self.columns);
        let (slab, row) = (row / self.rows, row % self.rows);
        let band = slab * self.bands_a_slab() + row / self.tile_rows;
        band * self.scales_a_band() + column / self.tile_columns
    }

    /// The first element of a scale, and the rows and columns that its tile has.
    fn extent(&self, scale: u64) -> (u64, u64, u64) {
        let (band, within) = (scale / self.scales_a_band(), scale % self.scales_a_band());
        let start = self.band_start(band) + within * self.tile_columns;
        let (row, column) = (start / self.columns % self.rows, start % self.columns);
        (start, self.tile_rows.min(self.rows - row), self.tile_columns.min(self.columns - column))
    }

    /// The number of elements of a scale.
    pub fn size_of(&self, scale: u64) -> u64 {
        let (_, rows, columns) = self.extent(scale);
        rows * columns
    }

    /// The elements of a scale, row by row.
    pub fn elements_of(&self, scale: u64) -> impl Iterator<Item = u64> + '_ {
        let (start, rows, columns) = self.extent(scale);
        (0..rows).flat_map(move |row| {
            (0..columns).map(move |column| start + row * self.columns + column)
        })
    }

    /// The rows and columns of a tile.
    pub const fn tile(&self) -> (u64, u64) {
        (self.tile_rows, self.tile_columns)
    }

    /// What shares a scale, in the words of targets.
    pub fn words(&self) -> String {
        match (self.tile_rows, self.tile_columns) {
            _ if self.scales() == 1 => "tensor".to_owned(),
            (1, columns) if columns == self.columns => "channel".to_owned(),
            (1, size) => format!("block:{size}"),
            (rows, columns) => format!("tile:{rows}x{columns}"),
        }
    }

    /// Cuts a range into runs of neighbouring elements with one scale: the elements, and the scale.
    pub fn runs(&self, elements: Range<u64>) -> impl Iterator<Item = (Range<u64>, u64)> + '_ {
        let mut next = elements.start;
        std::iter::from_fn(move || {
            if next >= elements.end {
                return None;
            }
            let column = next % self.columns;
            let left = (self.tile_columns - column % self.tile_columns).min(self.columns - column);
            let run = next..(next + left).min(elements.end);
            next = run.end;
            Some((run.clone(), self.scale_of(run.start)))
        })
    }
}

/// Returns the tile size that cuts a length into so many scales.
fn tile_size(length: u64, scales: u64) -> Option<u64> {
    match scales {
        1 => Some(length),
        _ if scales == length => Some(1),
        _ => USUAL_SIZES.into_iter().find(|&size| length.div_ceil(size) == scales),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::segment::index;

    /// Every grouping against a walk over all indices of its shape.
    #[test]
    fn a_scale_is_that_of_the_elements_index() {
        let by_index = |shape: &[u64], tile: &[u64], grouping: &Grouping| {
            let counts: Vec<u64> =
                shape.iter().zip(tile).map(|(n, tile)| n.div_ceil(*tile)).collect();
            let mut index = vec![0; shape.len()];
            for element in 0..product(shape) {
                let scale =
                    index.iter().zip(tile).zip(&counts).fold(0, |s, ((i, t), n)| s * n + i / t);
                assert_eq!(grouping.scale_of(element), scale, "{shape:?} {tile:?} at {index:?}");
                let around = grouping.scales_of(&(element..element + 1));
                assert!(around.contains(&scale));
                assert!(grouping.elements_of(scale).any(|of_scale| of_scale == element));
                for axis in (0..shape.len()).rev() {
                    index[axis] += 1;
                    if index[axis] < shape[axis] {
                        break;
                    }
                    index[axis] = 0;
                }
            }
            assert_eq!(grouping.scales(), product(&counts));
            let sizes = (0..grouping.scales()).map(|scale| grouping.size_of(scale));
            assert_eq!(sizes.sum::<u64>(), product(shape));
        };
        let shape = [3, 5, 7];
        by_index(&shape, &[3, 5, 7], &Grouping::whole(&shape));
        by_index(&shape, &[1, 5, 7], &Grouping::channels(&shape));
        by_index(&shape, &[1, 2, 4], &Grouping::tiles(&shape, 2, 4));
        by_index(&shape, &[1, 1, 3], &Grouping::blocks(&shape, 3, -1).unwrap());
        by_index(&shape, &[1, 2, 1], &Grouping::blocks(&shape, 2, 1).unwrap());
        by_index(&shape, &[2, 1, 1], &Grouping::blocks(&shape, 2, -3).unwrap());
        assert_eq!(Grouping::blocks(&shape, 2, 3), None);
    }

    #[test]
    fn runs_and_stretches_cover_everything_once() {
        for grouping in [
            Grouping::whole(&[4, 6]),
            Grouping::channels(&[4, 6]),
            Grouping::tiles(&[2, 5, 6], 2, 4),
            Grouping::blocks(&[70], 8, 0).unwrap(),
        ] {
            let total = product(&[grouping.slabs, grouping.rows, grouping.columns]);
            let mut next = 0;
            for (run, scale) in grouping.runs(0..total) {
                assert_eq!(run.start, next);
                assert!(run.clone().all(|element| grouping.scale_of(element) == scale));
                next = run.end;
            }
            assert_eq!(next, total);
            for most in 1..20 {
                let (mut scale, mut seen) = (0, vec![0; index(total)]);
                for stretch in grouping.stretches(most) {
                    assert_eq!(stretch.scales.start, scale);
                    assert!(stretch.scales.end - scale <= most);
                    for element in stretch.elements().flatten() {
                        assert!(stretch.scales.contains(&grouping.scale_of(element)));
                        seen[index(element)] += 1;
                    }
                    scale = stretch.scales.end;
                }
                assert_eq!(scale, grouping.scales());
                assert!(seen.iter().all(|times| *times == 1), "{grouping:?} {most}");
            }
        }
    }

    #[test]
    fn shapes_tell_the_grouping_where_they_can() {
        for (shape, scales, grouping) in [
            (vec![4, 6], vec![1], Some(Grouping::whole(&[4, 6]))),
            (vec![4, 6], vec![], Some(Grouping::whole(&[4, 6]))),
            (vec![4, 6], vec![4, 1], Some(Grouping::channels(&[4, 6]))),
            (vec![300, 200], vec![3, 2], Some(Grouping::tiles(&[300, 200], 128, 128))),
            (vec![2, 300, 200], vec![2, 3, 2], Some(Grouping::tiles(&[2, 300, 200], 128, 128))),
            (vec![5, 64], vec![5, 2], Some(Grouping::tiles(&[5, 64], 1, 32))),
            (vec![64], vec![4], Some(Grouping::tiles(&[64], 1, 16))),
            (vec![5, 64], vec![3, 2], None),
            (vec![5, 64], vec![2, 5, 64], None),
        ] {
            assert_eq!(Grouping::infer(&shape, &scales), grouping, "{shape:?} {scales:?}");
        }
        let column = Grouping::infer(&[4, 6], &[4]).unwrap();
        assert_eq!((column.scale_shape(), column.scale_of(7)), (&[4][..], 1));
    }
}
