//! The tensors of files that hold numbers, each with the scales that belong to it.

use super::{
    buffer::Workspace,
    chunks::{Chunk, Chunks},
    load::{Lane, Load},
    scales::ScaleReader,
};
use crate::{
    block::spec::{Scaling, Spec},
    container::{
        Container, ContainerError, Element, Order, Source, Tensor, Writing, companion, elements,
        quote,
    },
    format::Format,
};

/// A tensor of numbers.
#[derive(Debug)]
pub(crate) struct Weight<'a> {
    /// Its name, without what a convention adds for packed codes.
    pub(crate) name: String,
    /// Its dimensions in elements, outermost first.
    pub(crate) shape: Vec<u64>,
    /// Its elements, if they are known before it is read.
    pub(crate) elements: Option<u64>,
    /// Its place among all tensors of the files.
    pub(crate) number: u64,
    source: &'a Source,
    index: usize,
    load: Load<'a>,
}

/// The metadata key under which fpx names the formats that it wrote.
const FORMAT_KEY: &str = "fpx.format";

/// The key that says whether 8-bit codes without a scale are plain numbers, and the value that does.
const SCALE_KEY: (&str, &str) = ("fpx.scale", "none");

/// Returns the tensors of some files that hold numbers; integers and scales are left out.
///
/// # Errors
///
/// If a weight of 8 bits or fewer has no scale that is recognised, unless the file or
/// `allow_unscaled` says that it needs none.
pub(crate) fn weights<'a>(
    parts: &'a [Source],
    from: Option<&Format>,
    allow_unscaled: bool,
) -> Result<Vec<Weight<'a>>, ContainerError> {
    let places: Vec<(&Source, usize)> =
        parts.iter().flat_map(|part| (0..part.tensors.len()).map(move |at| (part, at))).collect();
    let all: Vec<Tensor> = places.iter().map(|(part, at)| part.tensors[*at].clone()).collect();
    let names = companion::names(&all);
    let paired: Vec<_> = all
        .iter()
        .zip(&places)
        .map(|(tensor, (part, _))| {
            let hints = written_scalings(part);
            let mut hints = hints.iter().map(Some).chain([None]);
            let is_named = has_scales(part.kind);
            is_named.then(|| hints.find_map(|hint| companion::find(tensor, &all, &names, hint)))?
        })
        .collect();
    let is_scale = |number: usize| {
        paired.iter().flatten().any(|scaled| uses(scaled, number))
            || companion::is_scale(&all[number])
    };
    let mut weights = Vec::new();
    for (number, (tensor, (source, index))) in all.iter().zip(&places).enumerate() {
        let load = match (&paired[number], &tensor.element) {
            _ if is_scale(number) => continue,
            (Some(scaled), _) => {
                let (scale_source, scale) = places[scaled.scale];
                let global = scaled.global.map(|(global, applied)| {
                    let (source, at) = places[global];
                    (source, &source.tensors[at], applied)
                });
                let scales = ScaleReader::new(
                    (scale_source, &scale_source.tensors[scale]),
                    scaled.scale_storage.clone(),
                    scaled.grouping.clone(),
                    global,
                )?;
                Load::Codes { storage: scaled.storage.clone(), scales: Some(scales) }
            }
            (None, Element::Float(storage)) => {
                let is_trusted =
                    allow_unscaled || says_unscaled(source) || !has_scales(source.kind);
                if companion::needs_scale(&tensor.element) && !is_trusted {
                    return Err(unscaled(source, tensor));
                }
                Load::Codes { storage: storage.clone(), scales: None }
            }
            (None, Element::Literal) => Load::Text(from.cloned()),
            (None, Element::Integer(_) | Element::Opaque | Element::Unreadable(_)) => continue,
        };
        let shape = paired[number].as_ref().map_or(&tensor.shape, |scaled| &scaled.shape).clone();
        let name = paired[number].as_ref().map_or(&tensor.name, |scaled| &scaled.name).clone();
        weights.push(Weight {
            name,
            elements: tensor.bytes.and_then(|_| elements(&shape)),
            shape,
            number: number as u64,
            source,
            index: *index,
            load,
        });
    }
    Ok(weights)
}

