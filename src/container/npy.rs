//! NumPy's `.npy`: a Python dictionary of element type, order and shape, then the elements.
//!
//! NumPy has no type for bfloat16 and the 8-bit formats. What `ml_dtypes` writes for them is a void
//! type of the right size, which a hint must name when it is read.

use std::io::{self, Read};

use super::{
    Container, ContainerError, Element, Endian, Framing, Hints, Holds, Integer, Layout, Metadata,
    Order, Source, Storage, Tensor, Writing, elements, limits, raw,
    source::{Body, Opened, Sequential},
    tensor::Packing,
};
use crate::format::{F16, F32, F64, Format};

mod dictionary;

use dictionary::Dictionary;

pub(super) static ROW: Container = Container {
    name: "npy",
    extensions: &["npy"],
    magic: |start| start.starts_with(MAGIC),
    open,
    writing: Writing::Framed(Framing {
        holds: Holds::One,
        fortran: true,
        packing: Some(Packing::Byte),
        dtype,
        layout,
        seal: None,
    }),
    source: "NumPy NEP 1, numpy.lib.format versions 1.0, 2.0 and 3.0",
};

const MAGIC: &[u8] = b"\x93NUMPY";

/// What the header of an array says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    /// The element type, as written: a type string, or the list of a structure's fields.
    pub(super) descr: String,
    pub(super) element: Element,
    /// Bytes of an element, where the type string says so.
    pub(super) size: Option<u64>,
    pub(super) order: Order,
    pub(super) shape: Vec<u64>,
    /// Bytes before the first element.
    pub(super) length: u64,
}

/// Formats that NumPy has a type for.
static NATIVE: [(&str, &Format); 3] = [("f2", &F16), ("f4", &F32), ("f8", &F64)];

/// Integer types that an element of another kind may be.
const INTEGERS: [&str; 9] = ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"];

/// Formats that `ml_dtypes` gives NumPy a type for, and the type's name there.
///
/// Its own files mark `float8_e5m2` as `<f1`, which NumPy cannot load, so it is written as void too.
static VOID: [(&Format, &str); 12] = {
    use crate::format::catalogue as c;
    [
        (&c::BF16, "bfloat16"),
        (&c::E5M2, "float8_e5m2"),
        (&c::E4M3FN, "float8_e4m3fn"),
        (&c::E4M3IEEE, "float8_e4m3"),
        (&c::E3M4, "float8_e3m4"),
        (&c::E5M2FNUZ, "float8_e5m2fnuz"),
        (&c::E4M3FNUZ, "float8_e4m3fnuz"),
        (&c::E4M3B11FNUZ, "float8_e4m3b11fnuz"),
        (&c::E8M0, "float8_e8m0fnu"),
        (&c::E3M2FN, "float6_e3m2fn"),
        (&c::E2M3FN, "float6_e2m3fn"),
        (&c::E2M1FN, "float4_e2m1fn"),
    ]
};

/// Returns the name under which `ml_dtypes` can view an array of a format that NumPy has no type for.
pub fn view_name(format: &Format) -> Option<&'static str> {
    VOID.iter().find(|(row, _)| *row == format).map(|(_, name)| *name)
}

/// Returns the type string of an element; narrow codes lie one a byte.
pub(super) fn dtype(element: &Element) -> Option<String> {
    match element {
        Element::Float(storage) => {
            let native = NATIVE.iter().find(|(_, format)| **format == storage.format);
            let void = VOID.iter().any(|(format, _)| **format == storage.format);
            native
                .map(|(name, _)| format!("<{name}"))
                .or_else(|| void.then(|| format!("<V{}", storage.format.storage_bytes())))
        }
        Element::Integer(integer) => {
            let prefix = if integer.bytes == 1 { '|' } else { '<' };
            Some(format!("{prefix}{}{}", integer.kind, integer.bytes))
        }
        Element::Blocks(_) | Element::Literal | Element::Opaque | Element::Unreadable(_) => None,
    }
}

/// Returns what a type string stands for, and the bytes of an element where it says so.
fn element(descr: &str, hint: Option<&Format>) -> (Element, Option<u64>) {
    let endian = if descr.starts_with('>') { Endian::Big } else { Endian::Little };
    let kind = descr.trim_start_matches(['<', '>', '|', '=']);
    let size = kind.get(1..).and_then(|size| size.parse::<u64>().ok());
    let float = |format: &Format| {
        Element::Float(Storage { endian, ..Storage::new(format).with_packing(Packing::Byte) })
    };
    if let Some((_, format)) = NATIVE.iter().find(|(name, _)| *name == kind) {
        return (float(format), size);
    }
    let fits = hint.filter(|hint| Some(hint.storage_bytes() as u64) == size);
    let element = match kind.chars().next() {
        Some('V' | 'u' | 'f') if let Some(hint) = fits => float(hint),
        Some(kind) if INTEGERS.contains(&descr.trim_start_matches(['<', '>', '|', '='])) => {
            // A big-endian integer is only copied, and its type string with it.
            match (endian, size) {
                (Endian::Little, Some(bytes)) => Element::Integer(Integer { kind, bytes }),
                _ => Element::Opaque,
            }
        }
        Some('V' | 'f') if matches!(size, Some(1 | 2 | 4 | 8 | 16)) => {
            Element::Unreadable(format!(
                "its elements are '{descr}', which NumPy writes for formats it has no name for: add \
             --dtype FORMAT (one of {} bytes)",
                size.unwrap_or_default()
            ))
        }
        Some('O') => Element::Unreadable("its elements are pickled Python objects".to_owned()),
        _ => Element::Opaque,
    };
    // NumPy counts the characters of a string type, of 4 bytes each, and not the bytes of a date.
    let size = match kind.chars().next() {
        Some('U') => size.and_then(|size| size.checked_mul(4)),
        Some('M' | 'm') => Some(8),
        _ => size,
    };
    (element, size)
}

