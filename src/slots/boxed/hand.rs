//! The reader's side: pin, fence, look again, borrow.

#![expect(unsafe_code, reason = "looks at a message through a pointer that the pin keeps alive")]

use std::fmt;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;

use super::node::Node;
use crate::registry::Seat;
use crate::stamp::Stamp;
use crate::sync::{Arc, AtomicPtr, Ordering, full_fence};

/// What a subscriber reads a boxed ring with: its pin, and the message under it.
pub struct Hand<T> {
    /// Nobody else moves this seat's pin.
    seat: Arc<Seat>,
    /// The node of the pinned sequence.
    held: Option<NonNull<Node<T>>>,
}

// SAFETY: the pointer stands for a `&T`, shared with other subscribers: `T: Send + Sync`.
unsafe impl<T: Send + Sync> Send for Hand<T> {}
// SAFETY: as above; and a `&Hand` gives nothing away.
unsafe impl<T: Send + Sync> Sync for Hand<T> {}

impl<T> Hand<T> {
    pub(super) fn new(seat: Arc<Seat>) -> Self {
        Self { seat, held: None }
    }

    /// Takes hold of the message `sequence`, which `stamp` said is in `node`, unless it was overwritten meanwhile.
    #[inline]
    pub(super) fn take(&mut self, sequence: u64, node: &AtomicPtr<Node<T>>, stamp: Stamp<'_>) -> bool {
        self.held = None;
        self.seat.progress.pin(sequence);
        // [pin.fence] Pairs with the fence in `View::pins`: either the publisher sees the pin, or we see below that the slot was taken.
        full_fence();
        // [cell.read] Relaxed: as the words of an inline slot, ordered by the stamp.
        let node = node.load(Ordering::Relaxed);
        let still = stamp.still(sequence);
        if still {
            self.held = NonNull::new(node);
        } else {
            self.let_go();
        }
        still
    }

    /// The message that the last `take` took hold of.
    ///
    /// # Panics
    ///
    /// If it failed, or the message was let go of since.
    #[inline]
    pub(crate) fn message(&mut self) -> Ref<'_, T> {
        assert!(self.held.is_some(), "nothing in the hand");
        Ref(self)
    }

    #[inline]
    pub(super) fn let_go(&mut self) {
        self.held = None;
        self.seat.progress.unpin();
    }
}

impl<T> Drop for Hand<T> {
    /// A `Ref` may have been leaked.
    fn drop(&mut self) {
        self.let_go();
    }
}

/// A message of a boxed ring, borrowed where it lies.
///
/// It keeps this one message alive and nothing else, and holds no publisher back: the ring goes on, and when the message was overwritten
/// meanwhile, a publisher drops it some time after this is gone (or, when there is none, the ring does). It borrows its subscriber, which can receive again
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
pub struct Ref<'a, T>(&'a mut Hand<T>);

impl<T> Ref<'_, T> {
    #[inline]
    fn node(&self) -> &Node<T> {
        let Some(node) = &self.0.held else { unreachable!("nothing in the hand") };
        // SAFETY: `Hand::message` saw a node in the hand, and only the hand's owner, who is borrowed here, puts it down. While it is
        // there its sequence is pinned and was found in its slot after the fence, so no publisher reclaims the node (`boxed.rs`),
        // and the ring is kept by the subscriber that this borrows. Nobody changes a node that is not reclaimed.
        unsafe { node.as_ref() }
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
        self.0.let_go();
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
