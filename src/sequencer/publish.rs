//! Publishing: sequences are claimed, and their slots are written or skipped.

use super::bounded::Next;
use super::{SKIPPED, Sequencer};
use crate::seq;
use crate::slots::stamp::{BeginError, WriteGuard};
use crate::slots::{Slot, Storage};
use crate::sync::{Ordering, unsync_load};

/// A slot that a claimed sequence has taken.
pub(crate) struct Write<'a, S: Storage> {
    slot: Slot<'a, S::Payload>,
    guard: WriteGuard<'a>,
}

impl<S: Storage> Write<'_, S> {
    pub(crate) fn sequence(&self) -> u64 {
        self.guard.sequence()
    }

    /// Writes the message and makes it readable.
    #[inline]
    pub(crate) fn commit(self, prepared: S::Prepared<'_>) -> S::Displaced<'_> {
        S::write(self.slot, self.guard, prepared)
    }

    /// Commits a message that needs no preparation.
    #[inline]
    pub(crate) fn commit_copy(self, item: &S::Item) {
        S::write_copy(self.slot, self.guard, item);
    }
}

impl<S: Storage> Sequencer<S> {
    /// Returns where the only publisher writes next. Only that publisher calls it. Returns `None`
    /// in a gated ring, or when all sequences are used up.
    #[inline]
    pub(crate) fn next_exclusive(&self) -> Option<Next<'_>> {
        let sequence = unsync_load(&self.tail);
        // One comparison for both cases, because a gated ring has more than any sequence here.
        (sequence <= seq::LAST).then_some(Next { sequence, tail: &self.tail })
    }

    /// Writes `prepared` at the caller's next sequence.
    #[inline]
    pub(crate) fn publish_exclusive<'p>(&self, next: Next<'_>, prepared: S::Prepared<'p>) -> S::Displaced<'p> {
        let slot = self.hot.slots.slot(next.sequence);
        let displaced = S::write(slot, slot.stamp.begin(next.sequence), prepared);
        Self::move_tail(next, 1);
        displaced
    }

    #[inline]
    fn move_tail(next: Next<'_>, by: u64) {
        // [tail.move] Release: pairs with the Acquire of `tail.load`. A subscriber that starts at
        // the tail finds all messages before it committed, or starts before the run that is being
        // written.
        next.tail.store(next.sequence + by, Ordering::Release);
    }

    /// Writes a run of messages from the caller's next sequence on.
    ///
    /// The first message is written last. A reader that waits for it then finds the whole run, and
    /// does not take the cache line of each message from the publisher during the run. The tail
    /// moves first, as it does by claims. A subscriber that is lapped by a part of the run finds
    /// the whole run before the tail.
    #[inline]
    pub(crate) fn publish_run_exclusive<'i>(
        &self,
        next: Next<'_>,
        mut run: impl ExactSizeIterator<Item = &'i S::Item>,
    ) {
        Self::move_tail(next, run.len() as u64);
        let write = |sequence, item| {
            let slot = self.hot.slots.slot(sequence);
            S::write_copy(slot, slot.stamp.begin(sequence), item);
        };
        let Some(first) = run.next() else { return };
        for (sequence, item) in (next.sequence + 1..).zip(run) {
            write(sequence, item);
        }
        write(next.sequence, first);
    }

    /// Claims the next `count` sequences and returns the first, or `None` if the ring is closed, or
    /// gated. Sequences beyond the last one of a ring do not exist.
    #[inline]
    pub(crate) fn claim(&self, count: u64) -> Option<u64> {
        // [tail.claim] Relaxed: a claim promises nothing but its own numbers. The slots' stamps
        // order what is written there.
        let first = self.tail.fetch_add(count, Ordering::Relaxed);
        if first <= seq::LAST {
            return Some(first);
        }
        self.refuse(count);
        None
    }

    #[cold]
    fn refuse(&self, count: u64) {
        if self.hot.bounded.is_some() {
            return;
        }
        // A ring that is not closed has used up its sequences, and closes now. If it is closed, the
        // thread that closed it may have been suspended in the middle.
        self.close();
        // [tail.unclaim] Relaxed: below the bit the number means nothing any more. It keeps refused
        // claims from adding up.
        self.tail.fetch_sub(count, Ordering::Relaxed);
    }

    /// Takes the slot of a claimed sequence.
    #[inline]
    pub(crate) fn begin(&self, sequence: u64) -> Result<Write<'_, S>, BeginError> {
        let slot = self.hot.slots.slot(sequence);
        let guard = slot.stamp.try_begin(sequence, self.hot.layout.previous_stamp(sequence))?;
        Ok(Write { slot, guard })
    }

    /// Gives up a claimed sequence whose slot is held. It becomes a hole.
    #[cold]
    pub(crate) fn skip(&self, sequence: u64) {
        // [skipped.count] Release: pairs with the Acquire of `skipped.load`, so that a thread that
        // counts this hole finds a tail beyond it.
        self.cold.skipped.fetch_add(1, Ordering::Release);
        // [hole-marks.set] Release: pairs with the Acquire of `hole-marks.load`. The flag may have
        // been set for an earlier hole, so it does not order this one: a subscriber that passes
        // this hole must find a tail beyond it. `fetch_max`, because marks may be made out of
        // order.
        self.cold.hole_marks[self.hot.layout.slot(sequence)].fetch_max(sequence + 1, Ordering::Release);
        self.set(SKIPPED);
    }
}
