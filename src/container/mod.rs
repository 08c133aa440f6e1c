//! A file becomes tensors, and tensors become a file: one module a kind of file.
//!
//! Reading: [`open`] finds the kind, reads the header and returns a [`Source`]; its tensors' bytes
//! come in chunks from [`Source::feed`], so that no file is ever held in memory. Writing: a kind's
//! [`Framing`] says from the tensors' shapes alone where each tensor's bytes will be, so that they
//! can be written in any order into a [`Draft`](output::Draft), which gets its name only when whole.
//!
//! ```
//! use fpx::container::{Hints, open};
//! let dir = tempfile::tempdir().unwrap();
//! let path = dir.path().join("x.npy");
//! std::fs::write(&path, b"\x93NUMPY\x01\x00\x3a\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}  \n\
//!     \x00\x00\x80\x3f\x00\x00\x00\x40").unwrap();
//! let source = open(&path, None, &Hints::default()).unwrap();
//! assert_eq!((source.kind.name, source.tensors[0].dtype.as_str()), ("npy", "<f4"));
//! assert_eq!(source.tensors[0].shape, [2]);
//! ```

pub mod checkpoint;
pub mod companion;
mod error;
mod gguf;
mod json;
pub mod limits;
mod npy;
mod npz;
pub mod output;
mod raw;
pub(crate) mod reading;
mod safetensors;
mod source;
mod span;
mod tensor;
pub mod text;
pub mod written;
mod zip;

pub use error::{ContainerError, quote, reason, show};
pub use npy::view_name;
pub use raw::ROW as RAW;
pub use safetensors::ROW as SAFETENSORS;
pub use source::{Body, Feed, Source};
pub use span::{Cells, Span};
pub use tensor::{
    Blocks, Element, Endian, Integer, Order, Packing, Storage, Tensor, elements, show_shape,
};

use std::{fs::File, io::Read, path::Path};

use crate::format::Format;

/// A kind of file: one row of [`CONTAINERS`].
#[derive(Debug)]
pub struct Container {
    /// Its name, as `--input-kind` and `--output-kind` take it.
    pub name: &'static str,
    /// The file name extensions it goes by.
    pub extensions: &'static [&'static str],
    /// Whether a file that begins with these bytes is of this kind.
    magic: fn(&[u8]) -> bool,
    /// Reads the header.
    open: fn(source::Opened, &Hints) -> Result<Source, ContainerError>,
    /// How it is written.
    pub writing: Writing,
    /// Where the kind is defined.
    pub source: &'static str,
}

impl PartialEq for Container {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Keys and values beside the tensors, in their order.
pub type Metadata = [(String, String)];

/// Completes a file whose tensors are written.
pub type Seal = fn(&File, &[Tensor], &Layout) -> std::io::Result<()>;

/// How a kind of file is written.
#[derive(Debug)]
pub enum Writing {
    /// Not at all, and why.
    None(&'static str),
    /// In any order, each tensor at a place that follows from the shapes.
    Framed(Framing),
    /// As text from the first element to the last, with this between columns.
    Text(&'static str),
}

/// Where the bytes of a kind of file go.
#[derive(Debug)]
pub struct Framing {
    /// How many tensors a file holds, and whether they have names.
    pub holds: Holds,
    /// Whether the elements may be in Fortran order.
    pub fortran: bool,
    /// How narrow codes lie in this kind; `None` where there is a choice.
    pub packing: Option<Packing>,
    /// Returns the kind's spelling of an element type, if it has one.
    pub dtype: fn(&Element) -> Option<String>,
    /// Returns where everything goes.
    pub layout: fn(&[Tensor], &Metadata) -> Result<Layout, String>,
    /// Completes a file whose tensors are written, where that takes more.
    pub seal: Option<Seal>,
}

/// What a kind of file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// One tensor without a name.
    One,
    /// Elements without any header: tensors follow each other.
    Elements,
    /// Tensors with names and nothing else.
    Named,
    /// Tensors with names, and metadata.
    Described,
}

/// Where the parts of a file go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The first byte of each tensor.
    pub offsets: Vec<u64>,
    /// Headers, each with its first byte.
    pub headers: Vec<(u64, Vec<u8>)>,
    /// Bytes of the whole file.
    pub bytes: u64,
}

/// Every kind of file, in the order in which their magic is looked for; the last takes anything.
pub static CONTAINERS: &[&Container] =
    &[&safetensors::ROW, &npy::ROW, &npz::ROW, &gguf::ROW, &text::TEXT, &text::CSV, &raw::ROW];

/// What a file does not say of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hints {
    /// What raw elements are, and what text is rounded to first.
    pub from: Option<Format>,
    /// How narrow raw elements lie in memory.
    pub packing: Packing,
    /// What elements are that NumPy has no name for.
    pub dtype: Option<Format>,
}

/// Returns the kind of this name.
pub fn by_name(name: &str) -> Option<&'static Container> {
    CONTAINERS.iter().copied().find(|kind| kind.name == name)
}

/// Returns the kind that a file name's extension stands for.
pub fn by_extension(path: &Path) -> Option<&'static Container> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    CONTAINERS.iter().copied().find(|kind| kind.extensions.contains(&extension.as_str()))
}

/// Opens a file and reads its header.
///
/// The kind is the one given, else that of the extension, else that of the magic bytes, else raw.
/// Pipes and devices are read from first to last, which only raw elements and text allow.
///
/// # Errors
///
/// [`ContainerError`] if the file cannot be read, is not of its kind, or needs a hint.
pub fn open(
    path: &Path,
    kind: Option<&'static Container>,
    hints: &Hints,
) -> Result<Source, ContainerError> {
    let opened = source::Opened::path(path)?;
    let kind = match kind.or_else(|| by_extension(path)) {
        Some(kind) => kind,
        None => opened.by_magic()?,
    };
    opened.of_kind(kind, hints)
}

/// Opens a stream, such as standard input, as raw elements or text.
///
/// # Errors
///
/// As [`open`].
pub fn open_stream(
    name: &Path,
    stream: Box<dyn Read + Send>,
    kind: &'static Container,
    hints: &Hints,
) -> Result<Source, ContainerError> {
    source::Opened::stream(name, stream).of_kind(kind, hints)
}
