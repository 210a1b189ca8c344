use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crossbeam_utils::CachePadded;

use super::{CAPACITY, Turns, pause, size};
use crate::peer::Shareable;
use crate::statistics::nanoseconds;

/// Nanoseconds per message. `count` publishers (a power of two) and one reader have a thread each. The
/// publishers stay in step.
pub fn publishers<P: Shareable>(count: u64, messages: u64) -> f64 {
    let (tx, mut rxs) = P::ring(size(CAPACITY), 1);
    let rx = &mut rxs[0];
    let (mark, start) = (CachePadded::new(AtomicU64::new(0)), Barrier::new(size(count) + 1));
    let (each, pause) = (messages / count, pause(count + 1));
    thread::scope(|scope| {
        for id in 0..count {
            let (mut tx, mark, start) = (tx.clone(), &mark, &start);
            scope.spawn(move || {
                start.wait();
                let mut limit = CAPACITY / 4 / count;
                for turn in 0..each {
                    while turn >= limit {
                        limit = mark.load(Ordering::Acquire) / count + CAPACITY / 4 / count;
                        pause();
                    }
                    P::publish(&mut tx, turn * count + id);
                }
            });
        }
        let mut turns = Turns::new::<P>(count);
        let mut received = 0;
        start.wait();
        let began = Instant::now();
        while received < each * count {
            P::drain(rx, |number| {
                turns.check::<P>(number);
                received += 1;
                if received % (CAPACITY / 16) == 0 {
                    mark.store(received, Ordering::Release);
                }
            });
            pause();
        }
        nanoseconds(began.elapsed(), received)
    })
}
