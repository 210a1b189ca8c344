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
    /// For onlookers: its task sleeps and was not woken, or its thread sleeps.
    parked: AtomicBool,
}

impl Waiter {
    pub(crate) fn new() -> Self {
        Self {
            waker: WakerCell::default(),
            queued: AtomicBool::new(false),
            next: AtomicPtr::new(ptr::null_mut()),
            next_list: AtomicPtr::new(ptr::null_mut()),
            parked: AtomicBool::new(false),
        }
    }

    /// Says whether its task or thread sleeps now: by its subscriber, or by a publisher that wakes it.
    pub(crate) fn set_parked(&self, parked: bool) {
        self.parked.store(parked, Ordering::Relaxed); // [parked.set] Relaxed: only onlookers read it
    }

    /// Whether its task or thread sleeps.
    pub(crate) fn is_parked(&self) -> bool {
        self.parked.load(Ordering::Relaxed) // [parked.look] Relaxed: a glance
    }

    /// Forgets the waker: its task is awake or gone. The place on the list stays until a publisher takes it.
    pub(crate) fn forget_waker(&self) {
        self.set_parked(false);
        // [queued.own-load] Relaxed: only its own subscriber sets it. If somebody cleared it since, that one has the waker or is about to take it.
        if self.queued.load(Ordering::Relaxed) {
            reentrancy::discard(self.waker.take());
        }
    }
}

impl Drop for Waiter {
    /// A waker that is still here is the user's, and so is its drop, which must not take the publisher along that happens to
    /// hold the last reference.
    fn drop(&mut self) {
        reentrancy::discard(std::mem::take(&mut self.waker));
    }
}
