//! Gated rings: which subscribers hold publishers back, who waits, who is woken, and what nobody loses.
//!
//! | file | |
//! |---|---|
//! | `full.rs` | when a ring is full, and where a gating subscriber begins |
//! | `waiting.rs` | threads that wait for room: timeouts, batches, the end |
//! | `tasks.rs` | tasks that wait for room: futures that are dropped, wakers that misbehave, runtimes |
//! | `sinks.rs` | publishers as sinks |
//! | `leaving.rs` | gating subscribers that are dropped, panic or are leaked |
//! | `deadline.rs` | the gate deadline: who is demoted, and who is not |
//! | `joining.rs` | gating subscribers that join a running ring |
//! | `latest.rs` | waiting for the newest message |
//! | `crowds.rs` | everything at once |
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

#[path = "../common/mod.rs"]
mod common;
mod crowds;
mod deadline;
mod full;
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
const LIMIT: Duration = Duration::from_secs(120);

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

/// Runs `body` on a thread of its own, and fails rather than hang with it.
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

/// Starts `code` on a thread of its own. What it returns is received with [`returned`].
fn start<R: Send + 'static>(code: impl FnOnce() -> R + Send + 'static) -> Receiver<R> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let _ = sender.send(code());
    });
    receiver
}

/// What a thread that was begun with [`start`] returned. Fails if it hangs or panicked.
#[track_caller]
fn returned<R>(receiver: Receiver<R>) -> R {
    match receiver.recv_timeout(LIMIT) {
        Ok(returned) => returned,
        Err(error) => panic!("hangs, or has panicked: {error}"),
    }
}

/// The ways in which [`publish`] waits for room.
const WAYS: u64 = 5;

/// Publishes one message in one of the ways, waiting for room. `None` once the ring is closed.
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
            // Of its sequence nothing is known but that it has one.
            (publisher.publish_many([message]) == 1).then_some(u64::MAX)
        }
    }
}
