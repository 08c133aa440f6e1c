//! GGUF: key-value pairs, tensor infos, then aligned data. Read only.
//!
//! The dimensions of ggml run from the innermost outwards; fpx lists them outermost first, as every
//! other kind does.

use std::{
    fs::File,
    io::{self, BufReader, Read},
};

use super::{
    Blocks, Container, ContainerError, Element, Hints, Integer, Order, Source, Storage, Tensor,
    Writing, elements, limits, quote,
    source::{Body, Opened, Sequential},
};
use crate::format::{BF16, F16, F32, F64, Format, catalogue as c};

pub(super) static ROW: Container = Container {
    name: "gguf",
    extensions: &["gguf"],
    magic: |start| start.starts_with(MAGIC),
    open,
    writing: Writing::None("GGUF is read and not written: write safetensors, npz or raw"),
    source: "ggml docs/gguf.md, version 3; types of the Python package gguf 0.19.0",
};

const MAGIC: &[u8] = b"GGUF";

/// The key that changes the alignment of tensors, and the alignment without it.
const ALIGNMENT: (&str, u64) = ("general.alignment", 32);

/// A ggml type: its number and name, and the elements and bytes of a block.
struct Type(u32, &'static str, u64, u64);

/// Every ggml type that a file may hold; the numbers missing were withdrawn.
static TYPES: [Type; 34] = [
    Type(0, "F32", 1, 4),
    Type(1, "F16", 1, 2),
    Type(2, "Q4_0", 32, 18),
    Type(3, "Q4_1", 32, 20),
    Type(6, "Q5_0", 32, 22),
    Type(7, "Q5_1", 32, 24),
    Type(8, "Q8_0", 32, 34),
    Type(9, "Q8_1", 32, 40),
    Type(10, "Q2_K", 256, 84),
    Type(11, "Q3_K", 256, 110),
    Type(12, "Q4_K", 256, 144),
    Type(13, "Q5_K", 256, 176),
    Type(14, "Q6_K", 256, 210),
    Type(15, "Q8_K", 256, 292),
    Type(16, "IQ2_XXS", 256, 66),
    Type(17, "IQ2_XS", 256, 74),
    Type(18, "IQ3_XXS", 256, 98),
    Type(19, "IQ1_S", 256, 50),
    Type(20, "IQ4_NL", 32, 18),
    Type(21, "IQ3_S", 256, 110),
    Type(22, "IQ2_S", 256, 82),
    Type(23, "IQ4_XS", 256, 136),
    Type(24, "I8", 1, 1),
    Type(25, "I16", 1, 2),
    Type(26, "I32", 1, 4),
    Type(27, "I64", 1, 8),
    Type(28, "F64", 1, 8),
    Type(29, "IQ1_M", 256, 56),
    Type(30, "BF16", 1, 2),
    Type(34, "TQ1_0", 256, 54),
    Type(35, "TQ2_0", 256, 66),
    Type(39, "MXFP4", 32, 17),
    Type(40, "NVFP4", 64, 36),
    Type(41, "Q1_0", 128, 18),
];

/// The types that are plain floating-point codes.
static FLOATS: [(&str, &Format); 4] =
    [("F32", &F32), ("F16", &F16), ("BF16", &BF16), ("F64", &F64)];

/// The types that are blocks of E2M1: the elements of a scale, and its format.
static BLOCKS: [(&str, u64, &Format); 2] = [("MXFP4", 32, &c::E8M0), ("NVFP4", 16, &c::E4M3FN)];

impl Type {
    fn element(&self) -> Element {
        let Self(_, name, block, bytes) = *self;
        if let Some((_, format)) = FLOATS.iter().find(|(float, _)| *float == name) {
            return Element::Float(Storage::new(format));
        }
        if block == 1 {
            return Element::Integer(Integer { kind: 'i', bytes });
        }
        if let Some(&(_, scaled, scale)) = BLOCKS.iter().find(|(blocks, ..)| *blocks == name) {
            return Element::Blocks(Blocks { elements: block, scaled, scale: scale.clone() });
        }
        Element::Unreadable(format!(
            "its elements are {name} blocks, which fpx does not read: it reads F32, F16, BF16, F64, \
             MXFP4 and NVFP4"
        ))
    }
}

/// The bytes of a metadata value of fixed size: integers, floats and truth values.
fn scalar_bytes(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

/// Reads the header from first to last, counting bytes.
struct Reader<'a> {
    inner: BufReader<Sequential<'a>>,
    position: u64,
    length: u64,
}

fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

impl Reader<'_> {
    fn integer<const BYTES: usize>(&mut self) -> io::Result<u64> {
        let mut bytes = [0; BYTES];
        self.inner.read_exact(&mut bytes).map_err(|_| self.ends())?;
        self.position += BYTES as u64;
        Ok(bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    #[expect(clippy::cast_possible_truncation, reason = "four bytes are read")]
    fn u32(&mut self) -> io::Result<u32> {
        Ok(self.integer::<4>()? as u32)
    }

    fn ends(&self) -> io::Error {
        invalid(format!("the header ends at byte {}, before it is complete", self.position))
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        if bytes > self.length - self.position {
            return Err(self.ends());
        }
        io::copy(&mut self.inner.by_ref().take(bytes), &mut io::sink())?;
        self.position += bytes;
        Ok(())
    }

    fn string(&mut self) -> io::Result<String> {
        let length = self.integer::<8>()?;
        limits::check("the length of a name", length, limits::limit!(MAX_NAME_BYTES))
            .map_err(invalid)?;
        let mut text = Vec::new();
        self.inner.by_ref().take(length).read_to_end(&mut text)?;
        if text.len() as u64 != length {
            return Err(self.ends());
        }
        self.position += length;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Skips a value of a type, and returns it if it is a 32-bit unsigned integer.
    fn value(&mut self, kind: u32, depth: u32) -> io::Result<Option<u64>> {
        /// Arrays of arrays of arrays are nobody's metadata.
        const MAX_DEPTH: u32 = 4;
        match (kind, scalar_bytes(kind)) {
            (4, _) => return self.integer::<4>().map(Some),
            (_, Some(bytes)) => self.skip(bytes)?,
            (8, None) => {
                let length = self.integer::<8>()?;
                self.skip(length)?;
            }
            (9, None) if depth < MAX_DEPTH => {
                let (kind, count) = (self.u32()?, self.integer::<8>()?);
                if let Some(bytes) = scalar_bytes(kind) {
                    self.skip(count.saturating_mul(bytes))?;
                } else {
                    for _ in 0..count {
                        self.value(kind, depth + 1)?;
                    }
                }
            }
            (other, None) => return Err(invalid(format!("metadata of unknown type {other}"))),
        }
        Ok(None)
    }

    /// Reads the fixed header: the numbers of tensors and of key-value pairs.
    fn start(&mut self) -> io::Result<(u64, u64)> {
        if self.u32()?.to_le_bytes() != MAGIC {
            return Err(invalid("does not begin as a GGUF file does"));
        }
        match self.u32()? {
            2 | 3 => {}
            other if matches!(other.swap_bytes(), 1..=3) => {
                return Err(invalid("a big-endian GGUF file, which fpx does not read"));
            }
            other => return Err(invalid(format!("GGUF version {other}: expected 2 or 3"))),
        }
        let tensors = self.integer::<8>()?;
        limits::check("the number of tensors", tensors, limits::limit!(MAX_TENSORS))
            .map_err(invalid)?;
        Ok((tensors, self.integer::<8>()?))
    }

    /// Reads the key-value pairs and returns the alignment.
    fn pairs(&mut self, count: u64) -> io::Result<u64> {
        let mut alignment = ALIGNMENT.1;
        for _ in 0..count {
            let (key, kind) = (self.string()?, self.u32()?);
            let value = self.value(kind, 0)?;
            if key == ALIGNMENT.0 {
                alignment = value
                    .filter(|a| a.is_power_of_two())
                    .ok_or_else(|| invalid(format!("{key} is not a power of two in 32 bits")))?;
            }
        }
        Ok(alignment)
    }

    /// Reads a tensor's info; its offset is still from the start of the data.
    fn tensor(&mut self) -> io::Result<Tensor> {
        let name = self.string()?;
        let fail = |what: String| invalid(format!("tensor {}: {what}", quote(&name)));
        let dimensions = self.u32()?;
        limits::check(
            "the number of dimensions",
            dimensions.into(),
            limits::limit!(MAX_DIMENSIONS),
        )
        .map_err(fail)?;
        let mut shape =
            (0..dimensions).map(|_| self.integer::<8>()).collect::<Result<Vec<_>, _>>()?;
        shape.reverse();
        let number = self.u32()?;
        let offset = self.integer::<8>()?;
        let Some(kind) = TYPES.iter().find(|kind| kind.0 == number) else {
            return Err(fail(format!("unknown ggml type {number}")));
        };
        let &Type(_, dtype, block, block_bytes) = kind;
        let count = elements(&shape);
        let rows_fit = shape.last().copied().unwrap_or(1) % block == 0;
        if !rows_fit {
            return Err(fail(format!("a row is not a whole number of {dtype} blocks of {block}")));
        }
        let bytes = count.and_then(|count| (count / block).checked_mul(block_bytes));
        let overflows = || fail(format!("the shape {} overflows", super::show_shape(&shape)));
        let bytes = bytes.ok_or_else(overflows)?;
        let element = kind.element();
        let dtype = dtype.to_owned();
        Ok(Tensor { name, dtype, element, shape, order: Order::C, offset, bytes: Some(bytes) })
    }
}

fn open(opened: Opened, _hints: &Hints) -> Result<Source, ContainerError> {
    let (path, file, length) = opened.file("gguf")?;
    let (tensors, faults) =
        read(&file, length).map_err(|error| ContainerError::data(&path, error.to_string()))?;
    let body = Body::File(file);
    Ok(Source { path, kind: &ROW, tensors, metadata: Vec::new(), faults, body })
}

/// Returns the tensors and what is wrong with them.
fn read(file: &File, length: u64) -> io::Result<(Vec<Tensor>, Vec<String>)> {
    let inner = BufReader::new(Sequential { file, offset: 0 });
    let mut reader = Reader { inner, position: 0, length };
    let (count, pairs) = reader.start()?;
    let alignment = reader.pairs(pairs)?;
    let mut tensors = (0..count).map(|_| reader.tensor()).collect::<Result<Vec<_>, _>>()?;
    let start = reader.position.next_multiple_of(alignment);
    let mut faults = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for tensor in &mut tensors {
        let name = quote(&tensor.name);
        if !seen.insert(tensor.name.clone()) {
            faults.push(format!("the name {name} occurs twice"));
        }
        if tensor.offset % alignment != 0 {
            faults.push(format!("tensor {name} is not aligned to {alignment} bytes"));
        }
        let begin = start.checked_add(tensor.offset);
        let end = begin.zip(tensor.bytes).and_then(|(begin, bytes)| begin.checked_add(bytes));
        if end.is_none_or(|end| end > length) {
            faults.push(format!("tensor {name} lies beyond the end of the file"));
        }
        tensor.offset = begin.unwrap_or(u64::MAX);
    }
    faults.extend(overlaps(&tensors));
    Ok((tensors, faults))
}

fn overlaps(tensors: &[Tensor]) -> Vec<String> {
    let mut spans: Vec<_> =
        tensors.iter().map(|t| (t.offset, t.bytes.unwrap_or_default(), &t.name)).collect();
    spans.sort_unstable();
    let overlap = |pair: &&[(u64, u64, &String)]| pair[0].0.saturating_add(pair[0].1) > pair[1].0;
    spans
        .windows(2)
        .filter(overlap)
        .map(|pair| format!("tensor {} overlaps {}", quote(pair[1].2), quote(pair[0].2)))
        .collect()
}
