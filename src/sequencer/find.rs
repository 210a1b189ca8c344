//! Finding: what a subscriber finds at a sequence, and where it continues after a lap.

use super::{CLOSED, SKIPPED, Sequencer};
use crate::slots::stamp::SlotState;
use crate::slots::{Slot, Storage};
use crate::sync::Ordering;

/// What a subscriber finds at a sequence.
pub(crate) enum Found<'a, S: Storage> {
    /// The message is in this slot.
    Message(Slot<'a, S::Payload>),
    /// The sequence is a hole: it never carries a message.
    Hole,
    /// The message was overwritten. `oldest` is the oldest that can still be read.
    Lapped { oldest: u64 },
    /// There is no message yet.
    Empty,
    /// The ring has ended before this sequence.
    Closed,
}

impl<S: Storage> Sequencer<S> {
    /// Looks for a message on the fast path. Returns the message, or `Empty` in an ordinary ring
    /// without holes that is not closed. Returns `None` in all other cases, which need `find`.
    #[inline]
    pub(crate) fn find_fast(&self, sequence: u64) -> Option<Found<'_, S>> {
        let slot = self.hot.slots.slot(sequence);
        match slot.stamp.load(sequence) {
            SlotState::Committed => Some(Found::Message(slot)),
            SlotState::Overwritten(_) => None,
            SlotState::Absent => (self.flags() == 0).then_some(Found::Empty),
        }
    }

    /// Returns what a subscriber finds at `sequence`.
    pub(crate) fn find(&self, sequence: u64) -> Found<'_, S> {
        if S::DROPS && sequence < self.evicted() {
            return self.lapped(sequence);
        }
        let slot = self.hot.slots.slot(sequence);
        match slot.stamp.load(sequence) {
            SlotState::Committed => return Found::Message(slot),
            SlotState::Overwritten(evidence) => return self.lapped(evidence),
            SlotState::Absent => {}
        }
        let flags = self.flags();
        if flags & SKIPPED != 0 {
            let mark = self.hole_mark(sequence);
            if mark == sequence + 1 {
                return Found::Hole;
            }
            if mark > sequence + 1 {
                return self.lapped(mark - 1);
            }
        }
        // [end.find] Relaxed: `flags.load` acquired it. A sequence before the end is claimed, so it
        // is committed or skipped later.
        if flags & CLOSED != 0 && sequence >= self.cold.end.load(Ordering::Relaxed) {
            return Found::Closed;
        }
        Found::Empty
    }

    /// Returns a lap, given that the slot belongs to `evidence`.
    #[cold]
    fn lapped(&self, evidence: u64) -> Found<'_, S> {
        // The tail only avoids a second jump, because it may be behind the evidence.
        let oldest = self.oldest_below(self.claimed()).max((evidence + 1).saturating_sub(self.hot.layout.capacity()));
        Found::Lapped { oldest: oldest.max(self.evicted()) }
    }

    /// Returns where a subscriber continues that was lapped.
    pub(crate) fn resume(&self, oldest: u64) -> u64 {
        let roomy = oldest + self.cold.slack;
        if !S::DROPS || oldest > self.evicted() {
            return roomy;
        }
        // Older messages were taken out of their slots, so there may be enough room already.
        roomy.min((self.tail() + self.cold.slack).saturating_sub(self.hot.layout.capacity())).max(oldest)
    }
}
