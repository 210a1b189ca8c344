//! The storage contract: how a ring keeps its messages. [`Inline`] and [`Boxed`] implement it. The
//! layers above do not depend on which of the two they use.

#[allow(missing_debug_implementations, reason = "these types are not exported")]
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

// A publish turns an `Item` into `Prepared`, writes that into a slot, and receives what was
// `Displaced`. It retires that after the commit. No user code runs in between: values whose drop is
// user code go to `Garbage`, which the caller drops when it holds nothing.

/// The way a ring keeps its messages: [`Inline`] or [`Boxed`].
///
/// The trait is sealed. Use it as a bound for code that works with both kinds of ring. Code that
/// receives messages by value needs [`Receive`] instead.
///
/// # Examples
///
/// ```
/// use seqcast::{Ring, Storage};
///
/// fn is_lagging<S: Storage>(ring: &Ring<S>) -> bool {
///     ring.max_lag() > ring.capacity() as u64 / 2
/// }
///
/// let (mut publisher, _subscriber) = seqcast::inline::<u8>(4);
/// publisher.publish_many([1, 2, 3]);
/// assert!(is_lagging(&publisher.ring()));
/// ```
pub trait Storage: sealed::Sealed + Sized + Send + Sync + 'static {
    /// The type of a message.
    type Item: Send + 'static;
    /// The part of a slot after the stamp.
    #[doc(hidden)]
    type Payload: ?Sized;
    /// What a publisher keeps from one publish to the next.
    #[doc(hidden)]
    type Pool: Default + Send + Sync + Unpin;
    /// A message that is ready to be written.
    #[doc(hidden)]
    type Prepared<'p>;
    /// What a write took out of the slot.
    #[doc(hidden)]
    type Displaced<'p>;
    /// Values whose drop is user code. The publisher drops them when it holds nothing.
    #[doc(hidden)]
    type Garbage: Default;

    /// Messages that are being taken out of their slots.
    #[doc(hidden)]
    type Scratch: Default + Send;

    /// How many messages a publisher may write by one claim. It is more than 1 only if
    /// [`write_copy`](Self::write_copy) is implemented.
    #[doc(hidden)]
    const RUN: usize;

    /// Whether the drop of a message has an effect.
    #[doc(hidden)]
    const DROPS: bool;

    /// Makes the slots for `layout`, all vacant. `eager` means that messages are [taken
    /// out](Self::take_out). Returns `None` if no allocation can hold the slots.
    #[doc(hidden)]
    fn new(layout: Layout, eager: bool) -> Option<Self>;

    /// Promises that only the slots of `sequences`, at most one lap, may hold a message. The drop
    /// visits no other slots.
    #[doc(hidden)]
    fn limit_drop(&mut self, sequences: Range<u64>);

    /// Returns the slot of `sequence`.
    #[doc(hidden)]
    fn slot(&self, sequence: u64) -> Slot<'_, Self::Payload>;

    /// Prepares `item` and passes it to `publish`. This is a closure, so that `Prepared` can borrow
    /// the item instead of moving it.
    #[doc(hidden)]
    fn prepare_exclusive<R>(
        &self,
        pool: &mut Self::Pool,
        item: Self::Item,
        garbage: &mut Self::Garbage,
        publish: impl FnOnce(Self::Prepared<'_>, &mut Self::Garbage) -> R,
    ) -> R;

    /// Prepares `item` as `prepare_exclusive` does, with a pool that another thread may be using.
    /// It never waits for the pool, and works without it then.
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

    /// Returns the item of a publish that found the ring closed or full.
    #[doc(hidden)]
    fn cancel(prepared: Self::Prepared<'_>) -> Self::Item;

    /// Drops the item of a publish that was overrun.
    #[doc(hidden)]
    fn discard(&self, prepared: Self::Prepared<'_>, garbage: &mut Self::Garbage);

    /// Keeps what a committed write displaced until no subscriber borrows it.
    #[doc(hidden)]
    fn retire_displaced(&self, displaced: Self::Displaced<'_>, registry: &Registry, garbage: &mut Self::Garbage);

    /// Takes over the pool of a publisher that is dropped. `last` means that no other publisher is
    /// left.
    #[doc(hidden)]
    fn retire(&self, pool: &mut Self::Pool, registry: &Registry, last: bool, garbage: &mut Self::Garbage);

    /// Reclaims what a dropped subscriber borrowed from a closed ring, where no publisher does it.
    #[doc(hidden)]
    fn reclaim_after_close(&self, registry: &Registry, garbage: &mut Self::Garbage);

    /// Takes the message `sequence` out of its slot, where the stamp stays, unless a publisher
    /// takes it out first. One thread calls it at a time, after `Registry::begin_taking` and a
    /// fence.
    #[doc(hidden)]
    fn take_out(&self, sequence: u64, scratch: &mut Self::Scratch);

    /// Returns whether the message `sequence` is in its slot and was not taken out.
    #[doc(hidden)]
    fn is_there(&self, sequence: u64) -> bool;

    /// Puts the messages that were taken out into `garbage` if `unseen`. That promises that every
    /// subscriber is past them, and that none has gone back or joined since. Otherwise they become
    /// orphans.
    #[doc(hidden)]
    fn release(&self, unseen: bool, scratch: &mut Self::Scratch, garbage: &mut Self::Garbage);

    /// Returns about how many messages are orphans: out of their slots, not dropped, and in no
    /// publisher's pool.
    #[doc(hidden)]
    fn orphan_count(&self) -> usize;

    /// Puts the orphans that no subscriber borrows into `garbage`. Returns how many are borrowed.
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

    /// Writes a copy of `item`, which needs no preparation, into `slot`, which `guard` owns, and
    /// commits it. It does not fail, wait, or run user code.
    #[doc(hidden)]
    fn write_copy(slot: Slot<'_, Self::Payload>, guard: WriteGuard<'_>, item: &Self::Item);
}

/// A storage whose messages can be received by value: [`Inline`], and [`Boxed<T>`](Boxed) if `T:
/// Clone`.
///
/// All receives that return a message need it. To receive messages that are not `Clone`, borrow
/// them with [`next_ref`](crate::Subscriber::next_ref),
/// [`next_ref_async`](crate::Subscriber::next_ref_async) or
/// [`try_recv_ref`](crate::Subscriber::try_recv_ref).
///
/// # Examples
///
/// ```
/// use seqcast::{Receive, Subscriber};
///
/// fn newest<S: Receive>(subscriber: &mut Subscriber<S>) -> Option<S::Item> {
///     subscriber.latest().ok()
/// }
///
/// let (mut publisher, mut subscriber) = seqcast::boxed::<String>(4);
/// publisher.publish_many(["a", "b"].map(str::to_owned));
/// assert_eq!(newest(&mut subscriber).as_deref(), Some("b"));
/// ```
#[diagnostic::on_unimplemented(
    message = "the messages of `{Self}` cannot be received by value, because they are not `Clone`",
    label = "returns a clone of the message",
    note = "calls that borrow the message need no `Clone`: `try_recv_ref`, `recv_ref`, `next_ref`, `next_ref_async`, `latest_ref`",
    note = "or make the message `Clone`, or publish it in an `Arc`"
)]
pub trait Receive: Storage {
    /// Puts the message `sequence`, which `Stamp::load` found in `slot`, into the empty `place`,
    /// and moves `cursor` past it. Returns `false` if the message was overwritten meanwhile.
    #[doc(hidden)]
    fn read(slot: Slot<'_, Self::Payload>, sequence: u64, cursor: &Cursor, place: &mut Place<'_, Self::Item>) -> bool;

    /// Appends up to `limit` messages from `sequence` on to `buffer`, and moves `cursor` past them.
    /// Returns how many. It may stop anywhere, even before the first.
    #[doc(hidden)]
    fn read_run(&self, sequence: u64, limit: usize, buffer: &mut Vec<Self::Item>, cursor: &Cursor) -> usize;
}

/// A slot: its stamp, and the payload that the stamp guards.
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
