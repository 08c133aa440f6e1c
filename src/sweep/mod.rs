//! A source of numbers and a list of targets become what each target costs: errors, overflow,
//! numbers flushed to zero, at one scale or over a range of them.
//!
//! [`run`] measures and [`Measurement::merge`] adds up what several runs measured;
//! [`present`] turns a measurement into a report, charts and the verdict on what was required.
//! [`compare`] and [`present_comparison`] do the same for two files.
//!
//! ```
//! use fpx::{format::E5M2, block::spec::Spec, sweep::{Config, Input, View, present, run}};
//! let config = Config {
//!     input: Input::Samples { distribution: "uniform:1,2".parse().unwrap(), samples: 1000 },
//!     targets: vec![Spec::plain(E5M2.clone())],
//!     ..Config::default()
//! };
//! let measurement = run(&config, &()).unwrap();
//! let answer = present(&measurement, &View::default()).unwrap();
//! assert!(answer.report.rows.rows.len() == 1);
//! ```

mod against;
mod by_tensor;
mod chart;
mod condition;
mod config;
mod differences;
mod measure;
mod measurement;
mod names;
mod numbers;
mod recommend;
mod row;
mod screen;
mod source;
mod target;
mod view;

pub use against::{Comparison, compare};
pub use condition::{Condition, ConditionError};
pub use config::{Config, Files, Input, Scales, SweepError, candidates, file_targets, samples};
pub use differences::present_comparison;
pub use measurement::{Measurement, MergeError};
pub use view::{Answer, Recommendation, View, ViewError, present};

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use measure::{Job, Position};
use row::{Key, Row};
use source::Tensor;

/// Is told how far a run is.
pub trait Progress: Sync {
    /// So many elements are to be read in all.
    fn start(&self, elements: u64);

    /// So many more have been.
    fn advance(&self, elements: u64);
}

/// Nobody watches.
impl Progress for () {
    fn start(&self, _elements: u64) {}

    fn advance(&self, _elements: u64) {}
}

/// Measures every target on the input.
///
/// # Errors
///
/// [`SweepError`], for an input or a target that cannot be measured.
pub fn run(config: &Config, progress: &dyn Progress) -> Result<Measurement, SweepError> {
    let targets = config.checked_targets()?;
    let tensors = match &config.input {
        Input::Samples { distribution, samples } => {
            vec![Tensor::samples(*distribution, config.seed, *samples)]
        }
        Input::Exhaustive(format) => vec![Tensor::exhaustive(format)?],
        Input::Files(files) => files.weights()?.into_iter().map(Tensor::weight).collect(),
    };
    let scales = config.scales.exponents();
    let job = Job {
        targets: &targets,
        scales: &scales,
        histograms: config.histograms,
        seed: config.seed,
        shard: config.shard,
    };
    progress.start(tensors.iter().filter_map(|tensor| tensor.elements).sum());
    let source = config.input.to_string();
    let mut at = Position::default();
    let (mut totals, mut rows): (Vec<Row>, Vec<Row>) = (Vec::new(), Vec::new());
    for tensor in &tensors {
        let measured = job.measure(tensor, at, progress)?;
        let elements = tensor.elements.unwrap_or_else(|| measured[0].counts.elements);
        at.chunks += tensor.chunks();
        at.elements += elements;
        let each = scales.iter().flat_map(|scale| targets.iter().map(move |t| (*scale, t)));
        let own = each.zip(measured).map(|((scale, target), statistics)| {
            let key = Key::new(&source, tensor.name.as_deref(), target, scale);
            let bytes = target.bytes(elements, &tensor.shape)?;
            let (tensor_scales, shape) = (target.tensor_scale_bytes(), tensor.shape.clone());
            Ok(Row { key, statistics, elements, bytes, tensor_scales, shape })
        });
        let own = own.collect::<Result<Vec<Row>, SweepError>>()?;
        if totals.is_empty() {
            totals = own.iter().map(Row::total).collect();
        } else {
            totals.iter_mut().zip(&own).for_each(|(total, own)| total.add(own));
        }
        if config.by_tensor && tensor.name.is_some() {
            rows.extend(own);
        }
    }
    rows.extend(totals);
    let mut options = config.options();
    options.extend(stored(&tensors));
    Ok(Measurement { options, rows })
}

/// Returns the element types of a file's tensors and their bytes, under the names of options.
fn stored(tensors: &[Tensor]) -> Map<String, Value> {
    let stored: Vec<_> = tensors.iter().filter_map(|tensor| tensor.data.stored()).collect();
    let dtypes: BTreeSet<&str> = stored.iter().map(|(dtype, _)| *dtype).collect();
    let bytes: Option<u64> = stored.iter().map(|(_, bytes)| *bytes).sum();
    let options = [("dtypes", json!(dtypes)), ("input_bytes", json!(bytes))];
    let is_file = !stored.is_empty();
    options.into_iter().filter(|_| is_file).map(|(name, value)| (name.to_owned(), value)).collect()
}
