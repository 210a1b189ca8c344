//! Publishing that does not block, or not for long, when a gated ring has no room.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::exclusive::Publisher;
use super::shared::SharedPublisher;
use crate::error::{Closed, PublishTimeoutError, TryPublishError};
use crate::slots::Storage;

/// Publishing to a full gated ring without blocking, or for a limited time.
impl<S: Storage> Publisher<S> {
    /// Publishes a message if there is room, without waiting.
    ///
    /// # Errors
    ///
    /// [`Full`](TryPublishError::Full) with the message: a gating subscriber is a full lap behind.
    /// It never returns `Full` on an ordinary ring, and never [`Closed`](TryPublishError::Closed),
    /// because the ring of an exclusive publisher is open.
    ///
    /// # Panics
    ///
    /// As [`publish`](Self::publish).
    ///
    /// # Progress
    ///
    /// Never waits for a subscriber, and otherwise as [`publish`](Self::publish). On a full ring
    /// with a [`gate_deadline`](crate::Builder::gate_deadline), it also checks the deadline, and
    /// may demote a subscriber.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let mut gating = publisher.ring().subscribe_gating()?;
    /// publisher.publish_many([1, 2]);
    /// assert_eq!(publisher.try_publish(3).map_err(|error| error.into_inner()), Err(3));
    /// assert_eq!((gating.try_recv(), publisher.try_publish(3)), (Ok(1), Ok(2)));
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    #[inline]
    pub fn try_publish(&mut self, value: S::Item) -> Result<u64, TryPublishError<S::Item>> {
        if self.channel().has_room() { Ok(self.publish(value)) } else { Err(TryPublishError::Full(value)) }
    }

    /// Publishes a message, and waits for room for at most `timeout`.
    ///
    /// # Errors
    ///
    /// [`Timeout`](PublishTimeoutError::Timeout) with the message: there was no room in time. It
    /// never returns `Timeout` on an ordinary ring, and never
    /// [`Closed`](PublishTimeoutError::Closed), because the ring of an exclusive publisher is
    /// open.
    ///
    /// # Panics
    ///
    /// As [`publish`](Self::publish).
    ///
    /// # Blocking
    ///
    /// As [`publish`](Self::publish), for about `timeout` at most. With a zero timeout it spins
    /// briefly at most. A timeout beyond what `Instant` can represent waits forever.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (mut publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let _gating = publisher.ring().subscribe_gating()?;
    /// publisher.publish_many([1, 2]);
    /// assert!(publisher.publish_timeout(3, Duration::from_millis(1)).unwrap_err().is_timeout());
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn publish_timeout(&mut self, value: S::Item, timeout: Duration) -> Result<u64, PublishTimeoutError<S::Item>> {
        self.publish_until(value, Instant::now().checked_add(timeout))
    }

    /// Publishes a message, and waits for room until `deadline`.
    ///
    /// # Errors
    ///
    /// As [`publish_timeout`](Self::publish_timeout).
    ///
    /// # Panics
    ///
    /// As [`publish`](Self::publish).
    ///
    /// # Blocking
    ///
    /// As [`publish`](Self::publish), until about `deadline` at the latest. If there is room, it
    /// publishes also after `deadline`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let (mut publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let mut gating = publisher.ring().subscribe_gating()?;
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(publisher.publish_deadline(1, deadline), Ok(0));
    /// assert_eq!(publisher.publish_deadline(2, deadline), Ok(1));
    /// assert!(publisher.publish_deadline(3, deadline).unwrap_err().is_timeout());
    /// assert_eq!(gating.try_recv(), Ok(1));
    /// assert_eq!(publisher.publish_deadline(3, deadline), Ok(2)); // there is room now
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn publish_deadline(&mut self, value: S::Item, deadline: Instant) -> Result<u64, PublishTimeoutError<S::Item>> {
        self.publish_until(value, Some(deadline))
    }

    fn publish_until(
        &mut self,
        value: S::Item,
        deadline: Option<Instant>,
    ) -> Result<u64, PublishTimeoutError<S::Item>> {
        if !self.channel().has_room() && !self.channel().wait_for_room(deadline) {
            return Err(PublishTimeoutError::Timeout(value));
        }
        Ok(self.publish(value))
    }

    /// Polls for room.
    ///
    /// It returns `Ready(Ok(()))` when there is room for one message. The room stays until this
    /// publisher takes it, so [`try_publish`](Self::try_publish) then does not return `Full`. On
    /// `Pending`, the task of `cx` is woken when there is room. Only the task of the last call is
    /// woken.
    ///
    /// # Errors
    ///
    /// None, because the ring of an exclusive publisher is open.
    ///
    /// # Blocking
    ///
    /// As [`publish_async`](Self::publish_async).
    ///
    /// # Cancel safety
    ///
    /// It takes nothing. A task may stop polling at any time, and may then be woken once more.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let (mut publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let mut gating = publisher.ring().subscribe_gating()?;
    /// publisher.publish_many([1, 2]);
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert_eq!(publisher.poll_ready(&mut cx), Poll::Pending);
    /// assert_eq!(gating.try_recv(), Ok(1));
    /// assert_eq!(publisher.poll_ready(&mut cx), Poll::Ready(Ok(())));
    /// assert_eq!(publisher.try_publish(3), Ok(2));
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed<()>>> {
        self.handle.poll_ready(cx)
    }
}

