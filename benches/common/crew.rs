//! Threads that are spawned before the measurements.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A barrier. Threads poll at it, so that all are awake when they continue.
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

/// Threads that are spawned before the first measurement, and sleep between measurements.
pub(crate) struct Crew {
    orders: Vec<mpsc::Sender<u64>>,
    start: Arc<Start>,
    done: mpsc::Receiver<(Instant, Instant)>,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// A thread for each piece of work. It receives the number of repetitions.
    pub(crate) fn new<W: FnMut(u64) + Send + 'static>(work: impl IntoIterator<Item = W>) -> Self {
        let work: Vec<_> = work.into_iter().collect();
        let start = Arc::new(Start { threads: work.len() + 1, arrived: AtomicUsize::new(0) });
        let (report, done) = mpsc::channel();
        let (mut orders, mut threads) = (Vec::new(), Vec::new());
        for mut work in work {
            let (order, orders_of_thread) = mpsc::channel();
            let (start, report) = (Arc::clone(&start), report.clone());
            orders.push(order);
            threads.push(thread::spawn(move || {
                for iterations in orders_of_thread {
                    start.wait();
                    let began = Instant::now();
                    work(iterations);
                    report.send((began, Instant::now())).expect("`run` receives from every thread");
                }
            }));
        }
        Self { orders, start, done, threads }
    }

    /// Runs all threads' work, and `own` on this thread. Returns the time from the first start to the last
    /// end. Each thread reads the clock itself: with few cores, some end before this thread runs again.
    pub(crate) fn run(&self, iterations: u64, own: impl FnOnce()) -> Duration {
        for order in &self.orders {
            order.send(iterations).expect("the thread runs until the orders end");
        }
        self.start.wait();
        let mut began = Instant::now();
        own();
        let mut ended = Instant::now();
        for _ in &self.orders {
            let (first, last) = self.done.recv().expect("each thread reports its times");
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
