//! Receiving from a boxed ring without a clone: messages are borrowed where they lie.

#![expect(unsafe_code, reason = "borrows messages that the subscriber has pinned")]

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::Subscriber;
use super::blocking::{timed, untimed};
use super::iter::until_closed;
use crate::error::{Lagged, RecvError, RecvTimeoutError, TryRecvError};
use crate::slots::{Boxed, Passed, Pinned, Ref};

/// Receiving by reference, in a [`boxed`](crate::boxed) ring: the message need not be `Clone`.
///
/// A [`Ref`] borrows the subscriber, so there is one at a time. The message is received when the call returns, whatever becomes of
/// the `Ref`.
///
/// # Reading to the end
///
/// Loop over [`next_ref`](Self::next_ref) or [`next_ref_async`](Self::next_ref_async): `None` is the end of the ring and nothing else.
/// A loop over `recv_ref` that stops at the first `Err` stops at the first loss, too.
///
/// # Errors and the borrow
///
/// A `match` on a receive keeps the subscriber borrowed in all of its arms, as the `Ref` in it has a destructor. Use the subscriber
/// after the loop over `next_ref`, or have the `match` return what is needed:
///
/// ```
/// let (publisher, mut subscriber) = seqcast::boxed::<String>(8);
/// drop(publisher);
/// let ended = match subscriber.recv_ref() {
///     Ok(message) => {
///         println!("{message}");
///         false
///     }
///     Err(error) => error.is_closed(),
/// };
/// assert!(ended && subscriber.missed() == 0);
/// ```
///
/// `let Ok(message) = … else { … }` ends the borrow before its `else`; `if let … else` does so from edition 2024 on.
impl<T: Send + Sync + 'static> Subscriber<Boxed<T>> {
    /// Borrows the next message if it is there.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv).
    ///
    /// # Progress
    ///
    /// Never blocks, never allocates, runs no code of the message's. It writes to no memory but this subscriber's own, so its cost does not
    /// grow with the number of subscribers. Wait-free but for holes: it goes over each hole it finds.
    ///
    /// # Memory ordering
    ///
    /// What the publisher did before it published happens before this returns; what is done under the `Ref` happens before the message is
    /// dropped.
    ///
    /// ```
    /// use seqcast::TryRecvError;
    ///
    /// let (mut publisher, mut subscriber) = seqcast::boxed::<String>(8);
    /// publisher.publish_many(["a".to_owned(), "b".to_owned()]);
    /// let mut text = String::new();
    /// loop {
    ///     match subscriber.try_recv_ref() {
    ///         Ok(message) => text.push_str(&message),
    ///         Err(TryRecvError::Lagged(lagged)) => eprintln!("{lagged}"),
    ///         Err(TryRecvError::Empty | TryRecvError::Closed) => break,
    ///     }
    /// }
    /// assert_eq!(text, "ab");
    /// ```
    #[inline]
    pub fn try_recv_ref(&mut self) -> Result<Ref<'_, T>, TryRecvError> {
        let pinned = self.take()?;
        Ok(self.lend(pinned))
    }

    /// Waits for the next message and borrows it: spins briefly, then parks the thread.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::boxed::<Vec<u8>>(8);
    /// publisher.publish(vec![1, 2, 3]);
    /// assert_eq!(subscriber.recv_ref().unwrap().len(), 3);
    /// ```
    pub fn recv_ref(&mut self) -> Result<Ref<'_, T>, RecvError> {
        let pinned = untimed(self.block(None, Self::take))?;
        Ok(self.lend(pinned))
    }

    /// Waits for the next message and borrows it, or returns `None` at the end of the ring. As an iterator would, if iterators could
    /// lend.
    ///
    /// # Errors
    ///
    /// [`Lagged`]: messages were lost, and the cursor stands at `resumed_at`. The next call goes on from there.
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::boxed::<String>(2);
    /// publisher.publish_many(["a", "b", "c"].map(str::to_owned));
    /// publisher.close();
    /// let (mut text, mut missed) = (String::new(), 0);
    /// while let Some(message) = subscriber.next_ref() {
    ///     match message {
    ///         Ok(message) => text.push_str(&message),
    ///         Err(lagged) => missed += lagged.missed, // the loop goes on with the oldest message left
    ///     }
    /// }
    /// assert_eq!((text.as_str(), missed), ("bc", 1));
    /// ```
    pub fn next_ref(&mut self) -> Option<Result<Ref<'_, T>, Lagged>> {
        until_closed(self.recv_ref())
    }

    /// Waits for the next message and borrows it, but no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// As [`recv_timeout`](Self::recv_timeout).
    ///
    /// ```
    /// let (_publisher, mut subscriber) = seqcast::boxed::<String>(8);
    /// let nothing = subscriber.recv_ref_timeout(std::time::Duration::from_millis(1));
    /// assert_eq!(nothing.unwrap_err(), seqcast::RecvTimeoutError::Timeout);
    /// ```
    pub fn recv_ref_timeout(&mut self, timeout: Duration) -> Result<Ref<'_, T>, RecvTimeoutError> {
        let pinned = timed(self.block(Instant::now().checked_add(timeout), Self::take))?;
        Ok(self.lend(pinned))
    }

    /// Waits for the next message and borrows it, but not beyond `deadline`.
    ///
    /// # Errors
    ///
    /// As [`recv_timeout`](Self::recv_timeout).
    pub fn recv_ref_deadline(&mut self, deadline: Instant) -> Result<Ref<'_, T>, RecvTimeoutError> {
        let pinned = timed(self.block(Some(deadline), Self::take))?;
        Ok(self.lend(pinned))
    }

    /// Waits for the next message in any async runtime, and borrows it. It is cooperative, as
    /// [`recv_async`](Self::recv_async).
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// As [`recv_async`](Self::recv_async). The future must not be polled again once it is ready.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (mut publisher, mut subscriber) = seqcast::boxed::<String>(8);
    /// publisher.publish("hello".to_owned());
    /// let message = subscriber.recv_ref_async().await.unwrap();
    /// assert_eq!(*message, "hello");
    /// # });
    /// ```
    pub fn recv_ref_async(&mut self) -> RecvRef<'_, T> {
        RecvRef(Some(self))
    }

    /// Waits for the next message in any async runtime, and borrows it. `None` is the end of the ring. As a stream would, if streams
    /// could lend. It is cooperative, as [`recv_async`](Self::recv_async).
    ///
    /// # Errors
    ///
    /// As [`next_ref`](Self::next_ref).
    ///
    /// # Cancel safety
    ///
    /// As [`recv_async`](Self::recv_async). The future must not be polled again once it is ready.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (mut publisher, mut subscriber) = seqcast::boxed::<String>(8);
    /// publisher.publish("hello".to_owned());
    /// publisher.close();
    /// while let Some(message) = subscriber.next_ref_async().await {
    ///     match message {
    ///         Ok(message) => println!("{message}"),
    ///         Err(lagged) => eprintln!("{lagged}"),
    ///     }
    /// }
    /// # });
    /// ```
    pub fn next_ref_async(&mut self) -> NextRef<'_, T> {
        NextRef(self.recv_ref_async())
    }

    /// Polls for the next message, and borrows it. On `Pending` the task of `cx` is woken when there may be one. It is cooperative, as
    /// [`recv_async`](Self::recv_async).
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn poll_recv_ref(&mut self, cx: &mut Context<'_>) -> Poll<Result<Ref<'_, T>, RecvError>> {
        let pinned = ready!(self.poll(cx, Self::take))?;
        Poll::Ready(Ok(self.lend(pinned)))
    }

    /// Borrows the newest message, and leaves the cursor behind it.
    ///
    /// # Errors
    ///
    /// As [`latest`](Self::latest).
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::boxed::<String>(4);
    /// publisher.publish_many((0..10).map(|number| number.to_string()));
    /// assert_eq!(*subscriber.latest_ref().unwrap(), "9");
    /// assert_eq!(subscriber.skipped_by_choice(), 9);
    /// ```
    pub fn latest_ref(&mut self) -> Result<Ref<'_, T>, TryRecvError> {
        let pinned = self.receive_latest(Boxed::read_pinned)?;
        Ok(self.lend(pinned))
    }

    /// Receives the next message and pins it.
    #[inline]
    fn take(&mut self) -> Result<Pinned<T>, TryRecvError> {
        self.receive(&mut Boxed::read_pinned).map_err(|nothing| self.report(nothing))
    }

    /// Borrows what this subscriber has just pinned.
    #[inline]
    fn lend(&mut self, pinned: Pinned<T>) -> Ref<'_, T> {
        // SAFETY: each method of this file hands on what its own `take` or `receive_latest` has pinned, with this subscriber borrowed
        // mutably from before that until the `Ref` is gone.
        unsafe { Ref::new(pinned, self.cursor(), self.channel.is_eager().then_some(self)) }
    }
}

