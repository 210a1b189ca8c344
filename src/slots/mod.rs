//! The storage contract: how a ring keeps its messages. [`Inline`] and [`Boxed`] implement it, and the protocol above does not know
//! which of the two it uses.

#[allow(missing_debug_implementations, reason = "what is not exported")]
mod boxed;
mod inline;
mod place;
pub(crate) mod stamp;

pub use boxed::{Boxed, Ref};
pub(crate) use boxed::{Passed, Pinned};
pub use inline::{Inline, Plain};
pub(crate) use place::{Place, append, receive, receive_out_of_line};

use std::ops::Range;

use crate::registry::{Cursor, PinSnapshot, Registry};
use crate::seq::Layout;
use stamp::{Stamp, WriteGuard};

// A publish turns an `Item` into `Prepared`, writes that into a slot, and gets back what was `Displaced`, which it retires after
// the commit. No user code runs in between: values to be dropped go to `Garbage`, which the caller drops when it holds nothing.

/// How a ring keeps its messages. Sealed: [`Inline`] and [`Boxed`] are the ways there are.
pub trait Storage: sealed::Sealed + Sized + Send + Sync + 'static {
    /// The type of a message.
    type Item: Send + 'static;
    /// What follows the stamp in a slot.
    #[doc(hidden)]
    type Payload: ?Sized;
    /// What a publisher keeps from one publish to the next.
    #[doc(hidden)]
    type Pool: Default + Send + Sync + Unpin;
    /// A message ready to be written.
    #[doc(hidden)]
    type Prepared<'p>;
    /// What a write took out of the slot.
    #[doc(hidden)]
    type Displaced<'p>;
    /// Values to be dropped when the publisher holds nothing: their drop is user code.
    #[doc(hidden)]
    type Garbage: Default;

    /// Messages that are being taken out of their slots.
    #[doc(hidden)]
    type Scratch: Default + Send;

    /// How many messages a publisher may write by one claim. More than 1 only if there is [`write_copy`](Self::write_copy).
    #[doc(hidden)]
    const RUN: usize;

    /// Whether anybody can tell when a message is dropped.
    #[doc(hidden)]
    const DROPS: bool;

    /// Slots for `layout`, all vacant; `None` when no allocation can hold them. `eager` if messages are [taken out](Self::take_out).
    #[doc(hidden)]
    fn new(layout: Layout, eager: bool) -> Option<Self>;

    /// Promises that only the slots of `sequences` may hold a message, at most a lap of them. The drop visits no others.
    #[doc(hidden)]
    fn limit_drop(&mut self, sequences: Range<u64>);

    /// The slot of `sequence`.
    #[doc(hidden)]
    fn slot(&self, sequence: u64) -> Slot<'_, Self::Payload>;

    /// Prepares `item` and passes it to `publish`. (A closure, so that `Prepared` can borrow the item instead of moving it.)
    #[doc(hidden)]
    fn prepare_exclusive<R>(
        &self,
        pool: &mut Self::Pool,
        item: Self::Item,
        garbage: &mut Self::Garbage,
        publish: impl FnOnce(Self::Prepared<'_>, &mut Self::Garbage) -> R,
    ) -> R;

    /// The same with a pool that another thread may be using. It never waits for the pool, and goes without it then.
    #[doc(hidden)]
    fn prepare_shared<R>(
        &self,
        pool: &Self::Pool,
        item: Self::Item,
        garbage: &mut Self::Garbage,
        publish: impl FnOnce(Self::Prepared<'_>, &mut Self::Garbage) -> R,
    ) -> R;

    /// Unlocks the pool before user code runs.
    #[doc(hidden)]
    fn release_pool(prepared: &mut Self::Prepared<'_>);

    /// Returns the item of a publish that found the ring closed.
    #[doc(hidden)]
    fn cancel(prepared: Self::Prepared<'_>) -> Self::Item;

    /// Drops the item of a publish that was overrun.
    #[doc(hidden)]
    fn discard(&self, prepared: Self::Prepared<'_>, garbage: &mut Self::Garbage);

    /// Keeps what a committed write displaced until no subscriber borrows it.
    #[doc(hidden)]
    fn retire_displaced(&self, displaced: Self::Displaced<'_>, registry: &Registry, garbage: &mut Self::Garbage);

    /// Takes over the pool of a publisher that is dropped; `last` if no other is left.
    #[doc(hidden)]
    fn retire(&self, pool: &mut Self::Pool, registry: &Registry, last: bool, garbage: &mut Self::Garbage);

    /// Reclaims what a dropped subscriber borrowed from a closed ring, where no publisher will.
    #[doc(hidden)]
    fn reclaim_after_close(&self, registry: &Registry, garbage: &mut Self::Garbage);

    /// Takes the message `sequence` out of its slot, where the stamp stays, unless a publisher takes it out first. By one thread at a
    /// time, after `Registry::begin_taking` and a fence.
    #[doc(hidden)]
    fn take_out(&self, sequence: u64, scratch: &mut Self::Scratch);

    /// Whether the message `sequence` is in its slot, and was not taken out.
    #[doc(hidden)]
    fn is_there(&self, sequence: u64) -> bool;

    /// Has what was taken out dropped, if `unseen`: everybody was seen past it, and nobody has come back or is new.
    #[doc(hidden)]
    fn release(&self, unseen: bool, scratch: &mut Self::Scratch, garbage: &mut Self::Garbage);

    /// About how many messages are out of their slots and not dropped, beside those that publishers keep.
    #[doc(hidden)]
    fn left_over(&self) -> usize;

    /// Has those dropped that no subscriber borrows. Returns how many are borrowed.
    #[doc(hidden)]
    fn reclaim(
        &self,
        registry: &Registry,
        pins: &mut PinSnapshot,
        scratch: &mut Self::Scratch,
        garbage: &mut Self::Garbage,
    ) -> usize;

    /// Writes `prepared` into `slot`, which `guard` owns, and commits it.
    #[doc(hidden)]
    fn write<'p>(
        slot: Slot<'_, Self::Payload>,
        guard: WriteGuard<'_>,
        prepared: Self::Prepared<'p>,
    ) -> Self::Displaced<'p>;

    /// Writes a copy of `item`, which needs no preparation, into `slot`, which `guard` owns, and commits it. Nothing fails, waits, or runs
    /// user code.
    #[doc(hidden)]
    fn write_copy(slot: Slot<'_, Self::Payload>, guard: WriteGuard<'_>, item: &Self::Item);
}

/// A way of keeping messages that subscribers can take out as values of their own: [`Inline`], and [`Boxed<T>`](Boxed) if
/// `T: Clone`.
///
/// All receiving calls that return a message ask for it. Without `Clone` there are those that borrow:
/// [`next_ref`](crate::Subscriber::next_ref), [`next_ref_async`](crate::Subscriber::next_ref_async) and
/// [`try_recv_ref`](crate::Subscriber::try_recv_ref).
#[diagnostic::on_unimplemented(
    message = "the messages of `{Self}` cannot be received by value, because they are not `Clone`",
    label = "returns a clone of the message",
    note = "calls that borrow the message need no `Clone`: `try_recv_ref`, `recv_ref`, `next_ref`, `next_ref_async`, `latest_ref`",
    note = "or make the message `Clone`, or publish it in an `Arc`"
)]
pub trait Receive: Storage {
    /// Puts the message `sequence`, which `Stamp::load` found in `slot`, into `place`, which is empty, and moves `cursor` past it. `false`
    /// if it was overwritten in the meantime.
    #[doc(hidden)]
    fn read(slot: Slot<'_, Self::Payload>, sequence: u64, cursor: &Cursor, place: &mut Place<'_, Self::Item>) -> bool;

    /// Appends up to `limit` messages that are there, from `sequence` on, to `buffer`, and moves `cursor` past them. Returns how many. It
    /// may stop anywhere, also before the first.
    #[doc(hidden)]
    fn read_run(&self, sequence: u64, limit: usize, buffer: &mut Vec<Self::Item>, cursor: &Cursor) -> usize;
}

/// A stamp, and the payload that it guards, borrowed where they lie.
#[derive(Debug)]
pub struct Slot<'a, P: ?Sized> {
    pub(crate) stamp: Stamp<'a>,
    payload: &'a P,
}

impl<P: ?Sized> Clone for Slot<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: ?Sized> Copy for Slot<'_, P> {}

mod sealed {
    pub trait Sealed {}
}
