//! The memory of a message, and its owners after it has left its slot.

#![expect(unsafe_code, reason = "nodes are reached by pointers, because they are read while they change owners")]

use std::ptr::{self, NonNull};

use crate::sync::{AtomicPtr, AtomicUsize, Ordering};

/// The memory of a message. A publisher owns it first, as a `Box`, and then a slot, as a pointer.
/// The thread that takes it out of the slot owns it as a [`Retired`]. When no thread reads it, a
/// publisher owns it again.
pub struct Node<T> {
    pub(super) value: T,
    /// The message's sequence. It is set before the node is put into a slot, and stays until the
    /// node is reclaimed.
    pub(super) sequence: u64,
    /// The next orphan.
    next: AtomicPtr<Node<T>>,
}

impl<T> Node<T> {
    #[expect(clippy::unnecessary_box_returns, reason = "a node never moves")]
    pub(super) fn new(value: T) -> Box<Self> {
        Box::new(Self { value, sequence: 0, next: AtomicPtr::new(ptr::null_mut()) })
    }
}

/// A node that was taken out of its slot. No thread can find it any more, but some may still read
/// it. There is one `Retired` per node. Dropping it leaks the node.
#[must_use]
pub(super) struct Retired<T>(NonNull<Node<T>>);

// SAFETY: it owns the node as a `Box<Node<T>>` does, and other threads may share the value
// meanwhile, so it needs `T: Send + Sync`.
unsafe impl<T: Send + Sync> Send for Retired<T> {}

impl<T> Retired<T> {
    /// Wraps a node that was in a slot. Returns `None` if `node` is null.
    #[inline]
    pub(super) fn new(node: *mut Node<T>) -> Option<Self> {
        NonNull::new(node).map(Self)
    }

    /// Returns the pin of a subscriber that reads this message.
    #[inline]
    pub(super) fn pin(&self) -> u64 {
        // SAFETY: this is the only `Retired` of the node, so the node is alive. Its sequence does
        // not change until it is reclaimed.
        unsafe { self.0.as_ref() }.sequence + 1
    }

    /// Takes the node back into a `Box`.
    ///
    /// # Safety
    ///
    /// No thread may be reading the node.
    #[inline]
    #[expect(clippy::unnecessary_box_returns, reason = "a node never moves")]
    pub(super) unsafe fn reclaim(self) -> Box<Node<T>> {
        // SAFETY: the node was a `Box` before it was put into a slot, this is its only `Retired`,
        // and no thread reads it (the caller's promise).
        unsafe { Box::from_raw(self.0.as_ptr()) }
    }

    /// Turns an owned node back into a retired one, to be scanned again.
    pub(super) fn from_box(node: Box<Node<T>>) -> Self {
        Self(NonNull::from(Box::leak(node)))
    }
}

/// Retired nodes that are in no publisher's pool, because the pool was in use or its publisher is
/// gone. A Treiber stack that is only taken whole, so there is no ABA problem.
pub(super) struct Orphans<T> {
    head: AtomicPtr<Node<T>>,
    /// About how many nodes are on the stack.
    count: AtomicUsize,
}

impl<T> Default for Orphans<T> {
    fn default() -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()), count: AtomicUsize::new(0) }
    }
}

impl<T> Orphans<T> {
    /// Adds a node. Lock-free: it tries again only after another thread has changed the stack.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "there is one `Retired` per node, and the stack owns it from now on"
    )]
    pub(super) fn push(&self, retired: Retired<T>) {
        self.count.fetch_add(1, Ordering::Relaxed); // [orphans.count-up] Relaxed: a count
        let node = retired.0.as_ptr();
        // [orphans.guess] Relaxed: a guess, which the exchange checks.
        let mut now = self.head.load(Ordering::Relaxed);
        loop {
            // SAFETY: the caller gave its only `Retired`, so the node is alive. No other thread
            // uses `next` until the node is on the stack.
            // [orphans.link] Relaxed: the Release of `orphans.push` publishes it.
            unsafe { &*node }.next.store(now, Ordering::Relaxed);
            // [orphans.push] Release: pairs with the Acquire of `orphans.take`, so that the taker
            // sees `next` and all that was done to the node before. Relaxed on failure: the value
            // is only the next guess.
            match self.head.compare_exchange_weak(now, node, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => now = other,
            }
        }
    }

    /// Takes all nodes.
    pub(super) fn take(&self) -> impl Iterator<Item = Retired<T>> {
        // [orphans.load] Relaxed: only spares a swap where there is no node.
        let mut head = self.head.load(Ordering::Relaxed);
        if !head.is_null() {
            // [orphans.take] Acquire: pairs with the Release of every `orphans.push` on the stack.
            // Each push is part of the release sequences of those before it.
            head = self.head.swap(ptr::null_mut(), Ordering::Acquire);
        }
        std::iter::from_fn(move || {
            let retired = Retired::new(head)?;
            // SAFETY: the stack held the node's only `Retired`, and the swap has taken it.
            // [orphans.next] Relaxed: this thread owns the node since the swap.
            head = unsafe { &*head }.next.load(Ordering::Relaxed);
            self.count.fetch_sub(1, Ordering::Relaxed); // [orphans.count-down] Relaxed: a count
            Some(retired)
        })
    }

    /// Returns the address by which `reentrancy.rs` identifies the ring.
    pub(super) fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Returns about how many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed) // [orphans.len] Relaxed: a count
    }
}
