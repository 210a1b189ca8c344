//! The current value rather than the history.

use super::Subscriber;
use crate::error::TryRecvError;
use crate::progress::Progress;
use crate::sequencer::{Found, HandOf, SlotOf};
use crate::slots::{Receive, Storage};

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
    pub fn latest(&mut self) -> Result<S::Item, TryRecvError> {
        self.receive_latest(S::own)
    }
}

impl<S: Storage> Subscriber<S> {
    /// Receives the newest message as `take` takes it.
    pub(crate) fn receive_latest<R>(
        &mut self,
        take: impl Fn(SlotOf<'_, S>, u64, &mut HandOf<S>, &Progress) -> Option<R>,
    ) -> Result<R, TryRecvError> {
        loop {
            self.skip_to_latest()?;
            // Unless it was overwritten just now: there is a newer one.
            if let Ok(received) = self.receive(&take, |_, _| ()) {
                return Ok(received);
            }
        }
    }

    /// Moves the cursor to the newest message.
    fn skip_to_latest(&mut self) -> Result<(), TryRecvError> {
        let goal = self.channel.sequencer.tail();
        // From the newest back, to the first that is there. Over two laps: claims that have not reached their slots yet leave
        // the messages of the lap before.
        let span = self.channel.sequencer.span();
        let is_there = |&sequence: &u64| matches!(self.channel.sequencer.find(sequence), Found::Message(_));
        if let Some(newest) = (span.oldest(span.oldest(goal)).max(self.cursor())..goal).rev().find(is_there) {
            self.skip_to(newest);
            return Ok(());
        }
        // None is: publishers hold the whole lap, or have been round it meanwhile. On from the cursor, to the goal.
        let mut newest = None;
        let mut at = self.cursor();
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
                    // There are newer ones.
                    newest = None;
                    at = self.channel.sequencer.resume(oldest);
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
}
