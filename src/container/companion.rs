//! Which tensors hold the scales of which weights, in the conventions of those who write them.
//!
//! An 8- or 4-bit weight without its scale is not a weight: a scale that goes unrecognised makes a
//! model wrong by a factor in the thousands, silently. So the pairs are found by table, and what is
//! not found is refused by the jobs.

mod codes;

use std::collections::HashMap;

use super::{
    Container, Element, Holds, Integer, Source, Storage, Tensor, Writing, quote, show_shape,
    written::Written,
};
use crate::{
    block::grouping::Grouping,
    format::{Format, catalogue as c},
};
use codes::Codes;
pub use codes::Weight;

/// How one producer pairs weights with scales.
#[derive(Debug)]
pub struct Pairing {
    /// Who writes it.
    pub producer: &'static str,
    /// The end of a weight's name that the scale's name replaces.
    weight: &'static str,
    /// The end of the scale's name.
    scale: &'static str,
    /// The end of the name of a second scale, of the whole tensor, and how it is used.
    global: Option<(&'static str, Use)>,
    /// What the weight's elements are.
    codes: Codes,
    /// What the scales' elements may be.
    scales: &'static [Scale],
}

/// How the scale of a tensor is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The value is multiplied by it.
    Multiply,
    /// The value is divided by it.
    Divide,
}

/// What a scale is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// A floating-point number of 16 or 32 bits.
    Float,
    /// A power of two.
    E8m0,
    /// An unsigned byte that is the code of a power of two.
    ByteE8m0,
    /// An 8-bit float.
    E4m3,
}

/// Every convention, the more particular before the more general (fpx's own included).
pub static PAIRINGS: &[Pairing] = &[
    row("DeepSeek-V3", "", "_scale_inv", None, Codes::Own, &[Scale::Float]),
    row(
        "gpt-oss",
        "_blocks",
        "_scales",
        None,
        Codes::NibbleBlocks,
        &[Scale::ByteE8m0, Scale::E8m0],
    ),
    row(
        "compressed-tensors NVFP4",
        "_packed",
        "_scale",
        Some(("_global_scale", Use::Divide)),
        Codes::Nibbles,
        &[Scale::E4m3],
    ),
    row(
        "ModelOpt NVFP4",
        "",
        "_scale",
        Some(("_scale_2", Use::Multiply)),
        Codes::Nibbles,
        &[Scale::E4m3],
    ),
    row("MX, codes one a byte", "", "_scale", None, Codes::Bytes, &[Scale::E8m0]),
    row("MXINT8", "", "_scale", None, Codes::Integers, &[Scale::E8m0]),
    row("compressed-tensors FP8, MX", "", "_scale", None, Codes::Own, &[Scale::Float, Scale::E8m0]),
    row("DeepSeek-V4", "weight", "scale", None, Codes::Own, &[Scale::E8m0, Scale::Float]),
    row("DeepSeek-V4 FP4", "weight", "scale", None, Codes::Nibbles, &[Scale::E8m0]),
    row("ComfyUI", "weight", "scale_weight", None, Codes::Own, &[Scale::Float]),
    row("llama.cpp NVFP4", "weight", "scale", None, Codes::Blocks, &[Scale::Float]),
    row("llama.cpp NVFP4", "", ".scale", None, Codes::Blocks, &[Scale::Float]),
];

/// The ends of names of scales that belong to activations: kept as they are.
const ACTIVATION_SCALES: [&str; 5] =
    ["input_scale", "scale_input", "output_scale", "k_scale", "v_scale"];

const fn row(
    producer: &'static str,
    weight: &'static str,
    scale: &'static str,
    global: Option<(&'static str, Use)>,
    codes: Codes,
    scales: &'static [Scale],
) -> Pairing {
    Pairing { producer, weight, scale, global, codes, scales }
}

/// A weight with its scales.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaled {
    /// Who writes weights so.
    pub producer: &'static str,
    /// The name without what a convention adds for packed codes.
    pub name: String,
    /// What the weight holds.
    pub weight: Weight,
    /// Which tensor holds the scales.
    pub scale: usize,
    /// The codes of the scales.
    pub scale_storage: Storage,
    /// Which elements share a scale.
    pub grouping: Grouping,
    /// Which tensor holds the scale of the whole tensor.
    pub global: Option<(usize, Use)>,
}

impl Scaled {
    /// Whether a tensor holds scales of this weight.
    pub fn uses(&self, tensor: usize) -> bool {
        self.scale == tensor || self.global.is_some_and(|(global, _)| global == tensor)
    }
}

/// Tensors by name: their position in the list of all.
pub type Names<'a> = HashMap<&'a str, usize>;

/// Returns the tensors by name.
pub fn names(tensors: &[Tensor]) -> Names<'_> {
    tensors.iter().enumerate().map(|(i, tensor)| (tensor.name.as_str(), i)).collect()
}

/// Whether an unscaled tensor of this element type cannot be trusted to be plain numbers: 8 bits
/// and fewer, but not E8M0, which is a scale itself.
pub fn needs_scale(element: &Element) -> bool {
    element.storage().is_some_and(|s| s.format.width() <= 8 && s.format != c::E8M0)
}

/// Whether a tensor is a scale by its type or name, and so is never rounded.
pub fn is_scale(tensor: &Tensor) -> bool {
    let is_e8m0 = tensor.element.storage().is_some_and(|s| s.format == c::E8M0);
    is_e8m0 || ACTIVATION_SCALES.iter().any(|end| tensor.name.ends_with(end))
}

