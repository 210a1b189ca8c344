//! Parking and waking. A parker announces itself, looks at the ring again, and sleeps. A publisher
//! commits, fences, looks for parkers, and wakes them. Tasks queue their wakers (`wait/list.rs`); threads
//! sleep together on one word (`wait/event_count.rs`).
//!
//! # No wake-up is lost
//!
//! A parker announces itself: a task registers its waker and queues itself, a thread counts itself among
//! the arrivals. Then it runs a full fence, and *then* it looks at the ring once more (slot, hole, lap,
//! end) before it sleeps. A publisher commits, runs a full fence, and *then* looks for parkers. One of
//! the two fences comes first. If it is the parker's, the publisher sees the parker. If it is the
//! publisher's, the parker's second look sees the message.
//!
//! Publishers skip their fence while no subscriber parks: `wait/arming.rs`.
//!
//! # A slow waker delays no other subscriber
//!
//! A waker is user code. It may take long, call back into the ring, or panic. Before a publisher calls
//! one, it puts the rest of the list where any other publisher finds it (`handed_off`). A panic is
//! caught, and the other subscribers are woken. A waker may publish, and so call the next waker, and so
//! on, through one ring or many. From some depth on a publisher leaves the subscribers that it has not
//! woken on the list, and returns for them when the outer calls have ended (`wait/reentrancy.rs`).

mod arming;
mod driver;
mod event_count;
mod list;
pub(crate) mod reentrancy;
mod waiter;
mod watchers;

use std::ops::Range;
use std::ptr;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::sync::{
    Arc, AtomicBool, AtomicPtr, AtomicUsize, CachePadded, DISARM_PERIOD, Ordering, WAKE_SLICE, fence_after_exchange,
    full_fence,
};
use arming::Arming;
pub(crate) use arming::PublisherFence;
use driver::{Driver, Duty};
use event_count::{Epoch, EventCount};
use list::{join, pop, push, reverse, splice, take};
use reentrancy::NO_LIST;
pub(crate) use waiter::Waiter;
pub(crate) use watchers::{Watcher, Watchers};

/// How often a parker polls when nothing proves that it will be woken.
const POLL_PERIOD: Duration = Duration::from_millis(1);

/// How many places dropped subscribers may leave on the list, beyond one for each live subscriber.
const DROPPED_LIMIT: usize = 64;

/// The subscribers of a ring that sleep or are about to sleep.
#[derive(Debug)]
pub(crate) struct WaitList {
    /// Publishers read it after each commit. It is rarely written.
    arming: CachePadded<Arming>,
    arrivals: CachePadded<Arrivals>,
    /// Waiters taken off `parked` that are still to be woken, left here while their publisher calls a waker, so that any other can
    /// go on. A list of lists. On a line of its own, as a publisher writes it twice for each waker it calls.
    handed_off: CachePadded<AtomicPtr<Waiter>>,
    threads: EventCount,
    /// The task that wakes the others, if there is one.
    driver: CachePadded<Driver>,
}

/// Written by parkers.
#[derive(Debug)]
struct Arrivals {
    /// Tasks that parked since a publisher last took the list.
    parked: AtomicPtr<Waiter>,
    /// Whether a subscriber parked since a publisher last asked.
    parked_recently: AtomicBool,
    /// About how many places on the lists belong to dropped subscribers.
    dropped: AtomicUsize,
}

/// How a parker may sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Park {
    /// Until woken.
    UntilWoken,
    /// At most for `POLL_PERIOD`: nothing proves the wake-up.
    Polling,
}

impl Park {
    /// The earlier of the caller's deadline and the sleeper's own.
    pub(crate) fn until(self, deadline: Option<Instant>) -> Option<Instant> {
        match self {
            Park::UntilWoken => deadline,
            Park::Polling => {
                let look = Instant::now() + POLL_PERIOD;
                Some(deadline.map_or(look, |deadline| deadline.min(look)))
            }
        }
    }
}

/// How far a driver came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driven {
    /// It was called for no more tasks.
    Wholly,
    /// There are more, and it must come back.
    Partly,
    /// It cannot be called any more.
    Unusable,
}

/// A thread that is about to sleep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WaitKey {
    epoch: Epoch,
    park: Park,
}

impl WaitList {
    pub(crate) fn new(fence: PublisherFence) -> Self {
        Self {
            arming: CachePadded::new(Arming::new(fence)),
            arrivals: CachePadded::new(Arrivals {
                parked: AtomicPtr::new(ptr::null_mut()),
                parked_recently: AtomicBool::new(false),
                dropped: AtomicUsize::new(0),
            }),
            handed_off: CachePadded::new(AtomicPtr::new(ptr::null_mut())),
            threads: EventCount::new(),
            driver: CachePadded::new(Driver::new()),
        }
    }

    /// Whether a publisher that has just committed must call [`wake`](Self::wake).
    #[inline]
    pub(crate) fn armed_after_commit(&self) -> bool {
        self.arming.armed_after_commit()
    }

