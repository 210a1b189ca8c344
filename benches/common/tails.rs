//! What a mean would lie about.

use super::WARM_UP;
use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// How long single things took.
pub(crate) struct Tails {
    times: Histogram<u64>,
    made: Instant,
}

impl Tails {
    pub(crate) fn new() -> Self {
        let times = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("good bounds");
        Self { times, made: Instant::now() }
    }

    /// To be called as a sample begins: what was noted while criterion warms up does not count.
    pub(crate) fn sample(&mut self) {
        if self.made.elapsed() < WARM_UP {
            self.times.reset();
        }
    }

    #[inline]
    pub(crate) fn note(&mut self, time: Duration) {
        self.times.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// One line, unless criterion was told to leave the row out.
    pub(crate) fn print(&self, what: &str) {
        if self.times.is_empty() {
            return;
        }
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|q| Duration::from_nanos(self.times.value_at_quantile(q)));
        let (max, count) = (Duration::from_nanos(self.times.max()), self.times.len());
        println!("tails of {what}: p50 {p50:.1?}, p99 {p99:.1?}, p99.9 {p999:.1?}, max {max:.1?} (of {count})\n");
    }
}
