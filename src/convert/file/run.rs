//! The jobs of a plan are carried out, each by all workers.

use std::{
    io::Read as _,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    Config, FileError, Progress,
    chunks::{self, Chunk, Chunks, Cuts, Sink},
    plan::{Conversion, Job, Plan},
    scaled::Scaling,
    store::{Batch, Store},
    summary::{self, Lost, ScaleCounts},
};
use crate::{
    container::{
        ContainerError, Feed, Source, Span, Tensor, quote,
        reading::{
            buffer::{Landing, Workspace},
            load::{Lane, Load},
            scales::Scales,
        },
    },
    kernel::Counts,
    random::Stream,
};

/// What all jobs share.
pub(super) struct Runner<'a> {
    pub(super) config: &'a Config,
    pub(super) parts: &'a [Source],
    pub(super) plan: &'a Plan,
    pub(super) progress: &'a dyn Progress,
    workers: usize,
    /// The workspaces nobody uses at the moment.
    idle: Mutex<Vec<Workspace>>,
    /// Bytes written so far.
    written: AtomicU64,
}

/// What happened to the elements of a tensor.
#[derive(Default)]
struct Tally {
    counts: Counts,
    lost: Option<u64>,
}

/// The first error, in the order of the elements.
type FirstError = Mutex<Option<(u64, FileError)>>;

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep_first(errors: &FirstError, at: u64, error: FileError) {
    let mut first = lock(errors);
    if first.as_ref().is_none_or(|(known, _)| at < *known) {
        *first = Some((at, error));
    }
}

impl<'a> Runner<'a> {
    pub(super) fn new(
        config: &'a Config,
        parts: &'a [Source],
        plan: &'a Plan,
        progress: &'a dyn Progress,
    ) -> Self {
        let workers = rayon::current_num_threads().min(chunks::MAX_WORKERS);
        let (idle, written) = (Mutex::default(), AtomicU64::new(0));
        Self { config, parts, plan, progress, workers, idle, written }
    }

    /// Returns the bytes of tensors written so far.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Lets all workers take chunks until there are none.
    fn drive(
        &self,
        chunks: &Chunks,
        sink: &Sink,
        is_small: bool,
        landing: Landing,
        body: impl Fn(&mut Workspace, &Chunk) -> Result<(), FileError> + Sync,
    ) -> Result<(), FileError> {
        let errors = FirstError::default();
        let fail = |at: u64, error: FileError| {
            keep_first(&errors, at, error);
            chunks.stop();
            sink.stop();
        };
        let work = || {
            let mut workspace = lock(&self.idle).pop().unwrap_or_default();
            loop {
                match chunks.next(&mut workspace, landing) {
                    Ok(None) => break,
                    Err(error) => {
                        fail(u64::MAX, error.into());
                        break;
                    }
                    Ok(Some(chunk)) => {
                        if let Err(error) = body(&mut workspace, &chunk) {
                            fail(chunk.number, error);
                        }
                    }
                }
            }
            lock(&self.idle).push(workspace);
        };
        if is_small || self.workers == 1 {
            work();
        } else {
            rayon::scope(|scope| (0..self.workers).for_each(|_| scope.spawn(|_| work())));
        }
        let first = errors.into_inner().unwrap_or_else(PoisonError::into_inner);
        first.map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Returns the tensor, its part, and its place there.
    fn place(&self, number: usize) -> (&'a Tensor, &'a Source, usize) {
        let (part, index) = self.plan.places[number];
        (&self.plan.tensors[number], &self.parts[part], index)
    }

    pub(super) fn write(
        &self,
        sink: &Sink,
        chunk: &Chunk,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), FileError> {
        self.written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        sink.write(chunk, offset, bytes).map_err(super::write_error)
    }

    /// Copies the bytes of a tensor.
    pub(super) fn copy(&self, job: &Job, sink: &Sink) -> Result<(), FileError> {
        let (tensor, source, index) = self.place(job.tensor);
        let bytes = tensor.bytes.unwrap_or(u64::MAX);
        let step = chunks::chunk_elements(self.workers);
        let feed = source.feed(index)?;
        let (span, is_sized) = (Span::Bits(8), tensor.bytes.is_some());
        let cuts = Cuts::every(step);
        let chunks = Chunks::new(&source.path, feed, span, 0..bytes, is_sized, cuts);
        sink.restart();
        self.drive(&chunks, sink, bytes <= step, Landing::Input, |work, chunk| {
            let length = chunk.elements.end - chunk.elements.start;
            let bytes = work.input.bytes(usize::try_from(length).unwrap_or(usize::MAX));
            self.write(sink, chunk, chunk.elements.start, bytes)?;
            self.progress.advance(length);
            Ok(())
        })
    }

    /// Converts a tensor, whose scales go to the sinks after the first.
    pub(super) fn convert(
        &self,
        job: &Job,
        conversion: &Conversion,
        sinks: &[Sink],
    ) -> Result<(Counts, ScaleCounts, Option<Lost>), FileError> {
        let (tensor, source, index) = self.place(job.tensor);
        let place = |number: usize| {
            let (tensor, source, _) = self.place(number);
            (source, tensor)
        };
        let scaled = conversion.scaled.as_ref();
        let load = Load::new(tensor, scaled, place, self.config.from.as_ref())?;
        let load = load.expect("what is converted holds numbers");
        let row = |scaling: &Scaling| scaling.grouping.row();
        let task = Task {
            runner: self,
            tensor,
            source,
            index,
            row: load.row().min(conversion.scaling.as_ref().map_or(u64::MAX, row)),
            load,
            store: self.store(job.tensor, conversion),
            shape: &conversion.shape,
            tally: Mutex::default(),
        };
        // The end of a stream of unknown length is found by reading.
        let count = conversion.count.unwrap_or(u64::MAX);
        let mut scales = ScaleCounts::default();
        match &conversion.scaling {
            None => task.pass(&sinks[0], 0..count, None)?,
            Some(scaling) => scales = task.convert_scaled(scaling, sinks)?,
        }
        let tally = task.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        let lost = tally.lost.map(|element| Lost {
            tensor: tensor.name.clone(),
            index: summary::index_of(element, &conversion.shape, tensor.order),
        });
        Ok((tally.counts, scales, lost))
    }

    fn store(&self, number: usize, conversion: &Conversion) -> Store {
        Store {
            format: self.config.target.format.clone(),
            projection: self.config.target.projection(&self.config.projection),
            stream: Stream::new(self.config.seed, number as u64),
            form: conversion.form.clone(),
            quantizer: conversion.scaling.as_ref().map(|scaling| scaling.quantizer.clone()),
        }
    }
}

/// The conversion of one tensor.
pub(super) struct Task<'a, 'r> {
    pub(super) runner: &'r Runner<'a>,
    pub(super) tensor: &'a Tensor,
    pub(super) source: &'a Source,
    index: usize,
    load: Load<'a>,
    store: Store,
    shape: &'r [u64],
    /// Elements of a row, within which the scales of neighbours are neighbours.
    row: u64,
    tally: Mutex<Tally>,
}

impl Task<'_, '_> {
    pub(super) fn lane(&self) -> Lane {
        self.load.lane().max(self.store.lane())
    }