/// Whether a tensor holds scales of a weight.
fn uses(scaled: &companion::Scaled, number: usize) -> bool {
    scaled.scale == number || scaled.global.is_some_and(|(global, _)| global == number)
}

/// The scalings that a file says its weights were written with.
fn written_scalings(source: &Source) -> Vec<Scaling> {
    let formats = source.metadata.iter().find(|(key, _)| key == FORMAT_KEY);
    let names = formats.map_or("", |(_, formats)| formats).split(',');
    names.filter_map(|name| name.parse::<Spec>().ok()).map(|spec| spec.scaling).collect()
}

fn says_unscaled(source: &Source) -> bool {
    source.metadata.iter().any(|(key, value)| (key.as_str(), value.as_str()) == SCALE_KEY)
}

/// Whether a kind of file has names by which scales are found.
fn has_scales(kind: &Container) -> bool {
    match &kind.writing {
        Writing::Framed(framing) => framing.holds == crate::container::Holds::Described,
        // GGUF, which is only read, names its tensors.
        Writing::None(_) => true,
        Writing::Text(_) => false,
    }
}

fn unscaled(source: &Source, tensor: &Tensor) -> ContainerError {
    let (name, dtype) = (quote(&tensor.name), &tensor.dtype);
    let what = format!(
        "{dtype} tensor {name} has no scale that is recognised, and without it its numbers are off by a \
         factor; --allow-unscaled takes the codes as they are"
    );
    ContainerError::data(&source.path, what)
}

impl Weight<'_> {
    /// Returns the element type, as the file spells it.
    pub(crate) fn dtype(&self) -> &str {
        &self.source.tensors[self.index].dtype
    }

    /// Returns the order of the elements.
    pub(crate) fn order(&self) -> Order {
        self.source.tensors[self.index].order
    }

    /// Returns the format of the elements' codes, if they have one.
    pub(crate) fn format(&self) -> Option<&Format> {
        match &self.load {
            Load::Codes { storage, .. } => Some(&storage.format),
            Load::Text(held) => held.as_ref(),
        }
    }

    /// Writes the scale of each element of a range; returns whether there are any.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(crate) fn scales(
        &self,
        elements: std::ops::Range<u64>,
        scales: &mut [f64],
    ) -> Result<bool, ContainerError> {
        let Load::Codes { scales: Some(reader), .. } = &self.load else { return Ok(false) };
        scales.fill(1.0);
        reader.apply(elements, scales)?;
        Ok(true)
    }

    /// Hands the elements out in chunks of `step`, from the first to the last.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(crate) fn chunks(&self, step: u64) -> Result<Chunks<'_>, ContainerError> {
        let bits = match &self.load {
            Load::Codes { storage, .. } => storage.bits(),
            Load::Text(_) => 8,
        };
        let feed = self.source.feed(self.index)?;
        let elements = 0..self.elements.unwrap_or(u64::MAX);
        Ok(Chunks::new(&self.source.path, feed, bits, elements, self.elements.is_some(), step))
    }

    /// Reads the next chunk into a workspace as numbers; returns which of its buffers holds them.
    ///
    /// Numbers beyond binary64 come rounded to it.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or breaks the rules of its kind.
    pub(crate) fn next(
        &self,
        chunks: &Chunks,
        work: &mut Workspace,
    ) -> Result<Option<(Chunk, Lane)>, ContainerError> {
        let Some(chunk) = chunks.next(work, self.load.landing())? else { return Ok(None) };
        let count = super::scales::index(chunk.elements.end - chunk.elements.start);
        let lane = self.load.lane();
        self.load.numbers(work, chunk.elements.clone(), count, lane)?;
        if lane == Lane::Exact {
            let numbers: Vec<f64> = work.exact.iter().map(crate::codec::Unpacked::to_f64).collect();
            work.wide.numbers(count).copy_from_slice(&numbers);
            return Ok(Some((chunk, Lane::F64)));
        }
        Ok(Some((chunk, lane)))
    }
}
