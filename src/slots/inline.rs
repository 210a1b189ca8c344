//! Plain data, kept in the slots themselves: `[stamp | word 0 | … | word n − 1]`, packed without gaps, so that one cache
//! line carries four `u64` messages.
//!
//! Payload words are relaxed atomics, so a reader that is overtaken races with nobody; it notices (`stamp.rs`) and makes
//! a `T` only of bytes that are exactly one published `T`.

#![expect(unsafe_code, reason = "turns validated bytes back into a `T`, and indexes slots without a bounds check")]

use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::slice;

use bytemuck::NoUninit;

use super::stamp::{SlotState, Stamp, WriteGuard};
use super::{Receive, Slot, Storage, sealed};
use crate::registry::{Cursor, PinSnapshot, Registry};
use crate::seq::Layout;
use crate::sync::{AtomicU64, Ordering, zeroed_words};

/// Plain data that an inline ring can carry: every `T: bytemuck::NoUninit + Send`.
///
/// Integers, floats, `bool`, `char`, `()`, arrays of plain numbers, and structs and field-less enums with
/// `#[derive(bytemuck::NoUninit)]` (feature `derive` of bytemuck). It is implemented for all of them; there is nothing to
/// implement by hand.
///
/// Its bytes are copied while others may be writing them, so it must not own anything (`String`, `Vec`, `Arc`), borrow
/// anything (`&str`), or have padding, whose bytes have no value to copy. (What owns something goes through a
/// [`boxed`](crate::boxed) ring.)
///
/// ```
/// let (mut publisher, mut subscriber) = seqcast::inline::<[u8; 6]>(8);
/// publisher.publish(*b"plain!");
/// assert_eq!(subscriber.try_recv().unwrap(), *b"plain!");
/// ```
/// ```compile_fail,E0277
/// seqcast::inline::<String>(8);
/// ```
/// ```compile_fail,E0277
/// seqcast::inline::<&'static str>(8);
/// ```
///
/// A struct with padding compiles once the padding has a name:
///
/// ```
/// #[derive(Clone, Copy, bytemuck::NoUninit)]
/// #[repr(C)]
/// struct Tick { price: u64, size: u32, _unused: u32 }
/// seqcast::inline::<Tick>(8);
/// ```
/// ```compile_fail
/// #[derive(Clone, Copy, bytemuck::NoUninit)]
/// #[repr(C)]
/// struct Tick { price: u64, size: u32 }
/// seqcast::inline::<Tick>(8);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel through an inline ring: it is not plain data",
    label = "owns, borrows or pads something",
    note = "a boxed ring carries any `T: Send + Sync`: `seqcast::boxed`, `Builder::boxed`",
    note = "plain data is `bytemuck::NoUninit + Send`: integers, floats, `bool`, `char`, arrays of numbers, and structs and \
            field-less enums with `#[derive(bytemuck::NoUninit)]` and no padding",
    note = "for text or lists of bounded size an array will do (`[u8; N]`); name the padding of a struct as fields of its own"
)]
pub trait Plain: NoUninit + Send {}

#[diagnostic::do_not_recommend]
impl<T: NoUninit + Send> Plain for T {}

/// Messages are plain data, copied into and out of the ring's slots: the fastest way.
///
/// Made by [`inline`](crate::inline) or [`Builder::inline`](crate::Builder::inline).
pub struct Inline<T> {
    /// `STRIDE` words a slot, from `base` on. A `Vec`, as a `Box` may not be moved while something points into it.
    words: Vec<AtomicU64>,
    /// Stored as a pointer: recomputing it from `words` and an offset would cost each receive two instructions.
    base: *const AtomicU64,
    layout: Layout,
    item: PhantomData<fn(T) -> T>,
}

impl<T> fmt::Debug for Inline<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inline")
    }
}

// SAFETY: `base` points into `words`, and is used as a shared borrow of those, which may be sent and shared.
unsafe impl<T> Send for Inline<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Inline<T> {}

const WORD: usize = size_of::<u64>();

impl<T: Plain> Inline<T> {
    /// Words of a slot: its stamp and its payload, whose last word may be filled in part; the rest of it is zero.
    const STRIDE: usize = 1 + size_of::<T>().div_ceil(WORD);
}

