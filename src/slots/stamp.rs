//! The seqlock word of a slot: `begin → WriteGuard → commit` for publishers, `load → validate` for subscribers.
//!
//! Between a begin and its commit, and between `load` and `validate`, the payload is copied by relaxed atomic accesses (`copy/`).
//! A *word* is what one of them moves, in assembly a byte. A reader may read words of two messages, and then throws them away,
//! because:
//!
//! - *A word of a later write is never taken for this one.* If a reader's word comes from the write of `q' > q`, that
//!   write's `fence(Release)` (after its `writing` stamp, before its words) synchronises with the reader's
//!   `fence(Acquire)` (after its words, before `validate`), so `validate` reads `writing(q')` or something later.
//! - *A word of an earlier write is never taken for this one.* `load` acquires the `committed(q)` that was stored with
//!   Release after all of `q`'s words, so those are the oldest the reader can get.
//! - *Two publishers never write one slot at once.* An exclusive publisher is alone; shared ones take the slot by a
//!   compare-exchange from a stamp that is not `writing`, with Acquire, so that the last owner's words come first.
//!
//! After Boehm, "Can seqlocks get along with programming language memory models?" (MSPC 2012).

use crate::seq;
use crate::sync::{AtomicU64, Ordering, fence};

/// A slot's stamp, borrowed where it lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp<'a>(pub(crate) &'a AtomicU64);

/// What a subscriber finds in the slot of its cursor.
pub(crate) enum SlotState {
    /// The message is there: read it, then call `validate`.
    Committed,
    /// The slot belongs to this later sequence.
    Overwritten(u64),
    /// The message is not there (yet).
    Absent,
}

/// Why a shared publisher does not get a slot.
pub(crate) enum BeginError {
    /// A publisher of an earlier lap is in the middle of its write.
    Held,
    /// Publishers of a later lap have been here already.
    Overrun,
}

impl<'a> Stamp<'a> {
    /// Begins the write of `sequence` by the only publisher.
    #[inline]
    pub(crate) fn begin(self, sequence: u64) -> WriteGuard<'a> {
        // [stamp.begin] Release: pairs with the Acquire of `newest`: who was lapped finds the messages before this one. (The fence in
        // `WriteGuard::new` orders it before the words.)
        self.0.store(seq::writing(sequence), Ordering::Release);
        WriteGuard::new(self.0, sequence)
    }

    /// Begins the write of `sequence` by one of many publishers, where `expected` is what the stamp should be.
    ///
    /// Bounded: another attempt is made only after another publisher of this slot went on.
    #[inline]
    pub(crate) fn try_begin(self, sequence: u64, expected: u64) -> Result<WriteGuard<'a>, BeginError> {
        let mut stamp = expected;
        loop {
            if stamp > seq::writing(sequence) {
                return Err(BeginError::Overrun);
            }
            // `expected` is never odd, so this stamp comes from a failed exchange. A plain load could be stale, and say so for ever.
            if seq::is_writing(stamp) {
                return Err(BeginError::Held);
            }
            // [stamp.take] AcqRel: Acquire pairs with the Release of the last owner's commit, so that its words come before ours; Release as in
            // `begin`. Relaxed on failure: the value only decides what to try next.
            match self.0.compare_exchange(stamp, seq::writing(sequence), Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Ok(WriteGuard::new(self.0, sequence)),
                Err(now) => stamp = now,
            }
        }
    }

    /// Looks for `sequence`.
    #[inline]
    pub(crate) fn load(self, sequence: u64) -> SlotState {
        // [stamp.load] Acquire: pairs with the Release of `commit`, so that the words read next are this message's or later ones.
        // Also with the Release of `begin` and `try_begin`: with a later stamp comes the tail that its publisher saw.
        let stamp = self.0.load(Ordering::Acquire);
        let wanted = seq::committed(sequence);
        // The quick way asks only this; a three-way comparison would make it ask twice.
        if stamp == wanted {
            return SlotState::Committed;
        }
        if stamp > wanted { SlotState::Overwritten(seq::of_stamp(stamp)) } else { SlotState::Absent }
    }

    /// The newest sequence whose publisher has taken this slot.
    pub(crate) fn newest(self) -> Option<u64> {
        // [stamp.newest] Acquire: pairs with the Release of `begin` and `try_begin`: who goes on with the oldest that this leaves finds it there.
        let stamp = self.0.load(Ordering::Acquire);
        (stamp != seq::VACANT).then(|| seq::of_stamp(stamp))
    }

    /// Whether the words read since `load` all belong to `sequence`. If not, the next `load` returns the sequence that took the slot.
    #[inline]
    pub(crate) fn validate(self, sequence: u64) -> bool {
        // [stamp.validate-fence] Pairs with the Release fence in `WriteGuard::new`: whoever read a word of a later write sees its stamp below.
        fence(Ordering::Acquire);
        // [stamp.validate] Relaxed: the fence orders it after the words.
        self.0.load(Ordering::Relaxed) == seq::committed(sequence)
    }
}

/// The right to write a slot's words. Dropping it without `commit` leaves the slot held for good: its sequence is never
/// there, and later laps skip the slot.
#[must_use]
#[derive(Debug)]
pub struct WriteGuard<'a> {
    stamp: &'a AtomicU64,
    sequence: u64,
}

impl<'a> WriteGuard<'a> {
    #[inline]
    fn new(stamp: &'a AtomicU64, sequence: u64) -> Self {
        // [stamp.begin-fence] Pairs with the Acquire fence in `validate`: the words to come are not seen without the `writing` stamp.
        fence(Ordering::Release);
        Self { stamp, sequence }
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Lets subscribers see the words.
    #[inline]
    pub(crate) fn commit(self) {
        // [stamp.commit] A plain store: nobody changes a `writing` stamp but its owner.
        // Release: pairs with the Acquire of `load` and, a lap later, of `try_begin`.
        self.stamp.store(seq::committed(self.sequence), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_notices_the_next_write_from_its_beginning_on() {
        let word = AtomicU64::new(seq::VACANT);
        let stamp = Stamp(&word);
        stamp.begin(3).commit();
        assert!(stamp.validate(3));
        let next = stamp.begin(7);
        assert!(!stamp.validate(3));
        next.commit();
        assert!(!stamp.validate(3));
    }
}
