//! Receiving that waits in a task. Dropping a future drops its task's waker.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::Subscriber;
use super::receive::unless_empty;
use crate::error::{RecvError, TryRecvError};
use crate::slots::{self, Place, Receive, Storage};
use crate::wait::Park;

/// Receiving in a task of any async runtime.
impl<S: Storage> Subscriber<S> {
    /// Waits for the next message and receives it.
    ///
    /// It works in any async runtime. Use [`recv_latest_async`](Self::recv_latest_async) for the
    /// newest message only. A subscriber is also a [`Stream`](futures_core::Stream). In a
    /// [`boxed`](crate::boxed) ring, this call clones the message, and
    /// [`next_ref_async`](Self::next_ref_async) borrows it.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Panics
    ///
    /// Polling the future panics if the clone of the message panics (boxed rings). The message is
    /// not received, and the next call tries it again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing: a message is received only by the poll that returns it.
    /// The waker is dropped immediately, unless a publisher is about to call it.
    ///
    /// In `futures::select!`, call `.fuse()` on the future, or use `subscriber.next()` of `StreamExt`.
    ///
    /// # Cooperation
    ///
    /// After 128 results in a row without waiting, the next poll wakes its task and returns
    /// `Pending` once. Otherwise a ring that is never empty would starve the timers and the other
    /// tasks of the same worker. This holds for all async ways of receiving, streams included.
    /// Nothing is lost or reordered. Each subscriber has its own count, so a task that reads many
    /// subscribers in turn should yield by itself.
    ///
    /// `Pending` therefore does not mean that the ring is empty. To receive what is available
    /// without waiting, use [`try_recv`](Self::try_recv), [`try_recv_many`](Self::try_recv_many)
    /// or [`try_iter`](Self::try_iter) instead of `now_or_never`.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish(5);
    /// assert_eq!(subscriber.recv_async().await, Ok(5));
    /// publisher.close();
    /// assert_eq!(subscriber.recv_async().await, Err(seqcast::RecvError::Closed));
    /// # });
    /// ```
    pub fn recv_async(&mut self) -> Recv<'_, S>
    where
        S: Receive,
    {
        Recv(Waiting(self))
    }

    /// Waits for a message, appends up to `limit` available messages to `buffer`, and returns how
    /// many.
    ///
    /// It does not wait for `limit` messages: one is enough. With a `limit` of 0 it returns
    /// `Ok(0)` immediately. See [`try_recv_many`](Self::try_recv_many) for losses between
    /// messages, and for cost.
    ///
    /// It is cooperative, as [`recv_async`](Self::recv_async), and counts each message.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), if there is no first message. `buffer` is unchanged.
    ///
    /// # Panics
    ///
    /// The future panics as [`try_recv_many`](Self::try_recv_many) does.
    ///
    /// # Cancel safety
    ///
    /// As [`recv_async`](Self::recv_async). A future that is dropped before it is ready has put
    /// nothing into `buffer`.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many([1, 2, 3]);
    /// let mut buffer = Vec::new();
    /// assert_eq!(subscriber.recv_many_async(&mut buffer, 2).await, Ok(2));
    /// assert_eq!(buffer, [1, 2]);
    /// # });
    /// ```
    pub fn recv_many_async<'a>(&'a mut self, buffer: &'a mut Vec<S::Item>, limit: usize) -> RecvMany<'a, S>
    where
        S: Receive,
    {
        RecvMany { waiting: Waiting(self), buffer, limit }
    }

    /// Waits until there is an unread message, then receives the newest one.
    ///
    /// It is [`latest`](Self::latest) for tasks, and cooperative, as
    /// [`recv_async`](Self::recv_async).
    ///
    /// # Errors
    ///
    /// As [`recv_latest`](Self::recv_latest).
    ///
    /// # Panics
    ///
    /// The future panics as [`recv_latest`](Self::recv_latest) does.
    ///
    /// # Cancel safety
    ///
    /// As [`recv_async`](Self::recv_async).
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// publisher.publish_many(0..100);
    /// assert_eq!(subscriber.recv_latest_async().await, Ok(99));
    /// # });
    /// ```
    pub fn recv_latest_async(&mut self) -> RecvLatest<'_, S>
    where
        S: Receive,
    {
        RecvLatest(Waiting(self))
    }

    /// Polls for the next message.
    ///
    /// On `Pending`, the task of `cx` is woken when there may be a message. Only the task of the
    /// last call is woken. It is cooperative: after 128 results in a row, it returns `Pending`
    /// once and wakes the task immediately. See [`recv_async`](Self::recv_async).
    ///
    /// For futures and streams of your own. If such a future is dropped while it waits, call
    /// [`forget_waker`](Self::forget_waker).
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Panics
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert_eq!(subscriber.poll_recv(&mut cx), Poll::Pending);
    /// publisher.publish(5);
    /// assert_eq!(subscriber.poll_recv(&mut cx), Poll::Ready(Ok(5)));
    /// ```
    #[inline]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<S::Item, RecvError>>
    where
        S: Receive,
    {
        self.poll_message(cx, Self::try_recv_waiting)
    }
}

