//! Vector moves in assembly, for large messages.
//!
//! What the compiler is told: the assembly copies each byte by one or two relaxed atomic accesses, as it is, in any order. The processor
//! does so with every move: a byte is never torn, and a register takes it whether it has a value or not. The compiler must assume
//! that the assembly reads and writes any memory, so it moves it across no fence of the stamp; the processor's fences order vector
//! moves as they order others.
//!
//! From the first message to the drop of the ring, nothing but this touches the words of the slots.

#![expect(unsafe_code, reason = "copies memory in assembly")]

use std::mem::MaybeUninit;

use super::blocks;
use crate::sync::AtomicU64;

pub(super) const EXIST: bool = blocks::EXIST;

/// Bytes that one piece of assembly copies: the fewest that a copy may have.
const BLOCK: usize = 128;

/// Where the blocks of `len` bytes begin. The last may cover a part of the one before it. (No closure: up to Rust 1.85, a closure has
/// none of the target features of its function.)
#[allow(dead_code, reason = "not every processor has blocks")]
#[inline(always)]
#[expect(clippy::inline_always, reason = "each piece of assembly in a loop of its own")]
pub(super) fn blocks(len: usize) -> impl Iterator<Item = usize> {
    let last = len - BLOCK;
    (0..last).step_by(BLOCK).chain([last])
}

/// Copies `bytes` into the words of a slot. What the message leaves of the last stays as it is.
pub(super) fn store(words: &[AtomicU64], bytes: &[MaybeUninit<u8>]) {
    check(words, bytes);
    // SAFETY: `check` has seen that both are so long. The words are atomics, which may change while they are borrowed.
    unsafe { blocks::copy(words.as_ptr().cast_mut().cast(), bytes.as_ptr().cast(), bytes.len()) };
}

/// Copies the words of a slot to `bytes`.
pub(super) fn load(words: &[AtomicU64], bytes: &mut [MaybeUninit<u8>]) {
    check(words, bytes);
    // SAFETY: as in `store`; and `bytes` are borrowed mutably.
    unsafe { blocks::copy(bytes.as_mut_ptr().cast(), words.as_ptr().cast(), bytes.len()) };
}

#[inline]
fn check(words: &[AtomicU64], bytes: &[MaybeUninit<u8>]) {
    assert!(bytes.len() <= size_of_val(words), "larger than its slot");
    assert!(bytes.len() >= BLOCK, "too small for vectors");
}
