//! Which tensor and which elements are meant.

use super::{Census, FileError, held::Held};
use crate::{
    container::{ContainerError, quote, show_shape},
    format::nearest,
};

/// Finds a tensor by its name, with or without what a convention adds for packed codes.
pub(super) fn tensor<'a>(
    census: &'a Census<'a>,
    name: Option<&str>,
) -> Result<Held<'a>, FileError> {
    let usage = |what: String| ContainerError::usage(&census.files.path, what);
    let count = census.places.len();
    let number = match name {
        None if count == 1 => Some(0),
        None => return Err(usage(format!("holds {count} tensors: add --tensor NAME")).into()),
        Some(name) => {
            let full = census.places.iter().position(|place| place.tensor().name == name);
            full.or_else(|| {
                let is_meant = |scaled: &Option<_>| {
                    scaled.as_ref().is_some_and(|s: &super::Scaled| s.name == name)
                };
                census.scaled.iter().position(is_meant)
            })
        }
    };
    let Some(number) = number else {
        let name = name.unwrap_or_default();
        let known = census.places.iter().map(|place| place.tensor().name.as_str());
        let near = nearest(name, known.map(|known| (known, known)));
        let near = near.map_or_else(String::new, |near| format!(", did you mean {}?", quote(near)));
        return Err(usage(format!("has no tensor {}{near}", quote(name))).into());
    };
    Ok(Held::new(census, number)?)
}

/// Returns an index from the start; a negative one counts from the end.
fn from_start(index: i64, length: u64) -> Option<u64> {
    let start =
        if index < 0 { length.checked_sub(index.unsigned_abs())? } else { index.unsigned_abs() };
    (start < length).then_some(start)
}

/// Checks the index of an element.
pub(super) fn element(held: &Held, index: &[i64]) -> Result<Vec<u64>, ContainerError> {
    let shape = &held.shape;
    if index.len() != shape.len() {
        let numbers = match shape.len() {
            0 => "no number: it has one element".to_owned(),
            1 => "1 number".to_owned(),
            dimensions => format!("{dimensions} numbers"),
        };
        let what = format!("--index {} of {} {}", list(index), held.title(), show_shape(shape));
        return Err(held.usage(format!("{what} has {}, expected {numbers}", index.len())));
    }
    let checked = index.iter().zip(shape).map(|(&at, &length)| from_start(at, length));
    checked.collect::<Option<Vec<_>>>().ok_or_else(|| {
        let what = format!("--index {} is outside of {}", list(index), held.title());
        held.usage(format!("{what} {}", show_shape(shape)))
    })
}

/// Checks the number of a scale.
pub(super) fn block(held: &Held, block: i64) -> Result<u64, ContainerError> {
    let Some(grouping) = held.grouping() else {
        let what = format!("{} has no scales that are recognised, so no blocks", held.title());
        return Err(held.usage(what));
    };
    let scales = grouping.scales();
    from_start(block, scales).ok_or_else(|| {
        held.usage(format!(
            "--block-index {block} is outside of the {scales} blocks of {}",
            held.title()
        ))
    })
}

fn list(index: &[i64]) -> String {
    let numbers: Vec<String> = index.iter().map(i64::to_string).collect();
    numbers.join(",")
}
