//! The job of `fpx convert`: numbers, streams of numbers and test vectors become codes.
//!
//! [`numbers`] reads an input and rounds it to every target; [`emit`] writes the answers in one of
//! the output kinds; [`stream`] does it line by line, and checks someone else's answers; [`vectors`]
//! makes the inputs of a test.

pub mod emit;
pub mod numbers;
pub mod stream;
pub mod vectors;
