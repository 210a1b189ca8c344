use std::hint::black_box;
use std::time::Instant;

use super::tasks::{Place, bursts};
use crate::peer::Async;
use crate::statistics::nanoseconds;

/// Steps of the work for a message: about a microsecond.
const STEPS: u64 = 750;

/// Sends one message to `tasks` tasks, which work before they answer, and the next one when all tasks
/// have answered. Nanoseconds per delivery, and the microseconds from the publish to the last answer:
/// median and 99th percentile.
pub fn contention<P: Async>(workers: usize, from: Place, tasks: u64, deliveries: u64) -> [f64; 3] {
    let (a_delivery, times) = bursts::<P>(workers, from, tasks, 1, deliveries, work);
    [a_delivery, times.median(), times.all_but_one_in(100)]
}

/// A hash of the number. Each step needs the result of the last one, and touches no memory.
fn work(number: u64) {
    let mut hash = black_box(number);
    for _ in 0..STEPS {
        hash = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    black_box(hash);
}

/// Nanoseconds that the work for a message takes on this machine: the shortest of some runs.
pub fn work_takes() -> f64 {
    let one_run = |_| {
        let began = Instant::now();
        (0..100).for_each(work);
        nanoseconds(began.elapsed(), 100)
    };
    (0..50).map(one_run).fold(f64::MAX, f64::min)
}
