//! The job of `fpx convert`: numbers, streams of numbers and test vectors become codes.
//!
//! [`numbers`] reads an input and rounds it to every target; [`table`] shows a few answers, [`emit`]
//! writes many in one of the output kinds, [`stream`] as they come; [`check`] compares with someone
//! else's answers; [`tensor`] rounds all inputs under shared scales; [`vectors`] makes the inputs of a test.

pub mod check;
pub mod emit;
pub mod file;
pub mod numbers;
pub mod stream;
pub mod table;
pub mod tensor;
pub mod vectors;