impl<T: Plain> sealed::Sealed for Inline<T> {}

impl<T: Plain> Storage for Inline<T> {
    type Item = T;
    type Payload = [AtomicU64];
    // Plain data is written from where it is, and leaves nothing behind.
    type Pool = ();
    type Prepared<'p> = &'p T;
    type Displaced<'p> = ();
    type Garbage = ();
    type Scratch = ();

    // As many as fit into 1 KiB of a publisher's stack.
    const RUN: usize = match size_of::<T>() {
        0..=64 => 16,
        65..=128 => 8,
        129..=256 => 4,
        257..=512 => 2,
        _ => 1,
    };

    const DROPS: bool = false;

    fn new(layout: Layout, _: bool) -> Option<Self> {
        let len = usize::try_from(layout.capacity()).ok()?.checked_mul(Self::STRIDE)?;
        let (words, first) = zeroed_words(len)?;
        let words = words.into_vec();
        let base = words[first..].as_ptr();
        Some(Self { words, base, layout, item: PhantomData })
    }

    fn limit_drop(&mut self, _: Range<u64>) {}

    #[inline]
    fn slot(&self, sequence: u64) -> Slot<'_, [AtomicU64]> {
        let offset = self.layout.slot(sequence) * Self::STRIDE;
        debug_assert!(self.base.wrapping_add(offset + Self::STRIDE) <= self.words.as_ptr_range().end);
        // SAFETY: `new` allocated `STRIDE` words for each of `capacity` slots from `base` on, and `Layout::slot` is below `capacity`.
        let base = unsafe { self.base.add(offset) };
        // SAFETY: as above; `words` keeps them, never to be touched but as the atomics that they are.
        let words = unsafe { slice::from_raw_parts(base, Self::STRIDE) };
        Slot { stamp: Stamp(&words[0]), payload: &words[1..] }
    }

    #[inline]
    fn prepare_exclusive<R>(&self, (): &mut (), item: T, (): &mut (), publish: impl FnOnce(&T, &mut ()) -> R) -> R {
        publish(&item, &mut ())
    }

    #[inline]
    fn prepare_shared<R>(&self, (): &(), item: T, (): &mut (), publish: impl FnOnce(&T, &mut ()) -> R) -> R {
        publish(&item, &mut ())
    }

    #[inline]
    fn in_place(item: &T) -> Option<&T> {
        Some(item)
    }

    fn release_pool(_: &mut &T) {}

    fn cancel(prepared: &T) -> T {
        *prepared
    }

    fn discard(&self, _: &T, (): &mut ()) {}

    #[inline]
    fn retire_displaced(&self, (): (), _: &Registry, (): &mut ()) {}

    fn retire(&self, (): &mut (), _: &Registry, _: bool, (): &mut ()) {}

    fn reclaim_after_close(&self, _: &Registry, (): &mut ()) {}

    fn take_out(&self, _: u64, (): &mut ()) {}

    fn is_there(&self, _: u64) -> bool {
        false
    }

    fn release(&self, _: bool, (): &mut (), (): &mut ()) {}

    fn left_over(&self) -> usize {
        0
    }

    fn reclaim(&self, _: &Registry, _: &mut PinSnapshot, (): &mut (), (): &mut ()) -> usize {
        0
    }

    #[inline]
    fn write<'p>(slot: Slot<'_, [AtomicU64]>, guard: WriteGuard<'_>, item: Self::Prepared<'p>) -> Self::Displaced<'p> {
        let write = if size_of::<T>() <= SMALL { write_words } else { write_many_words };
        write(slot.payload, bytemuck::bytes_of(item));
        guard.commit();
    }
}

impl<T: Plain> Inline<T> {
    /// Copies the message `sequence`, which `Stamp::load` found in `slot`, to `item`. `false` if it was overwritten in the meantime.
    /// Otherwise `item` is initialised: the stamp says that no byte changed since it was committed, so these are all the bytes of one
    /// `T` that `write` was given; `T: NoUninit` has no padding, and is `Copy`, so its bytes are all there is to it.
    #[inline]
    fn copy(slot: Slot<'_, [AtomicU64]>, sequence: u64, item: &mut MaybeUninit<T>) -> bool {
        // SAFETY: the bytes of `item`, which need not be initialised, and which nothing else borrows.
        let bytes = unsafe { slice::from_raw_parts_mut(item.as_mut_ptr().cast(), size_of::<T>()) };
        read_words(slot.payload, bytes);
        slot.stamp.validate(sequence)
    }
}

