//! Receiving without waiting.

use super::Subscriber;
use super::receive::reading;
use crate::error::TryRecvError;
use crate::registry::Cursor;
use crate::slots::{self, Place, Receive, Slot, Storage, append};

/// Receiving without waiting.
///
/// These calls return messages by value, which clones them in a [`boxed`](crate::boxed) ring.
impl<S: Storage> Subscriber<S> {
    /// Receives the next message if there is one.
    ///
    /// Use [`recv`](Self::recv) or [`recv_async`](Self::recv_async) to wait for it, and
    /// [`latest`](Self::latest) for the newest message only. In a [`boxed`](crate::boxed) ring,
    /// this call clones the message. [`try_recv_ref`](Self::try_recv_ref) borrows it, and needs no
    /// `Clone`.
    ///
    /// # Errors
    ///
    /// - [`Empty`](TryRecvError::Empty): there is no message yet. Nothing has changed.
    /// - [`Lagged`](TryRecvError::Lagged): messages were overwritten before they were read. The
    ///   cursor is at `resumed_at`, and the next call continues from there.
    /// - [`Closed`](TryRecvError::Closed): the ring is closed, and everything in it was read. All
    ///   later calls return the same.
    ///
    /// It never returns `Empty` while a message can be read or a loss is unreported.
    ///
    /// # Panics
    ///
    /// If the clone of the message panics (boxed rings). The message is not received, and the next
    /// call tries it again.
    ///
    /// # Progress
    ///
    /// Never blocks, and allocates only if the clone does. Wait-free, except that it passes over
    /// each hole at the cursor.
    ///
    /// # Memory ordering
    ///
    /// Everything that the publisher did before it published happens before this call returns the
    /// message.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::{Lagged, TryRecvError};
    ///
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(2);
    /// assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
    /// publisher.publish_many([10, 11, 12]);
    /// let lagged = Lagged { missed: 1, resumed_at: 1 };
    /// assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(lagged)));
    /// assert_eq!(subscriber.try_recv(), Ok(11));
    /// drop(publisher);
    /// assert_eq!(subscriber.try_recv(), Ok(12));
    /// assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
    /// ```
    #[inline]
    pub fn try_recv(&mut self) -> Result<S::Item, TryRecvError>
    where
        S: Receive,
    {
        slots::receive(|place| self.try_recv_into(place))
    }

    /// Appends up to `limit` available messages to `buffer`, and returns how many.
    ///
    /// If a loss follows the first message, this call returns the messages before it, and the next
    /// call reports the loss. With a `limit` of 0 it returns `Ok(0)` immediately.
    ///
    /// In an inline ring, this is faster than one receive per message, because the cursor moves
    /// once per run. A run is at most 64 messages, 8 KiB and a quarter of the ring. Only at the
    /// end of a run does [`Ring::stats`](crate::Ring::stats) show the progress, and a gating
    /// subscriber make room.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv), if there is no first message. `buffer` is unchanged.
    ///
    /// # Panics
    ///
    /// If the clone of a message panics (boxed rings). The messages before it are in `buffer` and
    /// count as received.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many(0..5);
    /// let mut buffer = Vec::new();
    /// assert_eq!(subscriber.try_recv_many(&mut buffer, 3), Ok(3));
    /// assert_eq!(subscriber.try_recv_many(&mut buffer, 3), Ok(2));
    /// assert_eq!(buffer, [0, 1, 2, 3, 4]);
    /// ```
    pub fn try_recv_many(&mut self, buffer: &mut Vec<S::Item>, limit: usize) -> Result<usize, TryRecvError>
    where
        S: Receive,
    {
        let mut received = 0;
        while received < limit {
            let run = self.receive_run(buffer, limit - received);
            received += run;
            if run > 0 {
                continue;
            }
            // A hole, a loss, or nothing.
            let mut reading = |slot: Slot<'_, S::Payload>, sequence, cursor: &Cursor| {
                append(buffer, |place| S::read(slot, sequence, cursor, place)).then_some(())
            };
            match self.receive(&mut reading) {
                Ok(()) => received += 1,
                Err(_) if received > 0 => break,
                Err(nothing) => return Err(self.report(nothing)),
            }
        }
        Ok(received)
    }
}

impl<S: Receive> Subscriber<S> {
    /// As `try_recv`, for calls that wait, which are out of line already.
    pub(super) fn try_recv_waiting(&mut self, place: &mut Place<'_, S::Item>) -> Result<(), TryRecvError> {
        self.receive(&mut reading::<S>(place)).map_err(|nothing| self.report(nothing))
    }

    /// As `try_recv`.
    #[inline]
    fn try_recv_into(&mut self, place: &mut Place<'_, S::Item>) -> Result<(), TryRecvError> {
        let received = match self.receive_fast(reading::<S>(place)) {
            Some(received) => received,
            None => place.receive_out_of_line(|place| self.receive_slow(&mut reading::<S>(place))),
        };
        received.map_err(|nothing| self.report(nothing))
    }
}
