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

/// The future of [`Publisher::publish_async`] and [`SharedPublisher::publish_async`].
///
/// It holds the message until it is published. Dropping it drops the message. It panics if it is
/// polled after completion.
#[must_use = "futures do nothing unless polled"]
pub struct Publish<'a, S: Storage> {
    publisher: By<'a, S>,
    /// `None` after completion.
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
        let Some(item) = value.take() else { panic!("`Publish` polled after completion") };
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

/// Publishing in a task of any async runtime.
impl<S: Storage> Publisher<S> {
    /// Publishes a message, and waits for room.
    ///
    /// On an ordinary ring it is ready immediately. Use it in async tasks instead of
    /// [`publish`](Self::publish), which may block the thread on a [gated](crate::Builder::gated)
    /// ring.
    ///
    /// # Errors
    ///
    /// None, because the ring of an exclusive publisher is open.
    ///
    /// # Panics
    ///
    /// The future panics as [`publish`](Self::publish) does, and if it is polled after completion.
    ///
    /// # Blocking
    ///
    /// Never blocks. The first task that waits on a ring with a
    /// [`gate_deadline`](crate::Builder::gate_deadline) starts a thread, which measures the time
    /// for all tasks of the ring.
    ///
    /// Waiting tasks are woken in the order in which they began to wait.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, nothing was published, and the message is
    /// dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (mut publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let mut gating = publisher.ring().subscribe_gating().unwrap();
    /// publisher.publish_many([1, 2]);
    /// // The ring is full, and the reader makes room.
    /// let (published, received) = futures::join!(publisher.publish_async(3), gating.recv_async());
    /// assert_eq!((published, received), (Ok(2), Ok(1)));
    /// # });
    /// ```
    pub fn publish_async(&mut self, value: S::Item) -> Publish<'_, S> {
        Publish::exclusive(self, value)
    }
}

/// Publishing in a task of any async runtime.
impl<S: Storage> SharedPublisher<S> {
    /// Publishes a message, and waits for room.
    ///
    /// On an ordinary ring it is ready immediately. Use it in async tasks instead of
    /// [`publish`](Self::publish), which may block the thread on a [gated](crate::Builder::gated)
    /// ring.
    ///
    /// # Errors
    ///
    /// [`Closed`] with the message: the ring is closed, or was closed while the future waited.
    ///
    /// # Panics
    ///
    /// The future panics if it is polled after completion.
    ///
    /// # Blocking
    ///
    /// Never blocks. The first task that waits on a ring with a
    /// [`gate_deadline`](crate::Builder::gate_deadline) starts a thread, which measures the time
    /// for all tasks of the ring.
    ///
    /// Waiting tasks are woken in the order in which they began to wait. While others wait, a new
    /// future yields twice before it takes room, so that they are not starved.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, nothing was published, and the message is
    /// dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let publisher = publisher.share();
    /// let mut gating = publisher.ring().subscribe_gating().unwrap();
    /// publisher.publish_many([1, 2]);
    /// // The ring is full, and the reader makes room.
    /// let (published, received) = futures::join!(publisher.publish_async(3), gating.recv_async());
    /// assert_eq!((published, received), (Ok(2), Ok(1)));
    /// # });
    /// ```
    pub fn publish_async(&self, value: S::Item) -> Publish<'_, S> {
        Publish::shared(self, value)
    }
}

impl<'a, S: Storage> Publish<'a, S> {
    fn exclusive(publisher: &'a mut Publisher<S>, value: S::Item) -> Self {
        Self { publisher: By::Exclusive(publisher), value: Some(value), wait: TaskWait::default() }
    }

    fn shared(publisher: &'a SharedPublisher<S>, value: S::Item) -> Self {
        Self { publisher: By::Shared(publisher), value: Some(value), wait: TaskWait::default() }
    }
}

impl<S: Storage> Future for Publish<'_, S> {
    type Output = Result<u64, Closed<S::Item>>;

    /// # Panics
    ///
    /// If it is polled after completion.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { publisher, value, wait } = &mut *self;
        if matches!(publisher, By::Shared(_)) && wait.lets_others_first(publisher.channel(), cx) {
            return Poll::Pending;
        }
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
