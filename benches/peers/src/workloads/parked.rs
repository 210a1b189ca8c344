use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use super::size;
use crate::peer::Blocking;
use crate::statistics::Sorted;

/// Long enough for all threads to sleep again.
const SLEEP: Duration = Duration::from_millis(2);

/// Microseconds from the start of a publish until all of `threads` sleeping threads have the message:
/// the median and the maximum of the rounds. The last thread reads the clock, while the publisher
/// sleeps.
pub fn parked<P: Blocking>(threads: u64, rounds: u64) -> [f64; 2] {
    let (mut tx, rxs) = P::ring(64, size(threads));
    let count = Arc::new(AtomicU64::new(0));
    let (ended, all) = channel();
    let readers: Vec<_> = rxs
        .into_iter()
        .map(|mut rx| {
            let (count, ended) = (Arc::clone(&count), ended.clone());
            thread::spawn(move || {
                for round in 0..rounds {
                    assert_eq!(P::wait(&mut rx), round);
                    if (count.fetch_add(1, Ordering::AcqRel) + 1) % threads == 0 {
                        ended.send(Instant::now()).expect("the publisher waits for it");
                    }
                }
            })
        })
        .collect();
    let mut times = Vec::new();
    for round in 0..rounds {
        thread::sleep(SLEEP);
        let began = Instant::now();
        P::publish(&mut tx, round);
        times.push(all.recv().expect("the last one sends") - began);
    }
    for reader in readers {
        reader.join().expect("all in order");
    }
    let times = Sorted::new(times);
    [times.median(), times.slowest()]
}
