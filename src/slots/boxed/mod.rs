//! Boxed storage. Each message is in a node of its own, and a slot is `[stamp | pointer to the
//! node]`, four to a cache line. Subscribers read a message in place.
//!
//! # Which thread frees a message
//!
//! The cursor is the hazard pointer. A subscriber announces the sequence that it is going to read
//! on a cache line of its own (its *pin*). It runs a fence, and *then* loads the slot's stamp
//! again, which shows whether the message is still there (`guard.rs`). A publisher takes the old
//! node out of the slot and keeps it. When it has kept some nodes, it runs a fence, and *then*
//! reads all pins (`pool.rs`). One of the two fences comes first. If it is the reader's, the
//! publisher sees the pin and keeps the node. If it is the publisher's, the reader finds the slot
//! taken and does not read the node. So a node that no pin names belongs to the publisher alone.
//!
//! No reference is counted, and a reader writes to no cache line but its own. A pin keeps only its
//! own message.
//!
//! After Michael, "Hazard Pointers" (IEEE TPDS 2004). The pin is a sequence instead of an address,
//! and the seqlock's stamp makes that sufficient.

#![expect(unsafe_code, reason = "frees the messages that are in the slots at the end of the ring")]

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

/// The storage of a ring that keeps each message in an allocation of its own.
///
/// It is the type parameter of the handles that [`boxed`](crate::boxed) and
/// [`Builder::boxed`](crate::Builder::boxed) make. Use it for messages that are large or own
/// something. A message is any `T: Send + Sync + 'static`. Subscribers borrow it in place as a
/// [`Ref`], or receive a clone if `T: Clone`. For small messages that are [`Plain`](crate::Plain),
/// [`Inline`](crate::Inline) is faster.
///
/// # Memory ordering
///
/// All that a publisher did before it published a message happens before the receive that returns
/// the message or a `Ref` to it.
///
/// # Examples
///
/// ```
/// use seqcast::{Boxed, Subscriber};
///
/// fn newest_len(subscriber: &mut Subscriber<Boxed<Vec<u8>>>) -> Option<usize> {
///     subscriber.latest_ref().ok().map(|message| message.len())
/// }
///
/// let (mut publisher, mut subscriber) = seqcast::boxed(8);
/// publisher.publish(vec![1]);
/// publisher.publish(vec![2, 3]);
/// assert_eq!(newest_len(&mut subscriber), Some(2));
/// ```
pub struct Boxed<T: 'static> {
    cells: Box<[Cell<T>]>,
    layout: Layout,
    /// The sequences whose slots may hold a node when the ring is dropped. They cover all slots
    /// until `limit_drop` is called.
    occupied: Range<u64>,
    /// Retired nodes that are in no publisher's pool.
    orphans: Orphans<T>,
    /// Whether messages are taken out of their slots when every subscriber has read them.
    /// Publishers then keep no nodes.
    eager: bool,
}

