//! Inline storage. A slot is `[stamp | word 0 | … | word n − 1]`. Slots are packed without gaps, so
//! one cache line carries four `u64` messages. Large messages are aligned, which takes up to 24
//! bytes more per slot.
//!
//! The bytes of a message are copied by relaxed atomic accesses (`copy/`), so a copy that is
//! overwritten meanwhile is no data race. The reader detects it (`stamp.rs`), and makes a `T` only
//! from bytes that are exactly one published `T`.

#![expect(unsafe_code, reason = "makes a `T` from validated bytes, and indexes slots without a bounds check")]

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::slice;

use super::stamp::{SlotState, Stamp, WriteGuard};
use super::{Place, Receive, Slot, Storage, sealed};
use crate::copy;
use crate::registry::{Cursor, PinSnapshot, Registry};
use crate::seq::Layout;
use crate::sync::{AtomicU64, zeroed_words};

/// A message type that an inline ring can carry: every `T: Copy + Send + 'static`.
///
/// These are numbers, `bool`, `char`, arrays, tuples, `Option`s of them, references to statics, and
/// structs and enums of such types that derive `Clone` and `Copy`. Padding, alignment and size do
/// not matter. The trait is implemented for all of these types, so there is nothing to implement by
/// hand.
///
/// # Examples
///
/// ```
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Side { Buy, Sell }
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// struct Tick { symbol: [u8; 8], price: f64, size: u32, side: Option<Side> }
///
/// let (mut publisher, mut subscriber) = seqcast::inline::<Tick>(1024);
/// let tick = Tick { symbol: *b"SEQCAST ", price: 1.5, size: 100, side: Some(Side::Sell) };
/// publisher.publish(tick);
/// assert_eq!(subscriber.try_recv(), Ok(tick));
/// ```
///
/// A type that owns something, such as `String`, `Vec` and `Arc`, is not `Copy`. Use a
/// [`boxed`](crate::boxed) ring for it. A type that borrows for less than `'static` fits no ring.
///
/// ```compile_fail,E0277
/// seqcast::inline::<String>(8);
/// ```
/// ```compile_fail,E0277
/// seqcast::inline::<std::sync::Arc<str>>(8);
/// ```
/// ```compile_fail,E0597
/// let text = String::from("short-lived");
/// let (mut publisher, _subscriber) = seqcast::inline(8);
/// publisher.publish(&*text);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a message of an inline ring: it is not `Copy + Send + 'static` (`seqcast::boxed` needs no `Copy`)",
    label = "not `Copy`, or not `Send`",
    note = "types that own something, such as `String`, `Vec` and `Arc`, need a boxed ring: `seqcast::boxed`, `Builder::boxed`",
    note = "a struct or an enum whose parts are all `Copy` needs `#[derive(Clone, Copy)]`; short text can be a `[u8; N]`",
    note = "`Rc`, raw pointers and references to a `Cell` are not `Send`: no ring carries them"
)]
pub trait Plain: Copy + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Copy + Send + 'static> Plain for T {}

/// The storage of a ring that copies messages into its slots and out of them.
///
/// It is the type parameter of the handles that [`inline`](crate::inline) and
/// [`Builder::inline`](crate::Builder::inline) make. Use it for small messages that are [`Plain`].
/// For other messages use [`Boxed`](crate::Boxed).
///
/// # Memory ordering
///
/// All that a publisher did before it published a message happens before the receive that returns
/// the message.
///
/// # Examples
///
/// ```
/// use seqcast::{Inline, Publisher, Subscriber};
///
/// struct Feed {
///     publisher: Publisher<Inline<u64>>,
///     subscriber: Subscriber<Inline<u64>>,
/// }
///
/// let (publisher, subscriber) = seqcast::inline(8);
/// let mut feed = Feed { publisher, subscriber };
/// feed.publisher.publish(7);
/// assert_eq!(feed.subscriber.try_recv(), Ok(7));
/// ```
pub struct Inline<T> {
    /// `STRIDE` words per slot, from `base` on. A `Vec`, because a `Box` must not be moved while a
    /// pointer into it is used.
    words: Vec<AtomicU64>,
    /// A pointer to the first slot. Computing it from `words` and an offset would cost each receive
    /// two instructions.
    base: *const AtomicU64,
    layout: Layout,
    item: PhantomData<fn(T) -> T>,
}

impl<T> fmt::Debug for Inline<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inline")
    }
}

// SAFETY: `base` points into `words` and is used as a shared borrow of them, and atomics may be
// sent and shared.
unsafe impl<T> Send for Inline<T> {}
// SAFETY: as for `Send`.
unsafe impl<T> Sync for Inline<T> {}

impl<T: Plain> Inline<T> {
    /// Words of a message. The last may be filled in part.
    const WORDS: usize = copy::words_of::<T>();

    /// Words of a slot: its stamp, its message, and the padding that aligns the next message.
    const STRIDE: usize = (1 + Self::WORDS).next_multiple_of(copy::alignment_of::<T>());
}

