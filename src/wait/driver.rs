//! A task that wakes the others, so that publishers need not: they wake this one alone.
//!
//! Publishers reach the tasks of a runtime from outside, one lock and perhaps one system call for each. The
//! driver is a task of that runtime, where a wake-up is a push to a queue. And by the time it runs, a burst
//! is complete, so each task wakes once for all of it.
//!
//! # No wake-up is lost
//!
//! A publisher commits, runs the full fence of `wait/mod.rs`, and *then* loads the state. The driver sets
//! the state to `IDLE`, runs a full fence, and *then* takes the list. A task that the publisher must have
//! woken has queued itself before a fence that comes before the publisher's.
//!
//! - The publisher sees `CALLED`: its load comes before the driver's next change to `IDLE`, so its fence
//!   comes before the driver's, and the driver finds the task.
//! - It sees `IDLE`: it looks at the list as it would without a driver. If there is a task, it exchanges
//!   `IDLE` for `CALLED`, and wakes the driver. The driver's next change comes after the exchange.
//! - It sees `NONE`: it wakes the tasks itself.
//!
//! The driver ends by a change to `NONE`, a full fence, and a wake-up of all that are there: what it was
//! called for, it does then.
//!
//! # A driver that is not polled holds nobody up for longer than half a lap
//!
//! With `CALLED` comes the sequence at which it was called. A publisher that is half a ring further wakes
//! the tasks itself. So a runtime that does not poll the driver, and a publisher that was suspended between
//! the exchange and the wake-up, delay the tasks by that much, and no more. A driver that is polled, however
//! slowly, goes on with its slices: publishers do not help it, as it is there to spare them that.

use std::task::Waker;

use crate::sync::{AtomicBool, AtomicU64, Ordering, WakerCell, fence_after_exchange};

/// Who wakes the tasks of a ring.
#[derive(Debug)]
pub(super) struct Driver {
    /// `NONE`, `IDLE`, or `CALLED` and the sequence.
    state: AtomicU64,
    waker: WakerCell,
    /// Used by the driver alone. Set while a waker is put in place: if its clone or drop panics, that place is unusable.
    waker_poisoned: AtomicBool,
}

/// Publishers wake.
const NONE: u64 = 0;
/// The driver waits to be called.
const IDLE: u64 = 1;
/// And above: the driver will take the list once more, or was called to at this sequence.
const CALLED: u64 = 2;

/// What a publisher does about parked tasks.
#[derive(Debug)]
pub(super) enum Duty {
    Nothing,
    /// It wakes the driver, which may have no waker any more.
    CallDriver(Option<Waker>),
    WakeTasks,
}

impl Driver {
    pub(super) fn new() -> Self {
        Self { state: AtomicU64::new(NONE), waker: WakerCell::default(), waker_poisoned: AtomicBool::new(false) }
    }

    /// What a publisher does that has published up to `end`, where a driver may take until `patience` messages more are published.
    /// After its commit and its fence.
    pub(super) fn duty(&self, end: u64, patience: u64, finds_tasks: impl Fn() -> bool) -> Duty {
        // [driver.look] Relaxed: after the fence.
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
            // [driver.call] Acquire: pairs with the Release of `rest`, so that the waker is there. Relaxed on failure: after the fence,
            // as above.
            match self.state.compare_exchange(state, CALLED + end, Ordering::Acquire, Ordering::Relaxed) {
                Ok(IDLE) => return Duty::CallDriver(self.waker.take()),
                Ok(_) => return Duty::WakeTasks,
                Err(now) => state = now,
            }
        }
    }

    /// A driver begins. `false` if there is another one.
    pub(super) fn begin(&self, now: u64) -> bool {
        // [driver.begin] Acquire: pairs with the Release of `end`, so that the last driver has let go of the waker's place. Relaxed on
        // failure: there is another one.
        self.state.compare_exchange(NONE, CALLED + now, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// By the driver: from here on it is to be called again. Whether it was called, and so must take the list. `None` if it cannot be
    /// called, as a waker has panicked.
    pub(super) fn rest(&self, waker: &Waker) -> Option<bool> {
        // [driver.poison] [driver.poison-set] [driver.poison-clear] Relaxed, all: the driver's own, or the last one's before `driver.end`.
        if self.waker_poisoned.load(Ordering::Relaxed) {
            return None;
        }
        self.waker_poisoned.store(true, Ordering::Relaxed);
        self.waker.register(waker);
        self.waker_poisoned.store(false, Ordering::Relaxed);
        // [driver.rest] Release: pairs with the Acquire of `duty`: whoever calls the driver finds its waker.
        let before = self.state.swap(IDLE, Ordering::Release);
        // [driver.fence] Pairs with `wake.fence`: the driver finds all tasks that a publisher left to it before this. (The last store
        // before it is a read-modify-write.)
        fence_after_exchange();
        Some(before >= CALLED)
    }

    /// By the driver: publishers wake from here on. The caller wakes all tasks next.
    pub(super) fn end(&self) -> Option<Waker> {
        // First: a waker that is there later may be that of the next driver.
        let waker = self.waker.take();
        // [driver.end] Release: pairs with the Acquire of `begin`. The fence of the wake-up that follows orders it before the look at
        // the list.
        self.state.swap(NONE, Ordering::Release);
        waker
    }

    /// For the end of the ring: the driver's waker, if it waits.
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
        assert_eq!(driver.rest(Waker::noop()), Some(true));
        assert_eq!(called(&driver, 6, false), "nothing");
        assert_eq!(called(&driver, 7, true), "call");
        assert_eq!(called(&driver, 3, true), "nothing", "another publisher was faster");
        assert_eq!(called(&driver, 10, true), "nothing");
        assert_eq!(called(&driver, 11, true), "wake");
        assert_eq!(called(&driver, 12, true), "nothing", "that one wakes them all");
        assert_eq!(called(&driver, 15, true), "wake");
        assert_eq!([(); 2].map(|()| driver.rest(Waker::noop())), [Some(true), Some(false)]);
        assert_eq!(called(&driver, 17, true), "call");
        drop(driver.end());
        assert_eq!(called(&driver, 22, true), "wake");
        assert!(driver.begin(22));
    }
}
