//! The reader's side of a boxed ring: pin, fence, validate, borrow.

#![expect(unsafe_code, reason = "reads a message through a pointer that the pin keeps valid")]

use std::fmt;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;

use super::node::Node;
use crate::registry::Cursor;
use crate::slots::Slot;
use crate::sync::{AtomicPtr, Ordering, full_fence};

/// The node of a message that a subscriber has pinned. It is not reclaimed until the subscriber
/// pins another message, or none.
pub(crate) struct Pinned<T>(NonNull<Node<T>>);

/// Pins the message `sequence`, which `Stamp::load` found in `slot`. Returns `None` if it was
/// overwritten or taken out meanwhile.
#[inline]
pub(super) fn pin<T>(sequence: u64, slot: Slot<'_, AtomicPtr<Node<T>>>, cursor: &Cursor) -> Option<Pinned<T>> {
    cursor.pin(sequence);
    // [pin.fence] SeqCst: pairs with `scan.fence`. Either the publisher's scan sees the pin, or
    // this thread sees below that the slot was taken.
    full_fence();
    // [cell.read] Relaxed: ordered by the stamp, as the words of an inline slot are.
    let node = slot.payload.load(Ordering::Relaxed);
    let is_valid = slot.stamp.validate(sequence);
    // The pointer is null if the message was taken out.
    if let Some(node) = NonNull::new(node).filter(|_| is_valid) {
        return Some(Pinned(node));
    }
    cursor.unpin();
    None
}

/// A message of a boxed ring, borrowed in place.
///
/// [`try_recv_ref`](crate::Subscriber::try_recv_ref) and the other receives with `ref` in their
/// name return it. Use it to read a message without a clone. Holding a `Ref` keeps only that
/// message alive. It borrows its subscriber, so drop it before the next receive.
///
/// A `Ref` never blocks publishers: to them, its message is read. A gating subscriber that holds
/// one for long still blocks them, because it does not receive the next messages.
///
/// # When the message is dropped
///
/// A message is never dropped while a `Ref` borrows it.
///
/// - By default, a message stays in the ring until another message overwrites it. If that happens
///   while the `Ref` exists, a publisher drops the message some time after the `Ref`, in one of its
///   later publishes. If no message is published any more, the message is dropped with the last
///   handle of the ring at the latest.
/// - With [`Builder::eager_drop`](crate::Builder::eager_drop), a message is dropped when every
///   subscriber has read it and no `Ref` borrows it. The drop of the last such `Ref` drops the
///   message before it returns. If several subscribers finish with the message at the same moment,
///   the next receive of one of them, or its drop, may drop the message instead.
///
/// A leaked `Ref` ([`std::mem::forget`]) keeps its message until the subscriber receives another
/// one or is dropped.
///
/// # Panics
///
/// Reading the message does not panic. With `eager_drop`, the drop of a `Ref` may run drops of
/// messages, whose panics are caught.
///
/// # Progress
///
/// Reading the message is a plain load through a pointer. No reference is counted. The drop of a
/// `Ref` is one store to a cache line that only its subscriber writes. With `eager_drop`, it also
/// checks whether the message can be dropped.
///
/// # Memory ordering
///
/// All that the publisher did before it published the message happens before the receive that
/// returned the `Ref`. All reads through the `Ref` happen before the drop of the message.
///
/// # Examples
///
/// ```
/// let (mut publisher, mut subscriber) = seqcast::boxed::<String>(8);
/// publisher.publish("in place".to_owned());
/// let message = subscriber.try_recv_ref().unwrap();
/// assert_eq!((message.len(), seqcast::Ref::sequence(&message)), (8, 0));
/// ```
#[must_use = "the message was received: it will not come again"]
pub struct Ref<'a, T> {
    node: NonNull<Node<T>>,
    /// The cursor of the subscriber whose pin keeps the node.
    cursor: &'a Cursor,
    /// That subscriber, in a ring with `eager_drop`.
    eager: Option<&'a dyn Passed>,
}

/// A subscriber that may have been the last to need a message.
pub(crate) trait Passed: Sync {
    /// Notes that the subscriber's cursor and pin are past the message `sequence`.
    fn passed(&self, sequence: u64);
}

// SAFETY: the pointer acts as a `&T` that is shared with other subscribers, so `T: Send + Sync` is
// enough.
unsafe impl<T: Send + Sync> Send for Ref<'_, T> {}
// SAFETY: as for `Send`.
unsafe impl<T: Send + Sync> Sync for Ref<'_, T> {}

impl<'a, T> Ref<'a, T> {
    /// Borrows a pinned message.
    ///
    /// # Safety
    ///
    /// [`pin`] must have returned the node for this `cursor`. Since then and for `'a`, the
    /// subscriber must be borrowed mutably. So it pins nothing else, and keeps the ring.
    #[inline]
    pub(crate) unsafe fn new(Pinned(node): Pinned<T>, cursor: &'a Cursor, eager: Option<&'a dyn Passed>) -> Self {
        Self { node, cursor, eager }
    }

    #[inline]
    fn node(&self) -> &Node<T> {
        // SAFETY: `pin` found the sequence in its slot after the pin and the fence, and it stays
        // pinned until this is dropped (the promise made to `new`). So no thread reclaims the node
        // (`slots/boxed/mod.rs`), and no thread changes a node that is not reclaimed.
        unsafe { self.node.as_ref() }
    }

    /// Returns the sequence of the message.
    ///
    /// This is an associated function, so that it does not hide a method of the message. Call it as
    /// `Ref::sequence(&message)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::Ref;
    ///
    /// let (mut publisher, mut subscriber) = seqcast::boxed::<String>(8);
    /// publisher.publish_many(["a", "b"].map(str::to_owned));
    /// subscriber.try_recv().unwrap();
    /// assert_eq!(Ref::sequence(&subscriber.try_recv_ref().unwrap()), 1);
    /// ```
    pub fn sequence(this: &Self) -> u64 {
        this.node().sequence
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.node().value
    }
}

impl<T> Drop for Ref<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let eager = self.eager.map(|subscriber| (subscriber, self.node().sequence));
        self.cursor.unpin();
        if let Some((subscriber, sequence)) = eager {
            subscriber.passed(sequence);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for Ref<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

// A `Ref` gives other threads the same access to a message as a `&T`.
impl<T: RefUnwindSafe> UnwindSafe for Ref<'_, T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for Ref<'_, T> {}
