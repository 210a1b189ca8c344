//! Any payload, each in a node of its own; a slot is `[stamp | pointer to the node]`, four to a cache line. Subscribers look at
//! a message where it lies.
//!
//! # Who frees a message
//!
//! The cursor is the hazard pointer. A subscriber announces the sequence that it is going to look at on a cache line of its own
//! (its *pin*), runs a fence, and *then* asks the slot's stamp whether the message is still there (`guard.rs`). A publisher
//! takes the old node out of the slot, and keeps it back; once it has some, it runs a fence, and *then* looks at all pins
//! (`pool.rs`). Of two such fences one comes first: if the reader's, the publisher sees the pin and lets the node be; if
//! the publisher's, the reader finds the slot taken and touches nothing. So a node that is in no pin is the publisher's alone.
//!
//! Nobody counts references, a reader writes to no line but its own, and a pinned message keeps itself and nothing else.
//!
//! After Michael, "Hazard Pointers" (IEEE TPDS 2004); what is announced here is a sequence rather than an address, which the
//! seqlock's stamp makes as good.

#![expect(unsafe_code, reason = "frees what is still in the slots at the end")]

mod guard;
mod node;
mod pool;

pub(crate) use guard::Pinned;
pub use guard::Ref;
use pool::{Draft, Pool, Remains, Written};

use std::fmt;
use std::mem;
use std::ops::Range;

use super::{Receive, Slot, Storage, sealed};
use crate::registry::{Progress, Registry};
use crate::seq::Span;
use crate::slots::stamp::{Stamp, Writing};
use crate::sync::{AtomicPtr, Ordering, Pair, zeroed_pairs};
use crate::wait::reentrancy::{self, NO_LIST};
use node::{Leftovers, Node, Retired};

/// Messages of any `T: Send + Sync + 'static`, each kept in a box of its own, which subscribers borrow in place.
///
/// Made by [`boxed`](crate::boxed) or [`Builder::boxed`](crate::Builder::boxed).
pub struct Boxed<T: 'static> {
    cells: Box<[Cell<T>]>,
    span: Span,
    /// The sequences whose slots may hold a node when the ring is dropped. They cover all slots until `limit_drop` is called.
    occupied: Range<u64>,
    /// Nodes that no pool has.
    leftovers: Leftovers<T>,
}

/// A slot: its stamp, and the node that was put there last. The node belongs to the slot.
type Cell<T> = Pair<Node<T>>;

impl<T> fmt::Debug for Boxed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Boxed")
    }
}

impl<T: Send + Sync + 'static> sealed::Sealed for Boxed<T> {}

impl<T: Send + Sync + 'static> Storage for Boxed<T> {
    type Item = T;
    type Payload = AtomicPtr<Node<T>>;
    type Pool = Pool<T>;
    type Draft<'p> = Draft<'p, T>;
    type Written<'p> = Written<'p, T>;
    type Remains = Remains<T>;

    fn new(span: Span) -> Option<Self> {
        let cells = zeroed_pairs(usize::try_from(span.capacity()).ok()?)?;
        Some(Self { cells, span, occupied: 0..span.capacity(), leftovers: Leftovers::default() })
    }

    fn limit_drop(&mut self, sequences: Range<u64>) {
        debug_assert!(sequences.end - sequences.start <= self.span.capacity());
        self.occupied = sequences;
    }

    #[inline]
    fn slot(&self, sequence: u64) -> Slot<'_, AtomicPtr<Node<T>>> {
        let at = self.span.slot(sequence);
        debug_assert!(at < self.cells.len());
        // SAFETY: `new` allocated `capacity` cells, and `Span::slot` is below `capacity`.
        let (stamp, payload) = unsafe { self.cells.get_unchecked(at) };
        Slot { stamp: Stamp(stamp), payload }
    }

    #[inline]
    fn draft_alone<R>(
        &self,
        pool: &mut Pool<T>,
        item: T,
        remains: &mut Remains<T>,
        publish: impl FnOnce(Draft<'_, T>, &mut Remains<T>) -> R,
    ) -> R {
        publish(Draft::new(Some(pool.alone()), item, &self.leftovers, remains), remains)
    }

    #[inline]
    fn draft_beside<R>(
        &self,
        pool: &Pool<T>,
        item: T,
        remains: &mut Remains<T>,
        publish: impl FnOnce(Draft<'_, T>, &mut Remains<T>) -> R,
    ) -> R {
        publish(Draft::new(pool.beside(), item, &self.leftovers, remains), remains)
    }

    fn without_pool(draft: &mut Draft<'_, T>) {
        draft.without_pool();
    }

    fn cancel(draft: Draft<'_, T>) -> T {
        draft.cancel()
    }

    fn discard(&self, draft: Draft<'_, T>, remains: &mut Remains<T>) {
        draft.discard(&self.leftovers, remains);
    }

    #[inline]
    fn settle(&self, written: Written<'_, T>, registry: &Registry, remains: &mut Remains<T>) {
        written.settle(&self.leftovers, registry, remains);
    }

    fn retire(&self, pool: &mut Pool<T>, registry: &Registry, last: bool, remains: &mut Remains<T>) {
        pool.retire(&self.leftovers, registry, last, remains);
    }

    fn tidy(&self, registry: &Registry, remains: &mut Remains<T>) {
        pool::tidy(&self.leftovers, registry, remains);
    }

    #[inline]
    fn write<'p>(
        slot: Slot<'_, AtomicPtr<Node<T>>>,
        writing: Writing<'_>,
        draft: Self::Draft<'p>,
    ) -> Self::Written<'p> {
        let (node, desk) = draft.place(writing.sequence());
        // [cell.displace] [cell.place] Relaxed, both: as the words of an inline slot, ordered by the stamp. Load and store do: the slot is ours.
        let displaced = slot.payload.load(Ordering::Relaxed);
        slot.payload.store(node, Ordering::Relaxed);
        writing.commit();
        Written { desk, displaced: Retired::new(displaced) }
    }
}

