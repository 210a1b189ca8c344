//! The current value rather than the history.

use super::blocking::untimed;
use super::{Subscriber, reading};
use crate::error::{RecvError, TryRecvError};
use crate::registry::Cursor;
use crate::sequencer::Found;
use crate::slots::{self, Place, Receive, Slot, Storage};

/// Receiving: the newest message.
impl<S: Receive> Subscriber<S> {
    /// Takes the newest message that is there, and leaves the cursor behind it.
    ///
    /// For readers that want the current value rather than the history. What it jumps over, lost or not, is counted in
    /// [`skipped_by_choice`](Self::skipped_by_choice). A message is taken once: when nothing was published since, it is `Empty`.
    ///
    /// # Errors
    ///
    /// [`Empty`](TryRecvError::Empty) or [`Closed`](TryRecvError::Closed); never `Lagged`.
    ///
    /// # Panics
    ///
    /// When the message's clone does (boxed rings). What it jumped over is then counted, and the message is not received.
    ///
    /// # Progress
    ///
    /// Lock-free: every look at another message is due to what publishers did; at most a lap of them if they rest.
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// publisher.publish_many(0..100);
    /// assert_eq!(subscriber.latest(), Ok(99));
    /// assert_eq!(subscriber.skipped_by_choice(), 99);
    /// assert_eq!(subscriber.latest(), Err(seqcast::TryRecvError::Empty));
    /// ```
    #[inline]
    pub fn latest(&mut self) -> Result<S::Item, TryRecvError> {
        slots::receive_out_of_line(|place| self.latest_into(place))
    }

    /// Waits until there is a message that was not read, then takes the newest one, as [`latest`](Self::latest) does.
    ///
    /// # Errors
    ///
    /// [`Closed`](RecvError::Closed); never `Lagged`.
    ///
    /// # Panics
    ///
    /// When the message's clone does (boxed rings), as [`recv`](Self::recv).
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// publisher.publish_many(0..100);
    /// assert_eq!(subscriber.recv_latest(), Ok(99));
    /// publisher.close();
    /// assert_eq!(subscriber.recv_latest(), Err(seqcast::RecvError::Closed));
    /// ```
    #[inline]
    pub fn recv_latest(&mut self) -> Result<S::Item, RecvError> {
        slots::receive_out_of_line(|place| untimed(self.block(None, |subscriber| subscriber.latest_into(place))))
    }

    /// As [`try_recv_waiting`](Self::try_recv_waiting), with the newest message.
    pub(super) fn latest_into(&mut self, place: &mut Place<'_, S::Item>) -> Result<(), TryRecvError> {
        self.receive_latest(reading::<S>(place))
    }
}

impl<S: Storage> Subscriber<S> {
    /// Receives the newest message as `take` takes it.
    pub(crate) fn receive_latest<R>(
        &mut self,
        mut take: impl FnMut(Slot<'_, S::Payload>, u64, &Cursor) -> Option<R>,
    ) -> Result<R, TryRecvError> {
        loop {
            self.skip_to_latest()?;
            // Unless it was overwritten just now: there is a newer one.
            if let Ok(received) = self.receive(&mut take) {
                return Ok(received);
            }
        }
    }

    /// Moves the cursor to the newest message, or to where the next one comes.
    fn skip_to_latest(&mut self) -> Result<(), TryRecvError> {
        let goal = match self.newest() {
            Ok(newest) => {
                self.skip_to(newest);
                return Ok(());
            }
            Err(goal) => goal,
        };
        // On from the cursor: what is found there came just now, or is left from many laps ago.
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
                    // There are newer ones. No room is left in front: the oldest may be the only one that is there.
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

    /// The newest message; or the tail, if there was a moment in this call at which no message was there.
    fn newest(&self) -> Result<u64, u64> {
        let mut before = None;
        loop {
            let goal = self.channel.sequencer.tail();
            let gone = match self.newest_below(goal) {
                Ok(newest) => return Ok(newest),
                Err(gone) => gone,
            };
            // What is not there yet was not there earlier. What is gone may have been, unless it was gone at the look before: then nothing
            // was there between the two.
            if gone == 0 || before == Some((goal, gone)) {
                return self.newest_before_two_laps(goal).ok_or(goal);
            }
            before = Some((goal, gone));
        }
    }

    /// Claims of more than two laps may be on their way to their slots, where the messages before them still are.
    fn newest_before_two_laps(&self, goal: u64) -> Option<u64> {
        let (sequencer, layout, next) =
            (&self.channel.sequencer, self.channel.sequencer.layout(), self.next_sequence());
        if next >= layout.oldest(layout.oldest(goal)) {
            return None;
        }
        sequencer.newest_there().filter(|newest| *newest >= next)
    }

    /// The newest message below this tail, or how many were found to be gone.
    fn newest_below(&self, goal: u64) -> Result<u64, u64> {
        let (sequencer, layout) = (&self.channel.sequencer, self.channel.sequencer.layout());
        let mut gone = 0;
        // Over two laps: claims that have not reached their slots yet leave the messages of the lap before.
        for sequence in (layout.oldest(layout.oldest(goal)).max(self.next_sequence())..goal).rev() {
            match sequencer.find(sequence) {
                Found::Message(_) => return Ok(sequence),
                Found::Lapped { .. } => {
                    gone += 1;
                    // Publishers have been round the ring since the look at the tail: what is left may be older than what was there then.
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
