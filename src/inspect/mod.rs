//! The job of `fpx inspect`: everything about numbers and codes, as a report.
//!
//! [`numbers`] reads inputs and decides what to show; [`table`] shows several readings line by line,
//! [`full`] one in full, and [`explain`] its rounding step by step.

mod blocks;
pub mod explain;
pub mod full;
pub mod numbers;
pub mod table;
