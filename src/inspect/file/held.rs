//! A tensor whose elements can be read one by one.

use super::{Census, Place};
use crate::{
    block::rows::{BLOCKS, ScaleKind},
    codec::{Projection, Unpacked, decode, project},
    container::{
        ContainerError, Element, Endian, Order,
        companion::{Scaled, Use},
        elements, quote,
        reading::pick::{self, Stride},
    },
    format::{self, F32, Format, catalogue as c},
    report::blocks::scale_text,
    text::render,
};

/// A tensor and the tensors of its scales.
pub(super) struct Held<'a> {
    pub(super) place: Place<'a>,
    /// Its name, without what a convention adds for packed codes.
    pub(super) name: &'a str,
    /// Its dimensions in elements.
    pub(super) shape: Vec<u64>,
    pub(super) scaled: Option<&'a Scaled>,
    pub(super) content: Content,
    scale: Option<Place<'a>>,
    global: Option<(Place<'a>, Use)>,
}

/// What the elements of a tensor are.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    /// Codes of a format, as they lie.
    Codes(Format, Stride),
    /// Numbers as text, held in a format if one is named.
    Text(Option<Format>),
    /// Integers of this kind, or, without one, something that is only bits.
    Bits(Option<char>, Stride),
}

/// A scale, and what it makes of numbers.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    /// Its number.
    pub(super) number: u64,
    pub(super) code: u128,
    /// What the scale alone stands for.
    pub(super) own: Unpacked,
    /// The scale of the tensor, if there is one beside.
    pub(super) tensor: Option<Unpacked>,
    /// What elements are multiplied by, the scale of the tensor included.
    pub(super) value: Unpacked,
}

impl Scale {
    /// The scale alone, for people.
    pub(super) fn own_text(&self, format: &Format) -> String {
        match render::odd_integer(&self.own) {
            Some((1, _)) => scale_text(&self.own),
            _ => render::value(format, self.code),
        }
    }

    /// What elements are multiplied by, for people.
    pub(super) fn text(&self, format: &Format) -> String {
        if self.tensor.is_some() { scale_text(&self.value) } else { self.own_text(format) }
    }
}

impl<'a> Held<'a> {
    pub(super) fn new(census: &'a Census<'a>, number: usize) -> Result<Self, ContainerError> {
        let place = census.places[number];
        let (tensor, scaled) = (place.tensor(), census.scaled[number].as_ref());
        let usage = |what: &str| {
            let name = match tensor.name.as_str() {
                "" => String::new(),
                name => format!("{}: ", quote(name)),
            };
            ContainerError::usage(&place.source.path, format!("{name}{what}"))
        };
        let Some(bytes) = tensor.bytes else {
            return Err(usage("a stream's elements cannot be picked: save it as a file first"));
        };
        let shape = scaled.map_or(&tensor.shape, |scaled| &scaled.shape).clone();
        let count = elements(&shape).unwrap_or(u64::MAX);
        let endian = Endian::Little;
        let content = match (scaled.map(|scaled| &scaled.storage), &tensor.element) {
            (Some(storage), _) | (None, Element::Float(storage)) => {
                let stride = Stride { bits: storage.bits(), endian: storage.endian };
                Content::Codes(storage.format.clone(), stride)
            }
            (None, Element::Literal) => {
                Content::Text(format::parse(&tensor.dtype).ok().map(|parsed| parsed.format))
            }
            (None, Element::Integer(integer)) => {
                Content::Bits(Some(integer.kind), Stride { bits: 8 * integer.bytes, endian })
            }
            (None, Element::Opaque) => {
                let bits = bytes.checked_div(count).map_or(8, |bytes| bytes.saturating_mul(8));
                if !(8..=128).contains(&bits) {
                    return Err(usage(&format!(
                        "elements of type {} cannot be shown",
                        tensor.dtype
                    )));
                }
                Content::Bits(None, Stride { bits, endian })
            }
            (None, Element::Unreadable(what)) => {
                return Err(ContainerError::data(
                    &place.source.path,
                    format!("{}: {what}", title(&tensor.name)),
                ));
            }
        };
        Ok(Self {
            place,
            name: scaled.map_or(&tensor.name, |scaled| &scaled.name),
            shape,
            scaled,
            content,
            scale: scaled.map(|scaled| census.places[scaled.scale]),
            global: scaled
                .and_then(|scaled| scaled.global)
                .map(|(global, applied)| (census.places[global], applied)),
        })
    }

    /// What messages call it.
    pub(super) fn title(&self) -> String {
        title(self.name)
    }

    /// What rows call an element.
    pub(super) fn label(&self, index: &[u64]) -> String {
        if index.is_empty() {
            return self.name.to_owned();
        }
        format!("{}{}", self.name, show_index(index))
    }

    pub(super) fn usage(&self, what: String) -> ContainerError {
        ContainerError::usage(&self.place.source.path, what)
    }

    /// The number of elements.
    pub(super) fn elements(&self) -> u64 {
        elements(&self.shape).unwrap_or(u64::MAX)
    }

