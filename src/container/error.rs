//! What can go wrong with a file, by whose fault it is.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// The operating system refused.
    #[error("cannot {action} {}: {}", show(path), reason(error))]
    Io {
        /// A verb and what follows it: "read", "create a file in".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// The contents break the rules of their kind, or are of a sort fpx does not read.
    #[error("{}: {what}", show(path))]
    Data {
        /// The file.
        path: PathBuf,
        /// What was found, and where.
        what: String,
    },
    /// What was asked for does not fit this file.
    #[error("{}: {what}", show(path))]
    Usage {
        /// The file.
        path: PathBuf,
        /// What was asked, and what would be accepted.
        what: String,
    },
}

impl ContainerError {
    /// Returns an error of the operating system.
    pub fn io(action: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), error }
    }

    /// Returns a fault of the contents.
    pub fn data(path: &Path, what: impl Into<String>) -> Self {
        Self::Data { path: path.to_owned(), what: what.into() }
    }

    /// Returns a fault of the request.
    pub fn usage(path: &Path, what: impl Into<String>) -> Self {
        Self::Usage { path: path.to_owned(), what: what.into() }
    }
}

/// Returns the reason of the operating system in lower case and without its number.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut characters = text.chars();
    let first = characters.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

/// Quotes a path for a message of one line.
pub fn show(path: &Path) -> String {
    quote(&path.to_string_lossy())
}

/// Quotes a name that came from a file, so that it cannot break a line or move the cursor.
///
/// ```
/// assert_eq!(fpx::container::quote("a\nb"), r"'a\nb'");
/// ```
pub fn quote(name: &str) -> String {
    format!("'{}'", crate::report::escape(name))
}
