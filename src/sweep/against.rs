//! Two files become what their tensors differ in, one by one.
//!
//! The numbers of the first file are the exact ones, those of the second the results: an error is the
//! second less the first, and an ulp is the quantum of the first file's number in the format of the
//! second file's tensor, under its scale. A tensor is read chunk by chunk, several tensors at once.

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::{Files, Progress, SweepError, config::globs, numbers::Buffer};
use crate::{
    container::reading::{chunks::Chunks, scales::index, weights::Weight},
    kernel::{Grid, Quanta},
    stats::{CHUNK, ExactSum, Pass, Statistics},
};

/// What is measured between two files only.
pub(super) const METRICS: [&str; 2] = ["differing", COSINE];

/// The cosine of the angle between two tensors.
pub(super) const COSINE: &str = "cosine";

/// What two files differ in.
#[derive(Clone, Debug)]
pub struct Comparison {
    pub(super) options: Map<String, Value>,
    pub(super) names: [String; 2],
    pub(super) pairs: Vec<Pair>,
}

/// What a file says of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) dtype: String,
    pub(super) shape: Vec<u64>,
}

/// A tensor of either file.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// Its name; `None` for all tensors together.
    pub(super) name: Option<String>,
    /// The tensor in each file, where it is there.
    pub(super) sides: [Option<Side>; 2],
    /// What was measured, if both are there with one shape.
    pub(super) compared: Option<Compared>,
}

/// The first element in which two tensors differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) index: u64,
    pub(super) numbers: [f64; 2],
}

/// What is known of the differences of two tensors.
#[derive(Clone, Debug, Default)]
pub(super) struct Compared {
    pub(super) statistics: Statistics,
    /// Elements whose numbers are not the same; NaN is the same as NaN, and −0 as 0.
    pub(super) differing: u64,
    /// Those of them that leave the sums, because a number is infinite or NaN.
    pub(super) unmeasured: u64,
    pub(super) first: Option<Difference>,
    /// The sum of the products of both numbers, and that of the second's squares.
    pub(super) products: ExactSum,
    pub(super) squares: ExactSum,
    /// Whether the second tensor has a format in whose quanta errors are counted.
    pub(super) has_ulps: bool,
}

impl Compared {
    /// Adds what is known of other tensors.
    pub(super) fn merge(&mut self, other: &Self) {
        self.statistics.merge(&other.statistics);
        self.differing += other.differing;
        self.unmeasured += other.unmeasured;
        self.products.merge(&other.products);
        self.squares.merge(&other.squares);
        self.has_ulps &= other.has_ulps;
    }

    /// Takes a chunk into account, whose first element has an index.
    #[expect(clippy::float_cmp, reason = "equal numbers do not differ")]
    fn add(&mut self, numbers: impl Iterator<Item = (f64, f64)>, first: u64) {
        let (mut products, mut squares) = (0.0, 0.0);
        for (index, (x, r)) in (first..).zip(numbers) {
            let is_finite = x.is_finite() && r.is_finite();
            if x != r && !(x.is_nan() && r.is_nan()) {
                self.differing += 1;
                self.unmeasured += u64::from(!is_finite);
                self.first.get_or_insert(Difference { index, numbers: [x, r] });
            }
            if is_finite {
                products += x * r;
                squares += r * r;
            }
            let counts = &mut self.statistics.counts;
            counts.elements += 1;
            counts.nan_in += u64::from(x.is_nan());
            counts.inf_in += u64::from(x.is_infinite());
        }
        self.products.add(products);
        self.squares.add(squares);
    }
}

