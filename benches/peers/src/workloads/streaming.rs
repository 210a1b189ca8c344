use std::hint::spin_loop;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crossbeam_utils::CachePadded;

use super::{CAPACITY, size};
use crate::peer::Peer;
use crate::statistics::nanoseconds;

/// Nanoseconds a message, publisher and `readers` on a thread each, as fast as the slowest goes.
pub fn streaming<P: Peer>(readers: u64, messages: u64) -> f64 {
    let messages = messages / P::SLOWER;
    let (mut tx, rxs) = P::ring(size(CAPACITY), size(readers));
    let marks: Vec<_> = rxs.iter().map(|_| CachePadded::new(AtomicU64::new(0))).collect();
    let start = &Barrier::new(rxs.len() + 1);
    thread::scope(|scope| {
        let read = |(mut rx, mark): (P::Rx, &AtomicU64)| {
            start.wait();
            let mut next = 0;
            while next < messages {
                P::drain(&mut rx, |number| {
                    assert_eq!(number, P::seen(next));
                    next += 1;
                    if next % (CAPACITY / 8) == 0 {
                        mark.store(next, Ordering::Release);
                    }
                });
                spin_loop();
            }
            Instant::now()
        };
        let threads: Vec<_> =
            rxs.into_iter().zip(&marks).map(|(rx, mark)| scope.spawn(move || read((rx, mark)))).collect();
        start.wait();
        let began = Instant::now();
        let mut limit = CAPACITY / 2;
        for number in 0..messages {
            while number >= limit {
                let slowest = marks.iter().map(|mark| mark.load(Ordering::Acquire)).min();
                limit = slowest.expect("a reader") + CAPACITY / 2;
                spin_loop();
            }
            P::publish(&mut tx, number);
        }
        let ended = threads.into_iter().map(|thread| thread.join().expect("all in order")).max();
        nanoseconds(ended.expect("a reader") - began, messages)
    })
}
