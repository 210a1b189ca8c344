//! Parked subscribers: announce oneself, look again, sleep; publish, fence, look, wake. Tasks queue their wakers (`wait/list.rs`); threads
//! sleep together on one word (`wait/event_count.rs`).
//!
//! # No wake-up is lost
//!
//! A parker announces itself (a task registers its waker and queues itself, a thread counts itself among the arrivals), runs a full fence and *then*
//! looks at the ring once more (slot, hole, lap, end) before it sleeps. A publisher commits, runs a full fence and *then* looks who
//! is there. Of two such fences one comes first: if the parker's, the publisher sees it announced; if the publisher's, the parker's
//! second look sees the message.
//!
//! # Nobody is held by somebody else's waker
//!
//! A waker is the user's code: it may take its time, call back into the ring, or panic. Before a publisher calls one it
//! puts the rest of the list where any other publisher finds it (`handed_off`). A panic is the waker's owner's affair: it ends
//! here, and the others are woken. A waker may publish, and so call the next waker, and so on, through one ring or many. From some
//! depth on a publisher leaves those that it has not woken on the list, where any other finds them, and comes back for them when the calls around
//! have returned (`reentrancy.rs`).

mod arming;
mod event_count;
mod list;
pub(crate) mod reentrancy;
mod waiter;

use std::ops::Range;
use std::ptr;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::sync::{
    Arc, AtomicBool, AtomicPtr, AtomicUsize, CachePadded, DISARM_PERIOD, Ordering, fence_after_exchange, full_fence,
};
use arming::Arming;
pub(crate) use arming::PublisherFence;
use event_count::{Epoch, EventCount};
use list::{pop, push, splice, take};
pub(crate) use waiter::Waiter;

/// How often a parker looks again when nothing proves that it will be woken.
const POLL_PERIOD: Duration = Duration::from_millis(1);

/// Places that dropped subscribers may leave on the list, beyond one for each live one.
const DROPPED_LIMIT: usize = 64;

/// The subscribers of a ring that sleep or are about to.
#[derive(Debug)]
pub(crate) struct WaitList {
    /// Read by publishers after each commit, and written hardly ever.
    arming: CachePadded<Arming>,
    arrivals: CachePadded<Arrivals>,
    /// Taken off `parked` by a publisher that is calling the waker of another. A list of lists. Apart from what parkers write, as a publisher comes here
    /// twice for each that it wakes.
    handed_off: CachePadded<AtomicPtr<Waiter>>,
    threads: EventCount,
}

/// Written by those who park.
#[derive(Debug)]
struct Arrivals {
    /// Tasks that parked since a publisher looked last.
    parked: AtomicPtr<Waiter>,
    /// Whether anybody parked since a publisher asked last.
    parked_recently: AtomicBool,
    /// About how many on the lists belong to subscribers that are gone.
    dropped: AtomicUsize,
}