    /// Registers the waker of a task and queues `waiter`. The caller must look at the ring again before it sleeps.
    pub(crate) fn register_waker(&self, waiter: &Arc<Waiter>, waker: &Waker) -> Park {
        waiter.waker.register(waker);
        // [queued.set] AcqRel: Release so that whoever clears it sees the waker; Acquire so that `next` is ours after the last owner.
        if !waiter.queued.swap(true, Ordering::AcqRel) {
            push(&self.arrivals.parked, Arc::clone(waiter));
        }
        self.fence_and_arm()
    }

    /// Announces that the calling thread is about to sleep. It must look at the ring again before it does.
    pub(crate) fn prepare_wait(&self) -> WaitKey {
        let epoch = self.threads.prepare_wait();
        WaitKey { epoch, park: self.fence_and_arm() }
    }

    /// Publishers can find the caller from now on. What they did before, the caller finds after this.
    fn fence_and_arm(&self) -> Park {
        // [park.fence] Pairs with the fences in `wake` and `disarm`: one of the two sees the other. (`fence_after_exchange` is enough: the
        // last store before it is a read-modify-write.)
        fence_after_exchange();
        self.arrivals.parked_recently.store(true, Ordering::Relaxed); // [parked-recently.set] Relaxed: about right will do
        if self.arming.arm() { Park::UntilWoken } else { Park::Polling }
    }

    /// Sleeps until woken or until `deadline`; may return early.
    pub(crate) fn commit_wait(&self, key: WaitKey, deadline: Option<Instant>) {
        self.threads.commit_wait(key.epoch, key.park.until(deadline));
    }

    /// Whether anybody is parked. After the caller has changed what they wait for.
    pub(crate) fn has_parked(&self) -> bool {
        // [has-parked.fence] As `wake.fence`.
        full_fence();
        self.finds_parked()
    }

    /// After the caller's fence.
    fn finds_parked(&self) -> bool {
        self.finds_tasks() || !self.threads.is_idle()
    }

    /// After the caller's fence.
    fn finds_tasks(&self) -> bool {
        // [parked.look] [handed-off.look] Relaxed, both: after the fence.
        let tasks = [self.arrivals.parked.load(Ordering::Relaxed), self.handed_off.load(Ordering::Relaxed)];
        tasks.iter().any(|list| !list.is_null())
    }

    /// After a commit, or several, the last of them before `end`: wakes all parked threads, and all tasks or the driver. The driver
    /// may take until `patience` messages more are published. `false` as [`wake`](Self::wake).
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

    /// A task becomes the driver. `false` if there is one.
    pub(crate) fn begin_to_drive(&self, now: u64) -> bool {
        self.driver.begin(now)
    }

    /// By the driver: wakes some parked tasks. It has `waker` woken when there are more to wake later.
    ///
    /// Those that were left come first, and tasks that parked since the driver was last called are left alone: they have read all
    /// there is.
    #[must_use]
    pub(crate) fn drive(&self, waker: &Waker) -> Driven {
        let Some(is_called) = self.driver.rest(waker) else { return Driven::Unusable };
        let mut lists = take(&self.handed_off);
        if is_called {
            lists = join(lists, take(&self.arrivals.parked));
        }
        if reentrancy::at_limit_in(self.address()) {
            self.hand_off(lists);
            // An outer call of this ring wakes them, if there is one. Otherwise the driver comes back when calls nest less deep.
            if reentrancy::at_depth_limit() {
                let waker = waker.clone();
                reentrancy::later(NO_LIST, move || waker.wake());
            }
            return Driven::Wholly;
        }
        for _ in 0..WAKE_SLICE {
            if !self.wake_one(&mut lists) {
                self.forget_dropped();
                return Driven::Wholly;
            }
        }
        // [handed-off.rest] Relaxed: what others hand off from now on, they wake or call for.
        if self.handed_off.load(Ordering::Relaxed).is_null() { Driven::Wholly } else { Driven::Partly }
    }

    /// There is no driver any more. The caller wakes all parked tasks next, and then drops this waker.
    #[must_use]
    pub(crate) fn end_driving(&self) -> Option<Waker> {
        self.driver.end()
    }

    /// Wakes the driver, for the end of the ring.
    pub(crate) fn wake_driver(&self) {
        call(self.driver.take_waker());
    }

    /// Wakes all parked subscribers, after a commit, a skip or the end of the ring. `false`: calls of wakers nest too deep here, and
    /// some tasks are left. The caller must return for them.
    #[cold]
    #[must_use]
    pub(crate) fn wake(&self) -> bool {
        self.wake_in(|list| list)
    }

