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
    chunks::{self, Chunk, Chunks, Sink},
    plan::{Conversion, Job, Plan},
    scales::{self, Maxima},
    store::{Batch, Form, Store},
    summary::{self, Lost},
};
use crate::{
    container::{
        ContainerError, Feed, Source, Tensor, limits, quote,
        reading::{
            buffer::{Landing, Workspace},
            load::{Lane, Load},
            scales::{ScaleReader, Scales},
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

    fn write(
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
        let chunks = Chunks::new(&source.path, feed, 8, 0..bytes, tensor.bytes.is_some(), step);
        sink.restart();
        self.drive(&chunks, sink, bytes <= step, Landing::Input, |work, chunk| {
            let length = chunk.elements.end - chunk.elements.start;
            let bytes = work.input.bytes(usize::try_from(length).unwrap_or(usize::MAX));
            self.write(sink, chunk, chunk.elements.start, bytes)?;
            self.progress.advance(length);
            Ok(())
        })
    }

    /// Converts a tensor, whose scales go to the second sink.
    pub(super) fn convert(
        &self,
        job: &Job,
        conversion: &Conversion,
        sinks: &[Sink],
    ) -> Result<(Counts, Option<Lost>), FileError> {
        let (tensor, source, index) = self.place(job.tensor);
        let task = Task {
            runner: self,
            tensor,
            source,
            index,
            load: self.load(tensor, conversion)?,
            store: self.store(job.tensor, conversion),
            output: &job.outputs[0],
            tally: Mutex::default(),
        };
        // The end of a stream of unknown length is found by reading.
        let count = task.output.elements().unwrap_or(u64::MAX);
        match &conversion.grouping {
            None => task.pass(&sinks[0], 0..count, None)?,
            Some(grouping) => {
                let (name, most) = limits::limit!(MAX_SCALES);
                let stretches = grouping.stretches(most).ok_or_else(|| {
                    let tensor = quote(&tensor.name);
                    FileError::Usage(format!(
                        "tensor {tensor} has more than {name} = {most} scales in a row of tiles"
                    ))
                })?;
                for (elements, scales) in stretches {
                    let maxima = Maxima::new(grouping, &scales);
                    task.find_maxima(&maxima, elements.clone())?;
                    let found = maxima.scales(&task.store.format, &tensor.name)?;
                    if let Some(sink) = sinks.get(1) {
                        let bytes = scales::stored(&found);
                        let chunk = Chunk { number: 0, elements: scales.clone() };
                        let offset = scales.start * size_of::<f32>() as u64;
                        self.write(sink, &chunk, offset, &bytes)?;
                    }
                    let values: Vec<f64> = found.into_iter().map(f64::from).collect();
                    let scales = Scales { grouping, first: scales.start, values: &values };
                    task.pass(&sinks[0], elements, Some(scales))?;
                }
            }
        }
        let tally = task.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        let lost = tally.lost.map(|element| Lost {
            tensor: tensor.name.clone(),
            index: summary::index_of(element, &task.output.shape),
        });
        Ok((tally.counts, lost))
    }

    fn load(&self, tensor: &Tensor, conversion: &Conversion) -> Result<Load<'a>, FileError> {
        let Some(scaled) = &conversion.scaled else {
            return Ok(match tensor.element.storage() {
                Some(storage) => Load::Codes { storage: storage.clone(), scales: None },
                None => Load::Text(self.config.from.clone()),
            });
        };
        let (scale, source, _) = self.place(scaled.scale);
        let global = scaled.global.map(|(global, applied)| {
            let (tensor, source, _) = self.place(global);
            (source, tensor, applied)
        });
        let (storage, grouping) = (scaled.scale_storage.clone(), scaled.grouping.clone());
        let scales = ScaleReader::new((source, scale), storage, grouping, global)?;
        Ok(Load::Codes { storage: scaled.storage.clone(), scales: Some(scales) })
    }

    fn store(&self, number: usize, conversion: &Conversion) -> Store {
        let is_scaled = conversion.grouping.is_some();
        let general = self.config.target.projection(&self.config.projection);
        Store {
            format: self.config.target.format.clone(),
            projection: if is_scaled {
                crate::block::float_scale::projection(&general)
            } else {
                general
            },
            stream: Stream::new(self.config.seed, number as u64),
            form: conversion.form.clone(),
            is_scaled,
        }
    }
}

/// The conversion of one tensor.
struct Task<'a, 'r> {
    runner: &'r Runner<'a>,
    tensor: &'a Tensor,
    source: &'a Source,
    index: usize,
    load: Load<'a>,
    store: Store,
    output: &'r Tensor,
    tally: Mutex<Tally>,
}

impl Task<'_, '_> {
    fn lane(&self) -> Lane {
        self.load.lane().max(self.store.lane())
    }

    /// Bits of an element of the input.
    fn bits_in(&self) -> u64 {
        match &self.load {
            Load::Codes { storage, .. } => storage.bits(),
            Load::Text(_) => 8,
        }
    }

    /// Bits of an element of the output.
    fn bits_out(&self) -> u64 {
        match &self.store.form {
            Form::Codes(storage) | Form::Numbers(storage) => storage.bits(),
            Form::Text(..) => 8,
        }
    }

    /// Starts reading at an element.
    fn chunks(&self, elements: Range<u64>) -> Result<Chunks<'_>, FileError> {
        let (bits, first) = (self.bits_in(), elements.start);
        let starts_inside = [bits, self.bits_out()].iter().any(|bits| first * bits % 8 != 0);
        let mut feed = self.source.feed(self.index)?;
        let mut is_late = starts_inside;
        match &mut feed {
            Feed::At(..) => {}
            Feed::Stream(stream) => {
                let skip = first * bits / 8;
                let skipped = std::io::copy(&mut stream.by_ref().take(skip), &mut std::io::sink());
                skipped.map_err(|error| self.source.read_error(error))?;
            }
            Feed::Numbers(_) => is_late |= first > 0,
        }
        if is_late {
            let name = quote(&self.tensor.name);
            return Err(FileError::Usage(format!(
                "tensor {name} has so many scales that it is cut, and not where a byte ends"
            )));
        }
        let is_sized = elements.end != u64::MAX;
        let step = chunks::chunk_elements(self.runner.workers);
        Ok(Chunks::new(&self.source.path, feed, bits, elements, is_sized, step))
    }

    /// Reads the chunks of a range as numbers.
    fn each(
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
            self.runner.progress.advance(length * self.bits_in() / 8);
            Ok(())
        })
    }

    /// Finds the largest magnitudes of a range.
    fn find_maxima(&self, maxima: &Maxima, elements: Range<u64>) -> Result<(), FileError> {
        if self.lane() != Lane::F64 {
            let what =
                format!("scales are found for numbers that f64 holds, not {}", self.tensor.dtype);
            return Err(ContainerError::usage(&self.source.path, what).into());
        }
        self.each(elements, &Sink::Nowhere, |work, chunk, count| {
            maxima.update(chunk.elements.clone(), work.wide.numbers(count));
            Ok(())
        })
    }

    /// Converts and writes a range.
    fn pass(
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
            self.runner.write(sink, chunk, first * self.bits_out() / 8, bytes)?;
            let mut tally = lock(&self.tally);
            tally.counts += rounded.counts;
            tally.lost = tally.lost.into_iter().chain(rounded.lost).min();
            Ok(())
        })
    }

    fn refusal(&self, element: u64) -> FileError {
        let index = summary::index_of(element, &self.output.shape);
        let at = Lost { tensor: self.tensor.name.clone(), index };
        let format = &self.store.format;
        let what =
            format!("{at} is NaN, which {format} has not: --nan-to zero or max gives it a value");
        ContainerError::data(&self.source.path, what).into()
    }
}
