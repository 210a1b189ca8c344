use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;

use super::size;
use super::tasks::Done;
use crate::peer::Async;
use crate::statistics::Sorted;

/// Long enough for the last of them to have gone to sleep again.
const SLEEP: Duration = Duration::from_millis(2);

/// A thread beside the runtime publishes one message at a time to `tasks` sleeping tasks, and the
/// next when all have it. Microseconds that the publish took, the median and what 99 % stay within;
/// and the median until all have the message.
pub fn sleepers<P: Async>(workers: usize, tasks: u64, rounds: u64) -> [f64; 3] {
    let runtime = Builder::new_multi_thread().worker_threads(workers).build().expect("a runtime");
    let (mut tx, rxs) = P::ring(64, size(tasks));
    P::prepare(&tx, &runtime);
    let done = Done::new(tasks);
    for mut rx in rxs {
        let done = Arc::clone(&done);
        runtime.spawn(async move {
            // All have started.
            done.one();
            for number in 0..rounds {
                assert_eq!(P::next(&mut rx).await, number);
                done.one();
            }
        });
    }
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
