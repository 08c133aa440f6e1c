//! Embedded or user's files become examples: rows of inputs and the class of each.
//!
//! Two data sets are part of the program and need no network; NOTICE has their sources and licences:
//! the 1797 handwritten digits of UCI's data set 80, and nine works of Shakespeare.
//!
//! ```
//! let digits = fpx::train::data::digits();
//! assert_eq!((digits.train.len(), digits.test.len()), (1437, 360));
//! assert_eq!((digits.train.inputs.columns, digits.classes), (64, 10));
//! ```

pub mod idx;
pub mod text;

use std::path::{Path, PathBuf};

use super::matrix::Matrix;
use crate::container::ContainerError;

/// Examples: one row of inputs and one class each.
#[derive(Clone, Debug)]
pub struct Examples {
    /// The inputs, an example a row: pixels from 0 to 1, or the numbers of characters.
    pub inputs: Matrix,
    /// The class of each example, or the number of the character that follows.
    pub classes: Vec<usize>,
}

impl Examples {
    /// Returns the number of examples.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Returns the examples of these numbers, in that order.
    ///
    /// # Panics
    ///
    /// If there is no such example.
    #[must_use]
    pub fn select(&self, numbers: &[usize]) -> Self {
        Self {
            inputs: self.inputs.select(numbers),
            classes: numbers.iter().map(|&i| self.classes[i]).collect(),
        }
    }
}

/// What a task learns from and is tested on.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The examples to learn from.
    pub train: Examples,
    /// The examples to be tested on.
    pub test: Examples,
    /// The number of classes, or of different characters.
    pub classes: usize,
}

static DIGIT_IMAGES: &[u8] = include_bytes!("digits-images-idx3-ubyte.gz");
static DIGIT_LABELS: &[u8] = include_bytes!("digits-labels-idx1-ubyte.gz");

/// Returns the embedded digits: 8 by 8 pixels, every fifth image for testing.
///
/// # Panics
///
/// Never: a test reads them.
pub fn digits() -> Dataset {
    let read = |bytes: &[u8]| {
        let bytes = idx::unpacked(bytes.to_vec(), Path::new("embedded digits"))?;
        idx::parse(&bytes, Path::new("embedded digits"))
    };
    let (images, labels) = (read(DIGIT_IMAGES), read(DIGIT_LABELS));
    let (images, labels) = (images.expect("embedded images"), labels.expect("embedded labels"));
    every_fifth_for_testing(&pixels(&images, largest(&images)), &classes_of(&labels))
}

/// Whether a file, raw or gzipped, begins as IDX does.
///
/// # Errors
///
/// If the file cannot be read.
pub fn is_idx(path: &Path) -> Result<bool, ContainerError> {
    Ok(idx::contents(path)?.starts_with(&[0, 0]))
}

/// Reads a folder with IDX images and labels, raw or gzipped, or the folder of such a file.
///
/// Files called `train-*` and `t10k-*` are used as such; of a single pair, image i is for testing
/// when i is a multiple of 5. Pixels are divided by the largest one to learn from.
///
/// # Errors
///
/// If a file cannot be read, is not IDX, or images and labels do not match.
pub fn idx_folder(path: &Path) -> Result<Dataset, ContainerError> {
    let folder = match path.parent() {
        Some(_) if path.is_file() && !is_idx(path)? => {
            let what = "expected an IDX file of images or labels, or their folder";
            return Err(ContainerError::data(path, what.to_owned()));
        }
        Some(folder) if path.is_file() => folder,
        _ => path,
    };
    let pairs = idx::pairs(folder)?;
    let (images, labels) = pair(&pairs.train)?;
    let scale = largest(&images);
    let (inputs, classes) = (pixels(&images, scale), classes_of(&labels));
    let Some(test) = &pairs.test else { return Ok(every_fifth_for_testing(&inputs, &classes)) };
    let (test_images, test_labels) = pair(test)?;
    if images.dimensions[1..] != test_images.dimensions[1..] {
        let [ours, theirs] =
            [&images, &test_images].map(|idx| format!("{:?}", &idx.dimensions[1..]));
        let what = format!("images of {theirs}, but those to learn from are of {ours}");
        return Err(ContainerError::data(&test[0], what));
    }
    let test = Examples { inputs: pixels(&test_images, scale), classes: classes_of(&test_labels) };
    let train = Examples { inputs, classes };
    Ok(Dataset { classes: count_classes(&[&train, &test]), train, test })
}

/// Reads a text, raw or gzipped.
///
/// # Errors
///
/// If the file cannot be read or is too short.
pub fn text_file(path: &Path) -> Result<Dataset, ContainerError> {
    text::examples(&idx::contents(path)?, path)
}

/// Reads images and the labels that belong to them.
fn pair([images, labels]: &[PathBuf; 2]) -> Result<(idx::Idx, idx::Idx), ContainerError> {
    let (image_data, label_data) = (idx::read(images)?, idx::read(labels)?);
    let [of_images, of_labels] = [&image_data, &label_data].map(|idx| idx.dimensions.len());
    if of_images < 2 {
        let what = format!("{of_images} dimension, expected images of two or more");
        return Err(ContainerError::data(images, what));
    }
    if of_labels != 1 {
        let what = format!("{of_labels} dimensions, expected labels of one");
        return Err(ContainerError::data(labels, what));
    }
    let [image_count, label_count] = [&image_data, &label_data].map(|idx| idx.dimensions[0]);
    if image_count != label_count {
        let images = images.display();
        let what = format!("{label_count} labels, but '{images}' has {image_count} images");
        return Err(ContainerError::data(labels, what));
    }
    if image_data.elements.is_empty() {
        return Err(ContainerError::data(images, "no images".to_owned()));
    }
    Ok((image_data, label_data))
}

fn largest(images: &idx::Idx) -> u8 {
    images.elements.iter().copied().max().unwrap_or(0).max(1)
}

/// Returns an image a row, each pixel divided by `scale`.
fn pixels(images: &idx::Idx, scale: u8) -> Matrix {
    let data = images.elements.iter().map(|&x| f32::from(x) / f32::from(scale)).collect();
    Matrix::from_rows(images.dimensions[0], data)
}

fn classes_of(labels: &idx::Idx) -> Vec<usize> {
    labels.elements.iter().map(|&label| usize::from(label)).collect()
}

fn count_classes(parts: &[&Examples]) -> usize {
    parts.iter().flat_map(|part| &part.classes).max().map_or(0, |&last| last + 1)
}

/// Splits examples: number i is for testing when i is a multiple of 5.
fn every_fifth_for_testing(inputs: &Matrix, classes: &[usize]) -> Dataset {
    let all = Examples { inputs: inputs.clone(), classes: classes.to_vec() };
    let (test, train): (Vec<_>, Vec<_>) = (0..all.len()).partition(|i| i % 5 == 0);
    let classes = count_classes(&[&all]);
    Dataset { train: all.select(&train), test: all.select(&test), classes }
}
