//! Small files that a report leaves beside itself: whole or not at all.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use fpx::container::{
    ContainerError,
    output::{Draft, Interrupt, Target, file_target},
};

use super::failure::{self, usage};

/// A path that was found free to take before the work began.
#[derive(Debug)]
pub(crate) struct Destination {
    path: PathBuf,
    target: Target,
}

impl Destination {
    /// Finds out whether a file can be written.
    ///
    /// # Errors
    ///
    /// Exit code 2 if it exists and may not be replaced, 4 if the place cannot be written to.
    pub(crate) fn new(path: &Path, force: bool) -> anyhow::Result<Self> {
        let target = file_target(path, &[], force).map_err(classify)?;
        Ok(Self { path: path.to_owned(), target })
    }

    /// Writes the file, whole or not at all, even if it is interrupted.
    ///
    /// # Errors
    ///
    /// Exit code 4 if that fails; then nothing is left.
    pub(crate) fn write(self, text: &str, interrupt: &Interrupt) -> anyhow::Result<()> {
        let failed = |error| failure::io(fpx::container::show(&self.path), &error);
        match self.target {
            Target::Stream(mut file) => file.write_all(text.as_bytes()).map_err(failed),
            Target::File(place) => {
                let length = Some(text.len() as u64);
                let draft = Draft::create(place, length, interrupt).map_err(classify)?;
                draft.file().write_all(text.as_bytes()).map_err(failed)?;
                draft.finish().map_err(classify)
            }
        }
    }
}

/// Gives an error of the library its exit code.
pub(crate) fn classify(error: ContainerError) -> anyhow::Error {
    match &error {
        ContainerError::Io { .. } => failure::input_output(error),
        ContainerError::Data { .. } => failure::data(error),
        ContainerError::Usage { .. } => usage(error),
    }
}
