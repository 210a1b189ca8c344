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

pub use guard::Ref;
pub(crate) use guard::{Passed, Pinned};
use pool::{Displaced, Garbage, Pool, Prepared, Scratch};

use std::fmt;
use std::mem;
use std::ops::Range;
use std::ptr;

use super::{Place, Receive, Slot, Storage, sealed};
use crate::registry::{Cursor, PinSnapshot, Registry};
use crate::seq::Layout;
use crate::slots::stamp::{SlotState, Stamp, WriteGuard};
use crate::sync::{AtomicPtr, BoxedCell, Ordering, zeroed_cells};
use crate::wait::reentrancy::{self, NO_LIST};
use node::{Node, Orphans, Retired};

/// Messages of any `T: Send + Sync + 'static`, each kept in a box of its own, which subscribers borrow in place.
///
/// Made by [`boxed`](crate::boxed) or [`Builder::boxed`](crate::Builder::boxed).
pub struct Boxed<T: 'static> {
    cells: Box<[Cell<T>]>,
    layout: Layout,
    /// The sequences whose slots may hold a node when the ring is dropped. They cover all slots until `limit_drop` is called.
    occupied: Range<u64>,
    /// Nodes that no pool has.
    orphans: Orphans<T>,
    /// Messages are taken out of their slots when they were read. Publishers then keep no nodes.
    eager: bool,
}

/// A slot: its stamp, and the node that was put there last. The node belongs to the slot.
type Cell<T> = BoxedCell<Node<T>>;

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
    type Prepared<'p> = Prepared<'p, T>;
    type Displaced<'p> = Displaced<'p, T>;
    type Garbage = Garbage<T>;
    type Scratch = Scratch<T>;

    // A message is put in its node before the claim.
    const RUN: usize = 1;

    const DROPS: bool = mem::needs_drop::<T>();

    fn new(layout: Layout, eager: bool) -> Option<Self> {
        let cells = zeroed_cells(usize::try_from(layout.capacity()).ok()?)?;
        Some(Self { cells, layout, occupied: 0..layout.capacity(), orphans: Orphans::default(), eager })
    }

    fn limit_drop(&mut self, sequences: Range<u64>) {
        debug_assert!(sequences.end - sequences.start <= self.layout.capacity());
        self.occupied = sequences;
    }

    #[inline]
    fn slot(&self, sequence: u64) -> Slot<'_, AtomicPtr<Node<T>>> {
        let at = self.layout.slot(sequence);
        debug_assert!(at < self.cells.len());
        // SAFETY: `new` allocated `capacity` cells, and `Layout::slot` is below `capacity`.
        let (stamp, payload) = unsafe { self.cells.get_unchecked(at) };
        Slot { stamp: Stamp(stamp), payload }
    }

    #[inline]
    fn prepare_exclusive<R>(
        &self,
        pool: &mut Pool<T>,
        item: T,
        garbage: &mut Garbage<T>,
        publish: impl FnOnce(Prepared<'_, T>, &mut Garbage<T>) -> R,
    ) -> R {
        let pool = (!self.eager).then(|| pool.exclusive());
        publish(Prepared::new(pool, item, &self.orphans, garbage), garbage)
    }

    #[inline]
    fn prepare_shared<R>(
        &self,
        pool: &Pool<T>,
        item: T,
        garbage: &mut Garbage<T>,
        publish: impl FnOnce(Prepared<'_, T>, &mut Garbage<T>) -> R,
    ) -> R {
        let pool = if self.eager { None } else { pool.shared() };
        publish(Prepared::new(pool, item, &self.orphans, garbage), garbage)
    }

    fn release_pool(prepared: &mut Prepared<'_, T>) {
        prepared.release_pool();
    }

    fn cancel(prepared: Prepared<'_, T>) -> T {
        prepared.cancel()
    }

    fn discard(&self, prepared: Prepared<'_, T>, garbage: &mut Garbage<T>) {
        prepared.discard(&self.orphans, garbage);
    }

    #[inline]
    fn retire_displaced(&self, displaced: Displaced<'_, T>, registry: &Registry, garbage: &mut Garbage<T>) {
        displaced.retire_displaced(&self.orphans, registry, garbage);
    }

    fn retire(&self, pool: &mut Pool<T>, registry: &Registry, last: bool, garbage: &mut Garbage<T>) {
        pool.retire(&self.orphans, registry, last, garbage);
    }

    fn reclaim_after_close(&self, registry: &Registry, garbage: &mut Garbage<T>) {
        pool::reclaim_after_close(&self.orphans, registry, garbage);
    }

    fn take_out(&self, sequence: u64, scratch: &mut Scratch<T>) {
        let slot = self.slot(sequence);
        let SlotState::Committed = slot.stamp.load(sequence) else { return };
        // [cell.look] Relaxed: as `cell.read`.
        let node = slot.payload.load(Ordering::Relaxed);
        // [cell.take-out] Release: who finds nothing there sees why (`Sequencer::evict`). Of this and a publisher's `cell.swap`, one
        // gets the node. Relaxed on failure: it was the publisher. (The node is no other that was put there since: the fence after
        // `begin_taking` keeps it from being used again.)
        let taken = slot.stamp.validate(sequence)
            && slot.payload.compare_exchange(node, ptr::null_mut(), Ordering::Release, Ordering::Relaxed).is_ok();
        if let Some(node) = Retired::new(node).filter(|_| taken) {
            scratch.push(node);
        }
    }

    fn is_there(&self, sequence: u64) -> bool {
        let slot = self.slot(sequence);
        // [cell.glance] Relaxed: who takes it out finds out.
        matches!(slot.stamp.load(sequence), SlotState::Committed) && !slot.payload.load(Ordering::Relaxed).is_null()
    }

    fn release(&self, unseen: bool, scratch: &mut Scratch<T>, garbage: &mut Garbage<T>) {
        scratch.release(unseen, &self.orphans, garbage);
    }

    fn left_over(&self) -> usize {
        self.orphans.len()
    }

    fn reclaim(
        &self,
        registry: &Registry,
        pins: &mut PinSnapshot,
        scratch: &mut Scratch<T>,
        garbage: &mut Garbage<T>,
    ) -> usize {
        scratch.reclaim(&self.orphans, registry, pins, garbage)
    }

    #[inline]
    fn write<'p>(
        slot: Slot<'_, AtomicPtr<Node<T>>>,
        guard: WriteGuard<'_>,
        prepared: Self::Prepared<'p>,
    ) -> Self::Displaced<'p> {
        let (node, pool) = prepared.place(guard.sequence());
        let displaced = if pool.is_some() {
            // [cell.displace] [cell.place] Relaxed, both: as the words of an inline slot, ordered by the stamp. Load and store do: the slot is ours.
            let displaced = slot.payload.load(Ordering::Relaxed);
            slot.payload.store(node, Ordering::Relaxed);
            displaced
        } else {
            // [cell.swap] Somebody may be taking the message out (`take_out`). Relaxed, otherwise: as `cell.place`.
            slot.payload.swap(node, Ordering::Relaxed)
        };
        guard.commit();
        Displaced { pool, node: Retired::new(displaced) }
    }

    fn write_copy(_: Slot<'_, AtomicPtr<Node<T>>>, _: WriteGuard<'_>, _: &T) {
        unreachable!("to be prepared first")
    }
}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> Receive for Boxed<T> {
    #[inline]
    fn read(slot: Slot<'_, AtomicPtr<Node<T>>>, sequence: u64, cursor: &Cursor, place: &mut Place<'_, T>) -> bool {
        let Some(pinned) = guard::pin(sequence, slot, cursor) else { return false };
        // SAFETY: just pinned, and the subscriber is in the middle of this call.
        let message = unsafe { Ref::new(pinned, cursor, None) };
        // The pin ends with the `Ref`, also when the clone panics. What was not handed out then was not received.
        place.fill(T::clone(&message));
        drop(message);
        cursor.set_next(sequence + 1);
        true
    }

    // Each message apart: clones may panic, or wait for a publisher that waits for room.
    #[inline]
    fn read_run(&self, _: u64, _: usize, _: &mut Vec<T>, _: &Cursor) -> usize {
        0
    }
}

