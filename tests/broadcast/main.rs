//! What the documentation of `tokio::sync::broadcast` says, one test a sentence. Each test runs twice: against tokio,
//! which proves the test right, and against `seqcast::broadcast`.
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
