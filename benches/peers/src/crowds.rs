//! Many publishers that nobody paces, and many readers that do not read. Lossy for all: whoever is lapped is lapped.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::peer::{Peer, Shareable};
use crate::per::per;

const BATCH: u64 = 64;

/// Each of `publishers` publishes batches as fast as it goes; how long each batch took, and all of it.
fn contention<P: Shareable>(publishers: u64, batches: u64) -> (Duration, Vec<Duration>) {
    let tx = P::ring(1 << 13);
    // Somebody has to be subscribed, or some publish nothing.
    let _idle = P::subscribe(&tx);
    let start = Barrier::new(usize::try_from(publishers).unwrap() + 1);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..publishers)
            .map(|_| {
                let (mut tx, start) = (tx.clone(), &start);
                scope.spawn(move || {
                    start.wait();
                    let batch = |_| {
                        let began = Instant::now();
                        (0..BATCH).for_each(|value| P::publish(&mut tx, value));
                        began.elapsed()
                    };
                    (0..batches).map(batch).collect::<Vec<_>>()
                })
            })
            .collect();
        start.wait();
        let began = Instant::now();
        let times = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        (began.elapsed(), times)
    })
}

/// Nanoseconds a message, all publishers together.
pub fn throughput<P: Shareable>(publishers: u64, batches: u64) -> f64 {
    let (took, _) = contention::<P>(publishers, batches);
    per(took, publishers * batches * BATCH)
}

/// Microseconds of the slowest batch of 64.
pub fn worst_batch<P: Shareable>(publishers: u64, batches: u64) -> f64 {
    let (_, times) = contention::<P>(publishers, batches);
    per(times.into_iter().max().unwrap_or_default(), 1000)
}

/// Nanoseconds a publish, beside `idle` subscribers that do nothing.
pub fn beside_idle<P: Peer>(idle: usize, messages: u64) -> f64 {
    let mut tx = P::ring(1024);
    let rxs: Vec<_> = (0..idle).map(|_| P::subscribe(&tx)).collect();
    let began = Instant::now();
    (0..messages).for_each(|value| P::publish(&mut tx, value));
    let took = began.elapsed();
    drop(rxs);
    per(took, messages)
}
