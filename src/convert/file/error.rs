//! What can go wrong when a file is converted, by whose fault it is.

use std::io;

use crate::container::{ContainerError, reason};

/// Why a file was not converted.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A file could not be read or written.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// What was asked for does not fit the input.
    #[error("{0}")]
    Usage(String),
    /// The input holds something that cannot be converted.
    #[error("{0}")]
    Data(String),
    /// The output could not be written.
    #[error("cannot write the output: {}", reason(.0))]
    Write(io::Error),
    /// The reader of a stream has gone away.
    #[error("the reader of the output has gone away")]
    ClosedPipe,
}

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The request.
    Usage,
    /// The contents of the input.
    Data,
    /// The operating system.
    System,
    /// Nobody: the reader of the output has all it wanted.
    Reader,
}

impl FileError {
    /// Returns whose fault this is.
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Container(ContainerError::Usage { .. }) | Self::Usage(_) => Blame::Usage,
            Self::Container(ContainerError::Data { .. }) | Self::Data(_) => Blame::Data,
            Self::Container(ContainerError::Io { .. }) | Self::Write(_) => Blame::System,
            Self::ClosedPipe => Blame::Reader,
        }
    }
}
