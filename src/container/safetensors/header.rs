//! The JSON of a safetensors header becomes tensors, and a list of what breaks the specification.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::{METADATA, Order, Tensor, limits};
use crate::container::{Element, elements, json::Pairs, quote, show_shape};

/// What a header says.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) tensors: Vec<Tensor>,
    pub(super) metadata: Vec<(String, String)>,
    pub(super) faults: Vec<String>,
}

/// Reads a header whose data begins at byte `start` of the file and has `length` bytes.
///
/// # Errors
///
/// Only where nothing can be read. Whatever else breaks the specification is a fault in the result.
pub(super) fn parse(text: &[u8], start: u64, length: u64) -> Result<Header, String> {
    // Each entry is read on its own: a parsed tree of the whole would be many times the text.
    let Pairs(entries): Pairs<&RawValue> =
        serde_json::from_slice(text).map_err(|error| format!("the header is not JSON: {error}"))?;
    limits::check("the number of tensors", entries.len() as u64, limits::limit!(MAX_TENSORS))?;
    let mut header = Header::default();
    if text.first() != Some(&b'{') {
        header.faults.push("the header does not begin with '{'".to_owned());
    }
    for (name, entry) in entries {
        let fields: Result<Pairs<&RawValue>, _> = serde_json::from_str(entry.get());
        let read = match fields {
            Err(error) => Err(error.to_string()),
            Ok(Pairs(fields)) if name == METADATA => {
                header.read_metadata(&fields);
                Ok(())
            }
            Ok(Pairs(fields)) => {
                tensor(&name, &fields, start, length).map(|tensor| header.tensors.push(tensor))
            }
        };
        if let Err(what) = read {
            header.faults.push(format!("tensor {}: {what}", quote(&name)));
        }
    }
    header.check_names();
    header.check_tiling(start, length);
    Ok(header)
}

impl Header {
    fn read_metadata(&mut self, fields: &[(String, &RawValue)]) {
        let mut seen = HashSet::new();
        for (key, value) in fields {
            match serde_json::from_str(value.get()) {
                Ok(value) if seen.insert(key) => self.metadata.push((key.clone(), value)),
                Ok(_) => {
                    self.faults.push(format!("metadata: the key {} occurs twice", quote(key)));
                }
                Err(_) => self.faults.push(format!("metadata: {} is no string", quote(key))),
            }
        }
    }

    fn check_names(&mut self) {
        let mut seen = HashSet::new();
        let repeated = self.tensors.iter().filter(|tensor| !seen.insert(&tensor.name));
        let faults =
            repeated.map(|tensor| format!("the name {} occurs twice", quote(&tensor.name)));
        self.faults.extend(faults.collect::<Vec<_>>());
    }

    /// Checks that the tensors cover the data without overlap, hole or rest.
    fn check_tiling(&mut self, start: u64, length: u64) {
        let mut spans: Vec<(u64, u64, &str)> = self
            .tensors
            .iter()
            .map(|t| (t.offset - start, t.bytes.unwrap_or_default(), t.name.as_str()))
            .collect();
        spans.sort_unstable();
        let mut covered = 0u64;
        for (offset, bytes, name) in spans {
            let name = quote(name);
            if offset < covered {
                self.faults.push(format!("tensor {name} overlaps the one before it in the file"));
            } else if offset > covered {
                self.faults.push(format!(
                    "{} bytes before tensor {name} are no tensor's",
                    offset - covered
                ));
            }
            covered = covered.max(offset + bytes);
        }
        if covered < length {
            self.faults.push(format!("{} bytes follow the last tensor", length - covered));
        }
    }
}

/// Reads the entry of one tensor.
fn tensor(
    name: &str,
    fields: &[(String, &RawValue)],
    start: u64,
    length: u64,
) -> Result<Tensor, String> {
    let (mut dtype, mut shape, mut offsets) = (None, None, None);
    for (key, value) in fields {
        let slot = match key.as_str() {
            "dtype" => &mut dtype,
            "shape" => &mut shape,
            "data_offsets" => &mut offsets,
            other => return Err(format!("unknown key {}", quote(other))),
        };
        if slot.replace(*value).is_some() {
            return Err(format!("the key '{key}' occurs twice"));
        }
    }
    limits::check("the name's length", name.len() as u64, limits::limit!(MAX_NAME_BYTES))?;
    let dtype = dtype.and_then(|text| serde_json::from_str::<String>(text.get()).ok());
    let dtype = dtype.ok_or("dtype is not a string")?;
    let shape = integers(shape).ok_or("shape is not a list of sizes")?;
    limits::check("the number of dimensions", shape.len() as u64, limits::limit!(MAX_DIMENSIONS))?;
    let offsets = integers(offsets);
    let Some(&[begin, end]) = offsets.as_deref() else {
        return Err("data_offsets is not a list of two offsets".to_owned());
    };
    if begin > end || end > length {
        return Err(format!(
            "data_offsets [{begin}, {end}] do not lie in the {length} bytes of data"
        ));
    }
    let element = sized(&dtype, &shape, end - begin)?;
    Ok(Tensor {
        name: name.to_owned(),
        dtype,
        element,
        shape,
        order: Order::C,
        offset: start + begin,
        bytes: Some(end - begin),
    })
}

/// Returns the element type, having checked that the shape needs the bytes there are.
fn sized(dtype: &str, shape: &[u64], bytes: u64) -> Result<Element, String> {
    let (element, bits) = super::element(dtype);
    let count = elements(shape);
    let count = count.ok_or_else(|| format!("the shape {} overflows", show_shape(shape)))?;
    let Some(bits) = bits else { return Ok(element) };
    let needed = u128::from(count) * u128::from(bits);
    if !needed.is_multiple_of(8) {
        return Err(format!("{count} elements of {bits} bits do not fill whole bytes"));
    }
    if needed / 8 != u128::from(bytes) {
        return Err(format!(
            "{dtype} {} needs {} bytes, data_offsets give {bytes}",
            show_shape(shape),
            needed / 8
        ));
    }
    Ok(element)
}

fn integers(text: Option<&RawValue>) -> Option<Vec<u64>> {
    /// Longer than a list of as many sizes as a shape may have, each of 20 digits.
    const LONGEST: usize = 1 << 14;
    let text = text?.get();
    (text.len() <= LONGEST).then(|| serde_json::from_str(text).ok())?
}
