//! Receiving that blocks the thread.

use std::time::{Duration, Instant};

use crate::error::{RecvError, RecvTimeoutError, TryRecvError};
use crate::slots::{self, Place, Receive, Storage};
use crate::subscriber::{Subscriber, reading, unless_empty};
use crate::sync::{YIELDS, spin_loop, yield_now};

/// Receiving: blocking the thread.
impl<S: Receive> Subscriber<S> {
    /// Waits for the next message: spins briefly, then parks the thread.
    ///
    /// # Errors
    ///
    /// - [`Lagged`](RecvError::Lagged): messages were lost; the cursor stands at `resumed_at`.
    /// - [`Closed`](RecvError::Closed): the end, for ever.
    ///
    /// # Blocking
    ///
    /// Until there is a message, a loss to tell, or the end. A parked thread uses no processor time. Do not call it in
    /// an async task; use [`recv_async`](Self::recv_async) there.
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// std::thread::scope(|scope| {
    ///     let reader = scope.spawn(move || (subscriber.recv(), subscriber.recv()));
    ///     publisher.publish(7);
    ///     drop(publisher);
    ///     assert_eq!(reader.join().unwrap(), (Ok(7), Err(seqcast::RecvError::Closed)));
    /// });
    /// ```
    #[inline]
    pub fn recv(&mut self) -> Result<S::Item, RecvError> {
        slots::receive(|place| self.recv_into(place))
    }

    /// Waits for the next message, but no longer than `timeout`. A timeout too far away to be told is none.
    ///
    /// # Errors
    ///
    /// [`Timeout`](RecvTimeoutError::Timeout), with nothing changed; otherwise as [`recv`](Self::recv).
    ///
    /// # Blocking
    ///
    /// For at most about `timeout`; a zero one only looks.
    ///
    /// ```
    /// use std::time::Duration;
    /// let (_publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// let nothing = subscriber.recv_timeout(Duration::from_millis(1));
    /// assert_eq!(nothing, Err(seqcast::RecvTimeoutError::Timeout));
    /// ```
    #[inline]
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<S::Item, RecvTimeoutError> {
        self.recv_until(Instant::now().checked_add(timeout))
    }

    /// Waits for the next message, but not beyond `deadline`.
    ///
    /// # Errors
    ///
    /// As [`recv_timeout`](Self::recv_timeout).
    ///
    /// ```
    /// use std::time::Instant;
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish(1);
    /// assert_eq!(subscriber.recv_deadline(Instant::now()), Ok(1)); // there already
    /// ```
    #[inline]
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<S::Item, RecvTimeoutError> {
        self.recv_until(Some(deadline))
    }

    /// Waits for a message, then appends what is there, up to `limit`, to `buffer`, and returns how many. It does not wait until there
    /// are `limit` messages.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), when there is no first message. As in [`try_recv_many`](Self::try_recv_many), a later loss is
    /// told by the next call, and `limit` 0 returns at once.
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many([1, 2, 3]);
    /// let mut buffer = Vec::with_capacity(16);
    /// assert_eq!(subscriber.recv_many(&mut buffer, 16), Ok(3));
    /// ```
    pub fn recv_many(&mut self, buffer: &mut Vec<S::Item>, limit: usize) -> Result<usize, RecvError> {
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
    /// The one way in which threads wait. `None` when the time is over.
    pub(crate) fn block<R>(
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
                self.spin_policy().paid();
                return Some(taken);
            }
        }
        // With more threads than cores, the publisher of a full ring may be waiting for this one. What it publishes when it runs needs no
        // wake-up.
        for _ in 0..if self.is_gating() { YIELDS } else { 0 } {
            if is_over() {
                break;
            }
            yield_now();
            if let Some(taken) = unless_empty(take(self)) {
                return Some(taken);
            }
        }
        // What only looks does not park: the ring may stay without the publisher's fence.
        if is_over() {
            return None;
        }
        self.spin_policy().parks();
        // A task that polled before is not to be woken for what this thread waits for.
        self.deregister_waker();
        loop {
            let key = self.prepare_wait();
            let taken = unless_empty(take(self));
            if taken.is_some() || is_over() {
                return taken;
            }
            self.commit_wait(key, deadline);
            // Before it announces itself once more, which would make the next publish wake a thread that does not sleep.
            let taken = unless_empty(take(self));
            if taken.is_some() {
                return taken;
            }
        }
    }
}

/// Without a deadline nothing times out.
pub(crate) fn untimed<R>(taken: Option<Result<R, RecvError>>) -> Result<R, RecvError> {
    taken.unwrap_or_else(|| unreachable!("a wait without a deadline timed out"))
}

pub(crate) fn timed<R>(taken: Option<Result<R, RecvError>>) -> Result<R, RecvTimeoutError> {
    taken.map_or(Err(RecvTimeoutError::Timeout), |taken| taken.map_err(RecvTimeoutError::from))
}