impl<T: Clone + Send + Sync + 'static> Receive for Boxed<T> {
    #[inline]
    fn own(slot: Slot<'_, AtomicPtr<Node<T>>>, sequence: u64, progress: &Progress) -> Option<T> {
        let pinned = guard::pin(sequence, slot, progress)?;
        // SAFETY: just pinned, and the subscriber is in the middle of this call.
        let message = unsafe { Ref::new(pinned, progress) };
        // The pin ends with the `Ref`, also when the clone panics. What was not handed out then was not received.
        let item = T::clone(&message);
        drop(message);
        progress.set_next(sequence + 1);
        Some(item)
    }
}

impl<T: Send + Sync + 'static> Boxed<T> {
    /// Like `own`; what it brings is pinned.
    #[inline]
    pub(crate) fn borrow(slot: Slot<'_, AtomicPtr<Node<T>>>, sequence: u64, progress: &Progress) -> Option<Pinned<T>> {
        let node = guard::pin(sequence, slot, progress)?;
        progress.set_next(sequence + 1);
        Some(node)
    }
}

impl<T: 'static> Drop for Boxed<T> {
    /// Nobody is left: no reader, no publisher. A message may own the last handle of another ring, and so on: where such drops nest
    /// deep, the messages wait for those around.
    fn drop(&mut self) {
        let (cells, leftovers) = (mem::take(&mut self.cells), mem::take(&mut self.leftovers));
        let rest = Rest { cells, span: self.span, occupied: self.occupied.clone(), leftovers };
        if mem::needs_drop::<T>() && reentrancy::is_deep() {
            reentrancy::later(NO_LIST, move || drop(rest));
        }
    }
}

/// What is left in a ring that nobody uses any more.
struct Rest<T> {
    cells: Box<[Cell<T>]>,
    span: Span,
    occupied: Range<u64>,
    leftovers: Leftovers<T>,
}

impl<T> Drop for Rest<T> {
    fn drop(&mut self) {
        // [cell.end] Relaxed: whoever drops the last handle comes after all others.
        let cells = self.occupied.clone().map(|sequence| &self.cells[self.span.slot(sequence)]);
        let nodes = cells.filter_map(|(_, node)| Retired::new(node.load(Ordering::Relaxed)));
        for node in nodes.chain(self.leftovers.take()) {
            // SAFETY: a subscriber that could borrow it holds the ring, and there is none; in each slot and in the leftovers it is the
            // only one of its node.
            let node = unsafe { node.reclaim() };
            reentrancy::call_now(NO_LIST, || drop(node));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Arc;

    #[test]
    fn a_message_that_got_no_slot_is_dropped_with_the_remains() {
        let slots = Boxed::new(Span::new(2, 0)).unwrap();
        let (message, mut remains) = (Arc::new(()), Remains::default());
        slots.draft_beside(&Pool::default(), Arc::clone(&message), &mut remains, |draft, remains| {
            slots.discard(draft, remains);
        });
        assert_eq!(Arc::strong_count(&message), 2, "its drop runs the user's code");
        drop(remains);
        assert_eq!(Arc::strong_count(&message), 1);
    }
}
