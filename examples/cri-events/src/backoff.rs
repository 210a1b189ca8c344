//! How long to wait before the next try.

use std::time::Duration;

/// Twice as long after each try in vain, up to a limit, and never twice the same, so that many clients do not come back together.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    limit: Duration,
    next: Duration,
}

impl Default for Backoff {
    /// From 10 ms to 5 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(10), Duration::from_secs(5))
    }
}

impl Backoff {
    /// From `first` to `limit`.
    pub fn new(first: Duration, limit: Duration) -> Self {
        Self { first, limit, next: first }
    }

    /// How long to wait now: between a half and the whole of what it has come to.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next.min(self.limit);
        self.next = pause * 2;
        pause.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// What was tried went on for so long before it failed. Less than the longest pause is no success.
    pub fn lasted(&mut self, time: Duration) {
        if time >= self.limit {
            self.reset();
        }
    }

    /// It went well.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_limit_and_begins_anew() {
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
