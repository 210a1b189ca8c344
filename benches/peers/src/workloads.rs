//! What is timed. Every message is checked on arrival, nothing is spawned inside the timed region, and nothing is lost: the
//! publisher keeps within half a ring of the reader, by a mark that the reader leaves every now and then.

use std::hint::spin_loop;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crate::peer::{Peer, Shareable};
use crate::per::per;

/// Where a reader stands, on a line of its own.
#[repr(align(128))]
#[derive(Default)]
struct Mark(AtomicU64);

/// Nanoseconds a message, publisher and `readers` on a thread each, as fast as the slowest goes.
pub fn streaming<P: Peer>(readers: usize, messages: u64) -> f64 {
    const CAPACITY: u64 = 1 << 13;
    let mut tx = P::ring(usize::try_from(CAPACITY).unwrap());
    let (marks, start) = ((0..readers).map(|_| Mark::default()).collect::<Vec<_>>(), Barrier::new(readers + 1));
    thread::scope(|scope| {
        let threads: Vec<_> = marks
            .iter()
            .map(|mark| {
                let (mut rx, start) = (P::subscribe(&tx), &start);
                scope.spawn(move || {
                    start.wait();
                    for expected in 0..messages {
                        assert_eq!(wait::<P>(&mut rx), P::seen(expected));
                        if expected % (CAPACITY / 8) == 0 {
                            mark.0.store(expected, Ordering::Release);
                        }
                    }
                    Instant::now()
                })
            })
            .collect();
        start.wait();
        let began = Instant::now();
        let mut limit = CAPACITY / 2;
        for value in 0..messages {
            while value >= limit {
                let slowest = marks.iter().map(|mark| mark.0.load(Ordering::Acquire)).min();
                limit = slowest.unwrap_or_default() + CAPACITY / 2;
                spin_loop();
            }
            P::publish(&mut tx, value);
        }
        let ended = threads.into_iter().map(|thread| thread.join().unwrap()).max();
        per(ended.unwrap() - began, messages)
    })
}

/// Nanoseconds a delivery: one thread publishes and has each of `readers` take the message.
pub fn fan_out<P: Peer>(readers: usize, deliveries: u64) -> f64 {
    let mut tx = P::ring(1024);
    let mut rxs: Vec<_> = (0..readers).map(|_| P::subscribe(&tx)).collect();
    let messages = deliveries / readers as u64;
    let began = Instant::now();
    for value in 0..messages {
        P::publish(&mut tx, value);
        for rx in &mut rxs {
            assert!(P::poll(rx) == Some(P::seen(value)));
        }
    }
    per(began.elapsed(), messages * readers as u64)
}

/// Nanoseconds there and back, over two rings and two threads that poll.
pub fn round_trip<P: Peer>(trips: u64) -> f64 {
    let (mut there, mut back) = (P::ring(64), P::ring(64));
    let (mut far, mut near) = (P::subscribe(&there), P::subscribe(&back));
    let start = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            for expected in 0..trips {
                assert_eq!(wait::<P>(&mut far), P::seen(expected));
                P::publish(&mut back, expected);
            }
        });
        start.wait();
        let began = Instant::now();
        for value in 0..trips {
            P::publish(&mut there, value);
            assert_eq!(wait::<P>(&mut near), P::seen(value));
        }
        per(began.elapsed(), trips)
    })
}

/// Nanoseconds a message, `count` publishers and a reader, each on a thread of its own. The publishers keep in step, and within half a
/// ring of the reader.
pub fn publishers<P: Shareable>(count: u64, messages: u64) -> f64 {
    const CAPACITY: u64 = 1 << 13;
    /// Numbers that a reader can tell apart, for each publisher.
    const NUMBERS: u64 = 64;
    let tx = P::ring(usize::try_from(CAPACITY).unwrap());
    let mut rx = P::subscribe(&tx);
    let (read, start) = (AtomicU64::new(0), Barrier::new(usize::try_from(count).unwrap() + 1));
    let each = messages / count;
    thread::scope(|scope| {
        for id in 0..count {
            let (mut tx, read, start) = (tx.clone(), &read, &start);
            scope.spawn(move || {
                start.wait();
                let mut limit = CAPACITY / 4 / count;
                for number in 0..each {
                    while number >= limit {
                        limit = read.load(Ordering::Acquire) / count + CAPACITY / 4 / count;
                        // There may be more threads than cores.
                        thread::yield_now();
                    }
                    P::publish(&mut tx, id * NUMBERS + number % NUMBERS);
                }
            });
        }
        start.wait();
        let began = Instant::now();
        let mut next = vec![0; usize::try_from(count).unwrap()];
        for received in 0..each * count {
            let value = loop {
                match P::poll(&mut rx) {
                    Some(value) => break value,
                    None => thread::yield_now(),
                }
            };
            let next = &mut next[usize::try_from(value / NUMBERS).unwrap()];
            assert_eq!(value % NUMBERS, *next % NUMBERS, "out of its publisher's order");
            *next += 1;
            if received % (CAPACITY / 16) == 0 {
                read.store(received, Ordering::Release);
            }
        }
        per(began.elapsed(), each * count)
    })
}

fn wait<P: Peer>(rx: &mut P::Rx) -> u64 {
    loop {
        if let Some(value) = P::poll(rx) {
            return value;
        }
        spin_loop();
    }
}
