//! A plain copy under a lock, for Miri and for processors without stable inline assembly.
//!
//! One of a few locks, chosen by the address of the slot, as `AtomicCell` of crossbeam-utils does for large values. A thread that is
//! suspended in the middle of a copy holds up those that copy at the same address; nothing else runs under the lock.

#![expect(unsafe_code, reason = "copies bytes that may have no value")]

use std::mem::MaybeUninit;

use crate::sync::{AtomicU64, with_lock_of};

/// Copies `bytes` into the words of a slot. What the message leaves of the last stays as it is.
pub(super) fn store(words: &[AtomicU64], bytes: &[MaybeUninit<u8>]) {
    assert!(bytes.len() <= size_of_val(words), "larger than its slot");
    let to = words.as_ptr().cast_mut().cast::<MaybeUninit<u8>>();
    // SAFETY: there are so many bytes. The words are atomics, which may change while they are borrowed. Nobody else is there: all who
    // copy into this slot or out of it are in this file, and take the same lock.
    with_lock_of(to.addr(), || unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) });
}

/// Copies the words of a slot to `bytes`.
pub(super) fn load(words: &[AtomicU64], bytes: &mut [MaybeUninit<u8>]) {
    assert!(bytes.len() <= size_of_val(words), "larger than its slot");
    let from = words.as_ptr().cast::<MaybeUninit<u8>>();
    // SAFETY: as in `store`.
    with_lock_of(from.addr(), || unsafe { bytes.as_mut_ptr().copy_from_nonoverlapping(from, bytes.len()) });
}
