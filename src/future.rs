//! The futures of the async receives. Dropping one lets go of its task's waker.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::RecvError;
use crate::slots::Storage;
use crate::subscriber::Subscriber;

/// A subscriber that a future waits on; awake again when the future is gone.
struct Waiting<'a, S: Storage>(&'a mut Subscriber<S>);

impl<S: Storage> Drop for Waiting<'_, S> {
    fn drop(&mut self) {
        self.0.stay_awake();
    }
}

/// Future of [`Subscriber::recv_async`].
#[must_use = "futures do nothing unless polled"]
pub struct Recv<'a, S: Storage>(Waiting<'a, S>);

impl<'a, S: Storage> Recv<'a, S> {
    pub(crate) fn new(subscriber: &'a mut Subscriber<S>) -> Self {
        Self(Waiting(subscriber))
    }
}

impl<S: Storage> Future for Recv<'_, S> {
    type Output = Result<S::Item, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.0.poll_recv(cx)
    }
}

/// Future of [`Subscriber::recv_many_async`].
#[must_use = "futures do nothing unless polled"]
pub struct RecvMany<'a, S: Storage> {
    waiting: Waiting<'a, S>,
    buffer: &'a mut Vec<S::Item>,
    limit: usize,
}

impl<'a, S: Storage> RecvMany<'a, S> {
    pub(crate) fn new(subscriber: &'a mut Subscriber<S>, buffer: &'a mut Vec<S::Item>, limit: usize) -> Self {
        Self { waiting: Waiting(subscriber), buffer, limit }
    }
}

impl<S: Storage> Future for RecvMany<'_, S> {
    type Output = Result<usize, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { waiting, buffer, limit } = &mut *self;
        waiting.0.poll(cx, |subscriber| subscriber.try_recv_many(buffer, *limit))
    }
}

impl<S: Storage> fmt::Debug for Recv<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recv").field(&self.0.0).finish()
    }
}

impl<S: Storage> fmt::Debug for RecvMany<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvMany")
            .field("subscriber", &self.waiting.0)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
