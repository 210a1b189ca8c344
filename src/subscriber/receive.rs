//! The core of every receive: what is at the cursor, and how it is taken.

use super::Subscriber;
use crate::error::{RecvError, TryRecvError};
use crate::registry::Cursor;
use crate::sequencer::Found;
use crate::slots::{Place, Receive, Slot, Storage};

/// Why there is no message at the cursor. Holes before it were passed.
#[derive(Clone, Copy)]
pub(crate) enum NoMessage {
    Lapped { resume: u64 },
    Empty,
    Closed,
}

impl<S: Storage> Subscriber<S> {
    /// Receives the next message through `take`, or returns why there is none. It does not count a
    /// loss: `report` does.
    #[inline]
    pub(crate) fn receive<R>(
        &mut self,
        take: &mut impl FnMut(Slot<'_, S::Payload>, u64, &Cursor) -> Option<R>,
    ) -> Result<R, NoMessage> {
        match self.receive_fast(&mut *take) {
            Some(received) => received,
            None => self.receive_slow(take),
        }
    }

    /// The quick way of a lossy subscriber, or `None`.
    #[inline]
    pub(super) fn receive_fast<R>(
        &self,
        take: impl FnOnce(Slot<'_, S::Payload>, u64, &Cursor) -> Option<R>,
    ) -> Option<Result<R, NoMessage>> {
        let cursor = &self.lossy.cursor;
        let sequence = cursor.next_unsync();
        match self.channel.sequencer.find_fast(sequence)? {
            Found::Message(slot) => {
                let message = take(slot, sequence, cursor)?;
                self.taken(sequence);
                Some(Ok(message))
            }
            Found::Empty => {
                self.found_empty();
                Some(Err(NoMessage::Empty))
            }
            _ => None,
        }
    }

    /// Receives where the quick way failed: at a hole, after a lap, at the end, and for gating
    /// subscribers.
    #[inline(never)]
    pub(super) fn receive_slow<R>(
        &mut self,
        take: &mut impl FnMut(Slot<'_, S::Payload>, u64, &Cursor) -> Option<R>,
    ) -> Result<R, NoMessage> {
        if let Some(gating) = &self.local.gating {
            // As `receive_fast`, which never finds a message here. One function for both would load
            // the cursor's address once more for each message of a boxed ring.
            let sequence = gating.cursor.next_unsync();
            if let Some(Found::Message(slot)) = self.channel.sequencer.find_fast(sequence) {
                if let Some(message) = take(slot, sequence, &gating.cursor) {
                    self.channel.made_room(sequence..sequence + 1);
                    self.taken(sequence);
                    return Ok(message);
                }
            }
            self.become_lossy_if_demoted();
        }
        loop {
            let sequence = self.next_sequence();
            return match self.channel.sequencer.find(sequence) {
                Found::Message(slot) => match take(slot, sequence, self.cursor()) {
                    Some(message) => {
                        self.made_room(sequence..sequence + 1);
                        self.taken(sequence);
                        Ok(message)
                    }
                    None => continue,
                },
                Found::Hole => {
                    self.pass_hole();
                    continue;
                }
                Found::Lapped { oldest } => Err(NoMessage::Lapped { resume: self.resume(oldest) }),
                Found::Empty => {
                    self.found_empty();
                    Err(NoMessage::Empty)
                }
                Found::Closed => {
                    self.found_empty();
                    Err(NoMessage::Closed)
                }
            };
        }
    }

    /// Where the subscriber resumes after a lap. A gating one takes no slack: what it skipped
    /// would be a loss.
    fn resume(&self, oldest: u64) -> u64 {
        if self.local.gating.is_some() { oldest } else { self.channel.sequencer.resume(oldest) }
    }

    /// Turns `nothing` into the caller's error. Counts a loss, and moves the cursor past it.
    #[inline]
    pub(crate) fn report(&mut self, nothing: NoMessage) -> TryRecvError {
        match nothing {
            NoMessage::Lapped { resume } => TryRecvError::Lagged(self.lag_to(resume)),
            NoMessage::Empty => TryRecvError::Empty,
            NoMessage::Closed => TryRecvError::Closed,
        }
    }

    #[inline]
    pub(crate) fn cursor(&self) -> &Cursor {
        &self.registration().cursor
    }

    // Rings with `eager_drop`.

    /// The cursor and the pin may be past the message `sequence`, which may be dropped then.
    #[inline]
    pub(crate) fn passed(&self, sequence: u64) {
        if S::DROPS {
            self.channel.passed(sequence, self.registration());
        }
    }

    /// The subscriber has found no message.
    #[inline]
    fn found_empty(&self) {
        if S::DROPS {
            self.channel.found_empty(self.registration(), false);
        }
    }

    /// The message `sequence` was taken. It is borrowed only if it is pinned.
    #[inline]
    fn taken(&self, sequence: u64) {
        if S::DROPS && self.cursor().pinned() == 0 {
            self.passed(sequence);
        }
    }
}

impl<S: Receive> Subscriber<S> {
    /// Appends up to `limit` messages to `buffer` and returns how many. It may stop anywhere, also
    /// before the first.
    pub(super) fn receive_run(&self, buffer: &mut Vec<S::Item>, limit: usize) -> usize {
        let (sequencer, from) = (&self.channel.sequencer, self.next_sequence());
        // The cursor moves once per run. Publishers may wait for it, so runs are short.
        let limit = limit.min(self.channel.run_of_receives());
        let read = sequencer.slots().read_run(from, limit, buffer, self.cursor());
        if read > 0 {
            self.made_room(from..from + read as u64);
        }
        read
    }
}

/// A `take` that puts the message into `place`.
#[inline]
pub(super) fn reading<'p, S: Receive>(
    place: &'p mut Place<'_, S::Item>,
) -> impl FnMut(Slot<'_, S::Payload>, u64, &Cursor) -> Option<()> + 'p {
    |slot, sequence, cursor| S::read(slot, sequence, cursor, place).then_some(())
}

/// The result of an attempt, or `None` if the caller has to wait.
pub(super) fn unless_empty<R>(taken: Result<R, TryRecvError>) -> Option<Result<R, RecvError>> {
    match taken {
        Ok(received) => Some(Ok(received)),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::Closed) => Some(Err(RecvError::Closed)),
        Err(TryRecvError::Lagged(lagged)) => Some(Err(RecvError::Lagged(lagged))),
    }
}
