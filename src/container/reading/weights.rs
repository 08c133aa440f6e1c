//! The tensors of files that hold numbers, each with the scales that belong to it.

use std::collections::HashSet;

use super::{
    buffer::Workspace,
    chunks::{Chunk, Chunks, Cuts},
    load::{Lane, Load},
};
use crate::{
    container::{
        ContainerError, Order, Source, Tensor,
        companion::{self, Scaled},
        elements, quote,
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
    let paired = companion::pairs(parts, &all);
    let faults = companion::faults(parts, &all, &paired);
    let fault = faults.into_iter().zip(&places).find_map(|(fault, place)| Some((fault?, place)));
    if let Some((what, (source, at))) = fault.filter(|_| !allow_unscaled) {
        return Err(unscaled(source, &source.tensors[*at], &what));
    }
    let scales: HashSet<usize> = paired.iter().flatten().flat_map(Scaled::scales).collect();
    let is_scale = |number: usize| scales.contains(&number) || companion::is_scale(&all[number]);
    let mut weights = Vec::new();
    for (number, (tensor, (source, index))) in all.iter().zip(&places).enumerate() {
        let scaled = paired[number].as_ref();
        let place = |number: usize| {
            let (source, at) = places[number];
            (source, &source.tensors[at])
        };
        if is_scale(number) {
            continue;
        }
        let Some(load) = Load::new(tensor, scaled, place, from)? else { continue };
        let is_trusted = allow_unscaled
            || !companion::is_described(source.kind)
            || companion::says_unscaled(source);
        if scaled.is_none() && companion::needs_scale(&tensor.element) && !is_trusted {
            return Err(unscaled(source, tensor, "has no scale that is recognised"));
        }
        let shape = scaled.map_or(&tensor.shape, |scaled| &scaled.shape).clone();
        weights.push(Weight {
            name: scaled.map_or(&tensor.name, |scaled| &scaled.name).clone(),
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

fn unscaled(source: &Source, tensor: &Tensor, why: &str) -> ContainerError {
    let (name, dtype) = (quote(&tensor.name), &tensor.dtype);
    let what = format!(
        "{dtype} tensor {name} {why}, and without its scale its numbers are off by a factor; \
         --allow-unscaled takes the codes as they are"
    );
    ContainerError::data(&source.path, what)
}

impl Weight<'_> {
    /// Returns the element type, as the file spells it.
    pub(crate) fn dtype(&self) -> &str {
        &self.source.tensors[self.index].dtype
    }

    /// Returns the bytes of its elements, scales apart, if they are known before it is read.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.source.tensors[self.index].bytes
    }

    /// Returns the order of the elements.
    pub(crate) fn order(&self) -> Order {
        self.source.tensors[self.index].order
    }

    /// Returns the format of the elements' codes, if they have one and no scales lie among them.
    pub(crate) fn format(&self) -> Option<&Format> {
        match &self.load {
            Load::Codes { storage, .. } => Some(&storage.format),
            Load::Blocks { .. } => None,
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
        let feed = self.source.feed(self.index)?;
        let elements = 0..self.elements.unwrap_or(u64::MAX);
        let cuts = Cuts { row: self.load.row(), ..Cuts::every(step) };
        let (path, span) = (&self.source.path, self.load.span());
        Ok(Chunks::new(path, feed, span, elements, self.elements.is_some(), cuts))
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
