//! Safetensors: the length of a JSON header, the header, then the tensors without gaps.
//!
//! Read and written here rather than by the `safetensors` crate (0.8), which takes a repeated name
//! for one tensor, refuses element types it does not know, writes metadata in random order, and
//! cannot write a tensor piece by piece.

use std::os::unix::fs::FileExt;

use serde_json::{Map, Value};

use super::{
    Container, ContainerError, Element, Framing, Hints, Holds, Integer, Layout, Metadata, Order,
    Packing, Source, Storage, Tensor, Writing, limits,
    source::{Body, Opened},
};
use crate::format::{Format, catalogue as c};

mod header;

/// Safetensors, which checkpoint folders are made of.
pub static ROW: Container = Container {
    name: "safetensors",
    extensions: &["safetensors"],
    magic: |start| start.len() > 8 && start[5..9] == *b"\0\0\0{",
    open,
    writing: Writing::Framed(Framing {
        holds: Holds::Described,
        fortran: false,
        packing: Some(Packing::Dense),
        dtype,
        layout,
        seal: None,
    }),
    source: "safetensors 0.8, README 'Format' and src/tensor.rs",
};

/// The floating-point element types of the 22 there are.
static FLOATS: [(&str, &Format); 12] = [
    ("F64", &c::F64),
    ("F32", &c::F32),
    ("F16", &c::F16),
    ("BF16", &c::BF16),
    ("F8_E5M2", &c::E5M2),
    ("F8_E4M3", &c::E4M3FN),
    ("F8_E5M2FNUZ", &c::E5M2FNUZ),
    ("F8_E4M3FNUZ", &c::E4M3FNUZ),
    ("F8_E8M0", &c::E8M0),
    ("F6_E3M2", &c::E3M2FN),
    ("F6_E2M3", &c::E2M3FN),
    ("F4", &c::E2M1FN),
];

/// The others but one: a name, NumPy's kind and bytes.
const INTEGERS: [(&str, char, u64); 9] = [
    ("I64", 'i', 8),
    ("U64", 'u', 8),
    ("I32", 'i', 4),
    ("U32", 'u', 4),
    ("I16", 'i', 2),
    ("U16", 'u', 2),
    ("I8", 'i', 1),
    ("U8", 'u', 1),
    ("BOOL", 'b', 1),
];

/// The complex type, which is copied.
const COMPLEX: (&str, u64) = ("C64", 64);

/// Bytes of the length that a file begins with.
const LENGTH_BYTES: usize = size_of::<u64>();

/// The key under which a header holds its metadata.
const METADATA: &str = "__metadata__";

/// Returns what an element type's name stands for, and the bits of an element if it is known.
fn element(dtype: &str) -> (Element, Option<u64>) {
    let float = FLOATS.iter().find(|(name, _)| *name == dtype);
    let integer = INTEGERS.iter().find(|(name, ..)| *name == dtype);
    let element = match (float, integer) {
        (Some((_, format)), _) => Element::Float(Storage::new(format)),
        (_, Some(&(_, kind, bytes))) => Element::Integer(Integer { kind, bytes }),
        (None, None) => Element::Opaque,
    };
    let bits = element.bits().or((dtype == COMPLEX.0).then_some(COMPLEX.1));
    (element, bits)
}

fn dtype(element: &Element) -> Option<String> {
    let name = match element {
        Element::Float(storage) => {
            FLOATS.iter().find(|(_, format)| **format == storage.format).map(|(name, _)| *name)
        }
        Element::Integer(integer) => INTEGERS
            .iter()
            .find(|(_, kind, bytes)| (*kind, *bytes) == (integer.kind, integer.bytes))
            .map(|(name, ..)| *name),
        Element::Blocks(_) | Element::Literal | Element::Opaque | Element::Unreadable(_) => None,
    };
    name.map(str::to_owned)
}

