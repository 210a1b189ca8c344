//! Threads that sleep until something is published. All threads of a ring sleep on one word, so one system
//! call wakes any number of them, and none is queued.
//!
//! A thread takes the epoch, counts itself among the arrivals, runs a full fence, and *then* looks at the
//! ring once more. It sleeps only as long as the epoch is the one that it took. A publisher commits, runs a
//! full fence, and *then* compares the arrivals with the number that were woken. If they differ, it begins
//! a new epoch, wakes the sleeping threads, and notes how many arrivals that covers. One of the two fences
//! comes first. If it is the thread's, the publisher finds its arrival. If it is the publisher's, the
//! thread finds the message.
//!
//! The note comes last, so a publisher that is suspended before it leaves everything to the next one. A
//! thread takes the epoch *before* it counts itself, so a note that covers its arrival was made after its
//! epoch had ended.
//!
//! An eventcount, after Reed and Kanodia, "Synchronization with Eventcounts and Sequencers" (CACM 1979).

use std::time::Instant;

use crate::sync::{AtomicU32, AtomicU64, CachePadded, Futex, Ordering};

/// The threads of a ring that sleep or are about to sleep.
#[derive(Debug)]
pub(crate) struct EventCount {
    /// How often a thread was about to sleep. Written by such threads.
    arrivals: CachePadded<AtomicU64>,
    wakeups: CachePadded<Wakeups>,
}

/// Written by publishers that wake threads.
#[derive(Debug)]
struct Wakeups {
    /// Changes when the sleeping threads are to wake. (A change goes unnoticed only if 2³² happen while a thread is about to sleep.)
    epoch: AtomicU32,
    /// The number of arrivals that have been woken.
    woken: AtomicU64,
    futex: Futex,
}

/// What a thread sleeps by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Epoch(u32);

impl EventCount {
    pub(crate) fn new() -> Self {
        Self {
            arrivals: CachePadded::new(AtomicU64::new(0)),
            wakeups: CachePadded::new(Wakeups {
                epoch: AtomicU32::new(0),
                woken: AtomicU64::new(0),
                futex: Futex::default(),
            }),
        }
    }

    /// The caller is about to sleep. It runs a full fence next, and looks at the ring once more.
    pub(crate) fn prepare_wait(&self) -> Epoch {
        // [epoch.take] Relaxed: an older one only makes for a sleep that does not begin.
        let epoch = Epoch(self.wakeups.epoch.load(Ordering::Relaxed));
        // [arrivals.count] Release: pairs with the Acquire of `unwoken`, so that the epoch was taken before the publisher that counts us ends it.
        self.arrivals.fetch_add(1, Ordering::Release);
        epoch
    }

    /// Sleeps until woken or until `deadline`; may return early.
    pub(crate) fn commit_wait(&self, epoch: Epoch, deadline: Option<Instant>) {
        self.wakeups.futex.wait(&self.wakeups.epoch, epoch.0, deadline);
    }

    /// Wakes all who arrived and were not woken yet. After the caller's fence.
    pub(crate) fn wake(&self) {
        if let Some(arrivals) = self.unwoken() {
            // [epoch.end] Relaxed: the fences order what was published; who goes to sleep compares in the kernel.
            self.wakeups.epoch.fetch_add(1, Ordering::Relaxed);
            // A sandbox may refuse this thread the wake-up. Then nothing is noted, and the next publisher tries.
            if self.wakeups.futex.wake_all(&self.wakeups.epoch) {
                // [woken.note] Last, so that who is stopped before leaves it to others. Relaxed: who misses it wakes once more than need be. (It may go
                // back, when another came in between: as above.)
                self.wakeups.woken.store(arrivals, Ordering::Relaxed);
            }
        }
    }

    /// Whether all arrivals were woken. After the caller's fence.
    pub(crate) fn is_idle(&self) -> bool {
        self.unwoken().is_none()
    }

    /// All arrivals, unless all were woken.
    fn unwoken(&self) -> Option<u64> {
        // [arrivals.load] Acquire: pairs with the Release of `prepare_wait`.
        let arrivals = self.arrivals.load(Ordering::Acquire);
        // [woken.load] Relaxed: as `woken.note`.
        (arrivals != self.wakeups.woken.load(Ordering::Relaxed)).then_some(arrivals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_arrived_is_woken_once() {
        let threads = EventCount::new();
        assert!(threads.is_idle());
        let first = threads.prepare_wait();
        assert!(!threads.is_idle());
        threads.wake();
        assert!(threads.is_idle());
        // Woken already: it does not sleep.
        threads.commit_wait(first, None);
        threads.wake();
        let second = threads.prepare_wait();
        assert_eq!(second.0, first.0 + 1, "nobody was there to be woken the second time");
        assert!(!threads.is_idle());
    }
}
