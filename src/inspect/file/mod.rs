//! A file becomes a list of its tensors, or some elements of one, bit by bit.
//!
//! Only headers are read, and the elements that are asked for: the size of a file costs nothing. What
//! in a header breaks its specification is part of the list.

mod codes;
mod element;
mod held;
mod listing;
mod select;

use std::path::{Path, PathBuf};

use serde_json::json;

use super::numbers::{self, Formats, InspectError};
use crate::{
    container::{
        ContainerError, Source, Tensor, checkpoint::Checkpoint, companion, companion::Scaled, show,
    },
    report::Report,
};

/// A file, or the shards of a folder, opened as far as possible.
#[derive(Debug)]
pub struct Files {
    path: PathBuf,
    /// The kind of file, or `folder`.
    kind: &'static str,
    parts: Vec<Source>,
    /// What is wrong beside the faults of the parts' headers.
    problems: Vec<String>,
}

/// Which part of the files is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Focus {
    /// The tensor; not needed where there is only one.
    pub tensor: Option<String>,
    /// Elements by their indices; negative ones count from the end.
    pub indices: Vec<Vec<i64>>,
    /// The elements of a scale, by its number; a negative one counts from the end.
    pub block: Option<i64>,
}

impl Focus {
    /// Whether anything but the list of tensors is asked for.
    fn is_tensor(&self) -> bool {
        *self != Self::default()
    }
}

/// Why files cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// They cannot be read.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The elements of a text cannot be shown as asked.
    #[error(transparent)]
    Number(#[from] InspectError),
}

/// What was found out about files.
#[derive(Debug)]
pub struct Found {
    /// What there is to show.
    pub report: Report,
    /// Says that the contents break their specification, if they do and the list shows it.
    pub fault: Option<ContainerError>,
}

/// A tensor of the files.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    source: &'a Source,
    index: usize,
}

impl<'a> Place<'a> {
    fn tensor(self) -> &'a Tensor {
        &self.source.tensors[self.index]
    }
}

/// Every tensor, and the scales that belong to it.
struct Census<'a> {
    files: &'a Files,
    places: Vec<Place<'a>>,
    scaled: Vec<Option<Scaled>>,
    /// What is wrong with the scales that a tensor should have.
    unfit: Vec<Option<String>>,
}

impl Files {
    /// Takes a file.
    pub fn file(source: Source) -> Self {
        let (path, kind) = (source.path.clone(), source.kind.name);
        Self { path, kind, parts: vec![source], problems: Vec::new() }
    }

    /// Takes a folder, whole or not.
    pub fn folder(folder: Checkpoint) -> Self {
        let problems = folder.problems.iter().map(ToString::to_string).collect();
        Self { path: folder.root, kind: "folder", parts: folder.shards, problems }
    }

    fn is_folder(&self) -> bool {
        self.kind == "folder"
    }

    /// Everything that breaks a specification, each with the file it is in.
    fn faults(&self) -> Vec<String> {
        let of_part = |part: &Source| {
            let shard =
                if self.is_folder() { format!("{}: ", file_name(part)) } else { String::new() };
            part.faults.iter().map(move |fault| format!("{shard}{fault}")).collect::<Vec<_>>()
        };
        self.problems.iter().cloned().chain(self.parts.iter().flat_map(of_part)).collect()
    }

    fn census(&self) -> Census<'_> {
        let places: Vec<Place> = self
            .parts
            .iter()
            .flat_map(|source| (0..source.tensors.len()).map(move |index| Place { source, index }))
            .collect();
        let all: Vec<Tensor> = places.iter().map(|place| place.tensor().clone()).collect();
        let scaled = companion::pairs(&self.parts, &all);
        let unfit = companion::faults(&self.parts, &all, &scaled);
        Census { files: self, places, scaled, unfit }
    }
}

/// The name of a file in its folder.
fn file_name(source: &Source) -> String {
    source.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Shows files: their tensors, or elements of one.
///
/// `config` says how numbers are shown; its inputs are not used.
///
/// # Errors
///
/// [`FileError`], if a tensor or an element that is asked for is not there or cannot be read.
pub fn run(files: &Files, focus: &Focus, config: &numbers::Config) -> Result<Found, FileError> {
    let census = files.census();
    let input = files.path.to_string_lossy().into_owned();
    if focus.is_tensor() {
        let held = select::tensor(&census, focus.tensor.as_deref())?;
        let mut report = element::report(&held, focus, config)?;
        report.options.insert("input".to_owned(), json!(input));
        return Ok(Found { report, fault: None });
    }
    if !matches!(config.formats, Formats::Usual) {
        let what = "--format is for elements: add --tensor NAME and --index I,J";
        return Err(ContainerError::usage(&files.path, what).into());
    }
    let faults = files.faults();
    let report = listing::report(&census, &faults).option("input", input);
    Ok(Found { report, fault: fault(&files.path, &faults) })
}

/// The error of contents that break their specification.
fn fault(path: &Path, faults: &[String]) -> Option<ContainerError> {
    let (first, others) = faults.split_first()?;
    let more = match others.len() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    // A problem of a folder names the file itself.
    let prefix = format!("{}: ", show(path));
    Some(ContainerError::data(path, format!("{}{more}", first.trim_start_matches(&prefix))))
}
