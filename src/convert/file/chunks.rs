//! A tensor's bytes are handed out in chunks to several workers, and taken back in any order or in
//! the tensor's.

use std::{
    fs::File,
    io::{self, Read, Write},
    ops::Range,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use super::{
    FileError,
    buffer::{Landing, Workspace},
};
use crate::{
    codec::Unpacked,
    container::{ContainerError, Feed},
};

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

/// Some elements of a tensor, in the workspace of whoever took them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// How many were taken before.
    pub(super) number: u64,
    pub(super) elements: Range<u64>,
}

/// What is left of a tensor.
pub(super) struct Chunks<'a> {
    path: &'a Path,
    /// Bits of an element.
    bits: u64,
    /// Elements of a chunk.
    step: u64,
    state: Mutex<State<'a>>,
}

struct State<'a> {
    feed: Feed<'a>,
    next: u64,
    /// The element after the last, unless only the end of a stream tells.
    end: Option<u64>,
    number: u64,
    /// Numbers of a row that the last chunk had no room for.
    left_over: Vec<Unpacked>,
}

/// Takes a lock; what it guards is whole whenever it is released.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A position in memory.
fn index(position: u64) -> usize {
    usize::try_from(position).expect("what is held in memory can be indexed")
}

impl<'a> Chunks<'a> {
    /// Hands out the elements of a range; a stream stands at the first of them.
    pub(super) fn new(
        path: &'a Path,
        feed: Feed<'a>,
        bits: u64,
        elements: Range<u64>,
        is_sized: bool,
        step: u64,
    ) -> Self {
        let end = is_sized.then_some(elements.end);
        let next = elements.start;
        let state = State { feed, next, end, number: 0, left_over: Vec::new() };
        Self { path, bits, step, state: Mutex::new(state) }
    }

    /// Takes the next chunk; its bytes are then where `landing` says, or its numbers in the
    /// workspace.
    pub(super) fn next(
        &self,
        work: &mut Workspace,
        landing: Landing,
    ) -> Result<Option<Chunk>, FileError> {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let step = state.end.map_or(self.step, |end| self.step.min(end - state.next));
        if step == 0 {
            return Ok(None);
        }
        let bytes = index((step * self.bits).div_ceil(8));
        let mut place = None;
        let count = match &mut state.feed {
            Feed::At(file, offset) => {
                place = Some((*file, *offset + state.next * self.bits / 8));
                step
            }
            Feed::Stream(stream) => {
                let read = fill(stream, work.landing(landing, bytes));
                let read = read.map_err(|error| self.read_error(error))?;
                self.count(read as u64, step, state.end.is_some())?
            }
            Feed::Numbers(numbers) => {
                work.exact.clear();
                work.exact.append(&mut state.left_over);
                while (work.exact.len() as u64) < step && numbers.next_row(&mut work.exact)? {}
                let count = work.exact.len().min(index(step));
                state.left_over.extend(work.exact.drain(count..));
                count as u64
            }
        };
        if count == 0 {
            return Ok(None);
        }
        let chunk = Chunk { number: state.number, elements: state.next..state.next + count };
        state.number += 1;
        state.next += count;
        // The others go on while this one reads from its place.
        drop(guard);
        if let Some((file, offset)) = place {
            self.read_at(file, offset, work.landing(landing, bytes))?;
        }
        Ok(Some(chunk))
    }

    /// Ends the tensor for everybody, because something failed.
    pub(super) fn stop(&self) {
        let mut state = lock(&self.state);
        state.end = Some(state.next);
    }

    fn read_at(&self, file: &File, offset: u64, bytes: &mut [u8]) -> Result<(), FileError> {
        file.read_exact_at(bytes, offset).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                let error = io::Error::other("it became shorter while it was read");
                return ContainerError::io("read", self.path, error).into();
            }
            self.read_error(error)
        })
    }

    /// Returns the elements in what was read of a stream: all that were expected, if it is known how
    /// many, or the last before its end.
    fn count(&self, read: u64, step: u64, is_sized: bool) -> Result<u64, FileError> {
        let bits = read * 8;
        let found = (bits / self.bits).min(step);
        let is_short = is_sized && found < step;
        let is_cut = !is_sized && self.bits >= 8 && !bits.is_multiple_of(self.bits);
        if is_short || is_cut {
            let what = format!(
                "ends in the middle of an element, {read} bytes after the last whole chunk"
            );
            return Err(ContainerError::data(self.path, what).into());
        }
        Ok(found)
    }

    fn read_error(&self, error: io::Error) -> FileError {
        if error.kind() == io::ErrorKind::InvalidData {
            return ContainerError::data(self.path, error.to_string()).into();
        }
        ContainerError::io("read", self.path, error).into()
    }
}

/// Reads until the buffer is full or the stream ends.
fn fill(stream: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
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
            let elements = index(chunk_elements(workers));
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
