//! A policy becomes a trained model and a measure of what its roundings cost.
//!
//! [`policy`] names the policies, whose [`slots`] say what is rounded where; [`task`] what is learned;
//! [`run`] is the loop, and [`experiment`] many runs of it side by side.
//!
//! ```
//! use fpx::train::{experiment::{Config, Entry, run}, policy, task::{Recipe, TASKS}};
//! let task = &TASKS[0];
//! let policy::Policy { name: policy, slots, .. } = policy::find("f16-pure").unwrap();
//! let recipe = Recipe { epochs: 1, ..task.recipe };
//! let entry = Entry { policy, slots, task, recipe, group: 0 };
//! let rows = run(&Config { entries: vec![entry], seeds: vec![0], data: None }, &()).unwrap();
//! // Adam's epsilon 1e-8 is zero in binary16.
//! assert_eq!(rows[0].outcomes[0].first_nan.as_ref().map(|nan| nan.step), Some(1));
//! ```

pub mod activation;
pub mod data;
pub mod detail;
pub mod experiment;
pub mod explain;
pub mod findings;
pub mod hadamard;
pub mod ingredient;
pub mod judge;
pub mod label;
pub mod layer;
pub mod lesson;
pub mod listing;
pub mod log;
pub mod loss;
pub mod matmul;
pub mod matrix;
pub mod memory;
pub mod model;
pub mod narrow;
pub mod optimizer;
pub mod parameter;
pub mod plot;
pub mod policy;
pub mod products;
pub mod quantizer;
pub mod random;
pub mod report;
pub mod run;
pub mod save;
pub mod scaler;
pub mod slots;
pub mod summary;
pub mod table;
pub mod tally;
pub mod task;
pub mod trace;
pub mod values;
pub mod warning;
