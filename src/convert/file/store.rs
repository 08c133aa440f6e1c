//! Numbers become the bytes of a file: divided by scales, rounded, and laid out.

use std::ops::Range;

use super::scaled::with_numbers;
use crate::{
    block::{Piece, Quantizer},
    codec::{Kind, Projection, Unpacked, decode, project},
    container::{
        Span, Storage,
        reading::{
            buffer::{self, Workspace},
            load::{self, Lane},
            scales::{Scales, index},
        },
        text,
    },
    format::{F32, Format},
    kernel::{self, Counts, Dither, Plan},
    random::Stream,
    text::render,
};

/// How the numbers of a tensor are rounded and laid out.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) format: Format,
    pub(super) projection: Projection,
    /// The random bits of stochastic rounding.
    pub(super) stream: Stream,
    pub(super) form: Form,
    /// What divides numbers by their scales, if they have some.
    pub(super) quantizer: Option<Quantizer>,
}

/// What is written.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// The codes, and where they lie.
    Codes(Storage, Span),
    /// The numbers that the codes stand for, in another format.
    Numbers(Storage),
    /// The numbers as text, so many in a row, what is between them, and the format that they have.
    Text(u64, &'static str, Format),
}

/// The numbers in a lane of the workspace that are to be rounded: some elements of a tensor.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) elements: Range<u64>,
    pub(super) count: usize,
    pub(super) lane: Lane,
    /// Whether the first element that is lost is looked for.
    pub(super) seek: bool,
}

/// What became of a batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Rounded {
    pub(super) counts: Counts,
    /// The first finite element that is written as infinity or NaN, if it was looked for.
    pub(super) lost: Option<u64>,
    /// The first element that the policies refuse: a NaN.
    pub(super) refused: Option<u64>,
}

/// Where the bytes of a batch are.
#[derive(Clone, Copy, Debug)]
enum Place {
    Codes(usize),
    Wide(usize),
    Output,
}

impl Store {
    /// Returns the lane that the numbers need to be in.
    pub(super) fn lane(&self) -> Lane {
        if self.format.width() > u64::BITS { Lane::Exact } else { Lane::F32 }
    }

    /// Returns where the bytes of elements go.
    pub(super) fn span(&self) -> Span {
        match &self.form {
            Form::Codes(_, span) => *span,
            Form::Numbers(storage) => Span::Bits(storage.bits()),
            Form::Text(..) => Span::Bits(8),
        }
    }

