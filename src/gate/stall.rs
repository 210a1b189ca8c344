//! The clock of the gate deadline: how long the ring has been full at the same place.

use std::time::{Duration, Instant};

use crate::sync::{AtomicU64, Ordering};

/// The clock of the gate deadline. It starts when a publisher finds the ring full, and restarts at
/// each later limit.
#[derive(Debug)]
pub(crate) struct Stall {
    deadline: Duration,
    epoch: Instant,
    /// What the clock runs for: twice the limit, plus 1 if all gates that hold publishers back
    /// could read on.
    key: AtomicU64,
    /// The slowest gating cursor when the clock started.
    slowest: AtomicU64,
    /// When the clock started, in nanoseconds since `epoch`. It only grows.
    since: AtomicU64,
}

impl Stall {
    pub(super) fn new(deadline: Duration) -> Self {
        Self {
            deadline,
            epoch: Instant::now(),
            key: AtomicU64::new(0),
            slowest: AtomicU64::new(0),
            since: AtomicU64::new(0),
        }
    }

    /// Returns the nanoseconds since the ring was made.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Returns when the deadline of what began at `since` passes, or `None` if `Instant` cannot
    /// represent that time.
    pub(super) fn due(&self, since: u64) -> Option<Instant> {
        self.epoch.checked_add(Duration::from_nanos(since))?.checked_add(self.deadline)
    }

    /// Returns since when the ring has been full at `limit`, its slowest gate has been at
    /// `slowest`, and its gates could or could not read on.
    pub(super) fn since(&self, limit: u64, could_read: bool, slowest: u64) -> u64 {
        let key = 2 * limit + u64::from(could_read);
        let now = self.now();
        // [stall.key] Acquire: pairs with the Release of `stall.start`. A thread that finds the
        // clock running finds when it started, or a later time.
        let running = self.key.load(Ordering::Acquire);
        if running / 2 > limit {
            // The clock runs for a later limit, so this call is outdated.
            return now;
        }
        // [stall.slowest] Acquire: pairs with the Release of `stall.slowest-set`. It acts as
        // `stall.key` where only the slowest gate has changed.
        if running != key || self.slowest.load(Ordering::Acquire) != slowest {
            // [stall.since] Relaxed: the Release operations that follow publish it. `fetch_max`,
            // because several threads may start the clock, and the last start counts.
            self.since.fetch_max(now, Ordering::Relaxed);
            // [stall.slowest-set] Release: pairs with the Acquire of `stall.slowest`, so that a
            // thread that sees the cursor sees `since`.
            self.slowest.store(slowest, Ordering::Release);
            // [stall.start] Release: pairs with the Acquire of `stall.key`. Relaxed on failure:
            // another publisher has started the clock.
            let _ = self.key.compare_exchange(running, key, Ordering::Release, Ordering::Relaxed);
            return now;
        }
        // [stall.since-load] Relaxed: the Acquire of `stall.key` brought it
        self.since.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_restarts_at_each_limit_and_when_blame_begins() {
        let stall = Stall::new(Duration::from_secs(1));
        let first = stall.since(4, false, 0);
        assert_eq!(stall.since(4, false, 0), stall.since(4, false, 0));
        assert!(stall.since(4, false, 0) >= first);
        let blamed = stall.since(4, true, 0);
        assert!(blamed > first && stall.since(4, true, 0) >= blamed);
        // Blame may end at the same place, and begin again.
        let waiting = stall.since(4, false, 0);
        assert!(waiting > blamed);
        let again = stall.since(4, true, 0);
        assert!(again > waiting && stall.since(4, true, 0) == stall.since(4, true, 0));
        let later = stall.since(5, false, 0);
        assert!(later > again);
        assert!(stall.since(5, false, 1) > later, "the slowest gate has moved");
        let later = stall.since(5, false, 0);
        // A call with an older limit than that of another publisher has the whole deadline left,
        // and changes nothing.
        assert!(stall.since(4, true, 0) > later && stall.since(5, false, 0) < stall.now());
        assert_eq!(stall.since(5, false, 0), stall.since(5, false, 0));
        assert_eq!(stall.due(0), Some(stall.epoch + Duration::from_secs(1)));
        assert_eq!(Stall::new(Duration::MAX).due(0), None);
    }
}
