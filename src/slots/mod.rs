//! What a ring asks of the way its messages are kept. Sealed: the two ways obey one contract, and the protocol does not know
//! which of them it serves.

#[allow(missing_debug_implementations, reason = "what is not exported")]
mod boxed;
mod inline;
pub(crate) mod stamp;

pub(crate) use boxed::Pinned;
pub use boxed::{Boxed, Ref};
pub use inline::{Inline, Plain};

use std::ops::Range;

use crate::registry::{Cursor, Registry};
use crate::seq::Layout;
use stamp::{Stamp, WriteGuard};

// A publish goes `Item → Prepared`, then, in the slot that it took, `Prepared → Displaced`, which is retired once it is committed. No code
// of the user's runs on the way: what is to be dropped is put with the garbage, which the caller drops when nothing is held.

/// How a ring keeps its messages. Sealed: [`Inline`] and [`Boxed`] are the ways there are.
pub trait Storage: sealed::Sealed + Sized + Send + Sync + 'static {
    /// The type of a message.
    type Item: Send + 'static;
    /// What lies behind a slot's stamp.
    #[doc(hidden)]
    type Payload: ?Sized;
    /// What a publisher keeps for its next publish.
    #[doc(hidden)]
    type Pool: Default + Send + Sync + Unpin;
    /// A message ready to be written.
    #[doc(hidden)]
    type Prepared<'p>;
    /// What a write leaves to be seen to, once it is committed.
    #[doc(hidden)]
    type Displaced<'p>;
    /// What is to be dropped once nothing is held.
    #[doc(hidden)]
    type Garbage: Default;

    /// Slots for `span`, all vacant; `None` when no allocation can hold them.
    #[doc(hidden)]
    fn new(span: Layout) -> Option<Self>;

    /// Only the slots of `sequences` may hold a message: so that dropping the slots looks at no others. At most as many sequences as there
    /// are slots.
    #[doc(hidden)]
    fn limit_drop(&mut self, sequences: Range<u64>);

    /// The slot of `sequence`.
    #[doc(hidden)]
    fn slot(&self, sequence: u64) -> Slot<'_, Self::Payload>;

    /// Has `publish` publish what it prepares of `item`, which may borrow it: so that it need not be moved once more. A publisher's own pool,
    /// in its own hands.
    #[doc(hidden)]
    fn prepare_exclusive<R>(
        &self,
        pool: &mut Self::Pool,
        item: Self::Item,
        garbage: &mut Self::Garbage,
        publish: impl FnOnce(Self::Prepared<'_>, &mut Self::Garbage) -> R,
    ) -> R;

    /// As `prepare_exclusive`, with a pool that others may be using: never waited for, and done without if there is none.
    #[doc(hidden)]
    fn prepare_shared<R>(
        &self,
        pool: &Self::Pool,
        item: Self::Item,
        garbage: &mut Self::Garbage,
        publish: impl FnOnce(Self::Prepared<'_>, &mut Self::Garbage) -> R,
    ) -> R;

    /// Gives up the pool: somebody else's code is about to run.
    #[doc(hidden)]
    fn release_pool(prepared: &mut Self::Prepared<'_>);

    /// Back to the message: there was no slot for it.
    #[doc(hidden)]
    fn cancel(prepared: Self::Prepared<'_>) -> Self::Item;

    /// Nobody will see the message.
    #[doc(hidden)]
    fn discard(&self, prepared: Self::Prepared<'_>, garbage: &mut Self::Garbage);

    /// Sees to what a committed write left.
    #[doc(hidden)]
    fn retire_displaced(&self, displaced: Self::Displaced<'_>, registry: &Registry, garbage: &mut Self::Garbage);

    /// A publisher is gone; `last` if no other comes by.
    #[doc(hidden)]
    fn retire(&self, pool: &mut Self::Pool, registry: &Registry, last: bool, garbage: &mut Self::Garbage);

    /// A subscriber is gone from a closed ring, where no publisher will see to what it borrowed.
    #[doc(hidden)]
    fn reclaim_after_close(&self, registry: &Registry, garbage: &mut Self::Garbage);

    /// Puts `prepared` in `slot`, which `writing` owns, and commits it.
    #[doc(hidden)]
    fn write<'p>(
        slot: Slot<'_, Self::Payload>,
        writing: WriteGuard<'_>,
        prepared: Self::Prepared<'p>,
    ) -> Self::Displaced<'p>;
}

/// A way of keeping messages that subscribers can take out as values of their own: [`Inline`], and [`Boxed<T>`](Boxed) if
/// `T: Clone`.
///
/// All receiving calls that return a message ask for it. Without `Clone` there are those that borrow:
/// [`next_ref`](crate::Subscriber::next_ref), [`next_ref_async`](crate::Subscriber::next_ref_async) and
/// [`try_recv_ref`](crate::Subscriber::try_recv_ref).
#[diagnostic::on_unimplemented(
    message = "the messages of `{Self}` cannot be received by value: they are not `Clone`",
    label = "returns a message, which takes a clone of it",
    note = "borrow it where it lies: `next_ref`, `next_ref_async`, `try_recv_ref`; or publish `Arc`s"
)]
pub trait Receive: Storage {
    /// Takes the message `sequence`, after `Stamp::load` said that it is there, and says in `cursor` that it was received; `None` if
    /// it was overwritten meanwhile.
    ///
    /// The value is made last: the compiler does not carry it past an atomic access without a copy.
    #[doc(hidden)]
    fn read(slot: Slot<'_, Self::Payload>, sequence: u64, cursor: &Cursor) -> Option<Self::Item>;
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
