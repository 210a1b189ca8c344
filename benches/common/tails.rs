//! Percentiles.

use super::WARM_UP;
use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// The times of single operations.
pub(crate) struct Tails {
    times: Histogram<u64>,
    made: Instant,
}

impl Tails {
    pub(crate) fn new() -> Self {
        let times = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("good bounds");
        Self { times, made: Instant::now() }
    }

    /// Call this at the start of a sample: the times of criterion's warm-up do not count.
    pub(crate) fn sample(&mut self) {
        if self.made.elapsed() < WARM_UP {
            self.times.reset();
        }
    }

    #[inline]
    pub(crate) fn note(&mut self, time: Duration) {
        self.times.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Prints one line, unless a filter leaves the row out.
    pub(crate) fn print(&self, what: &str) {
        if self.times.is_empty() {
            return;
        }
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|q| Duration::from_nanos(self.times.value_at_quantile(q)));
        let (max, count) = (Duration::from_nanos(self.times.max()), self.times.len());
        println!("tails of {what}: p50 {p50:.1?}, p99 {p99:.1?}, p99.9 {p999:.1?}, max {max:.1?} (of {count})\n");
    }
}
