//! A text becomes examples: eight characters, and the one that follows.
//!
//! Characters are bytes, numbered in the order of the distinct ones. The first 60,000 positions are
//! for learning, and the positions from 30,000 to 10,000 before the end for validation: with the
//! embedded text that is another play. Of a text shorter than 100,000 characters the last tenth is
//! for validation.

use std::path::Path;

use super::{Dataset, Examples, idx};
use crate::{container::ContainerError, train::matrix::Matrix};

/// Characters a prediction is made from.
pub const CONTEXT: usize = 8;
/// Positions to learn from.
const LEARNED: usize = 60_000;
/// A text this long has its validation part at fixed distances from the end.
const LONG: usize = 100_000;
/// A text must be this long.
const SHORTEST: usize = 200;

static SHAKESPEARE: &[u8] = include_bytes!("shakespeare-9.txt.gz");

/// Returns the embedded text.
///
/// # Panics
///
/// Never: a test reads it.
pub fn shakespeare() -> Dataset {
    let path = Path::new("embedded Shakespeare");
    let text = idx::unpacked(SHAKESPEARE.to_vec(), path).expect("embedded text");
    examples(&text, path).expect("embedded text")
}

/// Cuts a text into examples.
///
/// ```
/// use fpx::train::data::text::{CONTEXT, examples};
/// let text = "to be or not to be, ".repeat(20);
/// let data = examples(text.as_bytes(), "play".as_ref()).unwrap();
/// assert_eq!((data.train.inputs.columns, data.classes), (CONTEXT, 8));
/// ```
///
/// # Errors
///
/// If the text is shorter than 200 characters.
#[expect(clippy::cast_precision_loss, reason = "numbers of characters are below 256")]
pub fn examples(text: &[u8], path: &Path) -> Result<Dataset, ContainerError> {
    if text.len() < SHORTEST {
        let what = format!("{} characters, expected at least {SHORTEST}", text.len());
        return Err(ContainerError::data(path, what));
    }
    let mut number_of = [usize::MAX; 256];
    for &byte in text {
        number_of[usize::from(byte)] = 0;
    }
    let mut distinct = 0;
    for number in number_of.iter_mut().filter(|number| **number == 0) {
        *number = distinct;
        distinct += 1;
    }
    let numbers: Vec<usize> = text.iter().map(|&byte| number_of[usize::from(byte)]).collect();
    let cut = |positions: std::ops::Range<usize>| {
        let rows = positions.len();
        let windows = numbers.windows(CONTEXT + 1).skip(positions.start).take(rows);
        let inputs = windows.flat_map(|window| &window[..CONTEXT]).map(|&n| n as f32).collect();
        let classes = numbers[positions.start + CONTEXT..][..rows].to_vec();
        Examples { inputs: Matrix::from_rows(rows, inputs), classes }
    };
    let end = text.len();
    let validation =
        if end >= LONG { end - 30_000..end - 10_000 } else { end - end / 10..end - CONTEXT };
    let learned = LEARNED.min(validation.start - CONTEXT);
    Ok(Dataset { train: cut(0..learned), test: cut(validation), classes: distinct })
}
