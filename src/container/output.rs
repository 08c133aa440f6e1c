//! A finished file appears under its name; an unfinished one never does.
//!
//! What is written goes to a temporary neighbour of the target, which is synced and renamed when it
//! is whole. It is removed when dropped, and by an [`Interrupt`] when the user interrupts.

mod folder;

pub use folder::{FolderDraft, folder_target, shared_folder};

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::ContainerError;

/// The prefix of temporary files and folders, so that one left by a crash can be told.
const PREFIX: &str = ".fpx-";

/// How far the output of a run is.
#[derive(Debug, Default)]
enum Stage {
    /// There is none yet, or none on a disk.
    #[default]
    None,
    /// It is at this temporary path.
    Unfinished(PathBuf),
    /// It has its name, and the run is about to end well.
    Finished,
}

/// The unfinished output, which an interrupted run must remove.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<Mutex<Stage>>);

impl Interrupt {
    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the unfinished output, then calls `end`, before which nothing else can be finished.
    /// Does neither once the output has its name: it is too late to leave nothing.
    pub fn abandon(&self, end: impl FnOnce()) {
        let mut stage = self.lock();
        match std::mem::take(&mut *stage) {
            Stage::None => {}
            Stage::Unfinished(path) => {
                // A file or a folder: whichever it is, one of the two succeeds.
                let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
            }
            Stage::Finished => {
                *stage = Stage::Finished;
                return;
            }
        }
        end();
    }
}

/// Where output goes, found to be free to take.
#[derive(Debug)]
pub enum Target {
    /// A file that is written whole before it gets its name.
    File(Place),
    /// A pipe or device, opened: written from the first byte to the last.
    Stream(File),
}

/// A path to be filled.
#[derive(Clone, Debug)]
pub struct Place {
    path: PathBuf,
    replace: bool,
}

/// Finds out where a file can be written: symbolic links are followed, pipes and devices opened.
///
/// # Errors
///
/// [`ContainerError::Usage`] if the path is one of the inputs, a folder, or a file that may not be
/// replaced.
pub fn file_target(path: &Path, inputs: &[&File], replace: bool) -> Result<Target, ContainerError> {
    let Some(metadata) = existing(path)? else {
        return Ok(Target::File(Place { path: path.to_owned(), replace }));
    };
    if metadata.is_dir() {
        return Err(ContainerError::usage(path, "is a folder, and the input is one file"));
    }
    let kind = metadata.file_type();
    if kind.is_fifo() || kind.is_char_device() || kind.is_block_device() {
        let file = File::options().write(true).open(path);
        let file = file.map_err(|error| ContainerError::io("write to", path, error))?;
        return Ok(Target::Stream(file));
    }
    for input in inputs {
        if input.metadata().is_ok_and(|input| same(&input, &metadata)) {
            return Err(ContainerError::usage(path, "is the input itself: name another output"));
        }
    }
    if !replace {
        return Err(ContainerError::usage(path, "exists: add --force to replace it"));
    }
    let path = path.canonicalize().map_err(|error| ContainerError::io("resolve", path, error))?;
    Ok(Target::File(Place { path, replace }))
}

