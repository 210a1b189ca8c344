//! When the phases begin and end, for everybody.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The stream that the machine makes.
    Real,
    FullSpeed,
    Over,
}

#[derive(Debug)]
pub(crate) struct Timetable {
    start: Instant,
    /// Of each of the two phases.
    length: Duration,
    ended: AtomicBool,
}

impl Timetable {
    pub(crate) fn starting_now(seconds: u64) -> Self {
        Self { start: Instant::now(), length: Duration::from_secs(seconds) / 2, ended: AtomicBool::new(false) }
    }

    pub(crate) fn phase(&self) -> Phase {
        let elapsed = self.elapsed();
        // Relaxed: it only ends a loop; nothing is read on its strength.
        if self.ended.load(Ordering::Relaxed) || elapsed >= self.total() {
            Phase::Over
        } else if elapsed >= self.length {
            Phase::FullSpeed
        } else {
            Phase::Real
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.phase() == Phase::Over
    }

    pub(crate) fn end_now(&self) {
        self.ended.store(true, Ordering::Relaxed); // Relaxed: as above
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn total(&self) -> Duration {
        2 * self.length
    }

    /// Moments about `period` apart, the last of which is just before the end of the phase.
    pub(crate) fn ticks(&self, phase: Phase, period: Duration) -> impl Iterator<Item = Instant> + use<> {
        let start = if phase == Phase::Real { self.start } else { self.start + self.length };
        let length = self.length.saturating_sub(Duration::from_millis(10));
        #[expect(clippy::cast_possible_truncation, reason = "a day has fewer than 2^32 periods")]
        let count = length.as_millis().div_ceil(period.as_millis()) as u32;
        (1..=count).map(move |tick| start + length / count * tick)
    }

    /// Sleeps until `moment`, or until the run was ended and this thread unparked.
    pub(crate) fn sleep_until(&self, moment: Instant) {
        while !self.ended.load(Ordering::Relaxed) {
            let left = moment.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::park_timeout(left);
        }
    }
}
