//! Taking messages out of their slots that every subscriber has read.

use std::ops::Range;

use super::{SKIPPED, Sequencer};
use crate::slots::Storage;
use crate::slots::stamp::SlotState;
use crate::sync::Ordering;

impl<S: Storage> Sequencer<S> {
    /// No message before this one can be read any more, wherever its slot is.
    pub(crate) fn evicted(&self) -> u64 {
        // [evicted.load] Acquire: pairs with `duty.evict-fence`: who goes on there finds a tail that is not below.
        self.cold.evicted.load(Ordering::Acquire)
    }

    /// The oldest message that may be in its slot, given a tail.
    pub(crate) fn oldest_left(&self, tail: u64) -> u64 {
        self.hot.layout.oldest(tail).max(self.evicted())
    }

    /// Takes the messages of `sequences` out of their slots. Stops at one that is being written. They begin at the oldest that is left, by
    /// some tail: what older messages there are in the slots is about to be overwritten. As `Storage::take_out`.
    ///
    /// Whether there is an older message in the slot of a hole.
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
            // [evicted.set] Relaxed: `duty.evict-fence` came before. Before the message goes: who finds it gone finds this (`cell.take-out`).
            self.cold.evicted.store(sequence + 1, Ordering::Relaxed);
            if is_there {
                self.hot.slots.take_out(sequence, scratch);
            }
        }
        is_late
    }

    /// Whether the message `sequence`, the newest of its slot, is there or is being written.
    fn may_come(&self, sequence: u64) -> bool {
        let stamp = self.hot.slots.slot(sequence).stamp;
        !matches!(stamp.load(sequence), SlotState::Committed) || self.hot.slots.is_there(sequence)
    }

    /// Whether the message `sequence` came into its slot when it could be read no more: its publisher was suspended in the middle of
    /// the write, and others were a lap further. After that publisher's fence.
    fn is_late(&self, sequence: u64) -> bool {
        sequence < self.evicted() && self.hot.slots.is_there(sequence)
    }

    /// The late messages in the slots of `sequences`, at most a lap of them.
    pub(crate) fn late(&self, sequences: Range<u64>) -> impl Iterator<Item = u64> {
        // Without a hole none came late: a publish looks no further.
        let lap = if self.flags() & SKIPPED == 0 { 0 } else { self.hot.layout.capacity() };
        let first = sequences.start.max(sequences.end.saturating_sub(lap));
        let newest = |sequence| self.hot.slots.slot(sequence).stamp.newest();
        (first..sequences.end).filter_map(newest).filter(|message| self.is_late(*message))
    }

    /// Whether the message `sequence`, which was there, still is in its slot. After the caller's fence.
    pub(crate) fn holds(&self, sequence: u64) -> bool {
        sequence >= self.evicted() && matches!(self.hot.slots.slot(sequence).stamp.load(sequence), SlotState::Committed)
    }
}
