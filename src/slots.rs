//! What a ring asks of the way its messages are kept. Sealed: [`Inline`] is one way, and others can be added beside it
//! without touching the protocol.

mod inline;

pub use inline::{Inline, Plain};

use crate::seq::Span;
use crate::stamp::{Stamp, Writing};

/// How a ring keeps its messages. Sealed: [`Inline`] is the way there is.
pub trait Storage: sealed::Sealed<Slots: Slots<Item = Self::Item>> + Send + Sync + 'static {
    /// The type of a message.
    type Item: Send + 'static;
}

pub(crate) mod sealed {
    /// Names the slots that belong to a storage.
    pub trait Sealed {
        type Slots: super::Slots;
    }
}

/// The slots of a ring.
pub trait Slots: Send + Sync + Sized + 'static {
    type Item;
    type Slot<'a>: Slot<'a, Item = Self::Item>;

    /// Slots for `span`, all vacant; `None` when no allocation can hold them.
    fn new(span: Span) -> Option<Self>;

    /// The slot of `sequence`.
    fn slot(&self, sequence: u64) -> Self::Slot<'_>;
}

/// A stamp, and the payload that it guards, borrowed where they lie.
pub trait Slot<'a>: Copy {
    type Item;

    fn stamp(self) -> Stamp<'a>;

    /// Puts `item` in this slot, which `writing` owns, and commits it.
    fn write(self, writing: Writing<'_>, item: Self::Item);

    /// Copies the message `sequence` out, after `seen` said that it is there; the later sequence if it was overwritten
    /// meanwhile.
    fn read(self, sequence: u64) -> Result<Self::Item, u64>;
}
