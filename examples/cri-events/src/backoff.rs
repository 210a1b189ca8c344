//! How long to wait before the next attempt.

use std::time::Duration;

/// Pauses that double after each failed attempt, up to a limit. They are random, so that many
/// clients do not reconnect at the same moment.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    limit: Duration,
    next: Duration,
}

impl Default for Backoff {
    /// Pauses from 10 ms to 5 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(10), Duration::from_secs(5))
    }
}

impl Backoff {
    /// Pauses from `first` to `limit`.
    pub fn new(first: Duration, limit: Duration) -> Self {
        Self { first, limit, next: first }
    }

    /// How long to wait now: a random time between half the current pause and all of it.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next.min(self.limit);
        self.next = pause * 2;
        pause.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// Records that an attempt worked for `time` before it failed. It counts as a success if that
    /// is at least the longest pause.
    pub fn lasted(&mut self, time: Duration) {
        if time >= self.limit {
            self.reset();
        }
    }

    /// Records a success.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_limit_and_is_reset() {
        let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(50));
        for whole in [10, 20, 40, 50, 50] {
            let (pause, whole) = (backoff.pause(), Duration::from_millis(whole));
            assert!(pause >= whole / 2 && pause <= whole, "{pause:?} of {whole:?}");
        }
        backoff.lasted(Duration::from_millis(49));
        assert!(backoff.pause() >= Duration::from_millis(25));
        backoff.lasted(Duration::from_millis(50));
        assert!(backoff.pause() <= Duration::from_millis(10));
        backoff.pause();
        backoff.reset();
        assert!(backoff.pause() <= Duration::from_millis(10));
    }
}
