//! An INPUT is a number, standard input, a set of test vectors, or a path.

use std::path::{Path, PathBuf};

use fpx::{
    format::parse,
    text::literal::{self, LiteralError},
};

use super::{
    argv::MINUS,
    failure::{self, usage},
};

/// What an argument in operand position is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    /// A number, constant or bit pattern, as written.
    Number(String),
    /// `-`.
    StandardInput,
    /// `exhaustive:F`.
    Exhaustive(String),
    /// `edges:F`.
    Edges(String),
    /// Something that exists.
    Path(PathBuf),
}

/// Extensions by which a name that does not exist is taken for a missing file; the names of formats
/// are such extensions as well.
const EXTENSIONS: &[&str] =
    &["safetensors", "npy", "npz", "gguf", "bin", "raw", "txt", "csv", "json", "dat", "pt", "pth"];

impl Operand {
    /// Classifies an argument.
    ///
    /// # Errors
    ///
    /// Exit code 4 for a missing file, 2 for what is neither a number nor a file.
    pub(crate) fn classify(text: &str) -> anyhow::Result<Self> {
        let text = match Self::stream(text) {
            Ok(stream) => return Ok(stream),
            Err(text) => text,
        };
        match literal::parse(&text) {
            Ok(_) => Ok(Self::Number(text)),
            Err(error) => path(&text, &error),
        }
    }

    /// Classifies an argument that is a bare code if it is no stream.
    pub(crate) fn classify_code(text: &str) -> Self {
        Self::stream(text).unwrap_or_else(Self::Number)
    }

    /// Returns a stream, or the argument with the minus it was typed with.
    fn stream(text: &str) -> Result<Self, String> {
        if text == "-" {
            return Ok(Self::StandardInput);
        }
        if let Some(format) = text.strip_prefix("exhaustive:") {
            return Ok(Self::Exhaustive(format.to_owned()));
        }
        if let Some(format) = text.strip_prefix("edges:") {
            return Ok(Self::Edges(format.to_owned()));
        }
        Err(text.strip_prefix(MINUS).map_or_else(|| text.to_owned(), |rest| format!("-{rest}")))
    }
}

impl std::fmt::Display for Operand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(text) => write!(f, "'{text}'"),
            Self::StandardInput => f.write_str("'-'"),
            Self::Exhaustive(format) => write!(f, "'exhaustive:{format}'"),
            Self::Edges(format) => write!(f, "'edges:{format}'"),
            Self::Path(path) => write!(f, "'{}'", fpx::report::escape(&path.to_string_lossy())),
        }
    }
}

fn path(text: &str, error: &LiteralError) -> anyhow::Result<Operand> {
    let path = Path::new(text);
    if text.is_empty() {
        return Err(usage(error));
    }
    if path.symlink_metadata().is_ok() {
        return Ok(Operand::Path(path.to_owned()));
    }
    // What has the form of a number, such as 1/0, is not a path for its slash.
    let LiteralError::Unexpected { .. } = error else { return Err(usage(error)) };
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    if text.contains('/') || EXTENSIONS.contains(&extension) || parse(extension).is_ok() {
        return Err(failure::missing(text));
    }
    Err(usage(format!("{error}; nor is it an existing file")))
}
