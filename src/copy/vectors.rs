//! Vector moves in assembly, for large messages.
//!
//! The compiler may assume that the assembly copies each byte by one or two relaxed atomic
//! accesses, as it is, in any order. The processor does so with every move: it never tears a byte,
//! and a register takes a byte with or without a value. The compiler must assume that the assembly
//! reads and writes any memory, so it moves the assembly across no fence of the stamp. The
//! processor's fences order vector moves as they order other moves.
//!
//! From the first message to the drop of the ring, no other code accesses the words of the slots.

#![expect(unsafe_code, reason = "copies memory in assembly")]

use std::mem::MaybeUninit;

use super::blocks;
use crate::sync::AtomicU64;

pub(super) const AVAILABLE: bool = blocks::AVAILABLE;

/// Bytes that one piece of assembly copies, and the fewest that a copy may have.
const BLOCK: usize = 128;

/// Returns where the blocks of `len` bytes begin. The last block may overlap the one before it. The
/// kernels call this in a loop instead of passing a closure: up to Rust 1.85, a closure has none of
/// the target features of its function.
#[allow(dead_code, reason = "some processors have no blocks")]
#[inline(always)]
#[expect(clippy::inline_always, reason = "gives each piece of assembly a loop of its own")]
pub(super) fn blocks(len: usize) -> impl Iterator<Item = usize> {
    let last = len - BLOCK;
    (0..last).step_by(BLOCK).chain([last])
}

/// Copies `bytes` into the words of a slot. Bytes of the last word beyond the message keep their
/// value.
pub(super) fn store(words: &[AtomicU64], bytes: &[MaybeUninit<u8>]) {
    check(words, bytes);
    // SAFETY: `check` has compared the lengths. The words are atomics, so they may change while
    // they are borrowed.
    unsafe { blocks::copy(words.as_ptr().cast_mut().cast(), bytes.as_ptr().cast(), bytes.len()) };
}

/// Copies the words of a slot to `bytes`.
pub(super) fn load(words: &[AtomicU64], bytes: &mut [MaybeUninit<u8>]) {
    check(words, bytes);
    // SAFETY: as in `store`, and `bytes` are borrowed mutably.
    unsafe { blocks::copy(bytes.as_mut_ptr().cast(), words.as_ptr().cast(), bytes.len()) };
}

#[inline]
fn check(words: &[AtomicU64], bytes: &[MaybeUninit<u8>]) {
    assert!(bytes.len() <= size_of_val(words), "the message is larger than its slot");
    assert!(bytes.len() >= BLOCK, "the message is smaller than a block of vector moves");
}
