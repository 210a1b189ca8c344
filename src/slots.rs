//! What a ring asks of the way its messages are kept. Sealed: the two ways obey one contract, and the protocol does not know
//! which of them it serves.

#[allow(missing_debug_implementations, reason = "what is not exported")]
mod boxed;
mod inline;

pub use boxed::{Boxed, Ref};
pub use inline::{Inline, Plain};

use std::ops::Range;

use crate::progress::Progress;
use crate::registry::{Registry, Seat};
use crate::seq::Span;
use crate::stamp::{Stamp, Writing};
use crate::sync::Arc;

/// How a ring keeps its messages. Sealed: [`Inline`] and [`Boxed`] are the ways there are.
pub trait Storage: sealed::Sealed<Slots: Slots<Item = Self::Item>> + Send + Sync + 'static {
    /// The type of a message.
    type Item: Send + 'static;
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
pub trait Receive: Storage + sealed::Own {}

#[diagnostic::do_not_recommend]
impl<S: Storage + sealed::Own> Receive for S {}

pub(crate) mod sealed {
    /// Names the slots that belong to a storage.
    pub trait Sealed {
        type Slots: super::Slots;
    }

    /// Takes messages out of their slots as values.
    pub trait Own: Sealed {
        /// Takes the message `sequence`, after `seen` said that it is there, and says in `progress` that it was received; `None` if
        /// it was overwritten meanwhile. `hand` is the reader's own, made for this ring.
        ///
        /// The value is made last: the compiler does not carry it past an atomic access without a copy.
        fn own(
            slot: <Self::Slots as super::Slots>::Slot<'_>,
            sequence: u64,
            hand: &mut <Self::Slots as super::Slots>::Hand,
            progress: &super::Progress,
        ) -> Option<<Self::Slots as super::Slots>::Item>;
    }
}

/// The slots of a ring.
///
/// A publish goes `Item → Draft`, then, in the slot that it took, `Draft → Written`, which is settled once it is committed. No code of the
/// user's runs on the way: what is to be dropped is put with the remains, which the caller drops when nothing is held.
pub trait Slots: Send + Sync + Sized + 'static {
    type Item;
    type Slot<'a>: Slot<'a, Self>;
    /// What a publisher keeps for its next publish.
    type Pool: Default + Send + Sync + Unpin;
    /// A message ready to be written.
    type Draft<'p>;
    /// What a write leaves to be seen to, once it is committed.
    type Written<'p>;
    /// What is to be dropped once nothing is held.
    type Remains: Default;
    /// What a subscriber reads with.
    type Hand: Send + Sync + Unpin;

    /// Slots for `span`, all vacant; `None` when no allocation can hold them.
    fn new(span: Span) -> Option<Self>;

    /// Only the slots of `sequences` may hold a message: so that dropping the slots looks at no others. At most as many sequences as there
    /// are slots.
    fn limit_drop(&mut self, sequences: Range<u64>);

    /// The slot of `sequence`.
    fn slot(&self, sequence: u64) -> Self::Slot<'_>;

    /// Has `publish` publish a draft of `item`, which may borrow it: so that it need not be moved once more. A publisher's own pool,
    /// in its own hands.
    fn draft_alone<R>(
        &self,
        pool: &mut Self::Pool,
        item: Self::Item,
        remains: &mut Self::Remains,
        publish: impl FnOnce(Self::Draft<'_>, &mut Self::Remains) -> R,
    ) -> R;

    /// As `draft_alone`, with a pool that others may be using: never waited for, and done without if there is none.
    fn draft_beside<R>(
        &self,
        pool: Option<&Self::Pool>,
        item: Self::Item,
        remains: &mut Self::Remains,
        publish: impl FnOnce(Self::Draft<'_>, &mut Self::Remains) -> R,
    ) -> R;

    /// Gives up the pool: somebody else's code is about to run.
    fn without_pool(draft: &mut Self::Draft<'_>);

    /// Back to the message: there was no slot for it.
    fn cancel(draft: Self::Draft<'_>) -> Self::Item;

    /// Nobody will see the message.
    fn discard(&self, draft: Self::Draft<'_>, remains: &mut Self::Remains);

    /// Sees to what a committed write left.
    fn settle(&self, written: Self::Written<'_>, registry: &Registry, remains: &mut Self::Remains);

    /// A publisher is gone; `last` if no other comes by.
    fn retire(&self, pool: &mut Self::Pool, registry: &Registry, last: bool, remains: &mut Self::Remains);

    /// A subscriber is gone from a closed ring, where no publisher will see to what it borrowed.
    fn tidy(&self, registry: &Registry, remains: &mut Self::Remains);

    /// For the subscriber that sits there, alone.
    fn hand(seat: &Arc<Seat>) -> Self::Hand;

    /// What is in the hand is not wanted.
    fn let_go(hand: &mut Self::Hand);
}

/// A stamp, and the payload that it guards, borrowed where they lie.
pub trait Slot<'a, L: Slots>: Copy {
    fn stamp(self) -> Stamp<'a>;

    /// Puts `draft` in this slot, which `writing` owns, and commits it.
    fn write<'p>(self, writing: Writing<'_>, draft: L::Draft<'p>) -> L::Written<'p>;
}
