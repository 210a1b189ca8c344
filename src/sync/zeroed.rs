//! Zeroed memory. Its pages take no memory until they are touched.

#![expect(unsafe_code, reason = "allocates zeroed memory")]

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::ptr::{NonNull, slice_from_raw_parts_mut};

use super::BoxedCell;
use super::native::{AtomicPtr, AtomicU64};

/// Types for which zeroed memory is a value.
///
/// # Safety
///
/// All bytes zero must be a value of the type, and the type's size must not be 0.
unsafe trait Zero {}

// SAFETY: all bytes zero are the number 0.
unsafe impl Zero for AtomicU64 {}
// SAFETY: all bytes zero are the number 0 and a null pointer.
unsafe impl<T> Zero for (AtomicU64, AtomicPtr<T>) {}

/// Returns zeroed atomic words, and the index of the first one that begins a cache line. At least
/// `len` words follow from there. Returns `None` if no allocation can be that large. Aborts, as
/// `Vec` does, if the allocator has no memory.
pub(crate) fn zeroed_words(len: usize) -> Option<(Box<[AtomicU64]>, usize)> {
    const LINE: usize = 64;
    let words = zeroed::<AtomicU64>(len.checked_add(LINE / size_of::<AtomicU64>())?)?;
    let first = words.as_ptr().align_offset(LINE);
    Some((words, first))
}

/// Returns `len` cells, each with 0 and a null pointer. Returns `None` and aborts as `zeroed_words`
/// does.
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
    // SAFETY: the memory was allocated with the layout of such a slice, and all bytes zero are a
    // value of each element.
    Some(unsafe { Box::from_raw(slice_from_raw_parts_mut(memory.as_ptr(), len)) })
}
