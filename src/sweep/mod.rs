//! A source of numbers and a list of targets become what each target costs: errors, overflow,
//! numbers flushed to zero, at one scale or over a range of them.
//!
//! [`run`] measures and [`Measurement::merge`] adds up what several runs measured;
//! [`present`] turns a measurement into a report, charts and the verdict on what was required.
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

mod chart;
mod condition;
mod config;
mod measure;
mod measurement;
mod numbers;
mod recommend;
mod row;
mod screen;
mod source;
mod target;
mod view;

pub use condition::{Condition, ConditionError};
pub use config::{Config, Input, Scales, SweepError, samples};
pub use measurement::{Measurement, MergeError};
pub use source::Shard;
pub use view::{Answer, Recommendation, View, ViewError, present};

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
    let tensor = match &config.input {
        Input::Samples { distribution, samples } => {
            Tensor::samples(*distribution, config.seed, *samples)
        }
        Input::Exhaustive(format) => Tensor::exhaustive(format)?,
    };
    let scales = config.scales.exponents();
    let job = Job {
        targets: &targets,
        scales: &scales,
        histograms: config.histograms,
        seed: config.seed,
        shard: config.shard,
    };
    progress.start(tensor.elements / config.shard.count);
    let measured = job.measure(&tensor, Position::default(), progress);
    let each = scales.iter().flat_map(|scale| targets.iter().map(move |target| (*scale, target)));
    let source = config.input.to_string();
    let rows = each.zip(measured).map(|((scale, target), statistics)| Row {
        key: Key::new(&source, None, target, scale),
        statistics,
        bits_per_weight: target.bits_per_weight(),
        bytes: target.bytes(tensor.elements),
    });
    Ok(Measurement { options: config.options(), rows: rows.collect() })
}