/// How a parker may sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Park {
    /// Until woken.
    UntilWoken,
    /// No longer than `POLL_PERIOD`, then look again: nothing proves the wake-up.
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
        }
    }

    /// Whether a publisher that has just committed must call [`wake`](Self::wake).
    #[inline]
    pub(crate) fn armed_after_commit(&self) -> bool {
        self.arming.armed_after_commit()
    }

    /// Registers the waker of a task and queues `waiter`. The caller must look at the ring once more before it sleeps.
    pub(crate) fn register_waker(&self, waiter: &Arc<Waiter>, waker: &Waker) -> Park {
        waiter.waker.register(waker);
        // [queued.set] AcqRel: Release so that whoever clears it sees the waker; Acquire so that `next` is ours after the last owner.
        if !waiter.queued.swap(true, Ordering::AcqRel) {
            push(&self.arrivals.parked, Arc::clone(waiter));
        }
        self.fence_and_arm()
    }

    /// The calling thread is about to sleep. It must look at the ring once more before it does.
    pub(crate) fn prepare_wait(&self) -> WaitKey {
        let epoch = self.threads.prepare_wait();
        WaitKey { epoch, park: self.fence_and_arm() }
    }

    /// The caller can be found by publishers; now it has to find what they did before they could.
    fn fence_and_arm(&self) -> Park {
        // [park.fence] Pairs with the fences in `wake` and `disarm`: one of the two sees the other. (`fence_after_exchange` is enough: the last store before it is a read-modify-write.)
        fence_after_exchange();
        self.arrivals.parked_recently.store(true, Ordering::Relaxed); // [parked-recently.set] Relaxed: about right will do
        if self.arming.arm() { Park::UntilWoken } else { Park::Polling }
    }

    /// Sleeps until woken or until `deadline`; may return early.
    pub(crate) fn commit_wait(&self, waiter: &Waiter, key: WaitKey, deadline: Option<Instant>) {
        waiter.set_asleep(true);
        self.threads.commit_wait(key.epoch, key.park.until(deadline));
        waiter.set_asleep(false);
    }

    /// Wakes everybody who is parked, after a commit, a skip or the end of the ring. `false`: calls of wakers nest too deep here, and
    /// some tasks are left. The caller comes back for them.
    #[cold]
    #[must_use]
    pub(crate) fn wake(&self) -> bool {
        // [wake.fence] Pairs with the fence of parkers: one of the two sees the other.
        full_fence();
        self.threads.wake();
        self.wake_tasks()
    }

    fn wake_tasks(&self) -> bool {
        let mut lists = take(&self.arrivals.parked);
        if !lists.is_null() {
            self.arrivals.dropped.store(0, Ordering::Relaxed); // [dropped.reset] Relaxed: about right will do
        }
        if reentrancy::at_limit_in(self.address()) {
            self.hand_off(lists);
            // Also those that another publisher has handed off: it may be suspended. [handed-off.load] Relaxed: what is not seen was given back beside
            // this, by one who calls wakers now or comes back.
            // (A call of this ring that is around comes back for them by itself.)
            return !reentrancy::at_depth_limit() || self.handed_off.load(Ordering::Relaxed).is_null();
        }
        loop {
            if lists.is_null() {
                lists = take(&self.handed_off);
            }
            let Some(waiter) = pop(&mut lists) else { return true };
            self.hand_off(std::mem::replace(&mut lists, ptr::null_mut()));
            // [queued.clear] AcqRel: Acquire so that the waker registered before the `swap(true)` is seen; Release so that whoever
            // queues it next owns `next`. After `next` was read, and before the wake: woken first, it could find itself still
            // queued, not queue again, and sleep for ever.
            waiter.queued.swap(false, Ordering::AcqRel);
            if let Some(waker) = waiter.waker.take() {
                reentrancy::call_now(self.address(), || waker.wake());
            }
        }
    }

    /// Leaves lists that the caller owns, or none, to any publisher that comes by. They were in nobody's sight, and the ring may have been disarmed
    /// meanwhile: publishers are to look again.
    fn hand_off(&self, lists: *mut Waiter) {
        if lists.is_null() {
            return;
        }
        splice(&self.handed_off, lists);
        // [hand-off.fence] Pairs with the fence in `disarm`: either that finds the lists, or what it did to the arming is found here. (The last store
        // before it is a read-modify-write.)
        fence_after_exchange();
        if !self.arming.is_armed() {
            self.arming.begin_to_arm();
        }
    }

    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// After sequences were published on an armed ring. Now and then it asks whether anybody parked since it asked last; if not, publishers need no
    /// fence until somebody does.
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
        // [disarm.fence] Pairs with the fences of parkers and of `hand_off`: who is not seen below sees the attempt.
        full_fence();
        // [disarm.parked] [disarm.handed-off] Relaxed, both: after the fence.
        let tasks = [self.arrivals.parked.load(Ordering::Relaxed), self.handed_off.load(Ordering::Relaxed)];
        if tasks.iter().all(|list| list.is_null()) && self.threads.is_idle() {
            self.arming.disarm(attempt);
        } else {
            self.arming.cancel_disarm();
        }
    }

    /// A subscriber is gone, perhaps with its place on the list. `true` when too many of those have come together (on a ring where
    /// nobody publishes): then everybody is to be woken, to be rid of them. A wake-up without a message does no harm.
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
