//! An allocator that counts on request. Otherwise it costs one load of a flag.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crossbeam_utils::CachePadded;

struct Counting;

static ASKED: CachePadded<AtomicBool> = CachePadded::new(AtomicBool::new(false));
/// Allocated and not freed since.
static LIVE: AtomicI64 = AtomicI64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(size: usize, sign: i64) {
    if ASKED.load(Ordering::Relaxed) {
        LIVE.fetch_add(sign * i64::try_from(size).unwrap_or(0), Ordering::Relaxed);
    }
}

// SAFETY: forwards every call to the system's allocator, and neither allocates nor panics itself.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller guarantees what the system's allocator requires.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller guarantees what the system's allocator requires.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(layout.size(), -1);
        count(size, 1);
        // SAFETY: the caller guarantees what the system's allocator requires.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller guarantees what the system's allocator requires.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// How many bytes more are allocated afterwards than before.
pub fn allocated<R>(make: impl FnOnce() -> R) -> (i64, R) {
    LIVE.store(0, Ordering::Relaxed);
    ASKED.store(true, Ordering::Relaxed);
    let value = make();
    ASKED.store(false, Ordering::Relaxed);
    (LIVE.load(Ordering::Relaxed), value)
}
