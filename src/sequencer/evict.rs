//! Eviction: messages that every subscriber has read are taken out of their slots.

use std::ops::Range;

use super::{SKIPPED, Sequencer};
use crate::slots::Storage;
use crate::slots::stamp::SlotState;
use crate::sync::Ordering;

impl<S: Storage> Sequencer<S> {
    /// Returns the sequence before which no message can be read any more, even if it is still in
    /// its slot.
    pub(crate) fn evicted(&self) -> u64 {
        // [evicted.load] Acquire: pairs with `duty.evict-fence`, so that a thread that continues
        // there finds a tail that is not below.
        self.cold.evicted.load(Ordering::Acquire)
    }

    /// Returns the oldest message that may be in its slot, given a tail.
    pub(crate) fn oldest_left(&self, tail: u64) -> u64 {
        self.hot.layout.oldest(tail).max(self.evicted())
    }

    /// Takes the messages of `sequences` out of their slots, as `Storage::take_out` does. Stops at
    /// one that is being written.
    ///
    /// `sequences` begin at the oldest message that is left, by some tail. Older messages that are
    /// still in the slots are about to be overwritten.
    ///
    /// Returns whether an older message is in the slot of a hole, or may still be written there.
    pub(crate) fn evict(&self, sequences: Range<u64>, scratch: &mut S::Scratch) -> bool {
        let mut is_late = false;
        for sequence in sequences {
            let stamp = self.hot.slots.slot(sequence).stamp;
            let is_there = match stamp.load(sequence) {
                SlotState::Committed => true,
                SlotState::Overwritten(_) => false,
                SlotState::Absent if self.flags() & SKIPPED != 0 && self.hole_mark(sequence) > sequence => {
                    is_late |= stamp.newest().is_some_and(|older| self.may_come(older));
                    false
                }
                SlotState::Absent => break,
            };
            // [evicted.set] Relaxed: `duty.evict-fence` came before. This comes before the message
            // is taken out, and a reader that finds the slot empty sees it by `cell.take-out`.
            self.cold.evicted.store(sequence + 1, Ordering::Relaxed);
            if is_there {
                self.hot.slots.take_out(sequence, scratch);
            }
        }
        is_late
    }

    /// Returns whether the message `sequence`, the newest of its slot, is in the slot or is being
    /// written.
    fn may_come(&self, sequence: u64) -> bool {
        let stamp = self.hot.slots.slot(sequence).stamp;
        !matches!(stamp.load(sequence), SlotState::Committed) || self.hot.slots.is_there(sequence)
    }

    /// Returns whether the message `sequence` came into its slot when it could not be read any
    /// more. Its publisher was suspended in the middle of the write while others published a lap.
    /// The caller has run that publisher's fence.
    fn is_late(&self, sequence: u64) -> bool {
        sequence < self.evicted() && self.hot.slots.is_there(sequence)
    }

    /// Returns the late messages in the slots of `sequences`, at most a lap of them.
    pub(crate) fn late(&self, sequences: Range<u64>) -> impl Iterator<Item = u64> {
        // Without a hole no message came late, so a publish has nothing to check.
        let lap = if self.flags() & SKIPPED == 0 { 0 } else { self.hot.layout.capacity() };
        let first = sequences.start.max(sequences.end.saturating_sub(lap));
        let newest = |sequence| self.hot.slots.slot(sequence).stamp.newest();
        (first..sequences.end).filter_map(newest).filter(|message| self.is_late(*message))
    }

    /// Returns whether the message `sequence`, which was in its slot, still is. The caller has run
    /// a fence.
    pub(crate) fn holds(&self, sequence: u64) -> bool {
        sequence >= self.evicted() && matches!(self.hot.slots.slot(sequence).stamp.load(sequence), SlotState::Committed)
    }
}
