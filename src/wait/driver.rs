//! The driver: a task that wakes the other tasks. Publishers then wake this task alone.
//!
//! A publisher reaches the tasks of a runtime from outside, which takes one lock and perhaps one
//! system call per task. The driver is a task of that runtime, where a wake-up is a push to a
//! queue. And when it runs, a burst of publishes is complete, so each task wakes once for all of
//! it.
//!
//! # No wake-up is lost
//!
//! A publisher commits, runs the full fence of `wait/mod.rs`, and *then* loads the state. The
//! driver sets the state to `IDLE`, runs a full fence, and *then* takes the list. A task that the
//! publisher must wake has queued itself before a fence that comes before the publisher's.
//!
//! - The publisher sees `CALLED`. Its load comes before the driver's next change to `IDLE`, so its
//!   fence comes before the driver's, and the driver finds the task.
//! - It sees `IDLE`. It checks the list as it would without a driver. If there is a task, it
//!   exchanges `IDLE` for `CALLED`, and wakes the driver. The driver's next change comes after the
//!   exchange.
//! - It sees `NONE`. It wakes the tasks itself.
//!
//! The driver ends by a change to `NONE`, a full fence, and a wake-up of all parked tasks. This
//! includes the tasks that it was called for.
//!
//! # A driver that is not polled delays tasks by half a lap at most
//!
//! With `CALLED` comes the sequence at which the driver was called. A publisher that is half a ring
//! further wakes the tasks itself. So a runtime that does not poll the driver delays the tasks by
//! half a lap at most. The same holds for a publisher that is suspended between the exchange and
//! the wake-up. Publishers do not help a driver that is polled, however slowly, because it exists
//! to spare them that work.

use std::task::Waker;

use crate::sync::{AtomicBool, AtomicU64, Ordering, WakerCell, fence_after_exchange};

/// Decides which thread or task wakes the parked tasks of a ring.
#[derive(Debug)]
pub(super) struct Driver {
    /// `NONE`, `IDLE`, or `CALLED` plus the sequence.
    state: AtomicU64,
    waker: WakerCell,
    /// Used by the driver alone. Set while a waker is registered. If its clone or drop panics, the
    /// cell is unusable.
    waker_poisoned: AtomicBool,
}

/// There is no driver: publishers wake the tasks.
const NONE: u64 = 0;
/// The driver waits to be called.
const IDLE: u64 = 1;
/// This value and those above: the driver was called at sequence `state - CALLED`, and will take
/// the list.
const CALLED: u64 = 2;

/// What a publisher does about parked tasks.
#[derive(Debug)]
pub(super) enum Duty {
    /// Nothing: no task is parked, or the driver wakes the tasks.
    Nothing,
    /// It wakes the driver, whose waker may be gone.
    CallDriver(Option<Waker>),
    /// It wakes the tasks itself.
    WakeTasks,
}

impl Driver {
    pub(super) fn new() -> Self {
        Self { state: AtomicU64::new(NONE), waker: WakerCell::default(), waker_poisoned: AtomicBool::new(false) }
    }

    /// Returns what a publisher does that has published up to `end`. A driver may take until
    /// `patience` more messages are published. The caller has committed and run its fence.
    pub(super) fn duty(&self, end: u64, patience: u64, finds_tasks: impl Fn() -> bool) -> Duty {
        // [driver.look] Relaxed: comes after the fence.
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let is_left_to_driver = match state {
                NONE => return Duty::WakeTasks,
                IDLE => !finds_tasks(),
                called => end.saturating_sub(called - CALLED) < patience,
            };
            if is_left_to_driver {
                return Duty::Nothing;
            }
            // [driver.call] Acquire: pairs with the Release of `driver.idle`, so that the caller
            // finds the waker. Relaxed on failure: comes after the fence, as above.
            match self.state.compare_exchange(state, CALLED + end, Ordering::Acquire, Ordering::Relaxed) {
                Ok(IDLE) => return Duty::CallDriver(self.waker.take()),
                Ok(_) => return Duty::WakeTasks,
                Err(now) => state = now,
            }
        }
    }

    /// Begins a driver. Returns `false` if there is another one.
    pub(super) fn begin(&self, now: u64) -> bool {
        // [driver.begin] Acquire: pairs with the Release of `driver.end`, so that the last driver
        // has taken its waker out before. Relaxed on failure: there is another driver.
        self.state.compare_exchange(NONE, CALLED + now, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Registers the driver's waker and lets publishers call the driver again. The driver calls it,
    /// and takes the list if it was called.
    ///
    /// Returns whether the driver was called. Returns `None` if it cannot be called any more,
    /// because a waker has panicked.
    pub(super) fn set_idle(&self, waker: &Waker) -> Option<bool> {
        // [driver.poison] [driver.poison-set] [driver.poison-clear] Relaxed, all: only the driver
        // uses the word. The last driver's store comes before `driver.end`.
        if self.waker_poisoned.load(Ordering::Relaxed) {
            return None;
        }
        self.waker_poisoned.store(true, Ordering::Relaxed);
        self.waker.register(waker);
        self.waker_poisoned.store(false, Ordering::Relaxed);
        // [driver.idle] Release: pairs with the Acquire of `driver.call`, so that a publisher that
        // calls the driver finds its waker.
        let before = self.state.swap(IDLE, Ordering::Release);
        // [driver.fence] SeqCst: pairs with `wake.fence`. The driver finds all tasks that a
        // publisher has left to it before. The last store before the fence is a read-modify-write.
        fence_after_exchange();
        Some(before >= CALLED)
    }

    /// Ends the driver, so that publishers wake tasks themselves. The caller wakes all tasks next.
    pub(super) fn end(&self) -> Option<Waker> {
        // This comes first. A waker that is found later may belong to the next driver.
        let waker = self.waker.take();
        // [driver.end] Release: pairs with the Acquire of `driver.begin`. The fence of the wake-up
        // that follows orders it before the load of the list.
        self.state.swap(NONE, Ordering::Release);
        waker
    }

    /// Takes the driver's waker, if it waits. For the end of the ring.
    pub(super) fn take_waker(&self) -> Option<Waker> {
        self.waker.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(driver: &Driver, end: u64, tasks: bool) -> &'static str {
        match driver.duty(end, 4, || tasks) {
            Duty::Nothing => "nothing",
            Duty::CallDriver(waker) => {
                assert!(waker.is_some());
                "call"
            }
            Duty::WakeTasks => "wake",
        }
    }

    #[test]
    fn one_call_is_enough_for_half_a_lap() {
        let driver = Driver::new();
        assert_eq!(called(&driver, 1, true), "wake", "there is no driver");
        assert!(driver.begin(2) && !driver.begin(2));
        assert_eq!(called(&driver, 5, true), "nothing", "it takes the list first");
        assert_eq!(driver.set_idle(Waker::noop()), Some(true));
        assert_eq!(called(&driver, 6, false), "nothing");
        assert_eq!(called(&driver, 7, true), "call");
        assert_eq!(called(&driver, 3, true), "nothing", "another publisher called first");
        assert_eq!(called(&driver, 10, true), "nothing");
        assert_eq!(called(&driver, 11, true), "wake");
        assert_eq!(called(&driver, 12, true), "nothing", "the publisher at 11 wakes them all");
        assert_eq!(called(&driver, 15, true), "wake");
        assert_eq!([(); 2].map(|()| driver.set_idle(Waker::noop())), [Some(true), Some(false)]);
        assert_eq!(called(&driver, 17, true), "call");
        drop(driver.end());
        assert_eq!(called(&driver, 22, true), "wake");
        assert!(driver.begin(22));
    }
}
