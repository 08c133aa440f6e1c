//! The job of `fpx inspect`: everything about numbers, codes and the tensors of files, as a report.
//!
//! [`numbers`] reads inputs and decides what to show; [`table`] shows several readings line by line,
//! [`full`] one in full, and [`explain`] its rounding step by step. [`file`](mod@file) lists
//! the tensors of a file, and shows the elements of one in the same ways.

mod blocks;
pub mod explain;
pub mod file;
pub mod full;
pub mod numbers;
pub mod table;
