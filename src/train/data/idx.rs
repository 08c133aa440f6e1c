//! An IDX file, raw or gzipped, becomes dimensions and bytes.
//!
//! The layout is that of MNIST and its family: two zero bytes, the type of the elements (8: one
//! unsigned byte each), the number of dimensions, each dimension as a big-endian 32-bit integer,
//! and then the elements, the last dimension running fastest.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use crate::container::{
    ContainerError,
    limits::{self, MAX_DATA_BYTES},
};

/// What an IDX file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// The dimensions, the first counting the examples.
    pub dimensions: Vec<usize>,
    /// The elements.
    pub elements: Vec<u8>,
}

/// The first bytes of a gzip file (RFC 1952 §2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The type code of unsigned bytes.
const UNSIGNED_BYTES: u8 = 8;

/// Returns the bytes of a gzip file unpacked, and any others as they are.
///
/// # Errors
///
/// If the packed data are damaged, or have another length than their last four bytes say, which is
/// what bounds the memory that a small file can ask for.
pub fn unpacked(bytes: Vec<u8>, path: &Path) -> Result<Vec<u8>, ContainerError> {
    let (true, Some(length)) = (bytes.starts_with(&GZIP_MAGIC), bytes.last_chunk()) else {
        return Ok(bytes);
    };
    let length = u64::from(u32::from_le_bytes(*length));
    let wrong = |what| ContainerError::data(path, what);
    limits::check("its unpacked length", length, limits::limit!(MAX_DATA_BYTES)).map_err(wrong)?;
    let mut unpacked = Vec::new();
    let decoder = flate2::read::GzDecoder::new(&*bytes);
    match decoder.take(length + 1).read_to_end(&mut unpacked) {
        Ok(found) if found as u64 == length => Ok(unpacked),
        Ok(_) => Err(wrong(format!("damaged gzip data: not the {length} bytes it says"))),
        Err(error) => Err(wrong(format!("damaged gzip data: {error}"))),
    }
}

/// Returns the bytes of a file, unpacked if it is a gzip file.
///
/// # Errors
///
/// If the file cannot be read, is too long, or is a damaged gzip file.
pub fn contents(path: &Path) -> Result<Vec<u8>, ContainerError> {
    let io = |error| ContainerError::io("read", path, error);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(io)?;
    file.take(MAX_DATA_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
    limits::check("its length", bytes.len() as u64, limits::limit!(MAX_DATA_BYTES))
        .map_err(|what| ContainerError::data(path, what))?;
    unpacked(bytes, path)
}

/// Reads an IDX file of unsigned bytes.
///
/// ```
/// use fpx::train::data::idx::parse;
/// let idx = parse(&[0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 7, 8, 9], "three".as_ref()).unwrap();
/// assert_eq!((idx.dimensions, idx.elements), (vec![1, 3], vec![7, 8, 9]));
/// ```
///
/// # Errors
///
/// If the header is not that of IDX, or announces more or fewer elements than follow.
pub fn parse(bytes: &[u8], path: &Path) -> Result<Idx, ContainerError> {
    let wrong = |what: String| ContainerError::data(path, what);
    let (head, mut rest) = bytes
        .split_first_chunk::<4>()
        .ok_or_else(|| wrong(format!("{} bytes, expected an IDX header", bytes.len())))?;
    let &[0, 0, kind, count] = head else {
        let head = head.map(|byte| format!("{byte:02x}")).join(" ");
        return Err(wrong(format!("begins with {head}, expected the IDX magic 00 00 08")));
    };
    if kind != UNSIGNED_BYTES {
        return Err(wrong(format!("elements of IDX type 0x{kind:02x}, expected bytes (0x08)")));
    }
    let mut dimensions = Vec::new();
    for _ in 0..count {
        let (dimension, after) = rest
            .split_first_chunk::<4>()
            .ok_or_else(|| wrong(format!("ends inside the {count} dimensions of its header")))?;
        dimensions.push(u32::from_be_bytes(*dimension) as usize);
        rest = after;
    }
    let announced = dimensions.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    if announced != Some(rest.len()) {
        let sides: Vec<_> = dimensions.iter().map(usize::to_string).collect();
        let sides = sides.join(" x ");
        return Err(wrong(format!("announces {sides} elements, but {} bytes follow", rest.len())));
    }
    Ok(Idx { dimensions, elements: rest.to_vec() })
}

/// Reads an IDX file from disk, raw or gzipped.
///
/// # Errors
///
/// If the file cannot be read or is not IDX.
pub fn read(path: &Path) -> Result<Idx, ContainerError> {
    parse(&contents(path)?, path)
}

/// The pairs of images and labels of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs {
    /// The examples to learn from, or all of them.
    pub train: [PathBuf; 2],
    /// The examples to be tested on, if they are kept apart.
    pub test: Option<[PathBuf; 2]>,
}

/// Finds the images and labels of a folder by their names, as MNIST's files are called.
///
/// # Errors
///
/// If the folder cannot be read, or there is not exactly one pair to learn from.
pub fn pairs(folder: &Path) -> Result<Pairs, ContainerError> {
    let entries =
        std::fs::read_dir(folder).map_err(|error| ContainerError::io("read", folder, error))?;
    let mut files = Vec::new();
    for entry in entries {
        files.push(entry.map_err(|error| ContainerError::io("read", folder, error))?.path());
    }
    files.sort_unstable();
    let find = |kind: &str, is_test: bool| -> Result<Option<PathBuf>, ContainerError> {
        let mut found = files.iter().filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.contains(kind) && is_test_name(&name) == is_test
        });
        match (found.next(), found.next()) {
            (Some(one), Some(other)) => {
                let (one, other) = (one.display(), other.display());
                Err(ContainerError::data(
                    folder,
                    format!("both {one} and {other} could be the {kind}"),
                ))
            }
            (found, _) => Ok(found.cloned()),
        }
    };
    let pair = |is_test| Ok((find("idx3", is_test)?, find("idx1", is_test)?));
    match (pair(false)?, pair(true)?) {
        ((Some(images), Some(labels)), (None, None)) => {
            Ok(Pairs { train: [images, labels], test: None })
        }
        ((Some(images), Some(labels)), (Some(test_images), Some(test_labels))) => {
            Ok(Pairs { train: [images, labels], test: Some([test_images, test_labels]) })
        }
        _ => Err(ContainerError::data(
            folder,
            "expected one *idx3-ubyte and one *idx1-ubyte file, raw or .gz, or those of train-* \
             and t10k-*"
                .to_owned(),
        )),
    }
}

/// Whether a file's name says that it is for testing: MNIST's `t10k-`, or `test`.
fn is_test_name(name: &str) -> bool {
    name.starts_with("t10k") || name.contains("test")
}
