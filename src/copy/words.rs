//! Copies messages as relaxed atomic words.
//!
//! The words of a slot are `AtomicU64`, so model checkers and sanitizers see each access. Bytes
//! without a value, and parts of pointers, become integers on their way into the slot. They become
//! what they were on their way out (`registers`).

#![expect(unsafe_code, reason = "splits words into registers")]

use std::mem::{MaybeUninit, transmute};

use super::registers;
use crate::sync::{AtomicU64, Ordering};

const WORD: usize = size_of::<u64>();

/// The bytes of a word, which may have no value.
type Bytes = [MaybeUninit<u8>; WORD];

/// Copies `bytes` into the words of a slot. Bytes of the last word beyond the message become zero.
#[inline]
pub(super) fn store(words: &[AtomicU64], bytes: &[MaybeUninit<u8>]) {
    let put = |word: &AtomicU64, bytes: &[MaybeUninit<u8>]| {
        let mut value = [MaybeUninit::new(0); WORD];
        value[..bytes.len()].copy_from_slice(bytes);
        // [word.write] Relaxed: the stamp's fences and its commit order the words.
        word.store(to_integer(value), Ordering::Relaxed);
    };
    // Whole words come apart from the last, so that each is one move.
    let (words, last) = words.split_at(bytes.len() / WORD);
    let chunks = bytes.chunks_exact(WORD);
    if let [last] = last {
        put(last, chunks.remainder());
    }
    for (word, bytes) in words.iter().zip(chunks) {
        put(word, bytes);
    }
}

/// Copies the words of a slot to `bytes`.
#[inline]
pub(super) fn load(words: &[AtomicU64], bytes: &mut [MaybeUninit<u8>]) {
    let get = |word: &AtomicU64, bytes: &mut [MaybeUninit<u8>]| {
        // [word.read] Relaxed: the stamp's load and fence order the words.
        let value = from_integer(word.load(Ordering::Relaxed));
        bytes.copy_from_slice(&value[..bytes.len()]);
    };
    // Split as in `store`.
    let (words, last) = words.split_at(bytes.len() / WORD);
    let (bytes, rest) = bytes.split_at_mut(WORD * words.len());
    for (word, bytes) in words.iter().zip(bytes.chunks_exact_mut(WORD)) {
        get(word, bytes);
    }
    if let [last] = last {
        get(last, rest);
    }
}

const REGISTERS: usize = WORD / size_of::<usize>();

#[inline]
fn to_integer(bytes: Bytes) -> u64 {
    // SAFETY: both types have the same size, and a `MaybeUninit` needs no value.
    let parts = unsafe { transmute::<Bytes, [MaybeUninit<usize>; REGISTERS]>(bytes) };
    // SAFETY: both types have the same size, and every byte of an integer is a value of `u64`.
    unsafe { transmute::<[usize; REGISTERS], u64>(parts.map(registers::to_integer)) }
}

#[inline]
fn from_integer(word: u64) -> Bytes {
    // SAFETY: both types have the same size, and every byte of a `u64` is a value of an integer.
    let parts = unsafe { transmute::<u64, [usize; REGISTERS]>(word) };
    // SAFETY: both types have the same size, and a `MaybeUninit` needs no value.
    unsafe { transmute::<[MaybeUninit<usize>; REGISTERS], Bytes>(parts.map(registers::from_integer)) }
}