/// Publishing to a full gated ring without blocking, or for a limited time.
impl<S: Storage> SharedPublisher<S> {
    /// Publishes a message if there is room, without waiting.
    ///
    /// # Errors
    ///
    /// - [`Full`](TryPublishError::Full) with the message: a gating subscriber is a full lap
    ///   behind. It never returns `Full` on an ordinary ring.
    /// - [`Closed`](TryPublishError::Closed) with the message: the ring is closed. All later calls
    ///   return the same.
    ///
    /// # Progress
    ///
    /// Never waits for a subscriber, and otherwise as [`publish`](Self::publish). On a full ring
    /// with a [`gate_deadline`](crate::Builder::gate_deadline), it also checks the deadline, and
    /// may demote a subscriber.
    ///
    /// # Examples
    ///
    /// ```
    /// let (publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let publisher = publisher.share();
    /// let mut gating = publisher.ring().subscribe_gating()?;
    /// publisher.publish_many([1, 2]);
    /// assert_eq!(publisher.try_publish(3).map_err(|error| error.into_inner()), Err(3));
    /// assert_eq!((gating.try_recv(), publisher.try_publish(3)), (Ok(1), Ok(2)));
    /// publisher.close();
    /// assert!(publisher.try_publish(4).unwrap_err().is_closed());
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    #[inline]
    pub fn try_publish(&self, mut value: S::Item) -> Result<u64, TryPublishError<S::Item>> {
        // Before the message is prepared, which may allocate.
        while self.channel().has_room() {
            let mut garbage = S::Garbage::default();
            match self.channel().publish_shared(self.handle.pool(), value, &mut garbage) {
                Ok(sequence) => {
                    self.channel().wake(sequence..sequence + 1);
                    return Ok(sequence);
                }
                Err(TryPublishError::Full(back)) => value = back,
                closed => return closed,
            }
        }
        Err(TryPublishError::Full(value))
    }

    /// Publishes a message, and waits for room for at most `timeout`.
    ///
    /// # Errors
    ///
    /// - [`Timeout`](PublishTimeoutError::Timeout) with the message: there was no room in time. It
    ///   never returns `Timeout` on an ordinary ring.
    /// - [`Closed`](PublishTimeoutError::Closed) with the message: the ring is closed, or was
    ///   closed while the call waited.
    ///
    /// # Blocking
    ///
    /// As [`publish`](Self::publish), for about `timeout` at most. With a zero timeout it spins
    /// briefly at most. A timeout beyond what `Instant` can represent waits forever.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let publisher = publisher.share();
    /// let _gating = publisher.ring().subscribe_gating()?;
    /// publisher.publish_many([1, 2]);
    /// let error = publisher.publish_timeout(3, Duration::from_millis(1)).unwrap_err();
    /// assert!(error.is_timeout());
    /// assert_eq!(error.into_inner(), 3);
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn publish_timeout(&self, value: S::Item, timeout: Duration) -> Result<u64, PublishTimeoutError<S::Item>> {
        self.publish_until(value, Instant::now().checked_add(timeout))
    }

    /// Publishes a message, and waits for room until `deadline`.
    ///
    /// # Errors
    ///
    /// As [`publish_timeout`](Self::publish_timeout).
    ///
    /// # Blocking
    ///
    /// As [`publish`](Self::publish), until about `deadline` at the latest. If there is room, it
    /// publishes also after `deadline`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let (publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let publisher = publisher.share();
    /// let _gating = publisher.ring().subscribe_gating()?;
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(publisher.publish_deadline(1, deadline), Ok(0));
    /// assert_eq!(publisher.publish_deadline(2, deadline), Ok(1));
    /// assert!(publisher.publish_deadline(3, deadline).unwrap_err().is_timeout());
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn publish_deadline(&self, value: S::Item, deadline: Instant) -> Result<u64, PublishTimeoutError<S::Item>> {
        self.publish_until(value, Some(deadline))
    }

    fn publish_until(&self, value: S::Item, deadline: Option<Instant>) -> Result<u64, PublishTimeoutError<S::Item>> {
        match self.try_publish(value) {
            Err(TryPublishError::Full(value)) => Ok(self.publish_waiting(value, deadline)?),
            published => Ok(published?),
        }
    }

    /// Waits for room and publishes. The message comes back as `Full` at `deadline`.
    #[cold]
    pub(super) fn publish_waiting(
        &self,
        value: S::Item,
        deadline: Option<Instant>,
    ) -> Result<u64, TryPublishError<S::Item>> {
        self.channel().publish_waiting(deadline, value, |value| self.try_publish(value))
    }

    /// Polls for room.
    ///
    /// It returns `Ready(Ok(()))` when there is room. It does not reserve the room, and other
    /// publishers may take it first. On `Pending`, the task of `cx` is woken when there is room.
    /// Only the task of this handle's last call is woken.
    ///
    /// While other tasks wait, it first returns `Pending` twice and wakes its task immediately, so
    /// that they are not starved.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the ring is closed.
    ///
    /// # Blocking
    ///
    /// As [`publish_async`](Self::publish_async).
    ///
    /// # Cancel safety
    ///
    /// It takes nothing. A task may stop polling at any time, and may then be woken once more.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let (publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let mut publisher = publisher.share();
    /// let mut gating = publisher.ring().subscribe_gating()?;
    /// publisher.publish_many([1, 2]);
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert_eq!(publisher.poll_ready(&mut cx), Poll::Pending);
    /// assert_eq!(gating.try_recv(), Ok(1));
    /// assert_eq!(publisher.poll_ready(&mut cx), Poll::Ready(Ok(())));
    /// publisher.close();
    /// assert_eq!(publisher.poll_ready(&mut cx), Poll::Ready(Err(seqcast::Closed(()))));
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed<()>>> {
        self.handle.poll_ready_shared(cx)
    }
}
