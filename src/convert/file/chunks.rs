//! Chunks of a tensor are written as they are done, or in the tensor's order.

use std::{
    fs::File,
    io::{self, Write},
    os::unix::fs::FileExt,
    sync::{Condvar, Mutex, PoisonError},
};

use crate::container::reading::chunks::lock;
pub(super) use crate::container::reading::chunks::{Chunk, Chunks, Cuts};

/// Bytes of all workers' buffers together.
const BUFFERS: usize = 20 << 20;
/// Bytes of one worker's buffers an element: 8 each as read, as binary64, as codes and as written,
/// and 4 as binary32.
const BUFFERS_AN_ELEMENT: usize = 36;
/// The most workers that share the buffers.
pub(super) const MAX_WORKERS: usize = 16;
/// The most elements of a chunk: beyond, the caches are too small.
const MAX_ELEMENTS: usize = 1 << 18;

/// Returns the elements of a chunk for so many workers: a power of two, so that packed codes of
/// every chunk begin on a byte.
pub(super) fn chunk_elements(workers: usize) -> u64 {
    let share = BUFFERS / (workers.clamp(1, MAX_WORKERS) * BUFFERS_AN_ELEMENT);
    1 << share.min(MAX_ELEMENTS).ilog2()
}

/// Where the bytes of one tensor go.
pub(super) enum Sink<'a> {
    /// Nowhere: the work is done to measure.
    Nowhere,
    /// To their places in a file: the first byte of the tensor's first element.
    At(&'a File, u64),
    /// One after the other.
    InOrder(&'a InOrder),
}

impl Sink<'_> {
    /// Writes the bytes of a chunk, which begin so many bytes into the tensor.
    pub(super) fn write(&self, chunk: &Chunk, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Nowhere => Ok(()),
            Self::At(file, start) => file.write_all_at(bytes, start + offset),
            Self::InOrder(sink) => sink.write(chunk.number, bytes),
        }
    }

    /// Expects the first chunk of something else.
    pub(super) fn restart(&self) {
        if let Self::InOrder(sink) = self {
            lock(&sink.state).next = 0;
        }
    }

    /// Lets those go who wait for a chunk that will not come.
    pub(super) fn stop(&self) {
        if let Self::InOrder(sink) = self {
            sink.stop();
        }
    }
}

/// A writer that takes chunks in the order of their numbers, which start again with each tensor.
pub(super) struct InOrder {
    state: Mutex<Turn>,
    turn: Condvar,
}

struct Turn {
    next: u64,
    stopped: bool,
    writer: Box<dyn Write + Send>,
}

impl InOrder {
    pub(super) fn new(writer: Box<dyn Write + Send>) -> Self {
        let state = Mutex::new(Turn { next: 0, stopped: false, writer });
        Self { state, turn: Condvar::new() }
    }

    /// Writes out what is buffered.
    pub(super) fn flush(&self) -> io::Result<()> {
        lock(&self.state).writer.flush()
    }

    fn write(&self, number: u64, bytes: &[u8]) -> io::Result<()> {
        let state = lock(&self.state);
        let waiting = |state: &mut Turn| state.next != number && !state.stopped;
        let mut state =
            self.turn.wait_while(state, waiting).unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            return Ok(());
        }
        state.next += 1;
        let written = state.writer.write_all(bytes);
        state.stopped |= written.is_err();
        self.turn.notify_all();
        written
    }

    fn stop(&self) {
        lock(&self.state).stopped = true;
        self.turn.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffers_of_all_workers_stay_within_the_budget() {
        for workers in 1..=64 {
            let elements = usize::try_from(chunk_elements(workers)).expect("an index");
            assert!(elements.is_power_of_two() && elements >= 1 << 14);
            assert!(elements * BUFFERS_AN_ELEMENT * workers.min(MAX_WORKERS) <= BUFFERS);
        }
    }

    #[test]
    fn chunks_are_written_in_order_whoever_is_first() {
        let (reader, writer) = io::pipe().expect("a pipe");
        let sink = InOrder::new(Box::new(writer));
        std::thread::scope(|scope| {
            for number in [3, 1, 0, 2] {
                let sink = &sink;
                scope.spawn(move || {
                    let chunk = Chunk { number, elements: 0..0 };
                    Sink::InOrder(sink).write(&chunk, 0, number.to_string().as_bytes())
                });
            }
        });
        drop(sink);
        assert_eq!(io::read_to_string(reader).expect("text"), "0123");
    }
}