/// A slot: its stamp, and the node that was put there last. The slot owns the node.
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

    // One message per claim, because a message is put into its node before the claim.
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
        // [cell.look] Relaxed: ordered by the stamp, as `cell.read` is.
        let node = slot.payload.load(Ordering::Relaxed);
        // [cell.take-out] Release: pairs with the acquiring fence after `cell.read`, so that a
        // reader that finds the slot empty sees why (`Sequencer::evict`). This or a publisher's
        // `cell.swap` gets the node, never both. The pointer cannot be that of a later message,
        // because the fence after `begin_taking` keeps the node from being used again. Relaxed on
        // failure: a publisher has the node.
        let taken = slot.stamp.validate(sequence)
            && slot.payload.compare_exchange(node, ptr::null_mut(), Ordering::Release, Ordering::Relaxed).is_ok();
        if let Some(node) = Retired::new(node).filter(|_| taken) {
            scratch.push(node);
        }
    }

    fn is_there(&self, sequence: u64) -> bool {
        let slot = self.slot(sequence);
        // [cell.glance] Relaxed: the exchange of `take_out` decides.
        matches!(slot.stamp.load(sequence), SlotState::Committed) && !slot.payload.load(Ordering::Relaxed).is_null()
    }

    fn release(&self, unseen: bool, scratch: &mut Scratch<T>, garbage: &mut Garbage<T>) {
        scratch.release(unseen, &self.orphans, garbage);
    }

    fn orphan_count(&self) -> usize {
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
            // [cell.displace] [cell.place] Relaxed, both: ordered by the stamp, as the words of an
            // inline slot are. A load and a store are enough, because the publisher owns the slot.
            let displaced = slot.payload.load(Ordering::Relaxed);
            slot.payload.store(node, Ordering::Relaxed);
            displaced
        } else {
            // [cell.swap] Relaxed: as `cell.place`. It is an exchange, because a thread may be
            // taking the message out (`take_out`).
            slot.payload.swap(node, Ordering::Relaxed)
        };
        guard.commit();
        Displaced { pool, node: Retired::new(displaced) }
    }

    fn write_copy(_: Slot<'_, AtomicPtr<Node<T>>>, _: WriteGuard<'_>, _: &T) {
        unreachable!("a boxed message is prepared before it is written")
    }
}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> Receive for Boxed<T> {
    #[inline]
    fn read(slot: Slot<'_, AtomicPtr<Node<T>>>, sequence: u64, cursor: &Cursor, place: &mut Place<'_, T>) -> bool {
        let Some(pinned) = guard::pin(sequence, slot, cursor) else { return false };
        // SAFETY: `pin` has just returned the node for this cursor, and this call borrows the
        // subscriber until it returns.
        let message = unsafe { Ref::new(pinned, cursor, None) };
        // The pin ends with the `Ref`, even if the clone panics. Then the message was not received.
        place.fill(T::clone(&message));
        drop(message);
        cursor.set_next(sequence + 1);
        true
    }

    // Messages are read one by one, because clones may panic, or wait for a publisher that waits
    // for room.
    #[inline]
    fn read_run(&self, _: u64, _: usize, _: &mut Vec<T>, _: &Cursor) -> usize {
        0
    }
}

impl<T: Send + Sync + 'static> Boxed<T> {
    /// Pins the message, as `read` does, and returns it pinned instead of cloned.
    #[inline]
    pub(crate) fn read_pinned(slot: Slot<'_, AtomicPtr<Node<T>>>, sequence: u64, cursor: &Cursor) -> Option<Pinned<T>> {
        let node = guard::pin(sequence, slot, cursor)?;
        cursor.set_next(sequence + 1);
        Some(node)
    }
}

impl<T: 'static> Drop for Boxed<T> {
    /// Drops the messages that are left. No subscriber and no publisher exists any more.
    ///
    /// A message may own the last handle of another ring, and so on. Where such drops nest too
    /// deep, the drop is deferred until the outer drops have returned.
    fn drop(&mut self) {
        let (cells, orphans) = (mem::take(&mut self.cells), mem::take(&mut self.orphans));
        let rest = Contents { cells, layout: self.layout, occupied: self.occupied.clone(), orphans };
        if mem::needs_drop::<T>() && reentrancy::at_depth_limit() {
            reentrancy::later(NO_LIST, move || drop(rest));
        }
    }
}

/// The messages that are left in a ring without handles.
struct Contents<T> {
    cells: Box<[Cell<T>]>,
    layout: Layout,
    occupied: Range<u64>,
    orphans: Orphans<T>,
}

impl<T> Drop for Contents<T> {
    fn drop(&mut self) {
        // [cell.end] Relaxed: the thread that drops the last handle comes after all others.
        let cells = self.occupied.clone().map(|sequence| &self.cells[self.layout.slot(sequence)]);
        let nodes = cells.filter_map(|(_, node)| Retired::new(node.load(Ordering::Relaxed)));
        for node in nodes.chain(self.orphans.take()) {
            // SAFETY: a subscriber that could borrow the node holds the ring, and there is none.
            // Each node is in one slot or among the orphans, so this is its only `Retired`.
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
    fn a_message_without_a_slot_is_dropped_with_the_garbage() {
        let slots = Boxed::new(Layout::new(2, 0), false).unwrap();
        let (message, mut garbage) = (Arc::new(()), Garbage::default());
        slots.prepare_shared(&Pool::default(), Arc::clone(&message), &mut garbage, |prepared, garbage| {
            slots.discard(prepared, garbage);
        });
        assert_eq!(Arc::strong_count(&message), 2, "the message is dropped with the garbage, and not before");
        drop(garbage);
        assert_eq!(Arc::strong_count(&message), 1);
    }
}
