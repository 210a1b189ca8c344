//! The documentation of `tokio::sync::broadcast`, with one test for each sentence or two.
//!
//! Each test runs with tokio, which shows that the test is right, and with `seqcast::broadcast`. If
//! the two differ, a test in `only_tokio` or `only_seqcast` shows how, and gives the reason.
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]
#![allow(clippy::duplicate_mod, reason = "both channels have each theme as a module")]

#[path = "../common/mod.rs"]
mod common;

#[path = "."]
mod on_tokio {
    pub(crate) use tokio::sync::broadcast;

    mod blocking;
    mod cancelling;
    mod capacities;
    mod cloning;
    mod closed;
    mod closing;
    mod cooperating;
    mod counting;
    mod dropping;
    mod errors;
    mod generic;
    mod helpers;
    mod hostile;
    mod lagging;
    mod lengths;
    mod only_tokio;
    mod printing;
    mod receiving;
    mod releasing;
    mod sending;
    mod signatures;
    mod streaming;
    mod subscribing;
    mod threads;
    mod traits;
    mod waking;
    mod walking;
    mod walking_tasks;
    mod weak;

    /// A receiver as a stream. The error is the number of messages that the receiver missed.
    fn stream<T: Clone + Send + Sync + 'static>(
        receiver: broadcast::Receiver<T>,
    ) -> impl futures::Stream<Item = Result<T, u64>> + Send + Unpin {
        use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};
        futures::StreamExt::map(BroadcastStream::new(receiver), |item| {
            item.map_err(|BroadcastStreamRecvError::Lagged(missed)| missed)
        })
    }

    /// How many more messages a lag may count than were sent.
    fn missed_beyond_sent<T>(_: &broadcast::Sender<T>) -> u64 {
        0
    }
}

#[path = "."]
mod on_seqcast {
    pub(crate) use seqcast::broadcast;

    mod blocking;
    mod cancelling;
    mod capacities;
    mod cloning;
    mod closed;
    mod closing;
    mod cooperating;
    mod counting;
    mod dropping;
    mod errors;
    mod generic;
    mod helpers;
    mod hostile;
    mod lagging;
    mod lengths;
    mod only_seqcast;
    mod printing;
    mod receiving;
    mod releasing;
    mod sending;
    mod signatures;
    mod streaming;
    mod subscribing;
    mod threads;
    mod traits;
    mod waking;
    mod walking;
    mod walking_tasks;
    mod weak;

    /// A receiver as a stream. The error is the number of messages that the receiver missed.
    fn stream<T: Clone + Send + Sync + 'static>(
        receiver: broadcast::Receiver<T>,
    ) -> impl futures::Stream<Item = Result<T, u64>> + Send + Unpin {
        use broadcast::error::RecvError;
        futures::StreamExt::map(receiver, |item| {
            item.map_err(|error| match error {
                RecvError::Lagged(missed) => missed,
                RecvError::Closed => unreachable!("a stream ends instead of this error"),
            })
        })
    }

    /// How many more messages a lag may count than were sent. These are sequences that a sender
    /// abandoned because another sender was suspended in the slot a lap before.
    fn missed_beyond_sent<T: Send + Sync + 'static>(sender: &broadcast::Sender<T>) -> u64 {
        sender.ring().stats().skipped
    }
}

use common::wakers::Counter;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Polls a future once. `woken` counts its wakes.
fn poll<F: Future + ?Sized>(future: Pin<&mut F>, woken: &Arc<Counter>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&woken.waker()))
}