impl<T: Send + Sync + 'static> Passed for Subscriber<Boxed<T>> {
    fn passed(&self, sequence: u64) {
        Self::passed(self, sequence);
    }
}

/// Future of [`Subscriber::recv_ref_async`].
#[must_use = "futures do nothing unless polled"]
pub struct RecvRef<'a, T: Send + Sync + 'static>(Option<&'a mut Subscriber<Boxed<T>>>);

impl<'a, T: Send + Sync + 'static> Future for RecvRef<'a, T> {
    type Output = Result<Ref<'a, T>, RecvError>;

    /// # Panics
    ///
    /// When it was ready before.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let subscriber = self.0.as_mut().expect("`RecvRef` polled again after it was ready");
        let taken = ready!(subscriber.poll(cx, Subscriber::take));
        // Done: the borrow passes on to the message.
        let Some(subscriber) = self.0.take() else { unreachable!("polled just now") };
        Poll::Ready(taken.map(|pinned| subscriber.lend(pinned)))
    }
}

impl<T: Send + Sync + 'static> Drop for RecvRef<'_, T> {
    fn drop(&mut self) {
        if let Some(subscriber) = &mut self.0 {
            subscriber.deregister_waker();
        }
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for RecvRef<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecvRef").field(&self.0).finish()
    }
}

/// Future of [`Subscriber::next_ref_async`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct NextRef<'a, T: Send + Sync + 'static>(RecvRef<'a, T>);

impl<'a, T: Send + Sync + 'static> Future for NextRef<'a, T> {
    type Output = Option<Result<Ref<'a, T>, Lagged>>;

    /// # Panics
    ///
    /// When it was ready before.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(until_closed)
    }
}
