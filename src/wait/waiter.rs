//! A subscriber's place among those who wait.

use std::ptr;

use super::reentrancy;
use crate::sync::{AtomicBool, AtomicPtr, Ordering, WakerCell};

/// A subscriber's place among those who wait.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(super) waker: WakerCell,
    /// Whether it is on a list or in a publisher's hand. Set and cleared by `swap` alone.
    pub(super) queued: AtomicBool,
    /// The next on the list. This and `next_list` belong to whoever owns the node: its subscriber until it is queued, then who
    /// takes it.
    pub(super) next: AtomicPtr<Waiter>,
    /// In the first node of a list: the first node of another list.
    pub(super) next_list: AtomicPtr<Waiter>,
    /// For observers: its task returned `Pending`, and was not polled since.
    pending: AtomicBool,
    /// For observers: its thread sleeps.
    asleep: AtomicBool,
}

impl Waiter {
    pub(crate) fn new() -> Self {
        Self {
            waker: WakerCell::default(),
            queued: AtomicBool::new(false),
            next: AtomicPtr::new(ptr::null_mut()),
            next_list: AtomicPtr::new(ptr::null_mut()),
            pending: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
        }
    }

    /// By its subscriber: notes that its task returns `Pending`.
    pub(crate) fn set_pending(&self) {
        self.pending.store(true, Ordering::Relaxed); // [pending.set] Relaxed: only observers read it
    }

    /// By its subscriber: notes whether its thread sleeps.
    pub(crate) fn set_asleep(&self, asleep: bool) {
        self.asleep.store(asleep, Ordering::Relaxed); // [asleep.set] Relaxed: only observers read it
    }

    /// Whether its task sleeps and was not woken, or its thread sleeps.
    pub(crate) fn is_parked(&self) -> bool {
        // [pending.load] [queued.glance] [asleep.load] Relaxed, all: a glance. A task that was taken off the list was woken.
        let task = self.pending.load(Ordering::Relaxed) && self.queued.load(Ordering::Relaxed);
        task || self.asleep.load(Ordering::Relaxed)
    }

    /// Forgets the waker: its task is awake or gone. The place on the list stays until a publisher takes it.
    pub(crate) fn forget_waker(&self) {
        self.pending.store(false, Ordering::Relaxed); // [pending.clear] Relaxed: as above
        // [queued.own-load] Relaxed: only its own subscriber sets it. If somebody cleared it since, that one has the waker or is about to take it.
        if self.queued.load(Ordering::Relaxed) {
            self.discard_waker();
        }
    }

    /// The subscriber is gone: drops a waker that is here for any reason.
    pub(crate) fn discard_waker(&self) {
        reentrancy::discard(self.waker.take());
    }
}

impl Drop for Waiter {
    /// A waker that is still here is the user's, and so is its drop, which must not take the publisher along that happens to
    /// hold the last reference.
    fn drop(&mut self) {
        reentrancy::discard(std::mem::take(&mut self.waker));
    }
}