    /// Where an element is among the others.
    fn position(&self, index: &[u64]) -> u64 {
        let step = |position: u64, (&at, &length): (&u64, &u64)| {
            position.saturating_mul(length).saturating_add(at)
        };
        let pairs = index.iter().zip(&self.shape);
        match self.place.tensor().order {
            Order::C => pairs.fold(0, step),
            Order::Fortran => pairs.rev().fold(0, step),
        }
    }

    /// Returns the index of the element after so many others, the last dimension running fastest.
    pub(super) fn index(&self, mut position: u64) -> Vec<u64> {
        let mut index = vec![0; self.shape.len()];
        for (at, &length) in index.iter_mut().zip(&self.shape).rev() {
            *at = position % length.max(1);
            position /= length.max(1);
        }
        index
    }

    /// Reads the bits of elements.
    pub(super) fn codes(
        &self,
        stride: Stride,
        indices: &[Vec<u64>],
    ) -> Result<Vec<u128>, ContainerError> {
        let positions: Vec<u64> = indices.iter().map(|index| self.position(index)).collect();
        pick::codes(self.place.source, self.place.index, stride, &positions)
    }

    /// Reads the numbers of a text.
    pub(super) fn numbers(&self, indices: &[Vec<u64>]) -> Result<Vec<Unpacked>, ContainerError> {
        let positions: Vec<u64> = indices.iter().map(|index| self.position(index)).collect();
        pick::numbers(self.place.source, self.place.index, &positions)
    }

    /// Reads the scale of the whole tensor, if it has one beside the others.
    pub(super) fn tensor_scale(&self) -> Result<Option<(Unpacked, Use)>, ContainerError> {
        let Some((place, applied)) = self.global else { return Ok(None) };
        let storage = place.tensor().element.storage();
        let format = storage.map_or(&F32, |storage| &storage.format);
        let code = scale_codes(place, format, &[0])?[0];
        Ok(Some((decode(format, code), applied)))
    }

    /// Reads the scales of elements, if they have any.
    pub(super) fn scales(
        &self,
        indices: &[Vec<u64>],
    ) -> Result<Option<Vec<Scale>>, ContainerError> {
        let (Some(scaled), Some(place)) = (self.scaled, self.scale) else { return Ok(None) };
        let number = |index: &Vec<u64>| scaled.grouping.scale_of(self.position(index));
        let numbers: Vec<u64> = indices.iter().map(number).collect();
        let format = &scaled.scale_storage.format;
        let codes = scale_codes(place, format, &numbers)?;
        let global = self.tensor_scale()?;
        let scale = |(number, code)| {
            let own = decode(format, code);
            let value = match global {
                None => own,
                Some((global, Use::Multiply)) => own.times(&global),
                Some((global, Use::Divide)) => own.over(&global),
            };
            Scale { number, code, own, tensor: global.map(|(global, _)| global), value }
        };
        Ok(Some(numbers.into_iter().zip(codes).map(scale).collect()))
    }

    /// The name of the tensor of scales.
    pub(super) fn scale_name(&self) -> &'a str {
        self.scale.map_or("", |place| &place.tensor().name)
    }

    /// The place of a scale in its tensor.
    pub(super) fn scale_label(&self, number: u64) -> String {
        let Some(place) = self.scale else { return String::new() };
        let mut rest = number;
        let mut index = Vec::new();
        for &length in place.tensor().shape.iter().rev() {
            index.push(rest % length.max(1));
            rest /= length.max(1);
        }
        index.reverse();
        format!("{}{}", self.scale_name(), show_index(&index))
    }
}

/// Reads the codes of scales.
fn scale_codes(place: Place, format: &Format, scales: &[u64]) -> Result<Vec<u128>, ContainerError> {
    let stride = Stride { bits: 8 * format.storage_bytes() as u64, endian: Endian::Little };
    pick::codes(place.source, place.index, stride, scales)
}

fn title(name: &str) -> String {
    if name.is_empty() { "the tensor".to_owned() } else { quote(name) }
}

/// An index behind the name of its tensor.
pub(super) fn show_index(index: &[u64]) -> String {
    let numbers: Vec<String> = index.iter().map(u64::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// What a weight under scales is as a target, such as `mxfp4` or `e4m3fn/channel`.
pub(super) fn target(scaled: &Scaled) -> String {
    let (format, grouping) = (&scaled.storage.format, &scaled.grouping);
    let kind = match &scaled.scale_storage.format {
        scale if *scale == c::E8M0 => Some(ScaleKind::E8m0),
        _ if scaled.global.is_some() => Some(ScaleKind::Nv),
        _ => None,
    };
    let (rows, columns) = grouping.tile();
    let named = BLOCKS.iter().find(|row| {
        let size = row.size as u64;
        let fits = columns == size || (grouping.scales() == 1 && columns < size);
        row.element == format && Some(row.scale) == kind && rows == 1 && fits
    });
    named.map_or_else(|| format!("{format}/{}", grouping.words()), |row| row.name.to_owned())
}

/// Returns the code of a number held in a format.
pub(super) fn hold(format: &Format, x: &Unpacked) -> u128 {
    project(format, &Projection::default(), x).code
}