/// Whether a kind has names and metadata, by which scales are found.
pub fn is_described(kind: &Container) -> bool {
    match &kind.writing {
        Writing::Framed(framing) => framing.holds == Holds::Described,
        // GGUF, which is only read, names its tensors.
        Writing::None(_) => true,
        Writing::Text(_) => false,
    }
}

/// Returns the scales of every tensor of some files, one file after the other, or what is wrong with
/// the scales that it should have.
pub fn pairs(parts: &[Source], all: &[Tensor]) -> Vec<Result<Option<Scaled>, String>> {
    let names = names(all);
    let mut rest = all;
    let mut pairs = Vec::with_capacity(all.len());
    for part in parts {
        let (tensors, after) = rest.split_at(part.tensors.len());
        let written = Written::of(part);
        rest = after;
        pairs.extend(tensors.iter().map(|tensor| {
            if !is_described(part.kind) {
                return Ok(None);
            }
            match find(tensor, all, &names, &written) {
                None => fault(tensor, all, &names, &written).map_or(Ok(None), Err),
                found => Ok(found),
            }
        }));
    }
    pairs
}

/// Finds the scales of a tensor, if it is a weight of a known convention.
///
/// What the file says that it was written with tells the grouping where the shapes alone do not.
pub fn find(tensor: &Tensor, all: &[Tensor], names: &Names, written: &Written) -> Option<Scaled> {
    PAIRINGS.iter().find_map(|row| row.find(tensor, all, names, written))
}

/// Says what is wrong with the scales of a weight that has none that fit: they have its name and are
/// of another shape or type, or its own name demands them.
fn fault(tensor: &Tensor, all: &[Tensor], names: &Names, written: &Written) -> Option<String> {
    PAIRINGS.iter().find_map(|row| row.fault(tensor, all, names, written))
}

impl Pairing {
    fn find(
        &self,
        tensor: &Tensor,
        all: &[Tensor],
        names: &Names,
        written: &Written,
    ) -> Option<Scaled> {
        let stem = tensor.name.strip_suffix(self.weight)?;
        let named = |end: &str| names.get(format!("{stem}{end}").as_str()).copied();
        let scale = named(self.scale)?;
        let global = match self.global {
            None => None,
            Some((end, applied)) => Some((named(end)?, applied)),
        };
        if let Some((global, _)) = global
            && (scale_storage(&all[global], &[Scale::Float]).is_none()
                || all[global].elements() != Some(1))
        {
            return None;
        }
        let weight = self.codes.read(tensor, written)?;
        let scale_storage = scale_storage(&all[scale], self.scales)?;
        let (shape, scale_shape) = (&weight.shape, &all[scale].shape);
        let fits = |grouping: &Grouping| grouping.scale_shape() == scale_shape;
        let grouping = if let Some(size) = weight.block {
            Grouping::blocks(shape, size, -1).filter(fits)
        } else {
            let hints = written.scalings(&tensor.name);
            let mut hinted = hints.iter().filter_map(|scaling| Grouping::of(scaling, shape));
            hinted.find(fits).or_else(|| Grouping::infer(shape, scale_shape))
        }?;
        let producer = self.producer;
        // An end that speaks of packing is no part of the name.
        let name = if self.is_packed() { stem } else { &tensor.name }.to_owned();
        Some(Scaled { producer, name, weight, scale, scale_storage, grouping, global })
    }

    /// Whether the name of a weight says that it is packed codes.
    fn is_packed(&self) -> bool {
        self.weight.starts_with('_')
    }

    fn fault(
        &self,
        tensor: &Tensor,
        all: &[Tensor],
        names: &Names,
        written: &Written,
    ) -> Option<String> {
        let stem = tensor.name.strip_suffix(self.weight)?;
        if !self.codes.may_be(tensor, written) {
            return None;
        }
        let name = format!("{stem}{}", self.scale);
        let Some(scale) = names.get(name.as_str()).map(|scale| &all[*scale]) else {
            return self.is_packed().then(|| format!("has no scales {}", quote(&name)));
        };
        let is_scale = self.is_packed() || scale_storage(scale, self.scales).is_some();
        let (dtype, shape) = (&scale.dtype, show_shape(&scale.shape));
        is_scale.then(|| match self.global {
            Some((end, _)) => {
                let global = quote(&format!("{stem}{end}"));
                let name = quote(&name);
                format!("{name} ({dtype} {shape}) and {global} are not the scales of it")
            }
            None => format!("{} ({dtype} {shape}) are not the scales of it", quote(&name)),
        })
    }
}

/// Returns the codes of a tensor of scales, if its type is one of those allowed.
fn scale_storage(tensor: &Tensor, allowed: &[Scale]) -> Option<Storage> {
    let byte = Element::Integer(Integer { kind: 'u', bytes: 1 });
    let found = match tensor.element.storage() {
        Some(storage) if [&c::F32, &c::F16, &c::BF16].contains(&&storage.format) => Scale::Float,
        Some(storage) if storage.format == c::E8M0 => Scale::E8m0,
        Some(storage) if storage.format == c::E4M3FN => Scale::E4m3,
        None if tensor.element == byte => Scale::ByteE8m0,
        _ => return None,
    };
    if !allowed.contains(&found) {
        return None;
    }
    let e8m0: &Format = &c::E8M0;
    Some(tensor.element.storage().cloned().unwrap_or_else(|| Storage::new(e8m0)))
}
