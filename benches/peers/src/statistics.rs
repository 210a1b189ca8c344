//! Medians and tails.

use std::time::Duration;

pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The significant digits.
pub fn short(value: f64) -> String {
    let digits = if value < 9.95 { 2 } else { usize::from(value < 99.5) };
    format!("{value:.digits$}")
}

/// Each of `count`.
#[allow(clippy::cast_precision_loss)]
pub fn nanoseconds(time: Duration, count: u64) -> f64 {
    time.as_nanos() as f64 / count as f64
}

pub fn microseconds(time: Duration) -> f64 {
    nanoseconds(time, 1000)
}

/// Times in ascending order. All results are in microseconds.
pub struct Sorted(Vec<Duration>);

impl Sorted {
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    pub fn median(&self) -> f64 {
        microseconds(self.0[self.0.len() / 2])
    }

    pub fn slowest(&self) -> f64 {
        microseconds(self.0[self.0.len() - 1])
    }

    /// The value that all but one in `parts` do not exceed. The maximum if there are fewer.
    pub fn all_but_one_in(&self, parts: usize) -> f64 {
        microseconds(self.0[self.0.len() - 1 - self.0.len() / parts])
    }
}
