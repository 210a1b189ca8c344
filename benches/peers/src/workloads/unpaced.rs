use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use super::size;
use crate::peer::Shareable;
use crate::statistics::{Sorted, nanoseconds};

const BATCH: u64 = 64;

/// `publishers` threads publish batches at full speed, and no subscriber reads. Lossy. Nanoseconds per
/// message over all publishers, and microseconds of the slowest batch and of one in a thousand.
pub fn unpaced<P: Shareable>(publishers: u64, batches: u64) -> [f64; 3] {
    // Some peers publish nothing without a subscriber.
    let (tx, _idle) = P::ring(1 << 13, 1);
    let start = &Barrier::new(size(publishers) + 1);
    let (took, times) = thread::scope(|scope| {
        let publish = |mut tx: P::Tx| {
            let mut times = Vec::with_capacity(size(batches));
            start.wait();
            let began = Instant::now();
            let mut before = began;
            for _ in 0..batches {
                (0..BATCH).for_each(|number| P::publish(&mut tx, number));
                let after = Instant::now();
                times.push(after - before);
                before = after;
            }
            (began, before, times)
        };
        let threads: Vec<_> = (0..publishers)
            .map(|_| {
                let tx = tx.clone();
                scope.spawn(move || publish(tx))
            })
            .collect();
        start.wait();
        let done: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("none panics")).collect();
        // Each thread reads the clock itself: with few cores, some end before this thread runs again.
        let began = done.iter().map(|(began, ..)| *began).min().expect("a publisher");
        let ended = done.iter().map(|(_, ended, _)| *ended).max().expect("a publisher");
        (ended - began, done.into_iter().flat_map(|(.., times)| times).collect::<Vec<_>>())
    });
    let times = Sorted::new(times);
    [nanoseconds(took, publishers * batches * BATCH), times.slowest(), times.all_but_one_in(1000)]
}
