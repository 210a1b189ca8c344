use std::thread;
use std::time::{Duration, Instant};

use super::tasks::audience;
use crate::peer::Async;
use crate::statistics::Sorted;

/// Long enough for the last task to sleep again.
const SLEEP: Duration = Duration::from_millis(2);

/// A thread outside of the runtime publishes one message at a time to `tasks` sleeping tasks, and the
/// next one when all tasks have it. Microseconds of the publish: median and 99th percentile. Then the
/// median until all tasks have the message.
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