    /// Rounds a batch, and returns the bytes to be written.
    pub(super) fn bytes<'w>(
        &self,
        work: &'w mut Workspace,
        batch: &Batch,
        scales: Option<Scales>,
    ) -> (&'w [u8], Rounded) {
        let scaled = self.quantizer.as_ref().zip(scales);
        let (place, rounded) = match (&self.form, scaled) {
            (Form::Codes(storage, span), scaled) => {
                let rounded = match scaled {
                    None => self.encode(work, batch),
                    Some((quantizer, scales)) => self.encode_scaled(quantizer, scales, work, batch),
                };
                (lay_out(storage, span, work, &batch.elements), rounded)
            }
            (Form::Text(columns, separator, format), None) => {
                let rounded = self.encode(work, batch);
                write_text(format, work, batch, (*columns, separator));
                (Place::Output, rounded)
            }
            (Form::Text(columns, separator, format), Some((quantizer, scales))) => {
                let rounded = self.simulate_scaled(quantizer, scales, format, work, batch);
                write_text(format, work, batch, (*columns, separator));
                (Place::Output, rounded)
            }
            (Form::Numbers(storage), None) => self.simulate(storage, work, batch),
            (Form::Numbers(storage), Some((quantizer, scales))) => {
                let rounded = self.simulate_scaled(quantizer, scales, &storage.format, work, batch);
                (lay_out(storage, &self.span(), work, &batch.elements), rounded)
            }
        };
        let bytes: &[u8] = match place {
            Place::Codes(bytes) => work.codes.bytes(bytes),
            Place::Wide(bytes) => work.wide.bytes(bytes),
            Place::Output => work.output.as_slice(),
        };
        (bytes, rounded)
    }

    fn dither(&self, batch: &Batch) -> Dither {
        Dither { stream: self.stream, first: batch.elements.start }
    }

    /// Rounds a batch to codes in the words of the machine.
    fn encode(&self, work: &mut Workspace, batch: &Batch) -> Rounded {
        encode(&self.format, &self.projection, work, batch, self.dither(batch))
    }

    /// Rounds, and lays the rounded numbers out in another format.
    fn simulate(&self, storage: &Storage, work: &mut Workspace, batch: &Batch) -> (Place, Rounded) {
        let count = batch.count;
        if batch.lane == Lane::F32 && storage.format == F32 {
            let plan = Plan::new(&self.format, &self.projection);
            let narrow: &[f32] = work.narrow.numbers(count);
            let dither = self.dither(batch);
            let counts = kernel::quantize(&plan, narrow, work.wide.numbers(count), dither);
            let rounded = look(&self.format, &self.projection, work, batch, dither, counts);
            let bytes = count * size_of::<f32>();
            buffer::little_endian(work.wide.bytes(bytes), size_of::<f32>());
            return (Place::Wide(bytes), rounded);
        }
        let mut rounded = self.encode(work, batch);
        std::mem::swap(&mut work.input, &mut work.codes);
        let lane = load::decode_codes(&self.format, None, work, count);
        let stored = store(&storage.format, work, &Batch { lane, ..batch.clone() });
        rounded.also(&stored);
        (lay_out(storage, &self.span(), work, &batch.elements), rounded)
    }

    /// Rounds a batch over its scales to codes in the words of the machine.
    fn encode_scaled(
        &self,
        quantizer: &Quantizer,
        scales: Scales,
        work: &mut Workspace,
        batch: &Batch,
    ) -> Rounded {
        let piece = Piece { grouping: scales.grouping, elements: batch.elements.clone() };
        let values = scales.of(&batch.elements);
        let (size, count) = (self.format.storage_bytes(), batch.count);
        let dither = Dither { stream: self.stream, first: 0 };
        let mut codes = work.codes.codes(size, count);
        with_numbers!(work, batch.lane, count, numbers => {
            let counts = quantizer.encode(&piece, numbers, values, &mut codes, dither);
            // Elements saturate, so that only a scale can make a finite one NaN.
            let is_lost = |i: usize| {
                let scale = scales.at(batch.elements.start + i as u64);
                scale.is_nan() && numbers[i].is_finite()
            };
            let find = |wanted: &dyn Fn(usize) -> bool| {
                (0..count).find(|&i| wanted(i)).map(|i| batch.elements.start + i as u64)
            };
            Rounded {
                lost: (batch.seek && counts.lost > 0).then(|| find(&is_lost)).flatten(),
                refused: (counts.refused > 0)
                    .then(|| find(&|i| numbers[i].is_nan()))
                    .flatten(),
                counts,
            }
        })
    }

    /// Rounds a batch over its scales, and what the codes stand for to another format.
    fn simulate_scaled(
        &self,
        quantizer: &Quantizer,
        scales: Scales,
        format: &Format,
        work: &mut Workspace,
        batch: &Batch,
    ) -> Rounded {
        let mut rounded = self.encode_scaled(quantizer, scales, work, batch);
        let piece = Piece { grouping: scales.grouping, elements: batch.elements.clone() };
        let codes = work.codes.codes_ref(self.format.storage_bytes(), batch.count);
        let numbers = work.wide.numbers::<f64>(batch.count);
        quantizer.decode(&piece, codes, scales.of(&batch.elements), numbers);
        let stored = store(format, work, &Batch { lane: Lane::F64, ..batch.clone() });
        rounded.also(&stored);
        rounded
    }
}

impl Rounded {
    /// Adds what was lost when rounded numbers were stored.
    fn also(&mut self, stored: &Self) {
        self.counts.lost += stored.counts.lost;
        self.lost = self.lost.into_iter().chain(stored.lost).min();
    }
}

/// Stores numbers as another format has them, to nearest even.
fn store(format: &Format, work: &mut Workspace, batch: &Batch) -> Rounded {
    encode(format, &Projection::default(), work, batch, Dither::default())
}

