//! A plain copy under a lock, for Miri and for processors without stable inline assembly.
//!
//! The address of the slot chooses one of a few locks, as in `AtomicCell` of crossbeam-utils for
//! large values. Nothing but the copy runs under a lock. A thread that is suspended in a copy
//! blocks the copies under the same lock.

#![expect(unsafe_code, reason = "copies bytes that may have no value")]

use std::mem::MaybeUninit;

use crate::sync::{AtomicU64, with_lock_of};

/// Copies `bytes` into the words of a slot. Bytes of the last word beyond the message keep their
/// value.
pub(super) fn store(words: &[AtomicU64], bytes: &[MaybeUninit<u8>]) {
    assert!(bytes.len() <= size_of_val(words), "the message is larger than its slot");
    let to = words.as_ptr().cast_mut().cast::<MaybeUninit<u8>>();
    // SAFETY: the assertion has checked the length. The words are atomics, so they may change while
    // they are borrowed. No other access races: all copies of this slot run in this file, under the
    // same lock.
    with_lock_of(to.addr(), || unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) });
}

/// Copies the words of a slot to `bytes`.
pub(super) fn load(words: &[AtomicU64], bytes: &mut [MaybeUninit<u8>]) {
    assert!(bytes.len() <= size_of_val(words), "the message is larger than its slot");
    let from = words.as_ptr().cast::<MaybeUninit<u8>>();
    // SAFETY: as in `store`.
    with_lock_of(from.addr(), || unsafe { bytes.as_mut_ptr().copy_from_nonoverlapping(from, bytes.len()) });
}
