use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use super::{LOSSLESS_SLOTS, Turns, pause, size};
use crate::peer::{Lossless, Shareable};
use crate::statistics::nanoseconds;

/// Nanoseconds per message. `count` publishers (a power of two) and `readers` polling readers have a
/// thread each. Only the ring holds the publishers back.
pub fn lossless_publishers<P: Shareable + Lossless>(count: u64, readers: u64, messages: u64) -> f64 {
    let (tx, rxs) = P::ring(LOSSLESS_SLOTS, size(readers));
    let (each, pause) = (messages / count, pause(count + readers));
    let start = &Barrier::new(size(count + readers));
    thread::scope(|scope| {
        let publish = |mut tx: P::Tx, id: u64| {
            start.wait();
            let began = Instant::now();
            (0..each).for_each(|turn| P::publish(&mut tx, turn * count + id));
            began
        };
        let read = |mut rx: P::Rx| {
            let mut turns = Turns::new::<P>(count);
            let mut received = 0;
            start.wait();
            while received < each * count {
                P::drain(&mut rx, |number| {
                    turns.check::<P>(number);
                    received += 1;
                });
                pause();
            }
            (Instant::now(), rx)
        };
        let readers: Vec<_> = rxs.into_iter().map(|rx| scope.spawn(move || read(rx))).collect();
        let publishers: Vec<_> = (0..count)
            .map(|id| {
                let tx = tx.clone();
                scope.spawn(move || publish(tx, id))
            })
            .collect();
        // Each thread reads the clock itself: this thread may run long after they have started.
        let began = publishers.into_iter().map(|publisher| publisher.join().expect("it has published all"));
        let began = began.min().expect("a publisher");
        let ended = readers.into_iter().map(|reader| {
            let (ended, mut rx) = reader.join().expect("all in order");
            assert_eq!(P::poll(&mut rx), None, "it has had every message once");
            ended
        });
        nanoseconds(ended.max().expect("a reader") - began, each * count)
    })
}
