use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use super::size;
use crate::peer::Async;
use crate::statistics::{Sorted, nanoseconds};

/// Counts the tasks that have received a whole burst. The last one wakes the publisher.
pub(super) struct Done {
    tasks: u64,
    count: AtomicU64,
    pub(super) all: Notify,
}

impl Done {
    fn new(tasks: u64) -> Arc<Self> {
        Arc::new(Self { tasks, count: AtomicU64::new(0), all: Notify::new() })
    }

    fn one(&self) {
        if (self.count.fetch_add(1, Ordering::AcqRel) + 1).is_multiple_of(self.tasks) {
            self.all.notify_one();
        }
    }
}

/// What a task does with a message.
pub(super) trait Work: Fn(u64) + Copy + Send + 'static {}

impl<W: Fn(u64) + Copy + Send + 'static> Work for W {}

/// A runtime with a publisher and `tasks` tasks. The tasks receive that many bursts, and note their
/// start and each burst.
pub(super) fn audience<P: Async>(
    workers: usize,
    tasks: u64,
    bursts: u64,
    burst: u64,
    work: impl Work,
) -> (Runtime, P::Tx, Arc<Done>) {
    let runtime = Builder::new_multi_thread().worker_threads(workers).build().expect("a runtime");
    let (tx, rxs) = P::ring(64, size(tasks));
    P::prepare(&tx, &runtime);
    let done = Done::new(tasks);
    for mut rx in rxs {
        let done = Arc::clone(&done);
        runtime.spawn(async move {
            // All have started.
            done.one();
            for number in 0..bursts * burst {
                assert_eq!(P::next(&mut rx).await, number);
                work(number);
                if (number + 1) % burst == 0 {
                    done.one();
                }
            }
        });
    }
    (runtime, tx, done)
}

/// Where the publisher runs.
#[derive(Clone, Copy)]
pub enum Place {
    /// A worker of the runtime.
    Task,
    /// A thread of its own, not a worker.
    Thread,
}

/// Sends `burst` messages to `tasks` tasks, and the next burst when all tasks have them. Nanoseconds per
/// delivery, and the 99th percentile of the bursts in microseconds.
pub fn tasks<P: Async>(workers: usize, from: Place, tasks: u64, burst: u64, deliveries: u64) -> [f64; 2] {
    let (a_delivery, times) = bursts::<P>(workers, from, tasks, burst, deliveries, |_| {});
    [a_delivery, times.all_but_one_in(100)]
}

/// The same, with tasks that run `work` for each message. Nanoseconds per delivery, and the times of
/// the bursts.
pub(super) fn bursts<P: Async>(
    workers: usize,
    from: Place,
    tasks: u64,
    burst: u64,
    deliveries: u64,
    work: impl Work,
) -> (f64, Sorted) {
    let bursts = deliveries / tasks / burst + 4;
    let (runtime, mut tx, done) = audience::<P>(workers, tasks, bursts, burst, work);
    let publisher = async move {
        done.all.notified().await;
        let mut times = Vec::with_capacity(size(bursts));
        let began = Instant::now();
        let mut before = began;
        for turn in 0..bursts {
            P::burst(&mut tx, turn * burst..(turn + 1) * burst);
            done.all.notified().await;
            let after = Instant::now();
            times.push(after - before);
            before = after;
        }
        (before - began, times)
    };
    let (took, times) = match from {
        Place::Task => runtime.block_on(runtime.spawn(publisher)).expect("it does not panic"),
        Place::Thread => runtime.block_on(publisher),
    };
    (nanoseconds(took, bursts * burst * tasks), Sorted::new(times))
}
