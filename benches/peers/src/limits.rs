//! What the machine itself needs, without any protocol.

mod copying;

pub use copying::{copied, copied_between_threads};

use std::array;
use std::collections::VecDeque;
use std::hint::{black_box, spin_loop};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crossbeam_utils::CachePadded;

use crate::message::Message;
use crate::statistics::nanoseconds;
use crate::workloads::{CAPACITY, SLOTS};

type Line = CachePadded<AtomicU64>;

fn wait_for(word: &AtomicU64, value: u64) {
    while word.load(Ordering::Acquire) != value {
        spin_loop();
    }
}

/// Nanoseconds for a round trip of one cache line in each direction.
pub fn round_trip(trips: u64) -> f64 {
    let (there, back) = (Line::default(), Line::default());
    thread::scope(|scope| {
        scope.spawn(|| {
            for trip in 1..=trips {
                wait_for(&there, trip);
                back.store(trip, Ordering::Release);
            }
        });
        there.store(1, Ordering::Release);
        wait_for(&back, 1);
        let began = Instant::now();
        for trip in 2..=trips {
            there.store(trip, Ordering::Release);
            wait_for(&back, trip);
        }
        nanoseconds(began.elapsed(), trips - 1)
    })
}

/// Nanoseconds per word: packed words, each stored once per lap, and polled.
pub fn streaming(words: u64) -> f64 {
    stream_words(words, |number| number)
}

/// The same, with each number drawn from a counter on a line of its own, as many publishers must.
pub fn counted(words: u64) -> f64 {
    let counter = Line::default();
    stream_words(words, |_| counter.fetch_add(1, Ordering::Relaxed))
}

/// The same, with `batch` numbers drawn at a time.
pub fn counted_in_batches(words: u64, batch: u64) -> f64 {
    let counter = Line::default();
    let mut first = 0;
    stream_words(words, |number| {
        let at = number % batch;
        if at == 0 {
            first = counter.fetch_add(batch, Ordering::Relaxed);
        }
        first + at
    })
}

fn stream_words(words: u64, mut claim: impl FnMut(u64) -> u64) -> f64 {
    let ring: Box<[AtomicU64; SLOTS]> = Box::new(array::from_fn(|_| AtomicU64::new(0)));
    let publish = |number| {
        let number = claim(number);
        ring[slot(number)].store(number + 1, Ordering::Release);
    };
    stream(words, publish, |number| wait_for(&ring[slot(number)], number + 1))
}

/// Nanoseconds per message from this thread, which publishes each, to another, which receives it.
/// The publisher stays within half a ring of what the other has received.
fn stream(messages: u64, mut publish: impl FnMut(u64), receive: impl Fn(u64) + Sync) -> f64 {
    let (read, start) = (Line::default(), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            for number in 0..messages {
                receive(number);
                if number % (CAPACITY / 8) == 0 {
                    read.store(number, Ordering::Release);
                }
            }
            read.store(messages, Ordering::Release);
        });
        start.wait();
        let began = Instant::now();
        let mut limit = CAPACITY / 2;
        for number in 0..messages {
            while number >= limit {
                limit = read.load(Ordering::Acquire) + CAPACITY / 2;
                spin_loop();
            }
            publish(number);
        }
        wait_for(&read, messages);
        nanoseconds(began.elapsed(), messages)
    })
}

/// Nanoseconds per delivery to create texts, check them, and drop them a lap later.
pub fn texts(readers: u64, deliveries: u64) -> f64 {
    let lap = 1024;
    let mut texts: VecDeque<String> = (0..lap).map(Message::of).collect();
    let messages = deliveries / readers;
    let began = Instant::now();
    for number in lap..lap + messages {
        texts.push_back(Message::of(number));
        let newest = black_box(&texts).back().expect("just made");
        (0..readers).for_each(|_| assert_eq!(black_box(newest).number(), number % String::KINDS));
        texts.pop_front();
    }
    nanoseconds(began.elapsed(), messages * readers)
}

#[allow(clippy::cast_possible_truncation)]
fn slot(number: u64) -> usize {
    (number % CAPACITY) as usize
}
