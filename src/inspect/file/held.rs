//! A tensor whose elements can be read one by one.

use super::{Census, Place};
use crate::{
    block::{
        grouping::Grouping,
        rows::{BLOCKS, BlockRow, Coding, ScaleKind},
    },
    codec::{Projection, Unpacked, decode, project},
    container::{
        Blocks, ContainerError, Element, Endian, Order, Storage, Tensor,
        companion::{Scaled, Use},
        elements, quote,
        reading::pick::{self, Places, Stride},
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
    /// Blocks with scales among the elements, and which elements share one.
    blocks: Option<(&'a Blocks, Grouping)>,
    scale: Option<Place<'a>>,
    global: Option<(Place<'a>, Use)>,
}

/// What the elements of a tensor are.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    /// Codes of a format, how they are stored, and where.
    Codes(Format, Coding, Stride),
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

impl Content {
    fn of(place: Place, scaled: Option<&Scaled>, shape: &[u64]) -> Result<Self, ContainerError> {
        let (tensor, path) = (place.tensor(), &place.source.path);
        let endian = Endian::Little;
        Ok(match (&tensor.element, scaled) {
            (Element::Blocks(own), _) => {
                let places = Places::Blocks(own.clone(), own.span(shape));
                let stride = Stride { bits: 4, endian, places };
                Self::Codes(c::E2M1FN.clone(), Coding::Format, stride)
            }
            (_, Some(weight)) => {
                let Storage { format, endian, .. } = weight.storage.clone();
                let places = Places::Span(weight.span);
                let stride = Stride { bits: weight.storage.bits(), endian, places };
                Self::Codes(format, weight.coding, stride)
            }
            (Element::Float(storage), None) => {
                let stride = Stride::even(storage.bits(), storage.endian);
                Self::Codes(storage.format.clone(), Coding::Format, stride)
            }
            (Element::Literal, None) => {
                Self::Text(format::parse(&tensor.dtype).ok().map(|parsed| parsed.format))
            }
            (Element::Integer(integer), None) => {
                Self::Bits(Some(integer.kind), Stride::even(8 * integer.bytes, endian))
            }
            (Element::Opaque, None) => {
                let bytes = tensor.bytes.zip(elements(shape));
                let bytes = bytes.and_then(|(bytes, count)| bytes.checked_div(count)).unwrap_or(1);
                if !(1..=16).contains(&bytes) {
                    let (name, dtype) = (title(&tensor.name), &tensor.dtype);
                    let what = format!("{name}: elements of type {dtype} cannot be shown");
                    return Err(ContainerError::usage(path, what));
                }
                Self::Bits(None, Stride::even(8 * bytes, endian))
            }
            (Element::Unreadable(what), None) => {
                let what = format!("{}: {what}", title(&tensor.name));
                return Err(ContainerError::data(path, what));
            }
        })
    }
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
        if tensor.bytes.is_none() {
            let what = "a stream's elements cannot be picked: save it as a file first";
            return Err(ContainerError::usage(&place.source.path, what));
        }
        let shape = scaled.map_or(&tensor.shape, |scaled| &scaled.shape).clone();
        let content = Content::of(place, scaled, &shape)?;
        let blocks = match &tensor.element {
            Element::Blocks(own) => {
                Grouping::blocks(&shape, own.scaled, -1).map(|grouping| (own, grouping))
            }
            Element::Float(_)
            | Element::Literal
            | Element::Integer(_)
            | Element::Opaque
            | Element::Unreadable(_) => None,
        };
        Ok(Self {
            place,
            name: scaled.map_or(&tensor.name, |scaled| &scaled.name),
            shape,
            scaled,
            content,
            blocks,
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
        stride: &Stride,
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

    /// Which elements share a scale.
    pub(super) fn grouping(&self) -> Option<&Grouping> {
        let own = self.blocks.as_ref().map(|(_, grouping)| grouping);
        own.or(self.scaled.map(|scaled| &scaled.grouping))
    }

    /// What the scales are.
    pub(super) fn scale_format(&self) -> Option<&Format> {
        let own = self.blocks.as_ref().map(|(blocks, _)| &blocks.scale);
        own.or(self.scaled.map(|scaled| &scaled.scale_storage.format))
    }

    /// What it is as a format or a target, and who writes such if it has scales.
    pub(super) fn format(&self) -> (Option<String>, Option<&'static str>) {
        let ggml = self.blocks.as_ref().map(|_| "ggml");
        let producer = self.scaled.map(|scaled| scaled.producer).or(ggml);
        (format_of(self.place.tensor(), self.scaled), producer)
    }

    /// Reads the scales of elements, if they have any.
    pub(super) fn scales(
        &self,
        indices: &[Vec<u64>],
    ) -> Result<Option<Vec<Scale>>, ContainerError> {
        let Some((blocks, grouping)) = &self.blocks else { return self.scales_beside(indices) };
        let numbers: Vec<u64> =
            indices.iter().map(|index| grouping.scale_of(self.position(index))).collect();
        let places = Places::Scales((*blocks).clone());
        let stride = Stride { bits: 8, endian: Endian::Little, places };
        let codes = pick::codes(self.place.source, self.place.index, &stride, &numbers)?;
        let beside = self.scales_beside(indices)?;
        let scale = |(i, (number, code)): (usize, (u64, u128))| {
            // The scales have no sign: in formats that have one its bit is not looked at.
            let own = decode(&blocks.scale, code).magnitude();
            let tensor = beside.as_ref().map(|beside| beside[i].value);
            Scale { number, code, own, tensor, value: tensor.map_or(own, |x| own.times(&x)) }
        };
        Ok(Some(numbers.into_iter().zip(codes).enumerate().map(scale).collect()))
    }

    /// Reads the scales that are tensors of their own.
    fn scales_beside(&self, indices: &[Vec<u64>]) -> Result<Option<Vec<Scale>>, ContainerError> {
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

    /// The place of a scale in its tensor.
    pub(super) fn scale_label(&self, number: u64) -> String {
        let Some(place) = self.scale.filter(|_| self.blocks.is_none()) else {
            return "among its elements".to_owned();
        };
        let mut rest = number;
        let mut index = Vec::new();
        for &length in place.tensor().shape.iter().rev() {
            index.push(rest % length.max(1));
            rest /= length.max(1);
        }
        index.reverse();
        format!("{}{}", place.tensor().name, show_index(&index))
    }
}

/// Reads the codes of scales.
fn scale_codes(place: Place, format: &Format, scales: &[u64]) -> Result<Vec<u128>, ContainerError> {
    let stride = Stride::even(8 * format.storage_bytes() as u64, Endian::Little);
    pick::codes(place.source, place.index, &stride, scales)
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
fn target(scaled: &Scaled) -> String {
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
        row.element == format
            && row.coding == scaled.coding
            && Some(row.scale) == kind
            && rows == 1
            && fits
    });
    named.map_or_else(|| format!("{format}/{}", grouping.words()), |row| row.name.to_owned())
}

/// What blocks with scales among their elements are as a target.
fn target_of(blocks: &Blocks) -> String {
    let kind = if blocks.scale == c::E8M0 { ScaleKind::E8m0 } else { ScaleKind::Nv };
    let same = |row: &&BlockRow| {
        *row.element == c::E2M1FN && (row.scale, row.size as u64) == (kind, blocks.scaled)
    };
    let named = BLOCKS.iter().find(same);
    named
        .map_or_else(|| format!("{}/block:{}", c::E2M1FN, blocks.scaled), |row| row.name.to_owned())
}

/// What a tensor of codes is as a format or a target; nothing of other tensors.
pub(super) fn format_of(tensor: &Tensor, scaled: Option<&Scaled>) -> Option<String> {
    match (&tensor.element, scaled) {
        (Element::Blocks(blocks), _) => Some(target_of(blocks)),
        (_, Some(scaled)) => Some(target(scaled)),
        (Element::Float(storage), None) => Some(storage.format.name().to_owned()),
        (
            Element::Literal | Element::Integer(_) | Element::Opaque | Element::Unreadable(_),
            None,
        ) => None,
    }
}

/// Returns the code of a number held in a format.
pub(super) fn hold(format: &Format, x: &Unpacked) -> u128 {
    project(format, &Projection::default(), x).code
}
