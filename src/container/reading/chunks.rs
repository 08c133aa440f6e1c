//! A tensor's bytes are handed out in chunks to several workers.

use std::{
    fs::File,
    io::{self, Read},
    ops::Range,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    buffer::{Landing, Workspace},
    scales::index,
};
use crate::{
    codec::Unpacked,
    container::{ContainerError, Feed, Span},
};

/// Some elements of a tensor, in the workspace of whoever took them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// How many were taken before.
    pub(crate) number: u64,
    pub(crate) elements: Range<u64>,
}

/// What is left of a tensor.
pub(crate) struct Chunks<'a> {
    path: &'a Path,
    /// Where the elements lie.
    span: Span,
    cuts: Cuts,
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

/// Where a tensor is cut into chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cuts {
    /// The most elements of a chunk.
    pub(crate) step: u64,
    /// Where the elements lie that are written, which begin on a byte in every chunk as well.
    pub(crate) also: Span,
    /// Elements of a row, which a chunk does not leave if the row is longer than that.
    pub(crate) row: u64,
}

impl Cuts {
    /// Cuts anywhere.
    pub(crate) fn every(step: u64) -> Self {
        Self { step, also: Span::Bits(8), row: u64::MAX }
    }

    /// Returns the end of a chunk, given its first element and the end of all.
    fn end(&self, span: &Span, first: u64, end: u64) -> u64 {
        let is_cut = |at: u64| span.byte(at).is_some() && self.also.byte(at).is_some();
        let longest = first.saturating_add(self.step).min(end);
        let row_end = (first / self.row + 1).saturating_mul(self.row);
        if self.row > self.step && row_end <= longest && is_cut(row_end) {
            return row_end;
        }
        if longest == end {
            return end;
        }
        (first + 1..=longest).rev().find(|&at| is_cut(at)).unwrap_or(longest)
    }
}

/// Takes a lock; what it guards is whole whenever it is released.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Chunks<'a> {
    /// Hands out the elements of a range; a stream stands at the first of them.
    pub(crate) fn new(
        path: &'a Path,
        feed: Feed<'a>,
        span: Span,
        elements: Range<u64>,
        is_sized: bool,
        cuts: Cuts,
    ) -> Self {
        let end = is_sized.then_some(elements.end);
        let next = elements.start;
        let state = State { feed, next, end, number: 0, left_over: Vec::new() };
        Self { path, span, cuts, state: Mutex::new(state) }
    }

    /// Takes the next chunk; its bytes are then where `landing` says, or its numbers in the
    /// workspace.
    pub(crate) fn next(
        &self,
        work: &mut Workspace,
        landing: Landing,
    ) -> Result<Option<Chunk>, ContainerError> {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let last = self.cuts.end(&self.span, state.next, state.end.unwrap_or(u64::MAX));
        let step = last - state.next;
        if step == 0 {
            return Ok(None);
        }
        let Some(range) = self.span.bytes(&(state.next..last)) else {
            let what = "its elements cannot be taken apart where a byte ends";
            return Err(ContainerError::data(self.path, what));
        };
        let bytes = index(range.end - range.start);
        let mut place = None;
        let count = match &mut state.feed {
            Feed::At(file, offset) => {
                place = Some((*file, *offset + range.start));
                step
            }
            Feed::Stream(stream) => {
                let read = fill(stream, work.landing(landing, bytes));
                let read = read.map_err(|error| self.read_error(error))?;
                self.count(read, bytes, step, state.end.is_some())?
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
    pub(crate) fn stop(&self) {
        let mut state = lock(&self.state);
        state.end = Some(state.next);
    }

    fn read_at(&self, file: &File, offset: u64, bytes: &mut [u8]) -> Result<(), ContainerError> {
        file.read_exact_at(bytes, offset).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                let error = io::Error::other("it became shorter while it was read");
                return ContainerError::io("read", self.path, error);
            }
            self.read_error(error)
        })
    }

    /// Returns the elements in what was read of a stream: all that were expected, if it is known how
    /// many, or the last before its end.
    fn count(
        &self,
        read: usize,
        expected: usize,
        step: u64,
        is_sized: bool,
    ) -> Result<u64, ContainerError> {
        if read == expected {
            return Ok(step);
        }
        let bits = read as u64 * 8;
        match self.span {
            // Bits left over in the last byte of densely packed codes are no element.
            Span::Bits(width) if !is_sized && (width < 8 || bits.is_multiple_of(width)) => {
                Ok(bits / width)
            }
            Span::Bits(_) | Span::Cells(_) => {
                let what = format!(
                    "ends in the middle of an element, {read} bytes after the last whole chunk"
                );
                Err(ContainerError::data(self.path, what))
            }
        }
    }

    fn read_error(&self, error: io::Error) -> ContainerError {
        if error.kind() == io::ErrorKind::InvalidData {
            return ContainerError::data(self.path, error.to_string());
        }
        ContainerError::io("read", self.path, error)
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
