//! Trained models become a safetensors file, named and laid out as PyTorch's state dict would be.

use std::{
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
};

use super::{
    experiment::Measured,
    parameter::{Kind, Parameter},
};
use crate::{
    codec::Projection,
    container::{
        self, ContainerError, Element, Framing, Order, Storage, Tensor, Writing,
        output::{Draft, Interrupt, Target},
    },
    format::{F32, Format},
    kernel::{Codes, Dither, Plan, encode_f32},
};

/// The kind of file that models are saved as.
const KIND: &str = "safetensors";

/// Writes the models of the first seed; with several rows a tensor's name begins with its policy.
///
/// Weights are stored in the format they are kept in, or as float32 if safetensors has no such type;
/// matrices are transposed, since PyTorch keeps a row an output.
///
/// # Errors
///
/// If the file cannot be written.
pub fn save(
    rows: &[Measured],
    path: &Path,
    target: Target,
    interrupt: &Interrupt,
) -> Result<(), ContainerError> {
    let kind = container::by_name(KIND).map(|kind| &kind.writing);
    let Some(Writing::Framed(framing)) = kind else {
        return Err(ContainerError::usage(path, "this kind of file cannot be written"));
    };
    let (mut tensors, mut contents) = (Vec::new(), Vec::new());
    for row in rows {
        let prefix = if rows.len() > 1 { format!("{}.", row.label) } else { String::new() };
        for parameter in row.model.parameters() {
            let (tensor, bytes) = tensor(parameter, &prefix, framing);
            tensors.push(tensor);
            contents.push(bytes);
        }
    }
    let policies: Vec<&str> = rows.iter().map(|row| &*row.label).collect();
    let tasks = rows.first().map_or("", |row| row.entry.task.name);
    let metadata = [("fpx.policy", policies.join(",")), ("fpx.task", tasks.to_owned())];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value));
    let layout =
        (framing.layout)(&tensors, &metadata).map_err(|what| ContainerError::usage(path, what))?;
    let headers = layout.headers.iter().map(|(offset, header)| (*offset, header));
    let parts = headers.chain(layout.offsets.iter().copied().zip(&contents));
    match target {
        Target::File(place) => {
            let draft = Draft::create(place, Some(layout.bytes), interrupt)?;
            for (offset, bytes) in parts {
                let written = draft.file().seek(SeekFrom::Start(offset));
                let written = written.and_then(|_| draft.file().write_all(bytes));
                written.map_err(|error| ContainerError::io("write", path, error))?;
            }
            draft.finish()
        }
        Target::Stream(_) => Err(ContainerError::usage(path, "is a pipe or a device")),
    }
}

/// Returns a parameter as a tensor of the file, with its bytes.
fn tensor(parameter: &Parameter, prefix: &str, framing: &Framing) -> (Tensor, Vec<u8>) {
    let dtype = |format: &Format| (framing.dtype)(&Element::Float(Storage::new(format)));
    let kept = &parameter.format;
    let is_storable = kept.width() >= 8 && dtype(kept).is_some();
    let format = if is_storable { kept } else { &F32 };
    // A weight has a row an input here, and a row an output in PyTorch; a bias has one row.
    let value = match parameter.kind {
        Kind::Weight => parameter.value.transposed(),
        Kind::Bias | Kind::Table => parameter.value.clone(),
    };
    let sides = [value.rows as u64, value.columns as u64];
    let shape = if parameter.kind == Kind::Bias { &sides[1..] } else { &sides[..] };
    let bytes = encode(&value.data, format);
    let tensor = Tensor {
        name: format!("{prefix}{}", parameter.name),
        dtype: dtype(format).unwrap_or_default(),
        element: Element::Float(Storage::new(format)),
        shape: shape.to_vec(),
        order: Order::C,
        offset: 0,
        bytes: Some(bytes.len() as u64),
    };
    (tensor, bytes)
}

/// Encodes numbers that the format holds, little-endian.
fn encode(numbers: &[f32], format: &Format) -> Vec<u8> {
    let plan = Plan::new(format, &Projection::default());
    let count = numbers.len();
    match format.storage_bytes() {
        1 => {
            let mut codes = vec![0u8; count];
            encode_f32(&plan, numbers, Codes::U8(&mut codes), Dither::default());
            codes
        }
        2 => {
            let mut codes = vec![0u16; count];
            encode_f32(&plan, numbers, Codes::U16(&mut codes), Dither::default());
            codes.into_iter().flat_map(u16::to_le_bytes).collect()
        }
        _ => {
            let mut codes = vec![0u32; count];
            encode_f32(&plan, numbers, Codes::U32(&mut codes), Dither::default());
            codes.into_iter().flat_map(u32::to_le_bytes).collect()
        }
    }
}
