//! Memory that is all zero. Pages that are never touched cost nothing.

#![expect(unsafe_code, reason = "allocates")]

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::ptr::{NonNull, slice_from_raw_parts_mut};

use super::BoxedCell;
use super::native::{AtomicPtr, AtomicU64};

/// # Safety
///
/// All bytes zero are a value of the type, which has a size.
unsafe trait Zero {}

// SAFETY: it is the number 0.
unsafe impl Zero for AtomicU64 {}
// SAFETY: the number 0 and a null pointer.
unsafe impl<T> Zero for (AtomicU64, AtomicPtr<T>) {}

/// Atomic words, all zero, and the index of the first that begins a cache line, with at least `len` words from there. `None` when an
/// allocation can never be that large; aborts as `Vec` does when the memory is not to be had.
pub(crate) fn zeroed_words(len: usize) -> Option<(Box<[AtomicU64]>, usize)> {
    const LINE: usize = 64;
    let words = zeroed::<AtomicU64>(len.checked_add(LINE / size_of::<AtomicU64>())?)?;
    let first = words.as_ptr().align_offset(LINE);
    Some((words, first))
}

/// As many cells, each with zero and null. `None` and aborts as `zeroed_words`.
pub(crate) fn zeroed_cells<T>(len: usize) -> Option<Box<[BoxedCell<T>]>> {
    zeroed(len)
}

fn zeroed<T: Zero>(len: usize) -> Option<Box<[T]>> {
    if len == 0 {
        return Some(Box::default());
    }
    let layout = Layout::array::<T>(len).ok()?;
    // SAFETY: `len` is not 0, and neither is the size of a `Zero` type.
    let memory = unsafe { alloc_zeroed(layout) }.cast::<T>();
    let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
    // SAFETY: allocated with the layout of such a slice; all zero is a value of each element.
    Some(unsafe { Box::from_raw(slice_from_raw_parts_mut(memory.as_ptr(), len)) })
}
