//! Waking: parked threads, parked tasks, and the driver.

use std::ptr;
use std::task::Waker;

use super::WaitList;
use super::driver::Duty;
use super::list::{join, pop, reverse, splice, take};
use super::reentrancy::{self, NO_LIST};
use super::waiter::Waiter;
use crate::sync::{Ordering, WAKE_SLICE, fence_after_exchange, full_fence};

/// The result of one turn of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driven {
    /// It has woken all tasks that it was called for.
    Done,
    /// There are more tasks to wake, so it must run again.
    More,
    /// It cannot be called any more.
    Unusable,
}

impl WaitList {
    /// Wakes all parked subscribers, after a commit, a skip or the end of the ring.
    ///
    /// Returns `false` if calls of wakers nest too deep on this thread, so that some tasks are
    /// still parked. The caller must return for them.
    #[cold]
    #[must_use]
    pub(crate) fn wake(&self) -> bool {
        self.wake_in(|list| list)
    }

    /// Wakes all parked subscribers as [`wake`](Self::wake) does, the task that has waited longest
    /// first.
    #[cold]
    #[must_use]
    pub(crate) fn wake_in_order(&self) -> bool {
        self.wake_in(reverse)
    }

    fn wake_in(&self, order: fn(*mut Waiter) -> *mut Waiter) -> bool {
        self.wake_threads();
        self.wake_tasks(order)
    }

    fn wake_threads(&self) {
        // [wake.fence] SeqCst: pairs with `park.fence`. Either this thread sees the parker, or the
        // parker sees what this thread did before.
        full_fence();
        self.threads.wake();
    }

    fn wake_tasks(&self, order: fn(*mut Waiter) -> *mut Waiter) -> bool {
        let mut lists = order(take(&self.arrivals.parked));
        if reentrancy::at_limit_in(self.address()) {
            self.hand_off(lists);
            // Another publisher may have handed some off and been suspended. An outer call of this
            // ring wakes them, if there is one.
            // [handed-off.load] Relaxed: lists not seen here belong to a publisher that still wakes
            // tasks, or that returns for them.
            return !reentrancy::at_depth_limit() || self.handed_off.load(Ordering::Relaxed).is_null();
        }
        while self.wake_one(&mut lists) {}
        self.forget_dropped();
        true
    }

    /// Wakes the first task of `lists`, or one that was handed off. Hands off the others during the
    /// call. Returns `false` when there is none.
    #[inline]
    fn wake_one(&self, lists: &mut *mut Waiter) -> bool {
        if lists.is_null() {
            *lists = take(&self.handed_off);
        }
        let Some(waiter) = pop(lists) else { return false };
        self.hand_off(std::mem::replace(lists, ptr::null_mut()));
        // [queued.clear] AcqRel: pairs with `queued.set`. Acquire, so that this thread sees the
        // waker that was registered before. Release, so that the subscriber owns `next` when it
        // queues itself again. This comes after the load of `next` and before the wake-up: a task
        // that was woken first could find itself still queued, not queue itself again, and sleep
        // forever.
        waiter.queued.swap(false, Ordering::AcqRel);
        if let Some(waker) = waiter.waker.take() {
            reentrancy::call_now(self.address(), || waker.wake());
        }
        true
    }

    /// Leaves lists that the caller owns to other publishers. `lists` may be null.
    ///
    /// No other thread could see the lists until now, so the ring may have been disarmed. Then this
    /// sets `ARMING`, so that publishers look for parkers.
    fn hand_off(&self, lists: *mut Waiter) {
        if lists.is_null() {
            return;
        }
        splice(&self.handed_off, lists);
        // [hand-off.fence] SeqCst: pairs with `disarm.fence`. Either the publisher that disarms
        // finds the lists, or this thread finds its change of the arming. The last store before the
        // fence is a read-modify-write.
        fence_after_exchange();
        if !self.arming.is_armed() {
            self.arming.begin_to_arm();
        }
    }

    /// Wakes all parked threads, and either all parked tasks or the driver. The caller has
    /// committed one or more messages, the last of them before `end`. The driver may take until
    /// `patience` more messages are published. Returns `false` as [`wake`](Self::wake) does.
    #[cold]
    #[must_use]
    pub(crate) fn wake_after_commit(&self, end: u64, patience: u64) -> bool {
        self.wake_threads();
        match self.driver.duty(end, patience, || self.finds_tasks()) {
            Duty::Nothing => {}
            Duty::CallDriver(waker) => call(waker),
            Duty::WakeTasks => return self.wake_tasks(|list| list),
        }
        true
    }

    /// Makes the calling task the driver. Returns `false` if there is one already.
    pub(crate) fn begin_to_drive(&self, now: u64) -> bool {
        self.driver.begin(now)
    }

    /// Wakes some parked tasks, on behalf of the driver. `waker` is woken when there are more to
    /// wake later.
    ///
    /// Tasks left from the last turn come first. Tasks that parked since the driver was last called
    /// stay parked, because they have read all there is.
    #[must_use]
    pub(crate) fn drive(&self, waker: &Waker) -> Driven {
        let Some(is_called) = self.driver.set_idle(waker) else { return Driven::Unusable };
        let mut lists = take(&self.handed_off);
        if is_called {
            lists = join(lists, take(&self.arrivals.parked));
        }
        if reentrancy::at_limit_in(self.address()) {
            self.hand_off(lists);
            // An outer call of this ring wakes them, if there is one. Otherwise the driver runs
            // again when calls nest less deep.
            if reentrancy::at_depth_limit() {
                let waker = waker.clone();
                reentrancy::later(NO_LIST, move || waker.wake());
            }
            return Driven::Done;
        }
        for _ in 0..WAKE_SLICE {
            if !self.wake_one(&mut lists) {
                self.forget_dropped();
                return Driven::Done;
            }
        }
        // [handed-off.rest] Relaxed: a publisher that hands off lists later wakes them itself or
        // calls the driver.
        if self.handed_off.load(Ordering::Relaxed).is_null() { Driven::Done } else { Driven::More }
    }

    /// Ends the driver. The caller wakes all parked tasks next, and then drops the returned waker.
    #[must_use]
    pub(crate) fn end_driving(&self) -> Option<Waker> {
        self.driver.end()
    }

    /// Wakes the driver at the end of the ring.
    pub(crate) fn wake_driver(&self) {
        call(self.driver.take_waker());
    }
}

/// Calls the waker of a driver, if there is one. The call belongs to no list: it does not return
/// for tasks that publishers inside it leave on the list.
fn call(waker: Option<Waker>) {
    if let Some(waker) = waker {
        reentrancy::call(NO_LIST, || waker.wake());
    }
}
