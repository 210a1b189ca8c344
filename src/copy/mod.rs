//! Copies the bytes of a message into a slot and out of it, while other threads may copy the same
//! slot.
//!
//! A copy must be a *byte-wise atomic copy*. It moves each byte by one relaxed atomic access, and
//! takes the byte as it is, even if it has no value (padding) or is part of a pointer. The idea and
//! the name are Boehm's ("Byte-wise atomic memcpy", ISO C++ proposal P1478). Rust has no such
//! operation yet. Three modules implement it:
//!
//! | module | for | how |
//! |---|---|---|
//! | `words` | small messages, and large ones where `vectors` does not exist | relaxed atomic words |
//! | `vectors` | large messages on x86-64 and `AArch64` | vector moves in assembly |
//! | `locked` | Miri, and processors without stable inline assembly | a plain copy under a lock |
//!
//! All messages of a type are copied in the same way, so accesses of different kinds never meet in
//! a slot. `docs/copying.md` shows why each way is sound.

#![expect(unsafe_code, reason = "views a message as bytes, which may have no value")]
#![expect(clippy::inline_always, reason = "an inlined copy writes directly to its destination")]

// Vector moves of this processor.
#[cfg_attr(all(target_arch = "x86_64", target_pointer_width = "64", target_feature = "sse2"), path = "x86_64.rs")]
#[cfg_attr(all(target_arch = "aarch64", target_pointer_width = "64", target_feature = "neon"), path = "aarch64.rs")]
#[cfg_attr(
    not(any(
        all(target_arch = "x86_64", target_pointer_width = "64", target_feature = "sse2"),
        all(target_arch = "aarch64", target_pointer_width = "64", target_feature = "neon")
    )),
    path = "no_blocks.rs"
)]
mod blocks;
mod locked;
// Inline assembly is stable for these processors in the minimum Rust version.
#[cfg_attr(
    any(
        miri,
        not(any(
            target_arch = "x86",
            target_arch = "x86_64",
            target_arch = "arm",
            target_arch = "aarch64",
            target_arch = "arm64ec",
            target_arch = "riscv32",
            target_arch = "riscv64",
            target_arch = "loongarch64",
            target_arch = "s390x"
        ))
    ),
    path = "no_registers.rs"
)]
mod registers;
mod vectors;
mod words;

use std::mem::MaybeUninit;
use std::slice;

use crate::sync::{AtomicU64, IS_MODEL};

/// How the bytes of a message are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Words,
    Vectors,
    Locked,
}

/// The size in bytes up to which messages are copied as words, inline in the caller.
pub(crate) const SMALL: usize = 128;

/// Chooses the way to copy messages of this size. No other code does. `--cfg seqcast_copy="words"`
/// is for sanitizers, which do not see what assembly does. `--cfg seqcast_copy="locked"` is for
/// tests.
const fn way(bytes: usize) -> Way {
    if IS_MODEL {
        Way::Words
    } else if cfg!(seqcast_copy = "locked") || !registers::AVAILABLE {
        Way::Locked
    } else if cfg!(seqcast_copy = "words") || !vectors::AVAILABLE || bytes <= SMALL {
        Way::Words
    } else {
        Way::Vectors
    }
}

/// Returns how many words a message takes.
pub(crate) const fn words_of<T>() -> usize {
    size_of::<T>().div_ceil(size_of::<u64>())
}

/// Returns the alignment of a message in a slot, in words. Without it, half of all vector moves
/// would cross a cache line.
pub(crate) const fn alignment_of<T>() -> usize {
    if matches!(way(size_of::<T>()), Way::Vectors) { 4 } else { 1 }
}

/// Copies a message into a slot. No other `store` may run on that slot at the same time.
#[inline]
pub(crate) fn store<T: Copy>(slot: &[AtomicU64], message: &T) {
    assert!(slot.len() == words_of::<T>(), "the slot has another size than the message");
    // SAFETY: these are the bytes of `message`, which is borrowed for as long. Bytes without a
    // value are allowed.
    let bytes = unsafe { slice::from_raw_parts((&raw const *message).cast::<MaybeUninit<u8>>(), size_of::<T>()) };
    match const { way(size_of::<T>()) } {
        Way::Words => words::store(slot, bytes),
        Way::Vectors => vectors::store(slot, bytes),
        Way::Locked => locked::store(slot, bytes),
    }
}

/// Copies a message into a slot, as `store` does, and consumes it.
///
/// The message comes by value, so the compiler sees that nothing keeps its address, and can build
/// it where it is copied from.
#[inline]
pub(crate) fn store_moved<T: Copy>(slot: &[AtomicU64], message: T) {
    if size_of::<T>() <= SMALL { store(slot, &message) } else { store_large(slot, message) }
}

/// The part of `store_moved` that is out of line.
#[inline(never)]
fn store_large<T: Copy>(slot: &[AtomicU64], message: T) {
    store(slot, &message);
}

/// Copies a message out of a slot. The bytes are a `T` once the slot's stamp shows that they are
/// all of one `store`.
#[inline]
pub(crate) fn load<T: Copy>(slot: &[AtomicU64], message: &mut MaybeUninit<T>) {
    if size_of::<T>() <= SMALL {
        *message = load_small(slot);
    } else {
        load_to(slot, message);
    }
}

/// Returns a small message by value, so that its words can stay in registers.
#[inline]
fn load_small<T: Copy>(slot: &[AtomicU64]) -> MaybeUninit<T> {
    let mut message = MaybeUninit::uninit();
    load_to(slot, &mut message);
    message
}

#[inline]
fn load_to<T: Copy>(slot: &[AtomicU64], message: &mut MaybeUninit<T>) {
    assert!(slot.len() == words_of::<T>(), "the slot has another size than the message");
    // SAFETY: these are the bytes of `message`, which is borrowed mutably. Bytes without a value
    // are allowed.
    let bytes = unsafe { slice::from_raw_parts_mut((&raw mut *message).cast::<MaybeUninit<u8>>(), size_of::<T>()) };
    match const { way(size_of::<T>()) } {
        Way::Words => words::load(slot, bytes),
        Way::Vectors => vectors::load(slot, bytes),
        Way::Locked => locked::load(slot, bytes),
    }
}

#[cfg(test)]
mod tests;