    /// The same, and the task that has waited longest first.
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
        // [wake.fence] Pairs with the fence of parkers: one of the two sees the other.
        full_fence();
        self.threads.wake();
    }

    fn wake_tasks(&self, order: fn(*mut Waiter) -> *mut Waiter) -> bool {
        let mut lists = order(take(&self.arrivals.parked));
        if reentrancy::at_limit_in(self.address()) {
            self.hand_off(lists);
            // Another publisher may have handed some off and been suspended. (If an outer call of this ring exists, it wakes them.)
            // [handed-off.load] Relaxed: lists not seen here belong to a publisher that is still waking, or that returns for them.
            return !reentrancy::at_depth_limit() || self.handed_off.load(Ordering::Relaxed).is_null();
        }
        while self.wake_one(&mut lists) {}
        self.forget_dropped();
        true
    }

    /// All places on the lists were taken.
    fn forget_dropped(&self) {
        // [dropped.look] [dropped.reset] Relaxed, both: about right will do. A look, so that an empty list costs no store.
        if self.arrivals.dropped.load(Ordering::Relaxed) != 0 {
            self.arrivals.dropped.store(0, Ordering::Relaxed);
        }
    }

    /// Wakes the first task of `lists`, or one that was handed off, and hands off the others meanwhile. `false` when there is none.
    #[inline]
    fn wake_one(&self, lists: &mut *mut Waiter) -> bool {
        if lists.is_null() {
            *lists = take(&self.handed_off);
        }
        let Some(waiter) = pop(lists) else { return false };
        self.hand_off(std::mem::replace(lists, ptr::null_mut()));
        // [queued.clear] AcqRel. Acquire: the waker registered before the `swap(true)` is seen. Release: the subscriber owns `next` when
        // it queues itself again. After `next` was read, and before the wake: a task woken first could find itself still queued, not
        // queue again, and sleep forever.
        waiter.queued.swap(false, Ordering::AcqRel);
        if let Some(waker) = waiter.waker.take() {
            reentrancy::call_now(self.address(), || waker.wake());
        }
        true
    }

    /// Leaves lists that the caller owns, or none, to other publishers. Nobody could see them until now, so the ring may have been
    /// disarmed in the meantime. Then publishers are made to look again.
    fn hand_off(&self, lists: *mut Waiter) {
        if lists.is_null() {
            return;
        }
        splice(&self.handed_off, lists);
        // [hand-off.fence] Pairs with the fence in `disarm`: either that publisher finds the lists, or what it did to the arming is found
        // here. (The last store before it is a read-modify-write.)
        fence_after_exchange();
        if !self.arming.is_armed() {
            self.arming.begin_to_arm();
        }
    }

    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Called after a publish on an armed ring. Once in `DISARM_PERIOD` sequences it asks whether a subscriber parked since it last asked.
    /// If not, publishers need no fence until one does.
    pub(crate) fn maybe_disarm(&self, published: Range<u64>) {
        if published.start / DISARM_PERIOD != published.end / DISARM_PERIOD {
            self.disarm();
        }
    }

    #[cold]
    fn disarm(&self) {
        // [parked-recently.take] Relaxed: about right will do.
        if self.arrivals.parked_recently.swap(false, Ordering::Relaxed) {
            return;
        }
        let Some(attempt) = self.arming.begin_to_disarm() else { return };
        // [disarm.fence] Pairs with the fences of parkers and of `hand_off`: those not seen below see the attempt.
        full_fence();
        if self.finds_parked() {
            self.arming.cancel_disarm();
        } else {
            self.arming.disarm(attempt);
        }
    }

    /// Notes that a subscriber was dropped, perhaps with its place on the list. `true` when too many such places have accumulated, on a
    /// ring where nobody publishes. Then the caller wakes all, which removes them. A wake-up without a message does no harm.
    #[must_use]
    pub(crate) fn note_dropped(&self, waiter: &Waiter, live: usize) -> bool {
        // [queued.look] [dropped.count] Relaxed, both: only a count, and about right.
        if !waiter.queued.load(Ordering::Relaxed) {
            return false;
        }
        let dropped = self.arrivals.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        dropped > DROPPED_LIMIT + live
    }
}

/// Calls the waker of a driver, if there is one. Of no list: this call does not return for tasks that publishers within it leave on
/// the list.
fn call(waker: Option<Waker>) {
    if let Some(waker) = waker {
        reentrancy::call(NO_LIST, || waker.wake());
    }
}

impl Drop for WaitList {
    fn drop(&mut self) {
        for head in [&self.arrivals.parked, &*self.handed_off] {
            let mut lists = take(head);
            while pop(&mut lists).is_some() {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeper_looks_again_in_time() {
        let (now, day) = (Instant::now(), Duration::from_secs(86_400));
        assert_eq!(Park::UntilWoken.until(None), None);
        assert_eq!(Park::UntilWoken.until(Some(now + day)), Some(now + day));
        let soon = |until: Option<Instant>| until.unwrap() < now + day / 2;
        assert!(soon(Park::Polling.until(None)) && soon(Park::Polling.until(Some(now + day))));
        assert_eq!(Park::Polling.until(Some(now)), Some(now));
    }
}
