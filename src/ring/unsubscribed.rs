//! Waiting until the last subscriber is gone.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Ring;
use crate::channel::Channel;
use crate::slots::Storage;
use crate::sync::Arc;
use crate::wait::Watcher;

impl<S: Storage> Ring<S> {
    /// Returns a future that is ready when the ring has no subscriber.
    ///
    /// For publishers that stop when no subscriber is left. It works in any executor, and any
    /// number of tasks can wait.
    ///
    /// The number of subscribers counts at each poll. If a new subscriber is made after the last
    /// one is gone and before the next poll, the future keeps waiting. Subscribers that are made
    /// and dropped between two polls are not noticed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing. It keeps the ring's memory alive, and does not keep the
    /// ring open.
    ///
    /// # Progress
    ///
    /// A poll never blocks, and the first one allocates. The task is woken by the thread that
    /// drops the last subscriber.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::FutureExt;
    ///
    /// let (publisher, subscriber) = seqcast::inline::<u32>(8);
    /// assert!(publisher.ring().unsubscribed().now_or_never().is_none());
    /// drop(subscriber);
    /// assert!(publisher.ring().unsubscribed().now_or_never().is_some());
    /// ```
    pub fn unsubscribed(&self) -> Unsubscribed<S> {
        Unsubscribed { channel: Arc::clone(&self.channel), watcher: Watcher::default() }
    }
}

/// The future of [`Ring::unsubscribed`], which is ready when the ring has no subscriber.
#[must_use = "futures do nothing unless polled"]
pub struct Unsubscribed<S: Storage> {
    channel: Arc<Channel<S>>,
    watcher: Watcher,
}

impl<S: Storage> Future for Unsubscribed<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { channel, watcher } = &mut *self;
        if channel.registry.len() > 0 {
            watcher.register(&channel.unsubscribed, cx.waker());
            if channel.registry.len() > 0 {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }
}

impl<S: Storage> Drop for Unsubscribed<S> {
    fn drop(&mut self) {
        self.watcher.leave(&self.channel.unsubscribed);
    }
}

impl<S: Storage> fmt::Debug for Unsubscribed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsubscribed").field("subscribers", &self.channel.registry.len()).finish_non_exhaustive()
    }
}
