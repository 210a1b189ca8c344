use std::time::Duration;

/// Nanoseconds each.
#[allow(clippy::cast_precision_loss)]
pub fn per(time: Duration, count: u64) -> f64 {
    time.as_nanos() as f64 / count as f64
}