fn open(opened: Opened, _hints: &Hints) -> Result<Source, ContainerError> {
    let (path, file, length) = opened.file("safetensors")?;
    let data = |what: String| ContainerError::data(&path, what);
    let read = |error| ContainerError::io("read", &path, error);
    let fixed = LENGTH_BYTES as u64;
    if length < fixed {
        return Err(data(format!("{length} bytes are too few for a safetensors file")));
    }
    let mut size = [0; LENGTH_BYTES];
    file.read_exact_at(&mut size, 0).map_err(read)?;
    let size = u64::from_le_bytes(size);
    limits::check("the header's length", size, limits::limit!(MAX_HEADER_BYTES)).map_err(data)?;
    if size > length - fixed {
        let what = format!("the header is to have {size} bytes, the whole file has {length}");
        return Err(data(what));
    }
    let mut text = vec![0; usize::try_from(size).map_err(|_| data("header too long".into()))?];
    file.read_exact_at(&mut text, fixed).map_err(read)?;
    let start = fixed + size;
    let header = header::parse(&text, start, length - start).map_err(data)?;
    let body = Body::File(file);
    let header::Header { tensors, metadata, faults } = header;
    Ok(Source { path, kind: &ROW, tensors, metadata, faults, body })
}

/// Returns the bits of an element, for the order of tensors: of an unknown type what its bytes say.
fn width(tensor: &Tensor) -> u64 {
    let elements = super::elements(&tensor.shape).filter(|elements| *elements > 0);
    let bits = tensor.bytes.unwrap_or_default().saturating_mul(8);
    elements.map_or(0, |elements| bits / elements)
}

/// Lays tensors out by falling width and then in their order, so that each is aligned, as the
/// reference does; the header keeps their order.
fn layout(tensors: &[Tensor], metadata: &Metadata) -> Result<Layout, String> {
    let mut order: Vec<usize> = (0..tensors.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(width(&tensors[i])));
    let mut offsets = vec![0; tensors.len()];
    let mut bytes = 0u64;
    for i in order {
        let tensor = &tensors[i];
        let bits = tensor.element.bits().unwrap_or(8);
        let elements = super::elements(&tensor.shape).unwrap_or_default();
        if bits < 8 && !(elements * bits).is_multiple_of(8) {
            return Err(format!(
                "tensor {}: {elements} elements of {bits} bits do not fill whole bytes, as \
                 safetensors demands of {}",
                super::quote(&tensor.name),
                tensor.dtype
            ));
        }
        offsets[i] = bytes;
        let end = tensor.bytes.and_then(|b| bytes.checked_add(b));
        bytes = end.ok_or("the file would exceed 2^64 bytes")?;
    }
    let header = header_text(tensors, &offsets, metadata);
    let start = header.len() as u64;
    let offsets = offsets.into_iter().map(|offset| start + offset).collect();
    Ok(Layout { offsets, bytes: start + bytes, headers: vec![(0, header)] })
}

/// Returns the length and the JSON, filled up with spaces to a multiple of 8 bytes.
fn header_text(tensors: &[Tensor], offsets: &[u64], metadata: &Metadata) -> Vec<u8> {
    let mut map = Map::new();
    if !metadata.is_empty() {
        let entries = metadata.iter().map(|(k, v)| (k.clone(), Value::from(v.as_str())));
        map.insert(METADATA.to_owned(), Value::Object(entries.collect()));
    }
    for (tensor, &start) in tensors.iter().zip(offsets) {
        let mut entry = Map::new();
        entry.insert("dtype".to_owned(), tensor.dtype.as_str().into());
        entry.insert("shape".to_owned(), tensor.shape.clone().into());
        let end = start + tensor.bytes.unwrap_or_default();
        entry.insert("data_offsets".to_owned(), vec![start, end].into());
        map.insert(tensor.name.clone(), entry.into());
    }
    let mut text = Value::Object(map).to_string().into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut out = (text.len() as u64).to_le_bytes().to_vec();
    out.append(&mut text);
    out
}
