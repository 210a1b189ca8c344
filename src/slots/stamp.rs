//! The stamp: the seqlock word of a slot. Publishers call `begin` and `WriteGuard::commit`.
//! Subscribers call `load` and `validate`.
//!
//! Between a begin and its commit, and between `load` and `validate`, the payload is copied by
//! relaxed atomic accesses (`copy/`). A *word* is what one such access moves, which is a byte in
//! assembly. A reader may copy words of two messages. It then discards them, for these reasons:
//!
//! - *A word of a later write is never taken for this one.* Suppose a reader's word comes from the
//!   write of `q' > q`. That write's `fence(Release)` comes after its `writing` stamp and before
//!   its words. It synchronizes with the reader's `fence(Acquire)`, which comes after the words and
//!   before `validate`. So `validate` reads `writing(q')` or something later.
//! - *A word of an earlier write is never taken for this one.* `load` acquires the `committed(q)`
//!   that was stored with Release after all of `q`'s words. So the reader gets these words or later
//!   ones.
//! - *Two publishers never write one slot at once.* An exclusive publisher is alone. Shared
//!   publishers take the slot by a compare-exchange from a stamp that is not `writing`. It has
//!   Acquire, so that the last owner's words come first.
//!
//! After Boehm, "Can seqlocks get along with programming language memory models?" (MSPC 2012).

use crate::seq;
use crate::sync::{AtomicU64, Ordering, fence};

/// The stamp of a slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp<'a>(pub(crate) &'a AtomicU64);

/// The state of the slot of a subscriber's cursor.
pub(crate) enum SlotState {
    /// The message is there. The caller reads it and then calls `validate`.
    Committed,
    /// The slot belongs to this later sequence.
    Overwritten(u64),
    /// The message is not there, or not yet.
    Absent,
}

/// Why a shared publisher does not get a slot.
pub(crate) enum BeginError {
    /// The write of an earlier lap is not committed.
    Held,
    /// A publisher of a later lap has taken the slot.
    Overrun,
}

impl<'a> Stamp<'a> {
    /// Begins the write of `sequence`, on behalf of the only publisher.
    #[inline]
    pub(crate) fn begin(self, sequence: u64) -> WriteGuard<'a> {
        // [stamp.begin] Release: pairs with the Acquire of `stamp.newest` and `stamp.load`, so that
        // a lapped subscriber finds the messages before this one. The fence in `WriteGuard::new`
        // orders it before the words.
        self.0.store(seq::writing(sequence), Ordering::Release);
        WriteGuard::new(self.0, sequence)
    }

    /// Begins the write of `sequence`, on behalf of one of many publishers. `expected` is the stamp
    /// of the lap before.
    ///
    /// Bounded: it tries again only after another publisher has changed this stamp.
    #[inline]
    pub(crate) fn try_begin(self, sequence: u64, expected: u64) -> Result<WriteGuard<'a>, BeginError> {
        let mut stamp = expected;
        loop {
            if stamp > seq::writing(sequence) {
                return Err(BeginError::Overrun);
            }
            // `expected` is never odd, so this stamp comes from a failed exchange. A plain load
            // could be stale, and return the same stamp forever.
            if seq::is_writing(stamp) {
                return Err(BeginError::Held);
            }
            // [stamp.take] AcqRel: Acquire pairs with the Release of `stamp.commit`, so that the
            // last owner's words come before ours. Release as in `stamp.begin`. Relaxed on failure:
            // the value only decides what to try next.
            match self.0.compare_exchange(stamp, seq::writing(sequence), Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Ok(WriteGuard::new(self.0, sequence)),
                Err(now) => stamp = now,
            }
        }
    }

    /// Returns the state of the slot with respect to `sequence`.
    #[inline]
    pub(crate) fn load(self, sequence: u64) -> SlotState {
        // [stamp.load] Acquire: pairs with the Release of `stamp.commit`, so that the words read
        // next are this message's or later ones. It also pairs with the Release of `stamp.begin`
        // and `stamp.take`: a later stamp brings the tail that its publisher saw.
        let stamp = self.0.load(Ordering::Acquire);
        let wanted = seq::committed(sequence);
        // The fast path needs only this comparison. The compiler would make two of a three-way
        // comparison.
        if stamp == wanted {
            return SlotState::Committed;
        }
        if stamp > wanted { SlotState::Overwritten(seq::of_stamp(stamp)) } else { SlotState::Absent }
    }

    /// Returns the newest sequence whose publisher has taken this slot.
    pub(crate) fn newest(self) -> Option<u64> {
        // [stamp.newest] Acquire: pairs with the Release of `stamp.begin` and `stamp.take`, so that
        // a subscriber that resumes at the oldest message that this leaves finds it.
        let stamp = self.0.load(Ordering::Acquire);
        (stamp != seq::VACANT).then(|| seq::of_stamp(stamp))
    }

    /// Returns whether the words read since `load` all belong to `sequence`. If not, the next
    /// `load` returns the sequence that took the slot.
    #[inline]
    pub(crate) fn validate(self, sequence: u64) -> bool {
        // [stamp.validate-fence] Acquire: pairs with `stamp.begin-fence`. A reader that has read a
        // word of a later write sees that write's stamp below.
        fence(Ordering::Acquire);
        // [stamp.validate] Relaxed: the fence orders it after the words.
        self.0.load(Ordering::Relaxed) == seq::committed(sequence)
    }
}

/// The right to write a slot's words. If it is dropped without `commit`, the slot stays held for
/// good. Its sequence never becomes readable, and later laps skip the slot.
#[must_use]
#[derive(Debug)]
pub struct WriteGuard<'a> {
    stamp: &'a AtomicU64,
    sequence: u64,
}

impl<'a> WriteGuard<'a> {
    #[inline]
    fn new(stamp: &'a AtomicU64, sequence: u64) -> Self {
        // [stamp.begin-fence] Release: pairs with `stamp.validate-fence`. A reader that sees one of
        // the words to come sees the `writing` stamp.
        fence(Ordering::Release);
        Self { stamp, sequence }
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Makes the words readable.
    #[inline]
    pub(crate) fn commit(self) {
        // [stamp.commit] Release: pairs with the Acquire of `stamp.load` and, a lap later, of
        // `stamp.take`. A plain store is enough, because only its owner changes a `writing` stamp.
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
