//! Parking and waking.
//!
//! A *parker* is a thread or task that is about to park. It announces itself, checks the ring
//! again, and sleeps. A publisher commits, runs a fence, looks for parkers, and wakes them. Tasks
//! queue their wakers (`wait/list.rs`). Threads sleep together on one word (`wait/event_count.rs`).
//!
//! # No wake-up is lost
//!
//! A task announces itself when it registers its waker and queues itself. A thread does so when it
//! counts itself among the arrivals. The parker then runs a full fence, and *then* checks the ring
//! once more (slot, hole, lap, end) before it sleeps. A publisher commits, runs a full fence, and
//! *then* looks for parkers. One of the two fences comes first. If it is the parker's, the
//! publisher sees the parker. If it is the publisher's, the parker's second check sees the message.
//!
//! Publishers skip their fence while no subscriber parks: `wait/arming.rs`.
//!
//! # A slow waker delays no other subscriber
//!
//! A waker is user code. It may take long, call back into the ring, or panic. Before a publisher
//! calls a waker, it puts the rest of the list where any other publisher finds it (`handed_off`). A
//! panic is caught, and the other subscribers are woken. A waker may publish, and so call the next
//! waker, and so on, through one ring or many. From some depth on, a publisher leaves the
//! subscribers that it has not woken on the list. It returns for them when the outer calls have
//! ended (`wait/reentrancy.rs`).

mod arming;
mod driver;
mod event_count;
mod list;
mod park;
pub(crate) mod reentrancy;
mod waiter;
mod wake;
mod watchers;

use std::ops::Range;
use std::ptr;
use std::task::Waker;
use std::time::Instant;

use crate::sync::{
    Arc, AtomicBool, AtomicPtr, AtomicUsize, CachePadded, DISARM_PERIOD, Ordering, fence_after_exchange, full_fence,
};
use arming::Arming;
pub(crate) use arming::PublisherFence;
use driver::Driver;
use event_count::EventCount;
use list::{pop, push, take};
pub(crate) use park::{Park, WaitKey};
pub(crate) use waiter::Waiter;
pub(crate) use wake::Driven;
pub(crate) use watchers::{Watcher, Watchers};

/// How many places dropped subscribers may leave on the list, in addition to one per live
/// subscriber.
const DROPPED_LIMIT: usize = 64;

/// The subscribers of a ring that are parked or about to park.
#[derive(Debug)]
pub(crate) struct WaitList {
    /// Publishers load it after each commit. It is rarely written.
    arming: CachePadded<Arming>,
    arrivals: CachePadded<Arrivals>,
    /// A list of lists of waiters that were taken off `parked` and are still to be woken. A
    /// publisher leaves them here while it calls a waker, so that any other publisher can continue.
    /// On a cache line of its own, because a publisher writes it twice for each waker that it
    /// calls.
    handed_off: CachePadded<AtomicPtr<Waiter>>,
    threads: EventCount,
    /// The task that wakes the other tasks, if there is one.
    driver: CachePadded<Driver>,
}

/// The words that parkers write.
#[derive(Debug)]
struct Arrivals {
    /// Tasks that have parked since a publisher last took the list.
    parked: AtomicPtr<Waiter>,
    /// Whether a subscriber has parked since a publisher last tried to disarm the ring.
    parked_recently: AtomicBool,
    /// About how many places on the lists belong to dropped subscribers.
    dropped: AtomicUsize,
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

    /// Returns whether a publisher that has just committed must call [`wake`](Self::wake).
    #[inline]
    pub(crate) fn armed_after_commit(&self) -> bool {
        self.arming.armed_after_commit()
    }

    /// Registers the waker of a task and queues `waiter`. The caller must check the ring again
    /// before it sleeps.
    pub(crate) fn register_waker(&self, waiter: &Arc<Waiter>, waker: &Waker) -> Park {
        waiter.waker.register(waker);
        // [queued.set] AcqRel: pairs with `queued.clear`. Release, so that the publisher that
        // clears it sees the waker. Acquire, so that the caller writes `next` after its last owner
        // has read it.
        if !waiter.queued.swap(true, Ordering::AcqRel) {
            push(&self.arrivals.parked, Arc::clone(waiter));
        }
        self.fence_and_arm()
    }