impl<T: Send + Sync + 'static> Boxed<T> {
    /// Like `read`, but returns the message pinned instead of a clone.
    #[inline]
    pub(crate) fn read_pinned(slot: Slot<'_, AtomicPtr<Node<T>>>, sequence: u64, cursor: &Cursor) -> Option<Pinned<T>> {
        let node = guard::pin(sequence, slot, cursor)?;
        cursor.set_next(sequence + 1);
        Some(node)
    }
}

impl<T: 'static> Drop for Boxed<T> {
    /// Nobody is left: no reader, no publisher. A message may own the last handle of another ring, and so on: where such drops nest
    /// deep, the messages wait for those around.
    fn drop(&mut self) {
        let (cells, orphans) = (mem::take(&mut self.cells), mem::take(&mut self.orphans));
        let rest = Contents { cells, layout: self.layout, occupied: self.occupied.clone(), orphans };
        if mem::needs_drop::<T>() && reentrancy::at_depth_limit() {
            reentrancy::later(NO_LIST, move || drop(rest));
        }
    }
}

/// What is left in a ring that nobody uses any more.
struct Contents<T> {
    cells: Box<[Cell<T>]>,
    layout: Layout,
    occupied: Range<u64>,
    orphans: Orphans<T>,
}

impl<T> Drop for Contents<T> {
    fn drop(&mut self) {
        // [cell.end] Relaxed: whoever drops the last handle comes after all others.
        let cells = self.occupied.clone().map(|sequence| &self.cells[self.layout.slot(sequence)]);
        let nodes = cells.filter_map(|(_, node)| Retired::new(node.load(Ordering::Relaxed)));
        for node in nodes.chain(self.orphans.take()) {
            // SAFETY: a subscriber that could borrow it holds the ring, and there is none; in each slot and among the orphans it is the
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
    fn a_message_that_got_no_slot_is_dropped_with_the_garbage() {
        let slots = Boxed::new(Layout::new(2, 0), false).unwrap();
        let (message, mut garbage) = (Arc::new(()), Garbage::default());
        slots.prepare_shared(&Pool::default(), Arc::clone(&message), &mut garbage, |prepared, garbage| {
            slots.discard(prepared, garbage);
        });
        assert_eq!(Arc::strong_count(&message), 2, "its drop runs the user's code");
        drop(garbage);
        assert_eq!(Arc::strong_count(&message), 1);
    }
}
