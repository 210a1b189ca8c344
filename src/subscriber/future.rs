//! Receiving that waits in a task. Dropping a future lets go of its task's waker.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::error::{RecvError, TryRecvError};
use crate::slots::{self, Place, Receive, Storage};
use crate::subscriber::{Subscriber, unless_empty};
use crate::wait::Park;

/// Receiving: in a task.
impl<S: Receive> Subscriber<S> {
    /// Waits for the next message in any async runtime.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing: a message is taken only by the poll that returns it. The
    /// waker is dropped immediately, unless a publisher is about to call it.
    ///
    /// # Cooperation
    ///
    /// After 128 receives in a row without waiting for it, a subscriber yields once: the next poll wakes the
    /// task and returns `Pending`. Otherwise a ring that is never empty would starve the timers and
    /// the other tasks of the same worker. This holds for all async ways of receiving, streams
    /// included. [`recv_many_async`](Self::recv_many_async) counts messages, and
    /// [`SkipLagged`](crate::SkipLagged) counts losses too. Nothing is lost or reordered. Each
    /// subscriber has its own count: a task that reads thousands of them in turn should yield itself.
    ///
    /// So `Pending` does not mean that the ring is empty. To take what is there without waiting, use
    /// [`try_recv`](Self::try_recv), [`try_recv_many`](Self::try_recv_many) or
    /// [`try_iter`](Self::try_iter), rather than `now_or_never`.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish(5);
    /// assert_eq!(subscriber.recv_async().await, Ok(5));
    /// # });
    /// ```
    pub fn recv_async(&mut self) -> Recv<'_, S> {
        Recv(Waiting(self))
    }

    /// Waits for a message, then appends what is there, up to `limit`, to `buffer`, and returns how many. It does not wait until there
    /// are `limit` messages.
    ///
    /// It is cooperative, as [`recv_async`](Self::recv_async).
    ///
    /// # Errors
    ///
    /// As [`recv_many`](Self::recv_many).
    ///
    /// # Cancel safety
    ///
    /// As [`recv_async`](Self::recv_async): a future that was dropped has put nothing in `buffer`. (If a message's clone panics, those
    /// before it are there.)
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many([1, 2, 3]);
    /// let mut buffer = Vec::new();
    /// assert_eq!(subscriber.recv_many_async(&mut buffer, 2).await, Ok(2));
    /// # });
    /// ```
    pub fn recv_many_async<'a>(&'a mut self, buffer: &'a mut Vec<S::Item>, limit: usize) -> RecvMany<'a, S> {
        RecvMany { waiting: Waiting(self), buffer, limit }
    }

    /// Waits until there is a message that was not read, then takes the newest one, as [`latest`](Self::latest) does.
    ///
    /// It is cooperative, as [`recv_async`](Self::recv_async).
    ///
    /// # Errors
    ///
    /// As [`recv_latest`](Self::recv_latest).
    ///
    /// # Panics
    ///
    /// The future, as [`recv_latest`](Self::recv_latest).
    ///
    /// # Cancel safety
    ///
    /// As [`recv_async`](Self::recv_async).
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// publisher.publish_many(0..100);
    /// assert_eq!(subscriber.recv_latest_async().await, Ok(99));
    /// # });
    /// ```
    pub fn recv_latest_async(&mut self) -> RecvLatest<'_, S> {
        RecvLatest(Waiting(self))
    }

    /// Polls for the next message. On `Pending` the task of `cx` is woken when there may be one.
    ///
    /// Only the task of the last call is woken. It returns `Pending` once after 128 results in a row,
    /// and wakes the task immediately: see [`recv_async`](Self::recv_async).
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// ```
    /// use std::task::{Context, Poll, Waker};
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert_eq!(subscriber.poll_recv(&mut cx), Poll::Pending);
    /// publisher.publish(5);
    /// assert_eq!(subscriber.poll_recv(&mut cx), Poll::Ready(Ok(5)));
    /// ```
    #[inline]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<S::Item, RecvError>> {
        self.poll_message(cx, Self::try_recv_waiting)
    }

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
    /// Withdraws the wake-up that a poll asked for when it returned `Pending`.
    ///
    /// For futures that poll by [`poll_recv`](Self::poll_recv) and are dropped before they are ready. The futures of this crate call
    /// it when they are dropped. The waker is dropped immediately, unless a publisher is about to call it. Never blocks.
    ///
    /// ```
    /// use std::task::{Context, Waker};
    /// let (_publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// assert!(subscriber.poll_recv(&mut Context::from_waker(Waker::noop())).is_pending());
    /// subscriber.forget_waker();
    /// ```
    pub fn forget_waker(&mut self) {
        self.deregister_waker();
    }
}

impl<S: Storage> Subscriber<S> {
    /// The one way in which tasks wait.
    pub(crate) fn poll<R>(
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
                    // No clock of our own to look again by: the runtime has to.
                    cx.waker().wake_by_ref();
                }
            }
        }
        let Some(taken) = taken else { return Poll::Pending };
        self.deregister_waker();
        // The end comes for good, and a loop ends there.
        if !matches!(taken, Err(RecvError::Closed)) {
            self.budget().spend(1);
        }
        Poll::Ready(taken)
    }
}

/// A subscriber that a future waits on; awake again when the future is gone.
struct Waiting<'a, S: Storage>(&'a mut Subscriber<S>);

impl<S: Storage> Drop for Waiting<'_, S> {
    fn drop(&mut self) {
        self.0.deregister_waker();
    }
}

/// Future of [`Subscriber::recv_async`].
#[must_use = "futures do nothing unless polled"]
pub struct Recv<'a, S: Storage>(Waiting<'a, S>);

impl<S: Receive> Future for Recv<'_, S> {
    type Output = Result<S::Item, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.0.poll_recv(cx)
    }
}

/// Future of [`Subscriber::recv_latest_async`].
#[must_use = "futures do nothing unless polled"]
pub struct RecvLatest<'a, S: Storage>(Waiting<'a, S>);

impl<S: Receive> Future for RecvLatest<'_, S> {
    type Output = Result<S::Item, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.0.poll_message(cx, Subscriber::latest_into)
    }
}

/// Future of [`Subscriber::recv_many_async`].
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
        // The first was counted.
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
