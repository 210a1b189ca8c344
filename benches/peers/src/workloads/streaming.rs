use std::array;
use std::hint::spin_loop;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crossbeam_utils::CachePadded;

use super::{CAPACITY, pass, size};
use crate::peer::{Batched, Peer};
use crate::statistics::nanoseconds;

/// How a reader receives.
trait Read<P: Peer>: Default {
    fn read(&mut self, rx: &mut P::Rx, each: impl FnMut(u64));
}

/// In the fastest way of its peer.
#[derive(Default)]
struct Drain;

impl<P: Peer> Read<P> for Drain {
    #[inline]
    fn read(&mut self, rx: &mut P::Rx, each: impl FnMut(u64)) {
        P::drain(rx, each);
    }
}

/// The same, with a pause of one or two microseconds when the ring is empty. The reader then stays
/// some messages behind.
#[derive(Default)]
struct Pausing;

impl<P: Peer> Read<P> for Pausing {
    #[inline]
    fn read(&mut self, rx: &mut P::Rx, mut each: impl FnMut(u64)) {
        let mut found = false;
        P::drain(rx, |number| {
            found = true;
            each(number);
        });
        if !found {
            (0..PAUSE).for_each(|_| spin_loop());
        }
    }
}

const PAUSE: u32 = 256;

/// Up to `N` at a time, into a buffer.
#[derive(Default)]
struct Batches<const N: usize>(Vec<u64>);

impl<P: Batched, const N: usize> Read<P> for Batches<N> {
    #[inline]
    fn read(&mut self, rx: &mut P::Rx, each: impl FnMut(u64)) {
        P::receive_batch(rx, &mut self.0, N, each);
    }
}

/// Nanoseconds per message. The publisher and each reader have a thread of their own, and the
/// slowest reader sets the pace.
pub fn streaming<P: Peer>(readers: u64, messages: u64) -> f64 {
    stream::<P, Drain, 1>(readers, messages)
}

/// The same, with a reader that pauses when the ring is empty.
pub fn streaming_with_pauses<P: Peer>(readers: u64, messages: u64) -> f64 {
    stream::<P, Pausing, 1>(readers, messages)
}

/// The same, published in batches of `N`.
pub fn published_in_batches<P: Peer, const N: usize>(readers: u64, messages: u64) -> f64 {
    stream::<P, Drain, N>(readers, messages)
}

/// The same, published and received in batches of `N`.
pub fn batches<P: Batched, const N: usize>(readers: u64, messages: u64) -> f64 {
    stream::<P, Batches<N>, N>(readers, messages)
}

fn stream<P: Peer, R: Read<P>, const N: usize>(readers: u64, messages: u64) -> f64 {
    let batch = N as u64;
    let messages = messages / P::SLOWER / batch * batch;
    let (mut tx, mut rxs) = P::ring(size(CAPACITY), size(readers));
    // One lap first, so that the memory is mapped.
    pass::<P>(&mut tx, &mut rxs, 0..CAPACITY);
    let numbers = CAPACITY..CAPACITY + messages;
    let marks: Vec<_> = rxs.iter().map(|_| CachePadded::new(AtomicU64::new(numbers.start))).collect();
    let start = &Barrier::new(rxs.len() + 1);
    thread::scope(|scope| {
        let read = |(mut rx, mark): (P::Rx, &AtomicU64)| {
            start.wait();
            let (mut next, mut reader) = (numbers.start, R::default());
            while next < numbers.end {
                reader.read(&mut rx, |number| {
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
        let mut limit = numbers.start + CAPACITY / 2;
        for first in numbers.clone().step_by(N) {
            while first + batch > limit {
                let slowest = marks.iter().map(|mark| mark.load(Ordering::Acquire)).min();
                limit = slowest.expect("a reader") + CAPACITY / 2;
                spin_loop();
            }
            if N == 1 {
                P::publish(&mut tx, first);
            } else {
                P::publish_batch(&mut tx, array::from_fn::<_, N, _>(|at| first + at as u64));
            }
        }
        let ended = threads.into_iter().map(|thread| thread.join().expect("all in order")).max();
        nanoseconds(ended.expect("a reader") - began, messages)
    })
}
