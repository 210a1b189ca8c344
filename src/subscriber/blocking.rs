//! Receiving that blocks the thread.

use std::time::{Duration, Instant};

use super::Subscriber;
use super::receive::{reading, unless_empty};
use crate::error::{RecvError, RecvTimeoutError, TryRecvError};
use crate::slots::{self, Place, Receive, Storage};
use crate::sync::{YIELDS, spin_loop, yield_now};

/// Receiving that blocks the thread.
impl<S: Storage> Subscriber<S> {
    /// Waits for the next message and receives it.
    ///
    /// Use [`recv_timeout`](Self::recv_timeout) to limit the wait,
    /// [`recv_latest`](Self::recv_latest) for the newest message only, and
    /// [`recv_async`](Self::recv_async) in an async task. In a [`boxed`](crate::boxed) ring, this
    /// call clones the message, and [`next_ref`](Self::next_ref) borrows it.
    ///
    /// # Errors
    ///
    /// - [`Lagged`](RecvError::Lagged): messages were overwritten before they were read. The
    ///   cursor is at `resumed_at`, and the next call continues from there.
    /// - [`Closed`](RecvError::Closed): the ring is closed, and everything in it was read. All
    ///   later calls return the same.
    ///
    /// # Panics
    ///
    /// If the clone of the message panics (boxed rings). The message is not received, and the next
    /// call tries it again.
    ///
    /// # Blocking
    ///
    /// Spins briefly, then parks the thread until there is a message, a loss to report, or the end
    /// of the ring. A parked thread uses no processor time. Do not call it in an async task.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::RecvError;
    ///
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// let reader = std::thread::spawn(move || (subscriber.recv(), subscriber.recv()));
    /// publisher.publish(7);
    /// drop(publisher);
    /// assert_eq!(reader.join().unwrap(), (Ok(7), Err(RecvError::Closed)));
    /// ```
    #[inline]
    pub fn recv(&mut self) -> Result<S::Item, RecvError>
    where
        S: Receive,
    {
        slots::receive(|place| self.recv_into(place))
    }

    /// Waits for the next message for at most `timeout`, and receives it.
    ///
    /// # Errors
    ///
    /// - [`Timeout`](RecvTimeoutError::Timeout): no message came in time. Nothing has changed.
    /// - [`Lagged`](RecvTimeoutError::Lagged) and [`Closed`](RecvTimeoutError::Closed): as
    ///   [`recv`](Self::recv).
    ///
    /// # Panics
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv), for about `timeout` at most. With a zero timeout it checks once,
    /// and does not wait. A timeout beyond what `Instant` can represent waits forever.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::RecvTimeoutError;
    /// use std::time::Duration;
    ///
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// let timeout = Duration::from_millis(1);
    /// assert_eq!(subscriber.recv_timeout(timeout), Err(RecvTimeoutError::Timeout));
    /// publisher.publish(1);
    /// assert_eq!(subscriber.recv_timeout(timeout), Ok(1));
    /// ```
    #[inline]
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<S::Item, RecvTimeoutError>
    where
        S: Receive,
    {
        self.recv_until(Instant::now().checked_add(timeout))
    }

    /// Waits for the next message until `deadline`, and receives it.
    ///
    /// A `deadline` in the past makes it check once.
    ///
    /// # Errors
    ///
    /// As [`recv_timeout`](Self::recv_timeout).
    ///
    /// # Panics
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv), until about `deadline` at the latest.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish(1);
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(subscriber.recv_deadline(deadline), Ok(1));
    /// assert!(subscriber.recv_deadline(deadline).unwrap_err().is_timeout());
    /// ```
    #[inline]
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<S::Item, RecvTimeoutError>
    where
        S: Receive,
    {
        self.recv_until(Some(deadline))
    }

    /// Waits for a message, appends up to `limit` available messages to `buffer`, and returns how
    /// many.
    ///
    /// It does not wait for `limit` messages: one is enough. With a `limit` of 0 it returns
    /// `Ok(0)` immediately. See [`try_recv_many`](Self::try_recv_many) for losses between
    /// messages, and for cost.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), if there is no first message. `buffer` is unchanged.
    ///
    /// # Panics
    ///
    /// As [`try_recv_many`](Self::try_recv_many).
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many([1, 2, 3]);
    /// let mut buffer = Vec::with_capacity(16);
    /// assert_eq!(subscriber.recv_many(&mut buffer, 16), Ok(3));
    /// assert_eq!(buffer, [1, 2, 3]);
    /// ```
    pub fn recv_many(&mut self, buffer: &mut Vec<S::Item>, limit: usize) -> Result<usize, RecvError>
    where
        S: Receive,
    {
        untimed(self.block(None, |subscriber| subscriber.try_recv_many(buffer, limit)))
    }
}

