//! Receiving the newest message only.

use super::Subscriber;
use super::blocking::untimed;
use super::receive::reading;
use crate::error::{RecvError, TryRecvError};
use crate::registry::Cursor;
use crate::sequencer::Found;
use crate::slots::{self, Place, Receive, Slot, Storage};

/// Receiving the newest message only.
impl<S: Storage> Subscriber<S> {
    /// Receives the newest message, and moves the cursor behind it.
    ///
    /// For readers that need the current value and not the history, such as a dashboard. Sequences
    /// that it jumps over, overwritten or not, are counted in
    /// [`skipped_by_choice`](Self::skipped_by_choice).
    ///
    /// A message is received once: if nothing was published since, the call returns `Empty`. To
    /// wait, use [`recv_latest`](Self::recv_latest) or
    /// [`recv_latest_async`](Self::recv_latest_async). In a [`boxed`](crate::boxed) ring, this
    /// call clones the message, and [`latest_ref`](Self::latest_ref) borrows it.
    ///
    /// # Errors
    ///
    /// - [`Empty`](TryRecvError::Empty): there is no unread message.
    /// - [`Closed`](TryRecvError::Closed): the ring is closed, and there is no unread message.
    ///
    /// It never returns `Lagged`.
    ///
    /// # Panics
    ///
    /// If the clone of the message panics (boxed rings). Sequences that were jumped over are
    /// counted, and the message is not received.
    ///
    /// # Progress
    ///
    /// Lock-free. It checks at most a lap of slots if publishers pause, and more only if they
    /// publish meanwhile.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::TryRecvError;
    ///
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// publisher.publish_many(0..100);
    /// assert_eq!(subscriber.latest(), Ok(99));
    /// assert_eq!(subscriber.skipped_by_choice(), 99);
    /// assert_eq!(subscriber.latest(), Err(TryRecvError::Empty));
    /// ```
    #[inline]
    pub fn latest(&mut self) -> Result<S::Item, TryRecvError>
    where
        S: Receive,
    {
        slots::receive_out_of_line(|place| self.latest_into(place))
    }

    /// Waits until there is an unread message, then receives the newest one.
    ///
    /// It is [`latest`](Self::latest) that waits.
    ///
    /// # Errors
    ///
    /// [`Closed`](RecvError::Closed): the ring is closed, and there is no unread message. It never
    /// returns `Lagged`.
    ///
    /// # Panics
    ///
    /// As [`latest`](Self::latest).
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::RecvError;
    ///
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// publisher.publish_many(0..100);
    /// assert_eq!(subscriber.recv_latest(), Ok(99));
    /// publisher.close();
    /// assert_eq!(subscriber.recv_latest(), Err(RecvError::Closed));
    /// ```
    #[inline]
    pub fn recv_latest(&mut self) -> Result<S::Item, RecvError>
    where
        S: Receive,
    {
        slots::receive_out_of_line(|place| untimed(self.block(None, |subscriber| subscriber.latest_into(place))))
    }
}

impl<S: Receive> Subscriber<S> {
    /// As [`try_recv_waiting`](Self::try_recv_waiting), with the newest message.
    pub(super) fn latest_into(&mut self, place: &mut Place<'_, S::Item>) -> Result<(), TryRecvError> {
        self.receive_latest(reading::<S>(place))
    }
}

impl<S: Storage> Subscriber<S> {
    /// Receives the newest message through `take`.
    pub(super) fn receive_latest<R>(
        &mut self,
        mut take: impl FnMut(Slot<'_, S::Payload>, u64, &Cursor) -> Option<R>,
    ) -> Result<R, TryRecvError> {
        loop {
            self.skip_to_latest()?;
            // If it was overwritten since, there is a newer one.
            if let Ok(received) = self.receive(&mut take) {
                return Ok(received);
            }
        }
    }

    /// Moves the cursor to the newest message, or if there is none, to the next sequence.
    fn skip_to_latest(&mut self) -> Result<(), TryRecvError> {
        let goal = match self.newest() {
            Ok(newest) => {
                self.skip_to(newest);
                return Ok(());
            }
            Err(goal) => goal,
        };
        // Forwards from the cursor. A message that is found there was committed just now, or is
        // left from many laps ago.
        let mut newest = None;
        let mut at = self.next_sequence();
        let nothing = loop {
            match self.channel.sequencer.find(at) {
                Found::Message(_) => {
                    newest = Some(at);
                    at += 1;
                }
                Found::Hole => {
                    if newest.is_none() {
                        self.skip_to(at);
                        self.pass_hole();
                    }
                    at += 1;
                }
                Found::Lapped { oldest } => {
                    debug_assert!(oldest > at);
                    // There are newer messages. No slack is added, as the oldest may be the only
                    // message that is left.
                    newest = None;
                    at = oldest;
                }
                Found::Empty => break TryRecvError::Empty,
                Found::Closed => break TryRecvError::Closed,
            }
            if at >= goal && newest.is_some() {
                break TryRecvError::Empty;
            }
        };
        self.skip_to(newest.unwrap_or(at));
        newest.map(|_| ()).ok_or(nothing)
    }

    /// The newest message, or the tail, if the ring held no message at some moment of this call.
    fn newest(&self) -> Result<u64, u64> {
        let mut before = None;
        loop {
            let goal = self.channel.sequencer.tail();
            let gone = match self.newest_below(goal) {
                Ok(newest) => return Ok(newest),
                Err(gone) => gone,
            };
            // A message that is not there yet was not there earlier. One that is overwritten may
            // have been, unless it was overwritten at the previous scan too: then no message was
            // there between the two scans.
            if gone == 0 || before == Some((goal, gone)) {
                return self.newest_before_two_laps(goal).ok_or(goal);
            }
            before = Some((goal, gone));
        }
    }

    /// The newest message if more than two laps of claims have not reached their slots, which
    /// still hold older messages.
    fn newest_before_two_laps(&self, goal: u64) -> Option<u64> {
        let (sequencer, layout, next) =
            (&self.channel.sequencer, self.channel.sequencer.layout(), self.next_sequence());
        if next >= layout.oldest(layout.oldest(goal)) {
            return None;
        }
        sequencer.newest_there().filter(|newest| *newest >= next)
    }

    /// The newest message below this tail, or how many sequences were found to be overwritten.
    fn newest_below(&self, goal: u64) -> Result<u64, u64> {
        let (sequencer, layout) = (&self.channel.sequencer, self.channel.sequencer.layout());
        let mut gone = 0;
        // Over two laps: where claims have not reached their slots yet, the messages of the lap
        // before are left.
        for sequence in (layout.oldest(layout.oldest(goal)).max(self.next_sequence())..goal).rev() {
            match sequencer.find(sequence) {
                Found::Message(_) => return Ok(sequence),
                Found::Lapped { .. } => {
                    gone += 1;
                    // Publishers have overwritten the ring since the tail was loaded. What is left
                    // may be older than what was there then.
                    if sequence >= layout.oldest(goal) && sequencer.tail() > goal {
                        break;
                    }
                }
                Found::Hole | Found::Empty | Found::Closed => {}
            }
        }
        Err(gone)
    }
}
