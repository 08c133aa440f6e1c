//! A policy becomes a trained model and a measure of what its roundings cost.

pub mod activation;
pub mod data;
pub mod layer;
pub mod loss;
pub mod matmul;
pub mod matrix;
pub mod model;
pub mod optimizer;
pub mod parameter;
pub mod policy;
pub mod quantizer;
pub mod random;
pub mod run;
pub mod scaler;
pub mod slots;
pub mod tally;
pub mod task;
pub mod trace;
pub mod values;