impl<T: Plain> Receive for Inline<T> {
    #[inline]
    fn read(slot: Slot<'_, [AtomicU64]>, sequence: u64, cursor: &Cursor) -> Option<T> {
        let mut item = MaybeUninit::uninit();
        if !Self::copy(slot, sequence, &mut item) {
            return None;
        }
        cursor.set_next(sequence + 1);
        // SAFETY: `copy` has initialised it.
        Some(unsafe { item.assume_init() })
    }

    fn read_run(&self, sequence: u64, limit: usize, buffer: &mut Vec<T>, cursor: &Cursor) -> usize {
        let is_there = |sequence| matches!(self.slot(sequence).stamp.load(sequence), SlotState::Committed);
        // An empty ring does not make the buffer grow.
        if buffer.len() == buffer.capacity() && is_there(sequence) {
            buffer.reserve(1);
        }
        let len = buffer.len();
        // Publishers may wait for the cursor, and a deadline counts from its last move.
        let limit = limit.min((MAX_RUN_BYTES / size_of::<T>().max(1)).max(1));
        let mut read = 0;
        for (item, sequence) in buffer.spare_capacity_mut().iter_mut().take(limit).zip(sequence..) {
            // Each message by its own stamp: publishers overwrite in any order.
            if !is_there(sequence) || !Self::copy(self.slot(sequence), sequence, item) {
                break;
            }
            read += 1;
        }
        // SAFETY: there was room for them, and `copy` has initialised each of them.
        unsafe { buffer.set_len(len + read) };
        if read > 0 {
            cursor.set_next(sequence + read as u64);
        }
        read
    }
}

/// A subscriber moves its cursor at least once in so many bytes, or after each message that is larger.
const MAX_RUN_BYTES: usize = 8 << 10;

/// Copies a message into the words of its slot. The last may be filled in part; the rest of it is zero.
#[inline]
fn write_words(words: &[AtomicU64], bytes: &[u8]) {
    let put = |word: &AtomicU64, bytes: &[u8]| {
        let mut value = [0; WORD];
        value[..bytes.len()].copy_from_slice(bytes);
        // [word.write] Relaxed: the stamp's fences order the words.
        word.store(u64::from_ne_bytes(value), Ordering::Relaxed);
    };
    // Whole words apart, so that each is one move.
    let (words, last) = words.split_at(bytes.len() / WORD);
    let chunks = bytes.chunks_exact(WORD);
    if let [last] = last {
        put(last, chunks.remainder());
    }
    for (word, bytes) in words.iter().zip(chunks) {
        put(word, bytes);
    }
}

/// Up to so many bytes are copied in place.
const SMALL: usize = 256;

/// Out of line: inlined, the compiler may first copy a large message to the stack, and then into the slot.
#[inline(never)]
fn write_many_words(words: &[AtomicU64], bytes: &[u8]) {
    write_words(words, bytes);
}

/// Copies the words of a slot to where the message will be.
#[inline]
fn read_words(words: &[AtomicU64], bytes: &mut [MaybeUninit<u8>]) {
    let get = |word: &AtomicU64, bytes: &mut [MaybeUninit<u8>]| {
        // [word.read] Relaxed: the stamp's fences order the words.
        let value = word.load(Ordering::Relaxed).to_ne_bytes().map(MaybeUninit::new);
        bytes.copy_from_slice(&value[..bytes.len()]);
    };
    // As in `write_words`.
    let (words, last) = words.split_at(bytes.len() / WORD);
    let (bytes, rest) = bytes.split_at_mut(WORD * words.len());
    for (word, bytes) in words.iter().zip(bytes.chunks_exact_mut(WORD)) {
        get(word, bytes);
    }
    if let [last] = last {
        get(last, rest);
    }
}
