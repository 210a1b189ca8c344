//! What the tasks do: something to measure.

use std::hint::black_box;
use std::time::{Duration, Instant};

use tokio::task::yield_now;
use tokio::time::sleep;

/// Short polls, with waits between them.
pub(crate) async fn requests(end: Instant) {
    while Instant::now() < end {
        compute(fastrand::u32(100..5_000));
        sleep(Duration::from_millis(fastrand::u64(1..6))).await;
    }
}

/// Polls that are a hundred times as long.
pub(crate) async fn reports(end: Instant) {
    while Instant::now() < end {
        for _ in 0..8 {
            compute(fastrand::u32(100_000..500_000));
            yield_now().await;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

fn compute(rounds: u32) {
    black_box((0..rounds).fold(1_u32, |state, round| black_box(state.wrapping_mul(31) ^ round)));
}