    /// Announces that the calling thread is about to sleep. It must check the ring again before it
    /// does.
    pub(crate) fn prepare_wait(&self) -> WaitKey {
        let epoch = self.threads.prepare_wait();
        WaitKey { epoch, park: self.fence_and_arm() }
    }

    /// Orders the caller's announcement before its next check of the ring, and makes publishers
    /// look for it.
    fn fence_and_arm(&self) -> Park {
        // [park.fence] SeqCst: pairs with the fences in `wake_threads`, `has_parked` and `disarm`.
        // One of the two sides sees the other. `fence_after_exchange` is enough, because the last
        // store before it is a read-modify-write.
        fence_after_exchange();
        // [parked-recently.set] Relaxed: a hint
        self.arrivals.parked_recently.store(true, Ordering::Relaxed);
        if self.arming.arm() { Park::UntilWoken } else { Park::Polling }
    }

    /// Sleeps until woken or until `deadline`. It may return early.
    pub(crate) fn commit_wait(&self, key: WaitKey, deadline: Option<Instant>) {
        self.threads.commit_wait(key.epoch, key.park.until(deadline));
    }

    /// Returns whether a parker exists. The caller has changed what parkers wait for.
    pub(crate) fn has_parked(&self) -> bool {
        // [has-parked.fence] SeqCst: pairs with `park.fence`, as `wake.fence` does.
        full_fence();
        self.finds_parked()
    }

    /// Returns whether a parker exists. The caller has run a fence.
    fn finds_parked(&self) -> bool {
        self.finds_tasks() || !self.threads.is_idle()
    }

    /// Returns whether a task is queued. The caller has run a fence.
    fn finds_tasks(&self) -> bool {
        // [parked.look] [handed-off.look] Relaxed, both: they come after the fence.
        let tasks = [self.arrivals.parked.load(Ordering::Relaxed), self.handed_off.load(Ordering::Relaxed)];
        tasks.iter().any(|list| !list.is_null())
    }

    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Disarms the ring if no subscriber has parked for a while, so that publishers need no fence
    /// until one does. Called after a publish on an armed ring. It checks once in `DISARM_PERIOD`
    /// sequences.
    pub(crate) fn maybe_disarm(&self, published: Range<u64>) {
        if published.start / DISARM_PERIOD != published.end / DISARM_PERIOD {
            self.disarm();
        }
    }

    #[cold]
    fn disarm(&self) {
        // [parked-recently.take] Relaxed: a hint.
        if self.arrivals.parked_recently.swap(false, Ordering::Relaxed) {
            return;
        }
        let Some(attempt) = self.arming.begin_to_disarm() else { return };
        // [disarm.fence] SeqCst: pairs with `park.fence` and `hand-off.fence`. A thread that is not
        // seen below sees the attempt.
        full_fence();
        if self.finds_parked() {
            self.arming.cancel_disarm();
        } else {
            self.arming.disarm(attempt);
        }
    }

    /// Notes that a subscriber was dropped, which may have left its place on the list.
    ///
    /// Returns `true` when too many such places have accumulated because no publisher publishes.
    /// Then the caller wakes all, which removes them. A wake-up without a message does no harm.
    #[must_use]
    pub(crate) fn note_dropped(&self, waiter: &Waiter, live: usize) -> bool {
        // [queued.look] [dropped.count] Relaxed, both: an estimate.
        if !waiter.queued.load(Ordering::Relaxed) {
            return false;
        }
        let dropped = self.arrivals.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        dropped > DROPPED_LIMIT + live
    }

    /// Resets the count of dropped subscribers, after all places on the lists were taken.
    fn forget_dropped(&self) {
        // [dropped.look] [dropped.reset] Relaxed, both: an estimate. The load comes first, so that
        // an empty list costs no store.
        if self.arrivals.dropped.load(Ordering::Relaxed) != 0 {
            self.arrivals.dropped.store(0, Ordering::Relaxed);
        }
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
