//! Memory for a chunk of numbers, and what the plain kernels make of it.

use std::cell::RefCell;

use super::super::{
    Codes, Counts, Dither, Plan, doors, encode_f32, encode_f64,
    slice::{Sink, Source},
};

/// Elements of a chunk: what is kept of it stays in the first cache.
pub(super) const CHUNK: usize = 1024;

/// Room for the numbers of a chunk, on the boundaries of the widest registers.
#[repr(align(64))]
pub(in super::super) struct Room {
    /// Quotients.
    pub(super) narrow: [f32; CHUNK],
    /// Quotients, or what belongs to each element besides.
    pub(super) wide: [f64; CHUNK],
    /// Elements, as numbers.
    pub(super) numbers: [f32; CHUNK],
    /// What quotients are made with.
    pub(super) scratch: Scratch,
}

/// Room for what belongs to scales.
#[repr(align(64))]
pub(super) struct Scratch {
    /// What belongs to each element.
    pub(super) factors: [f32; CHUNK],
    /// What belongs to each scale.
    pub(super) narrow: [f32; CHUNK],
    /// The same in binary64.
    pub(super) wide: [f64; CHUNK],
}

thread_local! {
    /// The room of each thread: slices may be too short to make one for each.
    static ROOM: RefCell<Room> = const {
        RefCell::new(Room {
            narrow: [0.0; CHUNK],
            wide: [0.0; CHUNK],
            numbers: [0.0; CHUNK],
            scratch: Scratch { factors: [0.0; CHUNK], narrow: [0.0; CHUNK], wide: [0.0; CHUNK] },
        })
    };
}

impl Room {
    /// Does something with the room, without doing so within itself.
    pub(super) fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        ROOM.with_borrow_mut(work)
    }

    /// Projects some quotients and writes their codes.
    pub(super) fn encode(
        &self,
        plan: &Plan,
        form: Form,
        codes: Codes<'_>,
        dither: Dither,
    ) -> Counts {
        match form {
            Form::Narrow => encode_f32(plan, &self.narrow[..codes.len()], codes, dither),
            Form::Wide => encode_f64(plan, &self.wide[..codes.len()], codes, dither),
        }
    }

    /// Rounds some quotients to elements.
    pub(super) fn round(
        &mut self,
        plan: &Plan,
        form: Form,
        elements: usize,
        dither: Dither,
    ) -> Counts {
        let quotients = match form {
            Form::Narrow => Source::F32(&self.narrow[..elements]),
            Form::Wide => Source::F64(&self.wide[..elements]),
        };
        doors::project(plan, quotients, Sink::Numbers(&mut self.numbers[..elements]), dither)
    }
}

/// In which lanes the quotients of a chunk are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Form {
    /// Those of binary32.
    Narrow,
    /// Those of binary64.
    Wide,
}
