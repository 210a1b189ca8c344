//! Parked threads. All threads of a ring sleep on one word, so one system call wakes any number of
//! them, and none is queued.
//!
//! A thread takes the epoch, counts itself among the arrivals, runs a full fence, and *then* checks
//! the ring once more. It sleeps only while the epoch is the one that it took. A publisher commits,
//! runs a full fence, and *then* compares the arrivals with the number that were woken. If they
//! differ, it begins a new epoch, wakes the sleeping threads, and notes how many arrivals that
//! covers. One of the two fences comes first. If it is the thread's, the publisher finds its
//! arrival. If it is the publisher's, the thread finds the message.
//!
//! The note comes last, so a publisher that is suspended before it leaves all wake-ups to the next
//! publisher. A thread takes the epoch *before* it counts itself, so a note that covers its arrival
//! was made after its epoch had ended.
//!
//! This is an eventcount, after Reed and Kanodia, "Synchronization with Eventcounts and Sequencers"
//! (CACM 1979).

use std::time::Instant;

use crate::sync::{AtomicU32, AtomicU64, CachePadded, Futex, Ordering};

/// The threads of a ring that are parked or about to park.
#[derive(Debug)]
pub(crate) struct EventCount {
    /// How often a thread was about to sleep. Written by those threads.
    arrivals: CachePadded<AtomicU64>,
    wakeups: CachePadded<Wakeups>,
}

/// The words that publishers write when they wake threads.
#[derive(Debug)]
struct Wakeups {
    /// Changes when the sleeping threads must wake. It wraps. A thread misses the change only if
    /// 2³² changes happen while it is about to sleep.
    epoch: AtomicU32,
    /// The number of arrivals that have been woken.
    woken: AtomicU64,
    futex: Futex,
}

/// The epoch in which a thread may sleep.
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

    /// Announces that the caller is about to sleep. It then runs a full fence and checks the ring
    /// once more.
    pub(crate) fn prepare_wait(&self) -> Epoch {
        // [epoch.take] Relaxed: with an older epoch the thread does not sleep.
        let epoch = Epoch(self.wakeups.epoch.load(Ordering::Relaxed));
        // [arrivals.count] Release: pairs with the Acquire of `arrivals.load`, so that the epoch
        // was taken before the publisher that counts this arrival ends it.
        self.arrivals.fetch_add(1, Ordering::Release);
        epoch
    }

    /// Sleeps until woken or until `deadline`. It may return early.
    pub(crate) fn commit_wait(&self, epoch: Epoch, deadline: Option<Instant>) {
        self.wakeups.futex.wait(&self.wakeups.epoch, epoch.0, deadline);
    }

    /// Wakes all threads that have arrived and were not woken yet. The caller has run a fence.
    pub(crate) fn wake(&self) {
        if let Some(arrivals) = self.unwoken() {
            // [epoch.end] Relaxed: the fences order what was published, and the kernel compares the
            // word with the epoch before a thread sleeps.
            self.wakeups.epoch.fetch_add(1, Ordering::Relaxed);
            // A sandbox may refuse the wake-up to this thread. Then nothing is noted, and the next
            // publisher tries.
            if self.wakeups.futex.wake_all(&self.wakeups.epoch) {
                // [woken.note] Relaxed: a publisher that misses it wakes the threads once more than
                // necessary. The same happens when it goes back because another publisher came in
                // between. It comes last, so that a publisher that is suspended before leaves the
                // wake-ups to others.
                self.wakeups.woken.store(arrivals, Ordering::Relaxed);
            }
        }
    }

    /// Returns whether all arrivals were woken. The caller has run a fence.
    pub(crate) fn is_idle(&self) -> bool {
        self.unwoken().is_none()
    }

    /// Returns the number of arrivals, unless all of them were woken.
    fn unwoken(&self) -> Option<u64> {
        // [arrivals.load] Acquire: pairs with the Release of `arrivals.count`.
        let arrivals = self.arrivals.load(Ordering::Acquire);
        // [woken.load] Relaxed: as `woken.note`.
        (arrivals != self.wakeups.woken.load(Ordering::Relaxed)).then_some(arrivals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_arrival_is_woken_once() {
        let threads = EventCount::new();
        assert!(threads.is_idle());
        let first = threads.prepare_wait();
        assert!(!threads.is_idle());
        threads.wake();
        assert!(threads.is_idle());
        // It was woken already, so it does not sleep.
        threads.commit_wait(first, None);
        threads.wake();
        let second = threads.prepare_wait();
        assert_eq!(second.0, first.0 + 1, "no thread was left for the second wake-up");
        assert!(!threads.is_idle());
    }
}