/// Compares the tensors of two files by name; if both have only one, these two.
///
/// # Errors
///
/// [`SweepError`], for a file that cannot be read or has no numbers.
pub fn compare(files: [&Files; 2], progress: &dyn Progress) -> Result<Comparison, SweepError> {
    let [first, second] = [files[0].weights()?, files[1].weights()?];
    let is_single = first.len() == 1 && second.len() == 1;
    let partner = |weight: &Weight| second.iter().find(|x| is_single || x.name == weight.name);
    let mut places: Vec<[Option<&Weight>; 2]> =
        first.iter().map(|weight| [Some(weight), partner(weight)]).collect();
    let is_alone = |x: &&Weight| !is_single && first.iter().all(|weight| weight.name != x.name);
    places.extend(second.iter().filter(is_alone).map(|weight| [None, Some(weight)]));
    let elements = places.iter().flatten().flatten().filter_map(|weight| weight.elements);
    progress.start(elements.sum());
    let pairs = places.par_iter().map(|sides| pair(*sides, progress)).collect::<Result<_, _>>()?;
    let names = files.map(|files| files.name.clone());
    let options = json!({
        "inputs": [names[0]],
        "against": names[1],
        "include": globs(&files[0].include),
        "exclude": globs(&files[0].exclude),
    });
    Ok(Comparison { options: options.as_object().cloned().unwrap_or_default(), names, pairs })
}

fn pair(sides: [Option<&Weight>; 2], progress: &dyn Progress) -> Result<Pair, SweepError> {
    let name = sides.into_iter().flatten().next().map(|weight| weight.name.clone());
    let compared = match sides {
        [Some(first), Some(second)] if is_alike(first, second) => measure(first, second, progress)?,
        _ => None,
    };
    let side = |weight: &Weight| Side { dtype: weight.dtype().into(), shape: weight.shape.clone() };
    Ok(Pair { name, sides: sides.map(|weight| weight.map(side)), compared })
}

/// Whether two tensors have the same elements in the same order.
fn is_alike(first: &Weight, second: &Weight) -> bool {
    first.shape == second.shape && (first.order() == second.order() || first.shape.len() < 2)
        || [first, second].iter().any(|weight| weight.elements.is_none())
}

/// Reads two tensors side by side; `None` if one turns out to be longer.
fn measure(
    first: &Weight,
    second: &Weight,
    progress: &dyn Progress,
) -> Result<Option<Compared>, SweepError> {
    let chunks = [first.chunks(CHUNK)?, second.chunks(CHUNK)?];
    let mut compared = Compared { has_ulps: second.format().is_some(), ..Compared::default() };
    let grid = second
        .format()
        .map_or(Grid::new(0, 0), |format| Grid::new(format.emin(), format.trailing_width()));
    let (mut pass, mut scales) = (Pass::default(), Vec::new());
    let (mut x, mut r) = (Buffer::default(), Buffer::default());
    loop {
        let at = read(first, &chunks[0], &mut x)?;
        let other = read(second, &chunks[1], &mut r)?;
        if at != other {
            return Ok(None);
        }
        let Some(elements) = at else { break };
        let (x, r) = (x.numbers(), r.numbers());
        let statistics = &mut compared.statistics;
        scales.resize(x.len(), 0.0);
        let is_scaled = second.scales(elements.clone(), &mut scales)?;
        let quanta = Quanta { grid, scales: is_scaled.then_some(&scales) };
        x.measure(r, quanta, elements.start, &mut pass, statistics);
        pass.end(statistics);
        statistics.max_input = statistics.max_input.max(x.largest());
        compared.add(x.iter().zip(r.iter()), elements.start);
        progress.advance(2 * x.len() as u64);
    }
    Ok(Some(compared))
}

/// Reads the next chunk; returns its elements, or `None` after the last.
fn read(
    weight: &Weight,
    chunks: &Chunks,
    buffer: &mut Buffer,
) -> Result<Option<std::ops::Range<u64>>, SweepError> {
    let next = weight.next(chunks, &mut buffer.workspace)?;
    Ok(next.map(|(chunk, lane)| {
        buffer.landed(lane, index(chunk.elements.end - chunk.elements.start));
        chunk.elements
    }))
}
