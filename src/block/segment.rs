//! A tensor becomes pieces that cut no tile in two, and a piece the segments whose scales lie side by
//! side: how bulk work walks a [`Grouping`].

use std::ops::Range;

use super::grouping::Grouping;

/// Some elements of a tensor.
#[derive(Clone, Debug)]
pub struct Piece<'a> {
    /// Which elements of the tensor share a scale.
    pub grouping: &'a Grouping,
    /// The elements.
    pub elements: Range<u64>,
}

impl Piece<'_> {
    pub(super) fn len(&self) -> usize {
        index(self.elements.end - self.elements.start)
    }

    pub(super) fn scales(&self) -> usize {
        let scales = self.grouping.scales_of(&self.elements);
        index(scales.end - scales.start)
    }

    pub(super) fn check(&self, elements: usize) {
        assert_eq!(self.len(), elements, "one number for each element of the piece");
    }
}

/// Neighbouring elements of which every `size` have the next scale; the last perhaps fewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The elements, counted from the first of the range that was cut.
    pub elements: Range<usize>,
    /// Their scales, counted from the first of [`Grouping::scales_of`] that range.
    pub scales: Range<usize>,
    /// Elements a scale.
    pub size: usize,
}

/// Some whole tiles of a tensor: neighbouring scales, and their elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The scales.
    pub scales: Range<u64>,
    /// The first elements, which neighbour each other.
    first: Range<u64>,
    /// How many such ranges there are.
    rows: u64,
    /// Elements from the start of one to the start of the next.
    pitch: u64,
}

impl Stretch {
    /// Returns the ranges of its elements, from the first on.
    pub fn elements(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        let Range { start, end } = self.first;
        (0..self.rows).map(move |row| start + row * self.pitch..end + row * self.pitch)
    }
}

/// A position in memory.
pub(super) fn index(position: u64) -> usize {
    usize::try_from(position).expect("what is held in memory can be indexed")
}

impl Grouping {
    /// Cuts the tensor into stretches with at most `most` scales each, every scale whole in one.
    ///
    /// A stretch is several rows of tiles, or a part of one, cut between columns.
    pub fn stretches(&self, most: u64) -> impl Iterator<Item = Stretch> + '_ {
        let (a_band, most) = (self.scales_a_band().max(1), most.max(1));
        let (bands_at_once, parts) = ((most / a_band).max(1), a_band.div_ceil(most));
        let bands = self.scales() / a_band;
        (0..bands.div_ceil(bands_at_once) * parts).map(move |number| {
            let (band, part) = (number / parts * bands_at_once, number % parts);
            let last = (band + bands_at_once).min(bands);
            if parts == 1 {
                let first = self.band_start(band)..self.band_start(last);
                return Stretch { scales: band * a_band..last * a_band, first, rows: 1, pitch: 0 };
            }
            let (begin, end) = (part * most, ((part + 1) * most).min(a_band));
            let column = |scale: u64| (scale * self.tile_columns).min(self.columns);
            let start = self.scale_start(band * a_band + begin);
            let row = band % self.bands_a_slab() * self.tile_rows;
            Stretch {
                scales: band * a_band + begin..band * a_band + end,
                first: start..start + column(end) - column(begin),
                rows: self.tile_rows.min(self.rows - row),
                pitch: self.columns,
            }
        })
    }

    /// The number of scales of a piece that cuts no tile in two, whose tiles are cropped.
    pub fn cropped(&self, piece: &Range<u64>) -> u64 {
        if piece.is_empty() {
            return 0;
        }
        let (step, whole) = self.steps();
        let at_right = u64::from(!self.columns.is_multiple_of(self.tile_columns));
        let bands = self.bands_a_slab();
        let complete = (self.rows / self.tile_rows) * (self.columns / self.tile_columns);
        let (a_whole, a_step) = if self.tile_rows == 1 {
            (at_right, 0)
        } else {
            (bands * self.scales_a_band() - complete, at_right)
        };
        let before = |end: u64| end / whole * a_whole + end % whole / step * a_step;
        before(piece.end) - before(piece.start)
    }

    /// Elements from one place where the tensor may be cut to the next, and elements after which
    /// such steps begin anew.
    fn steps(&self) -> (u64, u64) {
        if self.tile_rows == 1 {
            (self.tile_columns, self.columns)
        } else {
            (self.tile_rows * self.columns, self.rows * self.columns)
        }
    }

    /// Returns the end of the longest piece of at most `most` elements from `first` on that cuts no
    /// tile in two; if one step is longer than that, the end of this step.
    ///
    /// `first` is 0 or what this function returned.
    pub fn cut(&self, first: u64, most: u64) -> u64 {
        let end = first.saturating_add(most);
        if end >= self.elements() {
            return self.elements();
        }
        let (step, whole) = self.steps();
        let place = end - end % whole % step;
        if place > first {
            return place;
        }
        (first + step).min((first / whole + 1) * whole)
    }

    /// Cuts a range into segments.
    pub fn segments(&self, elements: Range<u64>) -> impl Iterator<Item = Segment> + '_ {
        // Where rows end with whole tiles, the scales of the next row follow on.
        let rows_follow = self.tile_rows == 1 && self.columns.is_multiple_of(self.tile_columns);
        let first = self.scales_of(&elements).start;
        let mut next = elements.start;
        std::iter::from_fn(move || {
            if next >= elements.end {
                return None;
            }
            let column = next % self.columns;
            let row_end = if rows_follow { elements.end } else { next - column + self.columns };
            // A range that begins within a tile begins with the rest of it.
            let end = match column % self.tile_columns {
                0 => row_end,
                within => (next - within + self.tile_columns).min(row_end),
            };
            let segment = next..end.min(elements.end);
            next = segment.end;
            let scales = self.scale_of(segment.start)..self.scale_of(segment.end - 1) + 1;
            let relative =
                |range: Range<u64>, to: u64| index(range.start - to)..index(range.end - to);
            Some(Segment {
                elements: relative(segment, elements.start),
                scales: relative(scales, first),
                size: usize::try_from(self.tile_columns).unwrap_or(usize::MAX),
            })
        })
    }
}
