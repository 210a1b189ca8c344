//! Messages of `W` words: nanoseconds to publish one and to receive it, on one thread.

use std::hint::black_box;
use std::time::Instant;

use crate::per::per;

const CAPACITY: usize = 256;

fn messages<const W: usize>() -> u64 {
    4_000_000 / (W as u64 + 16)
}

pub fn inline<const W: usize>() -> f64
where
    [u64; W]: seqcast::Plain + Copy,
{
    let (mut tx, mut rx) = seqcast::inline::<[u64; W]>(CAPACITY);
    let began = Instant::now();
    for value in 0..messages::<W>() {
        tx.publish(black_box([value; W]));
        assert!(black_box(rx.try_recv().expect("a message"))[W - 1] == value);
    }
    per(began.elapsed(), messages::<W>())
}

pub fn borrowed<const W: usize>() -> f64 {
    let (mut tx, mut rx) = seqcast::boxed::<[u64; W]>(CAPACITY);
    let began = Instant::now();
    for value in 0..messages::<W>() {
        tx.publish(black_box([value; W]));
        assert!(black_box(&*rx.try_recv_ref().expect("a message"))[W - 1] == value);
    }
    per(began.elapsed(), messages::<W>())
}

pub fn photon<const W: usize>() -> f64 {
    let (mut tx, ring) = photon_ring::channel::<[u64; W]>(CAPACITY);
    let mut rx = ring.subscribe();
    let began = Instant::now();
    for value in 0..messages::<W>() {
        tx.publish(black_box([value; W]));
        assert!(black_box(rx.try_recv().expect("a message"))[W - 1] == value);
    }
    per(began.elapsed(), messages::<W>())
}

pub fn tokio<const W: usize>() -> f64 {
    let (tx, mut rx) = tokio::sync::broadcast::channel::<[u64; W]>(CAPACITY);
    let began = Instant::now();
    for value in 0..messages::<W>() {
        tx.send(black_box([value; W])).expect("a receiver");
        assert!(black_box(rx.try_recv().expect("a message"))[W - 1] == value);
    }
    per(began.elapsed(), messages::<W>())
}
