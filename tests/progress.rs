//! What handles report of a ring's progress: it never decreases, and is never less than what the
//! caller has received.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

use seqcast::{Start, TryRecvError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Publishes while `look` is called repeatedly, for some time.
fn while_publishing(capacity: usize, mut look: impl FnMut(&seqcast::Ring<seqcast::Inline<u64>>)) {
    let (mut publisher, _subscriber) = seqcast::inline::<u64>(capacity);
    let ring = publisher.ring();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let stop = &stop;
        scope.spawn(move || {
            for number in 0.. {
                publisher.publish(number);
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _stop = Stop(stop);
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(500) {
            for _ in 0..1000 {
                look(&ring);
            }
        }
    });
}

#[test]
fn the_tail_and_the_oldest_never_go_back() {
    for capacity in [2, 16] {
        let mut before = (0, 0, 0);
        while_publishing(capacity, |ring| {
            let now = (ring.next_sequence(), ring.oldest_sequence(), ring.stats().published);
            assert!(
                before.0 <= now.0 && before.1 <= now.1 && before.2 <= now.2,
                "the progress decreased from {before:?} to {now:?}"
            );
            before = now;
        });
    }
}

#[test]
fn a_tail_is_not_less_than_what_was_received() {
    for capacity in [2, 16] {
        let mut subscriber = None;
        while_publishing(capacity, |ring| {
            let subscriber = subscriber.get_or_insert_with(|| ring.subscribe());
            let received = subscriber.try_recv();
            let next = subscriber.next_sequence();
            let tail = ring.next_sequence();
            assert!(tail >= next, "the tail is {tail} after a cursor at {next}");
            if let Err(TryRecvError::Lagged(lagged)) = received {
                let oldest = ring.oldest_sequence();
                assert!(oldest >= lagged.resumed_at, "the oldest is {oldest} after {lagged:?}");
            }
            let resumed = ring.subscribe_at(Start::At(next)).next_sequence();
            assert!(resumed >= next, "resumed at {resumed}, not {next}");
            subscriber.seek(Start::Latest);
            assert!(subscriber.next_sequence() >= next, "a seek to the latest moved the cursor back");
        });
    }
}
