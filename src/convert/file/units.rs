//! A folder that fills up file by file, by one run or by several at once.
//!
//! A unit is one file of weights. It appears under its name only when it is whole, so a unit that is
//! there is finished, and a run that was broken off goes on where it was. Whoever finds that all units
//! are there writes the side files and, last of all, the index: before that no loader takes the folder for
//! a checkpoint. Several that find so at the same time write the same bytes.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{
    FileError,
    folder::{Existing, Folder},
    run::Runner,
    summary::Summary,
};
use crate::container::{
    ContainerError, Shard, Source,
    output::{Draft, Interrupt, Target, file_target},
    quote,
};

/// The units of a share.
pub(super) struct Units<'a> {
    folder: &'a Folder<'a>,
    share: Shard,
    target: PathBuf,
    /// How many units the share has.
    own: usize,
    /// Those that are not there yet.
    missing: Vec<usize>,
}

impl<'a> Units<'a> {
    /// Finds out which units are to be converted.
    ///
    /// A unit is finished if it has the header that it would get, and is no older than its input.
    pub(super) fn new(
        folder: &'a Folder<'a>,
        share: Shard,
        target: &Path,
        existing: Existing,
    ) -> Result<Self, FileError> {
        let target = target.to_owned();
        let mut units = Self { folder, share, target, own: 0, missing: Vec::new() };
        for unit in (0..folder.parts.len()).filter(|&unit| share.contains(unit as u64)) {
            units.own += 1;
            let path = units.target.join(folder.name(unit));
            let is_there = path.exists();
            if is_there && existing.keep && units.is_finished(unit)? {
                continue;
            }
            if is_there && !existing.replace {
                let what = if existing.keep {
                    "is not what this command makes of the input as it is now: add --force to replace it"
                } else {
                    "exists: add --resume to keep it or --force to replace it"
                };
                return Err(ContainerError::usage(&path, what).into());
            }
            units.missing.push(unit);
        }
        Ok(units)
    }

    /// Returns the units that are to be converted.
    pub(super) fn missing(&self) -> &[usize] {
        &self.missing
    }

    fn is_finished(&self, unit: usize) -> Result<bool, FileError> {
        let path = self.target.join(self.folder.name(unit));
        let input = &self.folder.checkpoint.shards[unit].path;
        let modified = |path: &Path| fs::metadata(path)?.modified();
        let found = || -> io::Result<bool> {
            let is_young = modified(&path)? >= modified(input)?;
            Ok(is_young && self.folder.parts[unit].is_like(&File::open(&path)?)?)
        };
        found().map_err(|error| ContainerError::io("read", &path, error).into())
    }

    /// Converts the units that are missing, and completes the folder if now all are there.
    pub(super) fn write(
        &self,
        runner: &Runner,
        interrupt: &Interrupt,
        summary: &mut Summary,
    ) -> Result<(), FileError> {
        for &unit in &self.missing {
            let part = &self.folder.parts[unit];
            let draft = self.draft(self.folder.name(unit), part.bytes(), interrupt)?;
            part.write(runner, draft.file(), summary)?;
            if !self.folder.config.failed(&summary.counts).is_empty() {
                return Ok(());
            }
            draft.finish_one()?;
        }
        summary.is_written = true;
        let is_there = |unit: usize| self.target.join(self.folder.name(unit)).exists();
        let count = (0..self.folder.parts.len()).filter(|&unit| is_there(unit)).count();
        summary.notes.push(self.progress(count));
        if count < self.folder.parts.len() {
            return Ok(());
        }
        self.folder.write_rest(summary, &mut |name, fill| {
            let draft = self.draft(name, None, interrupt)?;
            fill(draft.file())?;
            // With the index the folder is whole: an interrupt that comes later changes nothing.
            let index = self.folder.checkpoint.index.as_ref();
            let is_last = index.is_some_and(|index| Path::new(&index.name) == name);
            let finished = if is_last { draft.finish() } else { draft.finish_one() };
            Ok(finished?)
        })
    }

    /// Says how far the folder is.
    fn progress(&self, count: usize) -> String {
        let Self { share, own, .. } = self;
        let (new, all) = (self.missing.len(), self.folder.parts.len());
        let kept = own - new;
        let rest = if count < all { "; the index follows when all are there" } else { "" };
        format!(
            "shard {share}: {new} converted, {kept} kept; {count} of {all} files of weights are in {}{rest}",
            quote(&self.target.to_string_lossy())
        )
    }

    fn draft(
        &self,
        name: &Path,
        bytes: Option<u64>,
        interrupt: &Interrupt,
    ) -> Result<Draft, FileError> {
        let path = self.target.join(name);
        let folder = path.parent().unwrap_or(&self.target);
        fs::create_dir_all(folder).map_err(|error| ContainerError::io("create", folder, error))?;
        let inputs: Vec<&File> =
            self.folder.checkpoint.shards.iter().filter_map(Source::file).collect();
        match file_target(&path, &inputs, true)? {
            Target::File(place) => Ok(Draft::create(place, bytes, interrupt)?),
            Target::Stream(_) => Err(ContainerError::usage(&path, "is no regular file").into()),
        }
    }
}
