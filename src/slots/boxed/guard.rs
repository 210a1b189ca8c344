//! The reader's side: pin, fence, look again, borrow.

#![expect(unsafe_code, reason = "looks at a message through a pointer that the pin keeps alive")]

use std::fmt;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;

use super::node::Node;
use crate::registry::Cursor;
use crate::slots::Slot;
use crate::sync::{AtomicPtr, Ordering, full_fence};

/// The node of a message that a subscriber has pinned. Nobody reclaims it until the subscriber pins another message, or none.
pub(crate) struct Pinned<T>(NonNull<Node<T>>);

/// Pins the message `sequence`, which `slot` said it has, unless it was overwritten meanwhile.
#[inline]
pub(super) fn pin<T>(sequence: u64, slot: Slot<'_, AtomicPtr<Node<T>>>, cursor: &Cursor) -> Option<Pinned<T>> {
    cursor.pin(sequence);
    // [pin.fence] Pairs with the fence in `PinSnapshot::take`: either the publisher sees the pin, or we see below that the slot was taken.
    full_fence();
    // [cell.read] Relaxed: as the words of an inline slot, ordered by the stamp.
    let node = slot.payload.load(Ordering::Relaxed);
    let is_valid = slot.stamp.validate(sequence);
    // It is null if the message was taken out.
    if let Some(node) = NonNull::new(node).filter(|_| is_valid) {
        return Some(Pinned(node));
    }
    cursor.unpin();
    None
}

/// A message of a boxed ring, borrowed where it lies.
///
/// It keeps this one message alive and nothing else, and holds no publisher back: the ring goes on, and when the message was overwritten
/// meanwhile, a publisher drops it some time after this is gone (with [`eager_drop`](crate::Builder::eager_drop), the drop of this may) (or, when there is none, the ring does). It borrows its subscriber, which can receive again
/// afterwards. Leaking it ([`std::mem::forget`]) keeps the message until the subscriber receives
/// another one or is dropped.
///
/// # Progress
///
/// Looking at the message costs nothing; dropping this is one store to a cache line of the subscriber's own. No reference is
/// counted.
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
    /// Of the subscriber whose pin keeps the node.
    cursor: &'a Cursor,
    /// That subscriber, in a ring that drops messages when they were read.
    eager: Option<&'a dyn Passed>,
}

/// A subscriber that is done with a message.
pub(crate) trait Passed: Sync {
    /// Its cursor and its pin are past the message `sequence`.
    fn passed(&self, sequence: u64);
}

// SAFETY: the pointer stands for a `&T`, shared with other subscribers: `T: Send + Sync`.
unsafe impl<T: Send + Sync> Send for Ref<'_, T> {}
// SAFETY: as for `Send`.
unsafe impl<T: Send + Sync> Sync for Ref<'_, T> {}

impl<'a, T> Ref<'a, T> {
    /// # Safety
    ///
    /// [`pin`] returned this for this `cursor`, and its subscriber is borrowed mutably since then and for `'a`: it pins nothing else, and
    /// keeps the ring.
    #[inline]
    pub(crate) unsafe fn new(Pinned(node): Pinned<T>, cursor: &'a Cursor, eager: Option<&'a dyn Passed>) -> Self {
        Self { node, cursor, eager }
    }

    #[inline]
    fn node(&self) -> &Node<T> {
        // SAFETY: its sequence was found in its slot after the pin and the fence, and stays pinned until this is dropped (the promise
        // made to `new`). So nobody reclaims the node (`slots/boxed/mod.rs`), and nobody changes a node that is not reclaimed.
        unsafe { self.node.as_ref() }
    }

    /// The message's sequence. (A function, not a method: methods are the message's.)
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

// Others can only look at a message, as through `&T`.
impl<T: RefUnwindSafe> UnwindSafe for Ref<'_, T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for Ref<'_, T> {}