impl<T: Plain> sealed::Sealed for Inline<T> {}

impl<T: Plain> Storage for Inline<T> {
    type Item = T;
    type Payload = [AtomicU64];
    // Plain data needs no preparation, and its drop does nothing.
    type Pool = ();
    type Prepared<'p> = &'p T;
    type Displaced<'p> = ();
    type Garbage = ();
    type Scratch = ();

    // As many messages as fit into 1 KiB of a publisher's stack.
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
        // The stamp is directly before a message that is aligned.
        let gap = copy::alignment_of::<T>() - 1;
        let (words, first) = zeroed_words(len.checked_add(gap)?)?;
        let words = words.into_vec();
        let base = words[first + gap..].as_ptr();
        Some(Self { words, base, layout, item: PhantomData })
    }

    fn limit_drop(&mut self, _: Range<u64>) {}

    #[inline]
    fn slot(&self, sequence: u64) -> Slot<'_, [AtomicU64]> {
        let offset = self.layout.slot(sequence) * Self::STRIDE;
        debug_assert!(self.base.wrapping_add(offset + Self::STRIDE) <= self.words.as_ptr_range().end);
        // SAFETY: `new` allocated `STRIDE` words for each of `capacity` slots from `base` on, and
        // `Layout::slot` is below `capacity`.
        let base = unsafe { self.base.add(offset) };
        // SAFETY: as above. `words` owns the memory for as long as `self` is borrowed, and all
        // accesses are those of atomics or of `copy`.
        let words = unsafe { slice::from_raw_parts(base, Self::STRIDE) };
        Slot { stamp: Stamp(&words[0]), payload: &words[1..=Self::WORDS] }
    }

    #[inline]
    fn prepare_exclusive<R>(&self, (): &mut (), item: T, (): &mut (), publish: impl FnOnce(&T, &mut ()) -> R) -> R {
        publish(&item, &mut ())
    }

    #[inline]
    fn prepare_shared<R>(&self, (): &(), item: T, (): &mut (), publish: impl FnOnce(&T, &mut ()) -> R) -> R {
        publish(&item, &mut ())
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

    fn orphan_count(&self) -> usize {
        0
    }

    fn reclaim(&self, _: &Registry, _: &mut PinSnapshot, (): &mut (), (): &mut ()) -> usize {
        0
    }

    #[inline]
    fn write<'p>(slot: Slot<'_, [AtomicU64]>, guard: WriteGuard<'_>, item: Self::Prepared<'p>) -> Self::Displaced<'p> {
        copy::store_moved(slot.payload, *item);
        guard.commit();
    }

    #[inline]
    fn write_copy(slot: Slot<'_, [AtomicU64]>, guard: WriteGuard<'_>, item: &T) {
        copy::store(slot.payload, item);
        guard.commit();
    }
}

impl<T: Plain> Receive for Inline<T> {
    #[inline]
    fn read(slot: Slot<'_, [AtomicU64]>, sequence: u64, cursor: &Cursor, place: &mut Place<'_, T>) -> bool {
        copy::load(slot.payload, place.room());
        if !slot.stamp.validate(sequence) {
            return false;
        }
        // SAFETY: `validate` has shown that these are the bytes that one `store` was given, each as
        // it was there. `T` is `Copy`, so its bytes are a complete value.
        unsafe { place.set_filled() };
        cursor.set_next(sequence + 1);
        true
    }

    fn read_run(&self, sequence: u64, limit: usize, buffer: &mut Vec<T>, cursor: &Cursor) -> usize {
        let is_there = |sequence| matches!(self.slot(sequence).stamp.load(sequence), SlotState::Committed);
        // An empty ring must not make the buffer grow.
        if buffer.len() == buffer.capacity() && is_there(sequence) {
            buffer.reserve(1);
        }
        let len = buffer.len();
        // Publishers may wait for the cursor, and a deadline counts from its last move.
        let limit = limit.min((MAX_RUN_BYTES / size_of::<T>().max(1)).max(1));
        let mut read = 0;
        for (message, sequence) in buffer.spare_capacity_mut().iter_mut().take(limit).zip(sequence..) {
            // Each message is read between its own load and validation, because publishers
            // overwrite slots in any order.
            if !is_there(sequence) {
                break;
            }
            let slot = self.slot(sequence);
            copy::load(slot.payload, message);
            if !slot.stamp.validate(sequence) {
                break;
            }
            read += 1;
        }
        // SAFETY: `spare_capacity_mut` had room for the messages, and each of them is initialized,
        // as in `read`.
        unsafe { buffer.set_len(len + read) };
        if read > 0 {
            cursor.set_next(sequence + read as u64);
        }
        read
    }
}

/// The bytes after which a subscriber moves its cursor at the latest. A larger message moves it
/// alone.
const MAX_RUN_BYTES: usize = 8 << 10;
