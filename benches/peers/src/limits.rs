//! What the machine itself takes, without any protocol.

use std::array;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crate::per::per;

/// A word with its cache line, and the next, for itself.
#[repr(align(128))]
#[derive(Default)]
struct Line(AtomicU64);

fn wait_for(word: &AtomicU64, value: u64) {
    while word.load(Ordering::Acquire) != value {
        spin_loop();
    }
}

/// Nanoseconds for one cache line there and another back.
pub fn round_trip(trips: u64) -> f64 {
    let (there, back) = (Line::default(), Line::default());
    thread::scope(|scope| {
        scope.spawn(|| {
            for trip in 1..=trips {
                wait_for(&there.0, trip);
                back.0.store(trip, Ordering::Release);
            }
        });
        there.0.store(1, Ordering::Release);
        wait_for(&back.0, 1);
        let began = Instant::now();
        for trip in 2..=trips {
            there.0.store(trip, Ordering::Release);
            wait_for(&back.0, trip);
        }
        per(began.elapsed(), trips - 1)
    })
}

/// Nanoseconds a word: packed words, each written once a lap with its lap, and read as they come.
pub fn streaming(words: u64) -> f64 {
    const CAPACITY: usize = 1 << 13;
    let ring: Box<[AtomicU64; CAPACITY]> = Box::new(array::from_fn(|_| AtomicU64::new(0)));
    let read = Line::default();
    thread::scope(|scope| {
        let began = Instant::now();
        scope.spawn(|| {
            for word in 0..words {
                wait_for(&ring[slot(word)], word + 1);
                if word % 1024 == 0 {
                    read.0.store(word, Ordering::Release);
                }
            }
            read.0.store(words, Ordering::Release);
        });
        for word in 0..words {
            while word >= read.0.load(Ordering::Acquire) + CAPACITY as u64 / 2 {
                spin_loop();
            }
            ring[slot(word)].store(word + 1, Ordering::Release);
        }
        wait_for(&read.0, words);
        per(began.elapsed(), words)
    })
}

#[allow(clippy::cast_possible_truncation)]
fn slot(word: u64) -> usize {
    word as usize % (1 << 13)
}
