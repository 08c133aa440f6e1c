//! The job of `fpx inspect`: everything about numbers, codes and the tensors of files, as a report.
//!
//! [`numbers`] reads inputs and decides what to show; [`table`] shows several readings line by line,
//! [`full`] one in full, and [`explain`] its rounding step by step. [`file`](mod@file) lists
//! the tensors of a file, and shows the elements of one in the same ways.
//!
//! ```
//! use fpx::{codec::Projection, inspect::numbers::{Config, Formats, run}, report::{Emit, Screen}};
//! let config = Config {
//!     inputs: vec!["0.1".to_owned()],
//!     formats: Formats::Usual,
//!     projection: Projection::default(),
//!     seed: 0,
//!     explain: false,
//! };
//! let screen = run(&config).unwrap().render(Emit::default(), Screen::default());
//! assert!(screen.contains("0x2e66") && screen.contains("0.0999755859375"));
//! ```

mod blocks;
pub mod explain;
pub mod file;
pub mod full;
pub mod numbers;
pub mod table;