impl<S: Receive> Subscriber<S> {
    /// As `recv`.
    #[inline]
    pub(super) fn recv_into(&mut self, place: &mut Place<'_, S::Item>) -> Result<(), RecvError> {
        if let Some(Ok(())) = self.receive_fast(reading::<S>(place)) {
            return Ok(());
        }
        place.receive_out_of_line(|place| untimed(self.block(None, |subscriber| subscriber.try_recv_waiting(place))))
    }

    #[inline]
    fn recv_until(&mut self, deadline: Option<Instant>) -> Result<S::Item, RecvTimeoutError> {
        slots::receive_out_of_line(|place| timed(self.block(deadline, |subscriber| subscriber.try_recv_waiting(place))))
    }
}

impl<S: Storage> Subscriber<S> {
    /// The one way in which threads wait. `None` at `deadline`.
    pub(super) fn block<R>(
        &mut self,
        deadline: Option<Instant>,
        mut take: impl FnMut(&mut Self) -> Result<R, TryRecvError>,
    ) -> Option<Result<R, RecvError>> {
        let is_over = || deadline.is_some_and(|deadline| deadline <= Instant::now());
        if let Some(taken) = unless_empty(take(self)) {
            return Some(taken);
        }
        if is_over() {
            return None;
        }
        for _ in 0..self.spin_policy().spins() {
            spin_loop();
            if let Some(taken) = unless_empty(take(self)) {
                self.spin_policy().note_success();
                return Some(taken);
            }
        }
        // With more threads than cores, the publisher of a full ring may be waiting for this core.
        // If it runs now, its next message needs no wake-up.
        for _ in 0..if self.is_gating() { YIELDS } else { 0 } {
            if is_over() {
                break;
            }
            yield_now();
            if let Some(taken) = unless_empty(take(self)) {
                return Some(taken);
            }
        }
        // A call that only checks does not park, so it does not make the ring's publishers run a
        // fence.
        if is_over() {
            return None;
        }
        self.spin_policy().note_park();
        // A task that polled before is not woken for what this thread waits for.
        self.deregister_waker();
        loop {
            let key = self.prepare_wait();
            let taken = unless_empty(take(self));
            if taken.is_some() || is_over() {
                return taken;
            }
            self.commit_wait(key, deadline);
            // Before it announces itself again, which would make the next publish wake a thread
            // that does not sleep.
            let taken = unless_empty(take(self));
            if taken.is_some() {
                return taken;
            }
        }
    }
}

/// The result of a wait without a deadline.
pub(super) fn untimed<R>(taken: Option<Result<R, RecvError>>) -> Result<R, RecvError> {
    taken.unwrap_or_else(|| unreachable!("a wait without a deadline timed out"))
}

/// The result of a wait with a deadline.
pub(super) fn timed<R>(taken: Option<Result<R, RecvError>>) -> Result<R, RecvTimeoutError> {
    taken.map_or(Err(RecvTimeoutError::Timeout), |taken| taken.map_err(RecvTimeoutError::from))
}
