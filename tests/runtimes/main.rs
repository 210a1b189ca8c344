//! Subscribers and publishers in async runtimes. Each scenario is written once, and runs on every executor of `executors.rs`.
//!
//! | file | |
//! |---|---|
//! | `executors.rs` | the executors: tokio, smol, and those of `futures` |
//! | `reading.rs` | every way for a task to read a ring to its end |
//! | `crowds.rs` | many subscribers: all messages, losses, the end |
//! | `publishing.rs` | tasks that wait for room, by `publish_async` and as sinks |
//! | `driving.rs` | `Ring::drive_wakes` |
//! | `selecting.rs` | `select!` of tokio and of `futures`, with two rings and with timeouts |
//! | `cancelling.rs` | futures that are dropped after they returned `Pending` |
//! | `adapters.rs` | `futures::StreamExt` |
//! | `fallible.rs` | `futures::TryStreamExt`: what ends at the first loss, and what does not |
//! | `on_tokio.rs` | tokio's own: `spawn`, `LocalSet`, `timeout`, `tokio_stream` |
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

#[path = "../common/mod.rs"]
mod common;
#[macro_use]
mod executors;
mod adapters;
mod cancelling;
mod crowds;
mod driving;
mod fallible;
mod on_tokio;
mod publishing;
mod reading;
mod selecting;

use std::task::Poll;
use std::time::Instant;

/// Lets other tasks run.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Waits until it holds, and lets other tasks run. Fails after half a minute.
async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed().as_secs() < 30, "never: {what}");
        yield_now().await;
    }
}

/// Waits until each of `count` subscribers of the ring waits for a message.
async fn all_wait<S: seqcast::Storage>(ring: &seqcast::Ring<S>, count: usize) {
    eventually("all subscribers wait", || {
        let subscribers = ring.stats().subscribers;
        subscribers.iter().filter(|subscriber| subscriber.parked && subscriber.lag == 0).count() == count
    })
    .await;
}
