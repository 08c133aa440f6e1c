//! Folders of output: which may be written, and how one appears whole.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{Interrupt, PREFIX, Place, Stage, check_space, existing, parent, sync_parent};
use crate::container::{ContainerError, checkpoint, show};

/// Finds out where several runs can fill a folder: anywhere but over their input.
///
/// # Errors
///
/// [`ContainerError::Usage`] if the path is the input, inside it or around it, or is no folder.
pub fn shared_folder(path: &Path, input: &Path) -> Result<PathBuf, ContainerError> {
    let resolve = |path: &Path| {
        path.canonicalize().map_err(|error| ContainerError::io("resolve", path, error))
    };
    let input = resolve(input)?;
    let found = existing(path)?;
    let target = if found.is_some() {
        resolve(path)?
    } else {
        resolve(parent(path))?.join(path.file_name().unwrap_or_default())
    };
    if target.starts_with(&input) || input.starts_with(&target) {
        return Err(ContainerError::usage(path, "overlaps the input: name another folder"));
    }
    match found {
        Some(metadata) if !metadata.is_dir() => {
            Err(ContainerError::usage(path, "is a file, and the input is a folder"))
        }
        _ => Ok(target),
    }
}

/// Finds out where a folder can be written: a free name, an empty folder, or another checkpoint that
/// may be replaced.
///
/// # Errors
///
/// [`ContainerError::Usage`] if the path is the input, inside it or around it, or holds something
/// else.
pub fn folder_target(path: &Path, input: &Path, replace: bool) -> Result<Place, ContainerError> {
    let target = shared_folder(path, input)?;
    if existing(path)?.is_none() {
        return Ok(Place { path: target, replace });
    }
    let is_empty = fs::read_dir(path)
        .map_err(|error| ContainerError::io("read", path, error))?
        .next()
        .is_none();
    match (is_empty || replace, is_empty || checkpoint::is_checkpoint(path)) {
        (true, true) => Ok(Place { path: target, replace: true }),
        (false, _) => Err(ContainerError::usage(path, "exists: add --force to replace it")),
        (true, false) => {
            Err(ContainerError::usage(path, "holds no checkpoint, so --force does not replace it"))
        }
    }
}

/// A folder on its way.
#[derive(Debug)]
pub struct FolderDraft {
    folder: tempfile::TempDir,
    place: Place,
    interrupt: Interrupt,
}

impl FolderDraft {
    /// Creates a temporary folder beside the target, with room for `total` bytes in files of at
    /// most `largest`.
    ///
    /// # Errors
    ///
    /// [`ContainerError::Io`] if there is no room or no permission.
    pub fn create(
        place: Place,
        total: u64,
        largest: u64,
        interrupt: &Interrupt,
    ) -> Result<Self, ContainerError> {
        check_space(&place.path, total, largest)?;
        let mut stage = interrupt.lock();
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o777))
            .tempdir_in(parent(&place.path))
            .map_err(|error| ContainerError::io("create", &place.path, error))?;
        *stage = Stage::Unfinished(folder.path().to_owned());
        drop(stage);
        Ok(Self { folder, place, interrupt: interrupt.clone() })
    }

    /// Creates a file in the folder, and the folders it lies in.
    ///
    /// # Errors
    ///
    /// [`ContainerError::Io`] if that fails.
    pub fn file(&self, name: &Path) -> Result<File, ContainerError> {
        let path = self.folder.path().join(name);
        // Nothing may appear in a folder that is being removed.
        let _stage = self.interrupt.lock();
        fs::create_dir_all(parent(&path))
            .and_then(|()| File::options().read(true).write(true).create_new(true).open(&path))
            .map_err(|error| ContainerError::io("create", &self.place.path.join(name), error))
    }

    /// Gives the folder, whose files are synced, its name.
    ///
    /// # Errors
    ///
    /// [`ContainerError::Io`] if that fails; then nothing is left.
    pub fn finish(self) -> Result<(), ContainerError> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        let Self { folder, place, interrupt } = self;
        let fail = |error: io::Error| ContainerError::io("write", &place.path, error);
        let mut stage = interrupt.lock();
        let rename = |flags| renameat_with(CWD, folder.path(), CWD, &place.path, flags);
        let exchanged = place.replace && rename(RenameFlags::EXCHANGE).is_ok();
        if !exchanged {
            rename(RenameFlags::NOREPLACE).map_err(|error| fail(error.into()))?;
        }
        *stage = Stage::Finished;
        drop(stage);
        if exchanged {
            // The name of the temporary folder now holds what was replaced.
            folder.close().map_err(fail)?;
        } else {
            let _ = folder.keep();
        }
        sync_parent(&place.path).map_err(fail)
    }

    /// Describes the folder for people.
    pub fn show(&self) -> String {
        show(&self.place.path)
    }
}
