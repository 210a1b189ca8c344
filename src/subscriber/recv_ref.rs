//! Receiving from a boxed ring without a clone: messages are borrowed in the ring.

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

/// Receiving by reference, in a [`boxed`](crate::boxed) ring.
///
/// These calls return a [`Ref`], which borrows the message in the ring. The message need not be
/// `Clone`, and nothing is copied. A `Ref` borrows the subscriber, so there is one at a time. The
/// message counts as received when the call returns. Holding a `Ref` keeps only that message alive
/// and never blocks publishers.
///
/// # Reading to the end
///
/// Loop over [`next_ref`](Self::next_ref) or [`next_ref_async`](Self::next_ref_async). They return
/// `None` only at the end of the ring. A loop over `recv_ref` that stops at the first `Err` also
/// stops at the first loss.
///
/// # Errors and the borrow
///
/// A `match` on a receive keeps the subscriber borrowed in all of its arms, because a `Ref` has a
/// destructor. Use the subscriber after the `match`, and let the `match` return what is needed:
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
/// `let Ok(message) = … else { … }` ends the borrow before its `else` block. `if let … else` does
/// so from edition 2024 on.
impl<T: Send + Sync + 'static> Subscriber<Boxed<T>> {
    /// Borrows the next message if there is one.
    ///
    /// As [`try_recv`](Self::try_recv), without a clone.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv).
    ///
    /// # Progress
    ///
    /// Never blocks, never allocates, and runs no code of the message. It writes only to memory of
    /// this subscriber, so its cost does not grow with the number of subscribers. Wait-free,
    /// except that it passes over each hole at the cursor.
    ///
    /// # Memory ordering
    ///
    /// Everything that the publisher did before it published happens before this call returns.
    /// Everything that is done with the `Ref` happens before the message is dropped.
    ///
    /// # Examples
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

    /// Waits for the next message and borrows it.
    ///
    /// In a loop, use [`next_ref`](Self::next_ref).
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
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

    /// Waits for the next message and borrows it, or returns `None` at the end of the ring.
    ///
    /// It replaces an iterator, which could not lend its items.
    ///
    /// # Errors
    ///
    /// [`Lagged`]: messages were overwritten before they were read. The cursor is at `resumed_at`,
    /// and the next call continues from there.
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::boxed::<String>(2);
    /// publisher.publish_many(["a", "b", "c"].map(str::to_owned));
    /// publisher.close();
    /// let (mut text, mut missed) = (String::new(), 0);
    /// while let Some(message) = subscriber.next_ref() {
    ///     match message {
    ///         Ok(message) => text.push_str(&message),
    ///         Err(lagged) => missed += lagged.missed,
    ///     }
    /// }
    /// assert_eq!((text.as_str(), missed), ("bc", 1));
    /// ```
    pub fn next_ref(&mut self) -> Option<Result<Ref<'_, T>, Lagged>> {
        until_closed(self.recv_ref())
    }

    /// Waits for the next message for at most `timeout`, and borrows it.
    ///
    /// # Errors
    ///
    /// As [`recv_timeout`](Self::recv_timeout).
    ///
    /// # Blocking
    ///
    /// As [`recv_timeout`](Self::recv_timeout).
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::RecvTimeoutError;
    /// use std::time::Duration;
    ///
    /// let (mut publisher, mut subscriber) = seqcast::boxed::<String>(8);
    /// let timeout = Duration::from_millis(1);
    /// assert_eq!(subscriber.recv_ref_timeout(timeout).unwrap_err(), RecvTimeoutError::Timeout);
    /// publisher.publish("here".to_owned());
    /// assert_eq!(*subscriber.recv_ref_timeout(timeout).unwrap(), "here");
    /// ```
    pub fn recv_ref_timeout(&mut self, timeout: Duration) -> Result<Ref<'_, T>, RecvTimeoutError> {
        let pinned = timed(self.block(Instant::now().checked_add(timeout), Self::take))?;
        Ok(self.lend(pinned))
    }

    /// Waits for the next message until `deadline`, and borrows it.
    ///
    /// # Errors
    ///
    /// As [`recv_timeout`](Self::recv_timeout).
    ///
    /// # Blocking
    ///
    /// As [`recv_deadline`](Self::recv_deadline).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let (mut publisher, mut subscriber) = seqcast::boxed::<String>(8);
    /// publisher.publish("here".to_owned());
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(*subscriber.recv_ref_deadline(deadline).unwrap(), "here");
    /// assert!(subscriber.recv_ref_deadline(deadline).unwrap_err().is_timeout());
    /// ```
    pub fn recv_ref_deadline(&mut self, deadline: Instant) -> Result<Ref<'_, T>, RecvTimeoutError> {
        let pinned = timed(self.block(Some(deadline), Self::take))?;
        Ok(self.lend(pinned))
    }

    /// Waits for the next message in any async runtime, and borrows it.
    ///
    /// In a loop, use [`next_ref_async`](Self::next_ref_async). It is cooperative, as
    /// [`recv_async`](Self::recv_async).
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Panics
    ///
    /// The future panics if it is polled after completion.
    ///
    /// # Cancel safety
    ///
    /// As [`recv_async`](Self::recv_async).
    ///
    /// # Examples
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

    /// Waits for the next message in any async runtime and borrows it, or returns `None` at the
    /// end of the ring.
    ///
    /// It replaces a stream, which could not lend its items. It is cooperative, as
    /// [`recv_async`](Self::recv_async).
    ///
    /// # Errors
    ///
    /// As [`next_ref`](Self::next_ref).
    ///
    /// # Panics
    ///
    /// The future panics if it is polled after completion.
    ///
    /// # Cancel safety
    ///
    /// As [`recv_async`](Self::recv_async).
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (mut publisher, mut subscriber) = seqcast::boxed::<String>(2);
    /// publisher.publish_many(["a", "b", "c"].map(str::to_owned));
    /// publisher.close();
    /// let (mut text, mut missed) = (String::new(), 0);
    /// while let Some(message) = subscriber.next_ref_async().await {
    ///     match message {
    ///         Ok(message) => text.push_str(&message),
    ///         Err(lagged) => missed += lagged.missed,
    ///     }
    /// }
    /// assert_eq!((text.as_str(), missed), ("bc", 1));
    /// # });
    /// ```
    pub fn next_ref_async(&mut self) -> NextRef<'_, T> {
        NextRef(self.recv_ref_async())
    }

    /// Polls for the next message, and borrows it.
    ///
    /// As [`poll_recv`](Self::poll_recv), without a clone.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let (mut publisher, mut subscriber) = seqcast::boxed::<String>(8);
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert!(subscriber.poll_recv_ref(&mut cx).is_pending());
    /// publisher.publish("here".to_owned());
    /// let Poll::Ready(Ok(message)) = subscriber.poll_recv_ref(&mut cx) else { panic!() };
    /// assert_eq!(*message, "here");
    /// ```
    pub fn poll_recv_ref(&mut self, cx: &mut Context<'_>) -> Poll<Result<Ref<'_, T>, RecvError>> {
        let pinned = ready!(self.poll(cx, Self::take))?;
        Poll::Ready(Ok(self.lend(pinned)))
    }

    /// Borrows the newest message, and moves the cursor behind it.
    ///
    /// As [`latest`](Self::latest), without a clone.
    ///
    /// # Errors
    ///
    /// As [`latest`](Self::latest).
    ///
    /// # Examples
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

    /// Turns the message that this subscriber has just pinned into a borrow.
    #[inline]
    fn lend(&mut self, pinned: Pinned<T>) -> Ref<'_, T> {
        // SAFETY: each method of this file passes what its own `take` or `receive_latest` has
        // pinned. This subscriber is borrowed mutably from before that until the `Ref` is gone.
        unsafe { Ref::new(pinned, self.cursor(), self.channel.is_eager().then_some(self)) }
    }
}

impl<T: Send + Sync + 'static> Passed for Subscriber<Boxed<T>> {
    fn passed(&self, sequence: u64) {
        Self::passed(self, sequence);
    }
}

/// The future of [`Subscriber::recv_ref_async`].
#[must_use = "futures do nothing unless polled"]
pub struct RecvRef<'a, T: Send + Sync + 'static>(Option<&'a mut Subscriber<Boxed<T>>>);

impl<'a, T: Send + Sync + 'static> Future for RecvRef<'a, T> {
    type Output = Result<Ref<'a, T>, RecvError>;

    /// # Panics
    ///
    /// If it is polled after completion.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let subscriber = self.0.as_mut().expect("`RecvRef` polled after completion");
        let taken = ready!(subscriber.poll(cx, Subscriber::take));
        // The message takes over the borrow.
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

/// The future of [`Subscriber::next_ref_async`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct NextRef<'a, T: Send + Sync + 'static>(RecvRef<'a, T>);

impl<'a, T: Send + Sync + 'static> Future for NextRef<'a, T> {
    type Output = Option<Result<Ref<'a, T>, Lagged>>;

    /// # Panics
    ///
    /// If it is polled after completion.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(until_closed)
    }
}
