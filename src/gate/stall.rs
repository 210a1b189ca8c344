//! How long the ring has been full at the same place.

use std::time::{Duration, Instant};

use crate::sync::{AtomicU64, Ordering};

/// The clock of the gate deadline. It starts when a publisher finds the ring full, and anew at each later limit.
#[derive(Debug)]
pub(crate) struct Stall {
    deadline: Duration,
    epoch: Instant,
    /// What the clock runs for: twice the limit, plus 1 once all gates that hold publishers back are to blame. It only grows.
    key: AtomicU64,
    /// When it started, in nanoseconds since `epoch`.
    since: AtomicU64,
}

/// A look at the clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    now: Instant,
    /// When it is over; `None` if that is too far away to be told.
    pub(crate) until: Option<Instant>,
}

impl Clock {
    pub(super) fn is_over(&self) -> bool {
        self.until.is_some_and(|until| until <= self.now)
    }
}

impl Stall {
    pub(super) fn new(deadline: Duration) -> Self {
        Self { deadline, epoch: Instant::now(), key: AtomicU64::new(0), since: AtomicU64::new(0) }
    }

    /// The ring is full at `limit`.
    pub(super) fn check(&self, limit: u64, to_blame: bool) -> Clock {
        let key = 2 * limit + u64::from(to_blame);
        let now = Instant::now();
        let nanos = u64::try_from((now - self.epoch).as_nanos()).unwrap_or(u64::MAX);
        // [stall.key] Acquire: pairs with the Release below: who finds the clock running finds when it started, or a later time.
        let mut running = self.key.load(Ordering::Acquire);
        if running < key {
            // [stall.since] Relaxed: published by the Release below. fetch_max: of several who start it, the last counts.
            self.since.fetch_max(nanos, Ordering::Relaxed);
            // [stall.start] Release: as above.
            running = self.key.fetch_max(key, Ordering::AcqRel).max(key);
        }
        // If it runs for a later limit, this look is old: there is time.
        let since = if running == key {
            // [stall.since-load] Relaxed: `key` brought it.
            self.epoch + Duration::from_nanos(self.since.load(Ordering::Relaxed))
        } else {
            now
        };
        Clock { now, until: since.checked_add(self.deadline) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_starts_anew_at_each_limit_and_when_blame_begins() {
        let stall = Stall::new(Duration::from_secs(3600));
        let until = |limit, to_blame| stall.check(limit, to_blame).until.unwrap();
        let first = until(4, false);
        assert_eq!(until(4, false), first);
        let blamed = until(4, true);
        assert!(blamed > first && until(4, true) == blamed);
        let later = until(5, false);
        assert!(later > blamed);
        // An older look than that of another publisher has all the time.
        assert!(until(4, true) > later && until(5, false) == later);
        assert!(!stall.check(5, false).is_over());
        assert!(Stall::new(Duration::ZERO).check(1, true).is_over());
        assert_eq!(Stall::new(Duration::MAX).check(1, true).until, None);
    }
}
