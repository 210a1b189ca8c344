//! Publishing that waits in a task.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::exclusive::Publisher;
use super::shared::SharedPublisher;
use super::task::TaskWait;
use crate::channel::Channel;
use crate::error::{Closed, TryPublishError};
use crate::slots::Storage;
use crate::sync::Arc;

/// Future of [`Publisher::publish_async`] and [`SharedPublisher::publish_async`].
///
/// It holds the message until it is published. Dropping it drops the message. It panics if it is polled again after it was ready.
#[must_use = "futures do nothing unless polled"]
pub struct Publish<'a, S: Storage> {
    publisher: By<'a, S>,
    /// `None` once it is published.
    value: Option<S::Item>,
    wait: TaskWait,
}

enum By<'a, S: Storage> {
    Exclusive(&'a mut Publisher<S>),
    Shared(&'a SharedPublisher<S>),
}

impl<S: Storage> By<'_, S> {
    fn channel(&self) -> &Arc<Channel<S>> {
        match self {
            Self::Exclusive(publisher) => publisher.channel(),
            Self::Shared(publisher) => publisher.channel(),
        }
    }

    /// Publishes `value`, or leaves it there if there is no room.
    fn attempt(&mut self, value: &mut Option<S::Item>) -> Option<Result<u64, Closed<S::Item>>> {
        let Some(item) = value.take() else { panic!("`Publish` polled after it was ready") };
        let published = match self {
            Self::Exclusive(publisher) => publisher.try_publish(item),
            Self::Shared(publisher) => publisher.try_publish(item),
        };
        match published {
            Ok(sequence) => Some(Ok(sequence)),
            Err(TryPublishError::Closed(item)) => Some(Err(Closed(item))),
            Err(TryPublishError::Full(item)) => {
                *value = Some(item);
                None
            }
        }
    }
}

impl<'a, S: Storage> Publish<'a, S> {
    pub(super) fn exclusive(publisher: &'a mut Publisher<S>, value: S::Item) -> Self {
        Self { publisher: By::Exclusive(publisher), value: Some(value), wait: TaskWait::default() }
    }

    pub(super) fn shared(publisher: &'a SharedPublisher<S>, value: S::Item) -> Self {
        Self { publisher: By::Shared(publisher), value: Some(value), wait: TaskWait::default() }
    }
}

impl<S: Storage> Future for Publish<'_, S> {
    type Output = Result<u64, Closed<S::Item>>;

    /// # Panics
    ///
    /// If it is polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { publisher, value, wait } = &mut *self;
        if let Some(done) = publisher.attempt(value) {
            wait.end(publisher.channel());
            return Poll::Ready(done);
        }
        let channel = Arc::clone(publisher.channel());
        wait.poll(&channel, cx, || publisher.attempt(value))
    }
}

// The value is never pinned.
impl<S: Storage> Unpin for Publish<'_, S> {}

impl<S: Storage> Drop for Publish<'_, S> {
    fn drop(&mut self) {
        self.wait.end(self.publisher.channel());
    }
}

impl<S: Storage> fmt::Debug for Publish<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish").field("published", &self.value.is_none()).finish_non_exhaustive()
    }
}
