//! Gated rings: publishers wait for gating subscribers, are woken, and overwrite no message that
//! those have not read.
//!
//! | file | |
//! |---|---|
//! | `full.rs` | when a ring is full, and where a gating subscriber starts |
//! | `waiting.rs` | threads that wait for room: timeouts, batches, closing |
//! | `tasks.rs` | tasks that wait for room: dropped futures, bad wakers, runtimes |
//! | `sinks.rs` | publishers as sinks |
//! | `leaving.rs` | gating subscribers that are dropped, unwound or leaked |
//! | `deadline.rs` | the gate deadline, and suspended publishers |
//! | `innocent.rs` | gating subscribers that the deadline must spare, and publishers that it must free |
//! | `joining.rs` | gating subscribers that join a running ring |
//! | `latest.rs` | waiting for the newest message |
//! | `crowds.rs` | many publishers and subscribers in parallel |
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

#[path = "../common/mod.rs"]
mod common;
mod crowds;
mod deadline;
mod full;
mod innocent;
mod joining;
mod latest;
mod leaving;
#[cfg(feature = "sink")]
mod sinks;
mod tasks;
mod waiting;

use std::panic::resume_unwind;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use common::{Carry, block_on};
use seqcast::{Builder, Inline, Publisher, SharedPublisher, Subscriber};

/// How long a test may take before it counts as hanging.
const LIMIT: Duration = Duration::from_secs(600);

/// A ring with one gating subscriber.
fn gated(capacity: usize) -> (Publisher<Inline<u64>>, Subscriber<Inline<u64>>) {
    let (publisher, _) = Builder::new(capacity).gated().inline();
    let gating = publisher.ring().subscribe_gating().unwrap();
    (publisher, gating)
}

/// A ring whose gating subscriber is a full lap behind.
fn full(capacity: usize) -> (SharedPublisher<Inline<u64>>, Subscriber<Inline<u64>>) {
    let (mut publisher, gating) = gated(capacity);
    publisher.publish_many(0..capacity as u64);
    (publisher.share(), gating)
}

/// Runs `body` on its own thread. A body that hangs fails the test.
#[track_caller]
fn in_time(body: impl FnOnce() + Send + 'static) {
    let (running, over) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        let _running = running;
        body();
    });
    if over.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
        panic!("hangs");
    }
    if let Err(panic) = thread.join() {
        resume_unwind(panic);
    }
}

/// Runs `code` on its own thread. [`returned`] waits for the result.
fn start<R: Send + 'static>(code: impl FnOnce() -> R + Send + 'static) -> Receiver<R> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let _ = sender.send(code());
    });
    receiver
}

/// The result of a thread that [`start`] spawned. Fails if the thread hangs or panicked.
#[track_caller]
fn returned<R>(receiver: Receiver<R>) -> R {
    match receiver.recv_timeout(LIMIT) {
        Ok(returned) => returned,
        Err(error) => panic!("the thread hangs or panicked: {error}"),
    }
}

/// The number of ways in which [`publish`] waits for room.
const WAYS: u64 = 5;

/// Publishes one message, and waits for room in one of the ways. `None` if the ring is closed.
fn publish<S: Carry>(publisher: &SharedPublisher<S>, way: u64, mut message: S::Item) -> Option<u64> {
    match way % WAYS {
        0 => publisher.publish(message).ok(),
        1 => block_on(publisher.publish_async(message)).ok(),
        2 => loop {
            match publisher.try_publish(message) {
                Ok(sequence) => return Some(sequence),
                Err(error) if error.is_full() => message = error.into_inner(),
                Err(_) => return None,
            }
            thread::yield_now();
        },
        3 => loop {
            match publisher.publish_timeout(message, Duration::from_micros(300)) {
                Ok(sequence) => return Some(sequence),
                Err(error) if error.is_timeout() => message = error.into_inner(),
                Err(_) => return None,
            }
        },
        _ => {
            // `publish_many` returns no sequence.
            (publisher.publish_many([message]) == 1).then_some(u64::MAX)
        }
    }
}
