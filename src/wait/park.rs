//! How long a parker sleeps.

use std::time::{Duration, Instant};

use super::event_count::Epoch;

/// How long a parker sleeps at most when nothing proves that it will be woken.
const POLL_PERIOD: Duration = Duration::from_millis(1);

/// How a parker may sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Park {
    /// Until it is woken.
    UntilWoken,
    /// At most for `POLL_PERIOD`, because nothing proves the wake-up.
    Polling,
}

impl Park {
    /// Returns the earlier of the caller's deadline and the end of the poll period, if there is
    /// any.
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

/// A thread that has announced itself and may sleep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WaitKey {
    pub(super) epoch: Epoch,
    pub(super) park: Park,
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
