//! What a file that fpx wrote says of its weights, in its metadata.
//!
//! Most layouts tell by element types and shapes what they are. Where they do not — codes of 6 bits
//! that lie one a byte, a last block or row that was filled up — [`TENSORS`] does, tensor by tensor.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Source, elements, limits};
use crate::block::spec::{Scaling, Spec};

/// The beginning of every key that is fpx's.
pub const PREFIX: &str = "fpx.";
/// The key under which the formats of the weights are listed.
pub const FORMAT: &str = "fpx.format";
/// The key that says whether 8-bit codes without a scale are plain numbers, and the value that does.
pub const SCALE: (&str, &str) = ("fpx.scale", "none");
/// The key under which the tensors are listed whose format or shape the header alone does not tell.
pub const TENSORS: &str = "fpx.tensors";

/// What one tensor holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The format of the weight.
    pub spec: Spec,
    /// Its shape in elements.
    pub shape: Vec<u64>,
}

/// What a file says of its weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    /// The formats of its weights, of which each weight has one.
    pub specs: Vec<Spec>,
    /// Whether all 8-bit codes without a scale are plain numbers.
    pub is_unscaled: bool,
    /// What single tensors hold, by name.
    pub tensors: BTreeMap<String, Record>,
}

/// Returns a value of a file's metadata.
fn value<'a>(source: &'a Source, key: &str) -> Option<&'a str> {
    source.metadata.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
}

impl Written {
    /// Reads the metadata of a file; what is not as fpx writes it says nothing.
    pub fn of(source: &Source) -> Self {
        let names = value(source, FORMAT).unwrap_or_default().split(',');
        Self {
            specs: names.filter_map(|name| name.parse().ok()).collect(),
            is_unscaled: value(source, SCALE.0) == Some(SCALE.1),
            tensors: value(source, TENSORS).map(records).unwrap_or_default(),
        }
    }

    /// Whether a format of the file is named whose weights have scales and elements of this format.
    pub(super) fn has_scaled(&self, format: &crate::format::Format) -> bool {
        self.specs.iter().any(|spec| !spec.is_plain() && spec.format == *format)
    }

    /// Returns the scalings that a tensor may have been written with.
    pub(super) fn scalings(&self, name: &str) -> Vec<Scaling> {
        match self.tensors.get(name) {
            Some(record) => vec![record.spec.scaling],
            None => self.specs.iter().map(|spec| spec.scaling).collect(),
        }
    }
}

fn records(text: &str) -> BTreeMap<String, Record> {
    let entries: BTreeMap<String, Value> = serde_json::from_str(text).unwrap_or_default();
    entries.into_iter().filter_map(|(name, entry)| Some((name, record(&entry)?))).collect()
}

fn record(entry: &Value) -> Option<Record> {
    let spec = entry.get("format")?.as_str()?.parse().ok()?;
    let shape: Vec<u64> = serde_json::from_value(entry.get("shape")?.clone()).ok()?;
    let is_shape = shape.len() as u64 <= limits::MAX_DIMENSIONS && elements(&shape).is_some();
    is_shape.then_some(Record { spec, shape })
}

/// Writes records as [`TENSORS`] holds them.
pub fn text(records: &BTreeMap<String, Record>) -> String {
    let entry = |record: &Record| json!({"format": record.spec.to_string(), "shape": record.shape});
    let entries = records.iter().map(|(name, record)| (name.clone(), entry(record)));
    Value::Object(entries.collect()).to_string()
}
