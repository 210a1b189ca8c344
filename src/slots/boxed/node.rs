//! A message in memory of its own, and what becomes of it after its slot.

#![expect(unsafe_code, reason = "nodes are reached by pointers, as they are looked at while they change hands")]

use std::ptr::{self, NonNull};

use crate::sync::{AtomicPtr, AtomicUsize, Ordering};

/// A message. Its owner is, in turn: a publisher (a `Box`), a slot (a pointer), whoever took it out ([`Retired`]), and once nobody
/// looks at it, a publisher again.
pub struct Node<T> {
    pub(super) value: T,
    /// The message's, from before it is put into a slot until it is reclaimed.
    pub(super) sequence: u64,
    /// The next of the orphans.
    next: AtomicPtr<Node<T>>,
}

impl<T> Node<T> {
    #[expect(clippy::unnecessary_box_returns, reason = "a node never moves")]
    pub(super) fn new(value: T) -> Box<Self> {
        Box::new(Self { value, sequence: 0, next: AtomicPtr::new(ptr::null_mut()) })
    }
}

/// A node taken out of its slot: nobody can find it any more, but some may be looking at it. There is one for a node; to drop it is to
/// leak the node.
#[must_use]
pub(super) struct Retired<T>(NonNull<Node<T>>);

// SAFETY: it is as good as a `Box<Node<T>>`, whose value others share meanwhile: `T: Send + Sync`.
unsafe impl<T: Send + Sync> Send for Retired<T> {}

impl<T> Retired<T> {
    /// `node` was a slot's, or is null.
    #[inline]
    pub(super) fn new(node: *mut Node<T>) -> Option<Self> {
        NonNull::new(node).map(Self)
    }

    /// What a subscriber's pin says that looks at it.
    #[inline]
    pub(super) fn pin(&self) -> u64 {
        // SAFETY: whoever has the only `Retired` of a node keeps it alive; the sequence changes no more until it is reclaimed.
        unsafe { self.0.as_ref() }.sequence + 1
    }

    /// # Safety
    ///
    /// Nobody is looking at it.
    #[inline]
    #[expect(clippy::unnecessary_box_returns, reason = "a node never moves")]
    pub(super) unsafe fn reclaim(self) -> Box<Node<T>> {
        // SAFETY: it came out of a `Box` before it was put into a slot, this is the only `Retired` of it, and nobody looks at it
        // (the caller's promise).
        unsafe { Box::from_raw(self.0.as_ptr()) }
    }

    /// Turns an owned node back into a retired one, to be scanned again.
    pub(super) fn from_box(node: Box<Node<T>>) -> Self {
        Self(NonNull::from(Box::leak(node)))
    }
}

/// Retired nodes that are in no publisher's pool: it was in use, or its publisher is gone. A Treiber stack that is only taken whole, so
/// that there is no ABA.
pub(super) struct Orphans<T> {
    head: AtomicPtr<Node<T>>,
    /// About how many.
    count: AtomicUsize,
}

impl<T> Default for Orphans<T> {
    fn default() -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()), count: AtomicUsize::new(0) }
    }
}

impl<T> Orphans<T> {
    /// Lock-free: another attempt is made only after somebody else went on.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "there is one `Retired` for a node, and the stack has it from now on"
    )]
    pub(super) fn push(&self, retired: Retired<T>) {
        self.count.fetch_add(1, Ordering::Relaxed); // [orphans.count-up] Relaxed: only a count
        let node = retired.0.as_ptr();
        // [orphans.guess] Relaxed: a guess, which the exchange checks.
        let mut now = self.head.load(Ordering::Relaxed);
        loop {
            // SAFETY: the only `Retired` of it was given to us, so it is alive; `next` is used by nobody else until it is on the stack.
            // [orphans.link] Relaxed: the Release below publishes it.
            unsafe { &*node }.next.store(now, Ordering::Relaxed);
            // [orphans.push] Release: pairs with the Acquire of `take`: `next`, and all that was done to the node before, come first.
            match self.head.compare_exchange_weak(now, node, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => now = other,
            }
        }
    }

    /// Takes all there are.
    pub(super) fn take(&self) -> impl Iterator<Item = Retired<T>> {
        // [orphans.load] Relaxed: a look, so that nobody pays for a swap where nothing is left.
        let mut head = self.head.load(Ordering::Relaxed);
        if !head.is_null() {
            // [orphans.take] Acquire: pairs with the Release of every `push` on the stack (each a part of the next one's release sequence).
            head = self.head.swap(ptr::null_mut(), Ordering::Acquire);
        }
        std::iter::from_fn(move || {
            let retired = Retired::new(head)?;
            // SAFETY: taken off the stack, which held its only `Retired`. [orphans.next] Relaxed: ours since the swap.
            head = unsafe { &*head }.next.load(Ordering::Relaxed);
            self.count.fetch_sub(1, Ordering::Relaxed); // [orphans.count-down] Relaxed: only a count
            Some(retired)
        })
    }

    /// By which `reentrancy.rs` knows the ring.
    pub(super) fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// About how many there are.
    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed) // [orphans.len] Relaxed: only a count
    }
}
