//! Nothing is spawned while the time runs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Where threads meet. They poll, so that all of them are awake when they go on.
struct Start {
    threads: usize,
    arrived: AtomicUsize,
}

impl Start {
    fn wait(&self) {
        let arrived = self.arrived.fetch_add(1, Ordering::AcqRel) + 1;
        let all = arrived.next_multiple_of(self.threads);
        while self.arrived.load(Ordering::Acquire) < all {
            thread::yield_now();
        }
    }
}

/// Threads that are there before the first measurement and sleep between two of them.
pub(crate) struct Crew {
    orders: Vec<mpsc::Sender<u64>>,
    start: Arc<Start>,
    done: mpsc::Receiver<(Instant, Instant)>,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// A thread for each piece of work, which is told how often to do it.
    pub(crate) fn new<W: FnMut(u64) + Send + 'static>(work: impl IntoIterator<Item = W>) -> Self {
        let work: Vec<_> = work.into_iter().collect();
        let start = Arc::new(Start { threads: work.len() + 1, arrived: AtomicUsize::new(0) });
        let (tell, done) = mpsc::channel();
        let (mut orders, mut threads) = (Vec::new(), Vec::new());
        for mut work in work {
            let (order, told) = mpsc::channel();
            let (start, tell) = (Arc::clone(&start), tell.clone());
            orders.push(order);
            threads.push(thread::spawn(move || {
                for iterations in told {
                    start.wait();
                    let began = Instant::now();
                    work(iterations);
                    tell.send((began, Instant::now())).expect("it waits for all");
                }
            }));
        }
        Self { orders, start, done, threads }
    }

    /// Has all of them work while this thread does its `own` part. From when the first begins until the last is done, by their own
    /// clocks: where cores are few, some are done before this thread runs again.
    pub(crate) fn run(&self, iterations: u64, own: impl FnOnce()) -> Duration {
        for order in &self.orders {
            order.send(iterations).expect("it takes orders");
        }
        self.start.wait();
        let mut began = Instant::now();
        own();
        let mut ended = Instant::now();
        for _ in &self.orders {
            let (first, last) = self.done.recv().expect("it tells when it is done");
            began = began.min(first);
            ended = ended.max(last);
        }
        ended - began
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.orders.clear();
        for thread in self.threads.drain(..) {
            thread.join().expect("none panics");
        }
    }
}
