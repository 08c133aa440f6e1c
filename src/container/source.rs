//! An opened file, and how the bytes of its tensors arrive.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{CONTAINERS, Container, ContainerError, Hints, Tensor, npz, raw, text::Numbers};

/// A file whose header has been read.
#[derive(Debug)]
pub struct Source {
    /// Where it is, or what the stream is called.
    pub path: PathBuf,
    /// Its kind.
    pub kind: &'static Container,
    /// Its tensors, in the order of its header.
    pub tensors: Vec<Tensor>,
    /// What its header says besides, in its order.
    pub metadata: Vec<(String, String)>,
    /// What in its header breaks the specification.
    pub faults: Vec<String>,
    /// Where the tensors' bytes are.
    pub body: Body,
}

/// Where the bytes of a file's tensors are.
pub enum Body {
    /// In the file, each tensor at its offset.
    File(File),
    /// In the members of an archive, one a tensor.
    Members(File, Vec<npz::Member>),
    /// In a stream that can be read once.
    Stream(Mutex<Option<Box<dyn Read + Send>>>),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::File(_) => "File",
            Self::Members(..) => "Members",
            Self::Stream(_) => "Stream",
        })
    }
}

/// How the elements of one tensor arrive.
pub enum Feed<'a> {
    /// Bytes in any order, from this offset on.
    At(&'a File, u64),
    /// Bytes from the first to the last.
    Stream(Box<dyn Read + Send + 'a>),
    /// Numbers from the first to the last.
    Numbers(Numbers<Box<dyn BufRead + Send + 'a>>),
}

impl std::fmt::Debug for Feed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::At(..) => "At",
            Self::Stream(_) => "Stream",
            Self::Numbers(_) => "Numbers",
        })
    }
}

impl Source {
    /// Refuses a file whose header breaks its specification.
    ///
    /// # Errors
    ///
    /// [`ContainerError::Data`] with the first fault and the number of others.
    pub fn sound(self) -> Result<Self, ContainerError> {
        match self.faults.as_slice() {
            [] => Ok(self),
            [only] => Err(ContainerError::data(&self.path, only.clone())),
            [first, others @ ..] => {
                let what = format!("{first} (and {} more: 'fpx inspect' lists them)", others.len());
                Err(ContainerError::data(&self.path, what))
            }
        }
    }

    /// Starts reading the tensor at this place in the list.
    ///
    /// # Errors
    ///
    /// [`ContainerError`] if an archive's member cannot be read, or a stream was read before.
    ///
    /// # Panics
    ///
    /// If there is no such tensor.
    pub fn feed(&self, index: usize) -> Result<Feed<'_>, ContainerError> {
        let tensor = &self.tensors[index];
        let is_text = matches!(tensor.element, super::Element::Literal);
        match &self.body {
            Body::File(file) if is_text => {
                let reader = Sequential { file, offset: 0 };
                Ok(Feed::Numbers(Numbers::new(&self.path, Box::new(BufReader::new(reader)))))
            }
            Body::File(file) => Ok(Feed::At(file, tensor.offset)),
            Body::Members(file, members) => {
                let reader = members[index].reader(file, tensor);
                let reader = reader.map_err(|error| self.read_error(error))?;
                Ok(Feed::Stream(reader))
            }
            Body::Stream(stream) => {
                let stream = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
                let stream = stream.ok_or_else(|| {
                    ContainerError::usage(&self.path, "a stream can be read only once")
                })?;
                Ok(if is_text {
                    Feed::Numbers(Numbers::new(&self.path, Box::new(BufReader::new(stream))))
                } else {
                    Feed::Stream(stream)
                })
            }
        }
    }

    /// Returns the error of a failed read: a fault of the contents, or of the system.
    pub fn read_error(&self, error: std::io::Error) -> ContainerError {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        if matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof) {
            ContainerError::data(&self.path, error.to_string())
        } else {
            ContainerError::io("read", &self.path, error)
        }
    }

    /// Returns the file, unless this is a stream.
    pub fn file(&self) -> Option<&File> {
        match &self.body {
            Body::File(file) | Body::Members(file, _) => Some(file),
            Body::Stream(_) => None,
        }
    }
}

/// A file read from an offset on without moving the cursor that others share.
#[derive(Debug)]
pub(super) struct Sequential<'a> {
    pub(super) file: &'a File,
    pub(super) offset: u64,
}

impl Read for Sequential<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

/// A file before its kind is known.
pub(super) struct Opened {
    /// Its path.
    pub(super) path: PathBuf,
    /// Its contents.
    pub(super) input: Input,
}

/// The contents of a file or stream.
pub(super) enum Input {
    /// A regular file, and its length.
    File(File, u64),
    /// Anything else.
    Stream(Box<dyn Read + Send>),
}

impl Opened {
    /// Opens a path.
    pub(super) fn path(path: &Path) -> Result<Self, ContainerError> {
        let fail = |error| ContainerError::io("read", path, error);
        let file = File::open(path).map_err(fail)?;
        let metadata = file.metadata().map_err(fail)?;
        if metadata.is_dir() {
            return Err(fail(std::io::ErrorKind::IsADirectory.into()));
        }
        let input = if metadata.is_file() {
            Input::File(file, metadata.len())
        } else {
            Input::Stream(Box::new(file))
        };
        Ok(Self { path: path.to_owned(), input })
    }

    /// Wraps a stream.
    pub(super) fn stream(name: &Path, stream: Box<dyn Read + Send>) -> Self {
        Self { path: name.to_owned(), input: Input::Stream(stream) }
    }

    /// Returns the kind whose magic the file begins with, or raw.
    pub(super) fn by_magic(&self) -> Result<&'static Container, ContainerError> {
        let mut start = [0; 16];
        let read = match &self.input {
            Input::File(file, _) => file
                .read_at(&mut start, 0)
                .map_err(|error| ContainerError::io("read", &self.path, error))?,
            Input::Stream(_) => 0,
        };
        let found = CONTAINERS.iter().copied().find(|kind| (kind.magic)(&start[..read]));
        Ok(found.unwrap_or(&raw::ROW))
    }

    /// Reads the header as a kind's.
    pub(super) fn of_kind(
        self,
        kind: &'static Container,
        hints: &Hints,
    ) -> Result<Source, ContainerError> {
        (kind.open)(self, hints)
    }

    /// Returns the file and its length.
    ///
    /// # Errors
    ///
    /// For a stream, naming the kinds that can be read from one.
    pub(super) fn file(self, kind: &str) -> Result<(PathBuf, File, u64), ContainerError> {
        match self.input {
            Input::File(file, length) => Ok((self.path, file, length)),
            Input::Stream(_) => {
                let what =
                    format!("{kind} needs a regular file: a pipe or device can carry raw or text");
                Err(ContainerError::usage(&self.path, what))
            }
        }
    }
}