/// Returns what is at a path, links followed; a link to nothing is refused.
fn existing(path: &Path) -> Result<Option<fs::Metadata>, ContainerError> {
    match (fs::metadata(path), fs::symlink_metadata(path)) {
        (Ok(metadata), _) => Ok(Some(metadata)),
        (Err(_), Ok(_)) => {
            Err(ContainerError::usage(path, "is a symbolic link to nothing: name its target"))
        }
        (Err(error), Err(_)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        (Err(error), Err(_)) => Err(ContainerError::io("write to", path, error)),
    }
}

fn same(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Refuses output of which the file system, or the limit on a file's size, has no room for.
fn check_space(place: &Path, total: u64, largest: u64) -> Result<(), ContainerError> {
    let fail = |what: String| {
        let error = io::Error::new(io::ErrorKind::StorageFull, what);
        ContainerError::io("write", place, error)
    };
    let limit = rustix::process::getrlimit(rustix::process::Resource::Fsize).current;
    if let Some(limit) = limit.filter(|limit| largest > *limit) {
        return Err(fail(format!("{largest} bytes needed, the limit on a file's size is {limit}")));
    }
    let Ok(found) = rustix::fs::statvfs(parent(place)) else { return Ok(()) };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    if total > free {
        return Err(fail(format!("{total} bytes needed, {free} are free on its file system")));
    }
    Ok(())
}

/// Makes a rename last: a folder's entries are its contents.
fn sync_parent(path: &Path) -> io::Result<()> {
    File::open(parent(path))?.sync_all()
}

/// A file on its way.
#[derive(Debug)]
pub struct Draft {
    file: tempfile::NamedTempFile,
    place: Place,
    interrupt: Interrupt,
}

impl Draft {
    /// Creates a temporary file beside the target, with room for `bytes` bytes if they are known.
    /// Its permissions are those of any new file.
    ///
    /// # Errors
    ///
    /// [`ContainerError::Io`] if there is no room or no permission.
    pub fn create(
        place: Place,
        bytes: Option<u64>,
        interrupt: &Interrupt,
    ) -> Result<Self, ContainerError> {
        let bytes = bytes.unwrap_or_default();
        check_space(&place.path, bytes, bytes)?;
        let mut stage = interrupt.lock();
        let file = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(parent(&place.path))
            .map_err(|error| ContainerError::io("create", &place.path, error))?;
        *stage = Stage::Unfinished(file.path().to_owned());
        drop(stage);
        Ok(Self { file, place, interrupt: interrupt.clone() })
    }

    /// Returns the file to write to.
    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Returns the path it will have.
    pub fn path(&self) -> &Path {
        &self.place.path
    }

    /// Syncs the file and gives it its name.
    ///
    /// # Errors
    ///
    /// [`ContainerError::Io`] if that fails, or if meanwhile a file has appeared that may not be
    /// replaced; then nothing is left.
    pub fn finish(self) -> Result<(), ContainerError> {
        self.settle(Stage::Finished)
    }

    /// As [`Self::finish`], for one of several files: an interrupt still ends the run.
    ///
    /// # Errors
    ///
    /// As [`Self::finish`].
    pub fn finish_one(self) -> Result<(), ContainerError> {
        self.settle(Stage::None)
    }

    fn settle(self, reached: Stage) -> Result<(), ContainerError> {
        let Self { file, place, interrupt } = self;
        let fail = |error| ContainerError::io("write", &place.path, error);
        file.as_file().sync_all().map_err(fail)?;
        let mut stage = interrupt.lock();
        let renamed = if place.replace {
            file.persist(&place.path)
        } else {
            file.persist_noclobber(&place.path)
        };
        renamed.map_err(|error| fail(error.error))?;
        *stage = reached;
        sync_parent(&place.path).map_err(fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(dir: &Path) -> Vec<String> {
        let names =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn a_dropped_or_abandoned_draft_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let interrupt = Interrupt::default();
        let target = dir.path().join("out");
        let draft = || match file_target(&target, &[], false).unwrap() {
            Target::File(place) => Draft::create(place, Some(10), &interrupt).unwrap(),
            Target::Stream(_) => panic!("no stream"),
        };
        drop(draft());
        assert!(listing(dir.path()).is_empty());
        let abandoned = draft();
        assert_eq!(listing(dir.path()).len(), 1);
        interrupt.abandon(|| assert!(listing(dir.path()).is_empty()));
        drop(abandoned);
        draft().finish().unwrap();
        interrupt.abandon(|| ());
        assert_eq!(listing(dir.path()), ["out"]);
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let Target::File(place) = file_target(&path, &[], false).unwrap() else {
            panic!("no file")
        };
        let draft = Draft::create(place, None, &Interrupt::default()).unwrap();
        fs::write(&path, "theirs").unwrap();
        assert!(matches!(draft.finish(), Err(ContainerError::Io { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(listing(dir.path()), ["out"]);
    }

    #[test]
    fn more_than_is_free_is_refused_before_anything_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { path: dir.path().join("out"), replace: false };
        let error = Draft::create(place, Some(u64::MAX), &Interrupt::default()).unwrap_err();
        assert!(error.to_string().contains("bytes needed"), "{error}");
        assert!(listing(dir.path()).is_empty());
    }
}
