//! Statistics become the metrics that people read: a row of a table each.

use super::Statistics;
use crate::kernel::{Largest, Total};

/// Statistics and what the target costs to store.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// The statistics.
    pub statistics: &'a Statistics,
    /// Elements that are stored, whatever share of them was measured.
    pub elements: u64,
    /// Bytes that store them, scales included.
    pub bytes: u64,
    /// Those of them that are scales of whole tensors.
    pub tensor_scales: u64,
    /// Whether the target has a quantum at each number, in which ulps are counted.
    pub has_ulps: bool,
}

/// A metric's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// How many.
    Count(u64),
    /// A number; infinite where the metric says so.
    Number(f64),
    /// There is none.
    Absent,
}

impl Figure {
    /// Returns the value as a number, if there is one.
    #[expect(clippy::cast_precision_loss, reason = "to compare and to sort")]
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Count(n) => Some(n as f64),
            Self::Number(x) => Some(x),
            Self::Absent => None,
        }
    }
}

/// How a table shows a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// A count of elements, as a share of `n`.
    Share,
    /// A count.
    Count,
    /// So many significant digits.
    Scientific(usize),
    /// So many decimals.
    Fixed(usize),
    /// Bytes with a unit.
    Bytes,
}

/// A row of [`METRICS`].
#[derive(Debug)]
pub struct Metric {
    /// The name in JSON, CSV, `--columns`, `--sort` and `--limit`.
    pub name: &'static str,
    /// The heading in tables, the unit on its second line.
    pub heading: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// How tables show it.
    pub show: Show,
    /// Its value.
    pub get: fn(&Measured) -> Figure,
}

#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
fn mean(sum: f64, count: u64) -> Figure {
    if count == 0 { Figure::Absent } else { Figure::Number(sum / count as f64) }
}

/// The mean of a total over all elements in the sums.
fn mean_of(m: &Measured, total: Total) -> Figure {
    mean(m.statistics.total(total), m.statistics.summed)
}

/// The largest value over the elements in the sums.
fn largest(m: &Measured, largest: Largest) -> Figure {
    match m.statistics.summed {
        0 => Figure::Absent,
        _ if !m.has_ulps && largest == Largest::Ulps => Figure::Absent,
        _ => Figure::Number(m.statistics.largest[largest as usize].value),
    }
}

/// The input at the largest value.
fn input_at(m: &Measured, largest: Largest) -> Figure {
    let maximum = m.statistics.largest[largest as usize];
    let exists = m.has_ulps || largest != Largest::Ulps;
    if maximum.value > 0.0 && exists { Figure::Number(maximum.input) } else { Figure::Absent }
}

#[expect(clippy::cast_precision_loss, reason = "bytes stay below 2^50")]
fn bits(m: &Measured) -> Figure {
    mean(8.0 * m.bytes.saturating_sub(m.tensor_scales) as f64, m.elements)
}

fn rmse(m: &Measured) -> Figure {
    let mean = mean_of(m, Total::Squared).number();
    mean.map_or(Figure::Absent, |mean| Figure::Number(mean.sqrt()))
}

fn sqnr(m: &Measured) -> Figure {
    if m.statistics.summed == 0 {
        return Figure::Absent;
    }
    let (signal, noise) = (m.statistics.total(Total::Signal), m.statistics.total(Total::Squared));
    Figure::Number(if noise == 0.0 { f64::INFINITY } else { 10.0 * libm::log10(signal / noise) })
}

/// Declares the metrics, functions of a [`Measured`].
macro_rules! metrics {
    ($($name:literal $heading:literal $about:literal $show:expr, |$m:ident| $get:expr;)*) => {
        /// Every metric, in the order of JSON and CSV.
        pub static METRICS: &[Metric] = &[$(Metric {
            name: $name,
            heading: $heading,
            about: $about,
            show: $show,
            get: |$m| $get,
        }),*];
    };
}

metrics! {
    "n" "elements" "elements read" Show::Count, |m| Figure::Count(m.statistics.counts.elements);
    "nan" "NaN" "inputs that are NaN" Show::Share, |m| Figure::Count(m.statistics.counts.nan_in);
    "inf" "infinite" "inputs that are infinite" Show::Share, |m| Figure::Count(m.statistics.counts.inf_in);
    "overflow" "overflow" "finite inputs whose rounded value lies beyond the largest finite one, saturated or not"
        Show::Share, |m| Figure::Count(m.statistics.counts.overflow);
    "flushed" "flushed\nto zero" "nonzero inputs that became zero" Show::Share, |m| Figure::Count(m.statistics.counts.flushed);
    "subnormal" "subnormal" "results that are subnormal" Show::Share, |m| Figure::Count(m.statistics.counts.subnormal);
    "exact" "exact" "elements without an error" Show::Share, |m| Figure::Count(m.statistics.exact);
    "max_input" "max\n|x|" "largest finite |x|" Show::Scientific(3), |m| Figure::Number(m.statistics.max_input);
    "max_abs" "max\nerror" "largest |e|" Show::Scientific(3), |m| largest(m, Largest::Absolute);
    "max_abs_input" "input of\nmax error" "the input with the largest |e|" Show::Scientific(6),
        |m| input_at(m, Largest::Absolute);
    "mean_abs" "mean\nerror" "mean |e|" Show::Scientific(3), |m| mean_of(m, Total::Absolute);
    "rmse" "rmse" "square root of the mean e²" Show::Scientific(3), |m| rmse(m);
    "bias" "bias" "mean e" Show::Scientific(2), |m| mean_of(m, Total::Error);
    "max_rel" "max rel\nerror" "largest |e/x|" Show::Scientific(2), |m| largest(m, Largest::Relative);
    "max_rel_input" "input of\nmax rel" "the input with the largest |e/x|" Show::Scientific(6),
        |m| input_at(m, Largest::Relative);
    "mean_rel" "mean rel\nerror" "mean |e/x| over the inputs that are not zero" Show::Scientific(2),
        |m| mean(m.statistics.total(Total::Relative), m.statistics.nonzero);
    "max_ulp" "max\nulp" "largest |e| in ulps" Show::Fixed(2), |m| largest(m, Largest::Ulps);
    "max_ulp_input" "input of\nmax ulp" "the input with the largest |e| in ulps" Show::Scientific(6),
        |m| input_at(m, Largest::Ulps);
    "mean_ulp" "mean\nulp" "mean |e| in ulps" Show::Fixed(3), |m| if m.has_ulps { mean_of(m, Total::Ulps) } else { Figure::Absent };
    "sqnr_db" "sqnr\ndB" "10·log10(Σx²/Σe²)" Show::Fixed(2), |m| sqnr(m);
    "used_codes" "codes\nused" "distinct codes seen, of formats up to 16 bits" Show::Count,
        |m| m.statistics.used.as_ref().map_or(Figure::Absent, |used| Figure::Count(used.count()));
    "bits_per_weight" "bits a\nweight" "bits an element, scales included but for the one of a whole tensor" Show::Fixed(2),
        |m| bits(m);
    "bytes" "size" "bytes of all elements, scales included" Show::Bytes, |m| Figure::Count(m.bytes);
}

/// Returns the metric of a name.
pub fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}