impl<S: Receive> Subscriber<S> {
    #[inline]
    fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
        mut receive: impl FnMut(&mut Self, &mut Place<'_, S::Item>) -> Result<(), TryRecvError>,
    ) -> Poll<Result<S::Item, RecvError>> {
        let received =
            slots::receive_out_of_line(|place| match self.poll(cx, |subscriber| receive(subscriber, place)) {
                Poll::Ready(received) => received.map_err(Some),
                Poll::Pending => Err(None),
            });
        match received {
            Ok(message) => Poll::Ready(Ok(message)),
            Err(Some(error)) => Poll::Ready(Err(error)),
            Err(None) => Poll::Pending,
        }
    }
}

impl<S: Storage> Subscriber<S> {
    /// Drops the waker that a poll registered when it returned `Pending`.
    ///
    /// For futures of your own that call [`poll_recv`](Self::poll_recv) and are dropped before
    /// they are ready. The futures of this crate do it when they are dropped.
    ///
    /// The waker is dropped immediately, unless a publisher is about to call it. Never blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::task::{Context, Wake, Waker};
    ///
    /// struct Task;
    /// impl Wake for Task {
    ///     fn wake(self: Arc<Self>) {}
    /// }
    ///
    /// let (_publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// let task = Arc::new(Task);
    /// let waker = Waker::from(Arc::clone(&task));
    /// assert!(subscriber.poll_recv(&mut Context::from_waker(&waker)).is_pending());
    /// drop(waker);
    /// assert_eq!(Arc::strong_count(&task), 2);
    /// subscriber.forget_waker();
    /// assert_eq!(Arc::strong_count(&task), 1);
    /// ```
    pub fn forget_waker(&mut self) {
        self.deregister_waker();
    }
}

impl<S: Storage> Subscriber<S> {
    /// The one way in which tasks wait.
    pub(super) fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        mut take: impl FnMut(&mut Self) -> Result<R, TryRecvError>,
    ) -> Poll<Result<R, RecvError>> {
        if self.budget().must_yield() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut taken = unless_empty(take(self));
        if taken.is_none() {
            self.budget().refill();
            let park = self.register_waker(cx.waker());
            taken = unless_empty(take(self));
            if taken.is_none() {
                self.set_pending();
                if park != Park::UntilWoken {
                    // Nothing will wake the task, so the runtime has to poll it again.
                    cx.waker().wake_by_ref();
                }
            }
        }
        let Some(taken) = taken else { return Poll::Pending };
        self.deregister_waker();
        // The end is not counted: a loop ends there.
        if !matches!(taken, Err(RecvError::Closed)) {
            self.budget().spend(1);
        }
        Poll::Ready(taken)
    }
}

/// A subscriber that a future waits on. Its waker is dropped with the future.
struct Waiting<'a, S: Storage>(&'a mut Subscriber<S>);

impl<S: Storage> Drop for Waiting<'_, S> {
    fn drop(&mut self) {
        self.0.deregister_waker();
    }
}

/// The future of [`Subscriber::recv_async`].
#[must_use = "futures do nothing unless polled"]
pub struct Recv<'a, S: Storage>(Waiting<'a, S>);

impl<S: Receive> Future for Recv<'_, S> {
    type Output = Result<S::Item, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.0.poll_recv(cx)
    }
}

/// The future of [`Subscriber::recv_latest_async`].
#[must_use = "futures do nothing unless polled"]
pub struct RecvLatest<'a, S: Storage>(Waiting<'a, S>);

impl<S: Receive> Future for RecvLatest<'_, S> {
    type Output = Result<S::Item, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.0.poll_message(cx, Subscriber::latest_into)
    }
}

/// The future of [`Subscriber::recv_many_async`].
#[must_use = "futures do nothing unless polled"]
pub struct RecvMany<'a, S: Receive> {
    waiting: Waiting<'a, S>,
    buffer: &'a mut Vec<S::Item>,
    limit: usize,
}

impl<S: Receive> Future for RecvMany<'_, S> {
    type Output = Result<usize, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { waiting, buffer, limit } = &mut *self;
        let received = ready!(waiting.0.poll(cx, |subscriber| subscriber.try_recv_many(buffer, *limit)));
        // `poll` has counted the first.
        waiting.0.budget().spend(received.unwrap_or(0).saturating_sub(1));
        Poll::Ready(received)
    }
}

impl<S: Storage> fmt::Debug for Recv<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recv").field(&self.0.0).finish()
    }
}

impl<S: Storage> fmt::Debug for RecvLatest<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecvLatest").field(&self.0.0).finish()
    }
}

impl<S: Receive> fmt::Debug for RecvMany<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvMany")
            .field("subscriber", &self.waiting.0)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
