//! A subscriber's node on the wait lists.

use std::ptr;

use super::reentrancy;
use crate::sync::{AtomicBool, AtomicPtr, Ordering, WakerCell};

/// A subscriber's node on the wait lists, with its waker.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(super) waker: WakerCell,
    /// Whether it is on a list, or was taken off by a publisher that has not read its links yet.
    /// Changed by `swap` alone.
    pub(super) queued: AtomicBool,
    /// The next node on the list. The owner of the node owns this and `next_list`. That is its
    /// subscriber until it is queued, and then the thread that takes it.
    pub(super) next: AtomicPtr<Waiter>,
    /// In the first node of a list: the first node of the next list.
    pub(super) next_list: AtomicPtr<Waiter>,
    /// For statistics: its task has returned `Pending` and was not polled since.
    pending: AtomicBool,
    /// For statistics: its thread sleeps.
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

    /// Notes that the subscriber's task returns `Pending`. The subscriber calls it.
    pub(crate) fn set_pending(&self) {
        // [pending.set] Relaxed: only statistics read it
        self.pending.store(true, Ordering::Relaxed);
    }

    /// Notes whether the subscriber's thread sleeps. The subscriber calls it.
    pub(crate) fn set_asleep(&self, asleep: bool) {
        // [asleep.set] Relaxed: only statistics read it
        self.asleep.store(asleep, Ordering::Relaxed);
    }

    /// Returns whether its task sleeps and was not woken, or its thread sleeps.
    pub(crate) fn is_parked(&self) -> bool {
        // [pending.load] [queued.glance] [asleep.load] Relaxed, all: a snapshot for statistics. A
        // task that was taken off the list counts as woken.
        let task = self.pending.load(Ordering::Relaxed) && self.queued.load(Ordering::Relaxed);
        task || self.asleep.load(Ordering::Relaxed)
    }

    /// Drops the waker, because its task is awake or gone. The place on the list stays until a
    /// publisher takes it.
    pub(crate) fn forget_waker(&self) {
        self.pending.store(false, Ordering::Relaxed); // [pending.clear] Relaxed: as above
        // [queued.own-load] Relaxed: only its own subscriber sets it. A thread that has cleared it
        // since has the waker or is about to take it.
        if self.queued.load(Ordering::Relaxed) {
            self.discard_waker();
        }
    }

    /// Drops the waker, if there is one, whether its task is queued or not.
    pub(crate) fn discard_waker(&self) {
        reentrancy::discard(self.waker.take());
    }
}

impl Drop for Waiter {
    /// Drops a waker that is still here. The waker is a user's, and so is its drop. A panic in it
    /// must not reach the publisher that drops the last reference.
    fn drop(&mut self) {
        reentrancy::discard(std::mem::take(&mut self.waker));
    }
}