    /// Starts reading at an element.
    fn chunks(&self, elements: Range<u64>) -> Result<Chunks<'_>, FileError> {
        let (span, first) = (self.load.span(), elements.start);
        let mut feed = self.source.feed(self.index)?;
        let skip = span.byte(first).filter(|_| self.store.span().byte(first).is_some());
        let is_late = match (&mut feed, skip) {
            (_, None) => true,
            (Feed::At(..), Some(_)) => false,
            (Feed::Stream(stream), Some(skip)) => {
                let skipped = std::io::copy(&mut stream.by_ref().take(skip), &mut std::io::sink());
                skipped.map_err(|error| self.source.read_error(error))?;
                false
            }
            (Feed::Numbers(_), Some(_)) => first > 0,
        };
        if is_late {
            let name = quote(&self.tensor.name);
            return Err(FileError::Usage(format!(
                "tensor {name} has so many scales that it is cut, and not where a byte ends"
            )));
        }
        let is_sized = elements.end != u64::MAX;
        let cuts = Cuts {
            also: self.store.span(),
            row: self.row,
            ..Cuts::every(chunks::chunk_elements(self.runner.workers))
        };
        Ok(Chunks::new(&self.source.path, feed, span, elements, is_sized, cuts))
    }

    /// Reads the chunks of a range as numbers.
    pub(super) fn each(
        &self,
        elements: Range<u64>,
        sink: &Sink,
        body: impl Fn(&mut Workspace, &Chunk, usize) -> Result<(), FileError> + Sync,
    ) -> Result<(), FileError> {
        let step = chunks::chunk_elements(self.runner.workers);
        let is_small = elements.end - elements.start <= step;
        let chunks = self.chunks(elements)?;
        sink.restart();
        let landing = self.load.landing();
        self.runner.drive(&chunks, sink, is_small, landing, |work, chunk| {
            let length = chunk.elements.end - chunk.elements.start;
            let count = usize::try_from(length).unwrap_or(usize::MAX);
            self.load.numbers(work, chunk.elements.clone(), count, self.lane())?;
            body(work, chunk, count)?;
            let bytes = self.load.span().bytes(&chunk.elements);
            self.runner.progress.advance(bytes.map_or(0, |bytes| bytes.end - bytes.start));
            Ok(())
        })
    }

    /// Converts and writes a range.
    pub(super) fn pass(
        &self,
        sink: &Sink,
        elements: Range<u64>,
        scales: Option<Scales>,
    ) -> Result<(), FileError> {
        self.each(elements, sink, |work, chunk, count| {
            let first = chunk.elements.start;
            let seek = lock(&self.tally).lost.is_none_or(|known| first < known);
            let batch = Batch { elements: chunk.elements.clone(), count, lane: self.lane(), seek };
            let (bytes, rounded) = self.store.bytes(work, &batch, scales);
            if let Some(element) = rounded.refused {
                return Err(self.refusal(element));
            }
            let offset = self.store.span().byte(first).unwrap_or_default();
            self.runner.write(sink, chunk, offset, bytes)?;
            let mut tally = lock(&self.tally);
            tally.counts += rounded.counts;
            tally.lost = tally.lost.into_iter().chain(rounded.lost).min();
            Ok(())
        })
    }

    fn refusal(&self, element: u64) -> FileError {
        let index = summary::index_of(element, self.shape, self.tensor.order);
        let at = Lost { tensor: self.tensor.name.clone(), index };
        let format = &self.store.format;
        let what =
            format!("{at} is NaN, which {format} has not: --nan-to zero or max gives it a value");
        ContainerError::data(&self.source.path, what).into()
    }
}
