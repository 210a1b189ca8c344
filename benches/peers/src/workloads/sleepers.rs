use std::thread;
use std::time::{Duration, Instant};

use super::tasks::audience;
use crate::peer::Async;
use crate::statistics::Sorted;

/// Long enough for the last of them to have gone to sleep again.
const SLEEP: Duration = Duration::from_millis(2);

/// A thread beside the runtime publishes one message at a time to `tasks` sleeping tasks, and the
/// next when all have it. Microseconds that the publish took, the median and what 99 % stay within;
/// and the median until all have the message.
pub fn sleepers<P: Async>(workers: usize, tasks: u64, rounds: u64) -> [f64; 3] {
    let (runtime, mut tx, done) = audience::<P>(workers, tasks, rounds, 1, |_| {});
    runtime.block_on(done.all.notified());
    let (mut publishes, mut deliveries) = (Vec::new(), Vec::new());
    for number in 0..rounds {
        thread::sleep(SLEEP);
        let began = Instant::now();
        P::publish(&mut tx, number);
        publishes.push(began.elapsed());
        runtime.block_on(done.all.notified());
        deliveries.push(began.elapsed());
    }
    let publishes = Sorted::new(publishes);
    [publishes.median(), publishes.all_but_one_in(100), Sorted::new(deliveries).median()]
}
