//! The memory and the time that a piece of work takes on this thread.
#![expect(unsafe_code, reason = "an allocator that counts needs it")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    time::{Duration, Instant},
};

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counting the bytes that are live on each thread.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn grow(bytes: usize) {
    let live = LIVE.get().wrapping_add(bytes);
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
}

// SAFETY: every call goes to the system's allocator with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get().saturating_sub(layout.size()));
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What a piece of work took.
pub(crate) struct Spent {
    /// The most bytes that were live at a time, beyond those before.
    pub(crate) bytes: usize,
    pub(crate) time: Duration,
}

/// Runs work and measures it.
pub(crate) fn measure<T>(work: impl FnOnce() -> T) -> (T, Spent) {
    let before = LIVE.get();
    PEAK.set(before);
    let start = Instant::now();
    let result = work();
    (result, Spent { bytes: PEAK.get() - before, time: start.elapsed() })
}

#[test]
fn memory_is_counted() {
    let ((), spent) = measure(|| drop(std::hint::black_box(vec![1u8; 12_345])));
    assert_eq!(spent.bytes, 12_345);
    let (kept, spent) = measure(|| std::hint::black_box(Vec::<u64>::with_capacity(1000)));
    assert_eq!((spent.bytes, kept.capacity()), (8000, 1000));
}