/// Reads a header from the first byte of an array on.
pub(super) fn read_header(reader: &mut dyn Read, hint: Option<&Format>) -> io::Result<Header> {
    let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut fixed = [0; 8];
    reader.read_exact(&mut fixed).map_err(|_| invalid("shorter than an npy header".into()))?;
    if !fixed.starts_with(MAGIC) {
        return Err(invalid("does not begin as an npy file does".into()));
    }
    let mut size = [0; 4];
    let size_bytes = match fixed[6] {
        1 => 2,
        2 | 3 => 4,
        other => return Err(invalid(format!("npy version {other}: expected 1, 2 or 3"))),
    };
    reader.read_exact(&mut size[..size_bytes])?;
    let size = u64::from(u32::from_le_bytes(size));
    limits::check("the npy header's length", size, limits::limit!(MAX_HEADER_BYTES))
        .map_err(invalid)?;
    let mut text = Vec::new();
    reader.take(size).read_to_end(&mut text)?;
    if text.len() as u64 != size {
        return Err(invalid(format!("the header ends after {} of {size} bytes", text.len())));
    }
    // Version 1 and 2 are Latin-1, 3 is UTF-8; only names of fields, which are copied, may differ.
    let text = String::from_utf8(text)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect());
    let length = 8 + size_bytes as u64 + size;
    header(&text, length, hint).map_err(|what| invalid(format!("npy header: {what}")))
}

/// Checks what a header's dictionary says.
fn header(text: &str, length: u64, hint: Option<&Format>) -> Result<Header, String> {
    let Dictionary { descr, fortran, shape } = Dictionary::parse(text)?;
    limits::check("the number of dimensions", shape.len() as u64, limits::limit!(MAX_DIMENSIONS))?;
    let (element, size) = element(&descr, hint);
    let total = elements(&shape).and_then(|n| n.checked_mul(size.unwrap_or(1)));
    total.ok_or_else(|| format!("the shape {} overflows", super::show_shape(&shape)))?;
    let order = if fortran && shape.len() > 1 { Order::Fortran } else { Order::C };
    Ok(Header { descr, element, size, order, shape, length })
}

impl Header {
    /// Returns the tensor of an array with `bytes` bytes after the header, and what is wrong with
    /// that number.
    pub(super) fn tensor(self, name: String, bytes: u64) -> (Tensor, Option<String>) {
        let count = elements(&self.shape).unwrap_or_default();
        let expected = self.size.map_or(bytes, |size| size * count);
        let fault = (expected != bytes).then(|| {
            let more = if bytes > expected { "more" } else { "fewer" };
            format!(
                "{bytes} bytes follow the header, {more} than the {expected} of {} elements '{}'",
                super::show_shape(&self.shape),
                self.descr
            )
        });
        let tensor = Tensor {
            name,
            dtype: self.descr,
            element: self.element,
            shape: self.shape,
            order: self.order,
            offset: self.length,
            bytes: Some(bytes),
        };
        (tensor, fault)
    }
}

fn open(opened: Opened, hints: &Hints) -> Result<Source, ContainerError> {
    let (path, file, bytes) = opened.file("npy")?;
    let mut reader = Sequential { file: &file, offset: 0 };
    let header = read_header(&mut reader, hints.dtype.as_ref())
        .map_err(|error| ContainerError::data(&path, error.to_string()))?;
    let after = bytes.saturating_sub(header.length);
    let (tensor, fault) = header.tensor(String::new(), after);
    let body = Body::File(file);
    Ok(Source {
        path,
        kind: &ROW,
        tensors: vec![tensor],
        metadata: Vec::new(),
        faults: fault.into_iter().collect(),
        body,
    })
}

/// Writes a header as NumPy does: version 1, or 2 where 1 is too short, to a multiple of 64 bytes.
pub(super) fn write_header(tensor: &Tensor) -> Vec<u8> {
    let dictionary =
        dictionary::write(&tensor.dtype, tensor.order == Order::Fortran, &tensor.shape);
    let padded = |fixed: usize| (fixed + dictionary.len() + 1).next_multiple_of(64);
    let short = padded(10) - 10;
    let (version, fixed) = if u16::try_from(short).is_ok() { (1, 10) } else { (2, 12) };
    let total = padded(fixed);
    let mut header = MAGIC.to_vec();
    header.extend([version, 0]);
    header.extend(&((total - fixed) as u64).to_le_bytes()[..fixed - 8]);
    header.extend(dictionary.as_bytes());
    header.resize(total - 1, b' ');
    header.push(b'\n');
    header
}

fn layout(tensors: &[Tensor], metadata: &Metadata) -> Result<Layout, String> {
    let header = write_header(&tensors[0]);
    let mut layout = raw::layout(tensors, metadata)?;
    layout.offsets = vec![header.len() as u64];
    layout.bytes = layout.bytes.checked_add(header.len() as u64).ok_or("too many bytes")?;
    layout.headers = vec![(0, header)];
    Ok(layout)
}
