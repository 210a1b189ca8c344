//! Runs: several messages that are claimed, or received, at once in an inline ring.

use std::ops::Range;

use super::Channel;
use crate::seq;
use crate::sequencer::ClaimError;
use crate::slots::Storage;
use crate::slots::stamp::BeginError;
use crate::sync::{RUN_SHARE, yield_now};

/// How many messages a subscriber receives before it moves its cursor.
const MAX_RECEIVED: usize = 64;

impl<S: Storage> Channel<S> {
    /// Returns how many messages one claim may include.
    ///
    /// This is a small part of the ring, because a suspended publisher leaves this many sequences
    /// without a message. On a ring with a deadline it is 1, because publishers continue by one
    /// message each time that the deadline passes.
    pub(crate) fn run_limit(&self) -> usize {
        let has_deadline = self.gate.as_ref().is_some_and(|gate| gate.has_deadline());
        if has_deadline { 1 } else { S::RUN.min(self.capacity() / RUN_SHARE).max(1) }
    }

    /// Returns how many messages a subscriber receives before it moves its cursor.
    #[inline]
    pub(crate) fn run_of_receives(&self) -> usize {
        MAX_RECEIVED.min(self.capacity() / RUN_SHARE).max(1)
    }

    /// Publishes the first of `items` by one claim. The caller wakes subscribers. Returns the
    /// claimed sequences, and how many items were written. These are fewer than the sequences if
    /// slots were held.
    ///
    /// `held` counts the sequences that were skipped since the last message.
    #[inline]
    pub(crate) fn publish_run(
        &self,
        items: &[Option<S::Item>],
        held: &mut u64,
    ) -> Result<(Range<u64>, usize), ClaimError> {
        let claimed = match self.claim_run(items.len() as u64) {
            Ok(claimed) => claimed,
            Err(error) => {
                if error == ClaimError::Closed {
                    self.wake_all();
                }
                return Err(error);
            }
        };
        // From here to the last commit, no user code runs and nothing waits, because all sequences
        // are claimed.
        let mut left = items;
        for sequence in claimed.clone() {
            let Some((item, rest)) = left.split_first() else { unreachable!("more sequences than items") };
            if self.write_copy(sequence, item_of(item.as_ref())) {
                left = rest;
            }
        }
        let (written, count) = (items.len() - left.len(), claimed.end - claimed.start);
        if (written as u64) < count {
            self.skipped(&claimed, written, held);
        }
        Ok((claimed, written))
    }

    /// Publishes the first of `items` for the only publisher, which waits if there is no room.
    /// Returns how many items were written, or `None` when the sequences are used up. Before it
    /// waits, it wakes subscribers for `unwoken`. Afterwards `unwoken` includes what was written.
    #[inline]
    pub(crate) fn publish_run_exclusive(&self, items: &[Option<S::Item>], unwoken: &mut Range<u64>) -> Option<usize> {
        let (next, room) = match (self.sequencer.next_exclusive(), self.gated()) {
            (Some(next), _) => (next, u64::MAX),
            (None, Some((_, bounded))) if !bounded.is_over() => {
                let next = self.next_bounded(Some(unwoken));
                // There is room for at least one message.
                (next, bounded.room().unwrap_or(1))
            }
            (None, _) => return None,
        };
        let items =
            &items[..items.len().min(usize::try_from(room.min(seq::LAST + 1 - next.sequence)).unwrap_or(usize::MAX))];
        self.sequencer.publish_run_exclusive(next, items.iter().map(|item| item_of(item.as_ref())));
        unwoken.end = next.sequence + items.len() as u64;
        Some(items.len())
    }

    /// Writes `item` at a claimed sequence. Returns `false` if the slot is held and the sequence is
    /// a hole.
    #[inline]
    fn write_copy(&self, sequence: u64, item: &S::Item) -> bool {
        match self.sequencer.begin(sequence) {
            Ok(write) => write.commit_copy(item),
            Err(BeginError::Overrun) => {}
            Err(BeginError::Held) => {
                self.sequencer.skip(sequence);
                return false;
            }
        }
        true
    }

    /// Handles the sequences of a run that were skipped. Wakes subscribers that are parked there,
    /// because this publisher may be suspended before it publishes again.
    #[cold]
    fn skipped(&self, claimed: &Range<u64>, written: usize, held: &mut u64) {
        *held = if written == 0 { *held + (claimed.end - claimed.start) } else { 0 };
        // After a lap of holes, every slot is held. A publisher that holds one may be waiting for
        // this core.
        if *held >= self.sequencer.layout().capacity() {
            *held = 0;
            yield_now();
        }
        self.wake(claimed.end..claimed.end);
    }
}

#[inline]
fn item_of<T>(item: Option<&T>) -> &T {
    item.unwrap_or_else(|| unreachable!("an item of a run is missing"))
}