/// Writes codes in the words of the machine as text: so many in a row, and what is between them.
fn write_text(
    format: &Format,
    work: &mut Workspace,
    batch: &Batch,
    (columns, separator): (u64, &str),
) {
    let size = format.storage_bytes();
    work.output.clear();
    let codes = work.codes.bytes(batch.count * size);
    buffer::little_endian(codes, size);
    for (code, index) in codes.chunks_exact(size).zip(batch.elements.start..) {
        let code = code.iter().rev().fold(0, |code, &byte| code << 8 | u128::from(byte));
        let number = render::value(format, code);
        text::write_number(&mut work.output, &number, index, columns, separator)
            .expect("memory can be written to");
    }
}

/// Rounds a batch to codes in the words of the machine.
fn encode(
    format: &Format,
    projection: &Projection,
    work: &mut Workspace,
    batch: &Batch,
    dither: Dither,
) -> Rounded {
    let (size, count) = (format.storage_bytes(), batch.count);
    let counts = match batch.lane {
        Lane::F32 => {
            let plan = Plan::new(format, projection);
            let numbers = work.narrow.numbers(count);
            kernel::encode_f32(&plan, numbers, work.codes.codes(size, count), dither)
        }
        Lane::F64 => {
            let plan = Plan::new(format, projection);
            let numbers = work.wide.numbers(count);
            kernel::encode_f64(&plan, numbers, work.codes.codes(size, count), dither)
        }
        Lane::Exact => {
            let mut counts = Counts::default();
            let codes = work.codes.bytes(count * size);
            let numbers = work.exact.iter().zip(codes.chunks_exact_mut(size));
            for ((x, bytes), index) in numbers.zip(dither.first..) {
                let projection = projection.with_random(dither.stream.bits(index));
                let projected = project(format, &projection, x);
                counts += Counts::of(format, x, projected);
                bytes.copy_from_slice(&projected.code.to_le_bytes()[..size]);
            }
            buffer::little_endian(codes, size);
            counts
        }
    };
    look(format, projection, work, batch, dither, counts)
}

/// Finds the first elements that were lost or refused, if there are any.
fn look(
    format: &Format,
    projection: &Projection,
    work: &mut Workspace,
    batch: &Batch,
    dither: Dither,
    counts: Counts,
) -> Rounded {
    let mut find = |wanted: &dyn Fn(usize, &Unpacked) -> bool| {
        (batch.elements.start..).zip(0..batch.count).find_map(|(index, i)| {
            let x = match batch.lane {
                Lane::F32 => Unpacked::from_f32(work.narrow.numbers(batch.count)[i]),
                Lane::F64 => Unpacked::from_f64(work.wide.numbers(batch.count)[i]),
                Lane::Exact => work.exact[i],
            };
            wanted(i, &x).then_some(index)
        })
    };
    let is_lost = |i: usize, x: &Unpacked| {
        let random = dither.stream.bits(dither.first + i as u64);
        let code = project(format, &projection.with_random(random), x).code;
        x.is_finite() && !decode(format, code).is_finite()
    };
    let lost = (batch.seek && counts.lost > 0).then(|| find(&is_lost)).flatten();
    let refused = (counts.refused > 0).then(|| find(&|_, x| x.kind == Kind::Nan)).flatten();
    Rounded { counts, lost, refused }
}

/// Lays codes in the words of the machine out as they are stored.
fn lay_out(storage: &Storage, span: &Span, work: &mut Workspace, elements: &Range<u64>) -> Place {
    let count = index(elements.end - elements.start);
    if let Span::Cells(cells) = span {
        buffer::pack_cells(cells, elements, work.codes.bytes(count), &mut work.output);
        return Place::Output;
    }
    if storage.is_dense() {
        buffer::pack(work.codes.bytes(count), storage.format.width(), &mut work.output);
        return Place::Output;
    }
    let size = storage.format.storage_bytes();
    let bytes = count * size;
    buffer::little_endian(work.codes.bytes(bytes), size);
    Place::Codes(bytes)
}
