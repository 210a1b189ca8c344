//! Arithmetic of sequences, slots and stamps.
//!
//! The message with sequence `q` is in slot `q & mask`. The slot's stamp gives the state of the
//! slot:
//!
//! | stamp | meaning | who may change it |
//! |---|---|---|
//! | `0` | vacant | any publisher that has claimed a sequence of this slot |
//! | `2q + 1` (odd) | `q` is being written | only the publisher that writes `q` |
//! | `2q + 2` (even, not 0) | `q` is committed | any publisher that has claimed a later sequence of this slot |
//!
//! A stamp only grows. The largest sequence is [`LAST`], so no stamp ever wraps, not even the stamp
//! of the sequence after it, which subscribers wait for. Bit 63 of the tail stays free for the
//! "closed" flag. At 10⁹ messages per second the sequences last for 292 years.

/// The largest sequence that a message can have. The difference to 2⁶³ leaves room for refused
/// claims that add to the tail at the same time.
pub(crate) const LAST: u64 = (1 << 63) - (1 << 32) - 1;

/// The bit that is set in the tail of a closed ring.
pub(crate) const CLOSED_BIT: u64 = 1 << 63;

/// The stamp of a slot that no publisher has written.
pub(crate) const VACANT: u64 = 0;

/// Returns the stamp of a slot in which `sequence` is being written.
#[inline]
pub(crate) const fn writing(sequence: u64) -> u64 {
    debug_assert!(sequence <= LAST);
    2 * sequence + 1
}

/// Returns the stamp of a slot that holds `sequence`.
#[inline]
pub(crate) const fn committed(sequence: u64) -> u64 {
    debug_assert!(sequence <= LAST + 1);
    2 * sequence + 2
}

/// Returns the sequence of a stamp other than [`VACANT`].
#[inline]
pub(crate) const fn of_stamp(stamp: u64) -> u64 {
    debug_assert!(stamp != VACANT);
    (stamp - 1) / 2
}

/// Returns whether the stamp belongs to a write that is not committed.
#[inline]
pub(crate) const fn is_writing(stamp: u64) -> bool {
    stamp % 2 == 1
}

/// The sequence arithmetic of one ring: its number of slots, and its first sequence.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    mask: u64,
    first: u64,
}

impl Layout {
    /// Makes the layout of a ring with `capacity` slots, which must be a power of two.
    pub(crate) const fn new(capacity: u64, first: u64) -> Self {
        assert!(capacity.is_power_of_two() && first <= LAST);
        Self { mask: capacity - 1, first }
    }

    #[inline]
    pub(crate) const fn capacity(self) -> u64 {
        self.mask + 1
    }

    /// Returns the sequence of the ring's first message. It is 0 except in tests.
    #[inline]
    pub(crate) const fn first(self) -> u64 {
        self.first
    }

    /// Returns the index of the slot of `sequence`.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "a slot index fits, because the slots are in memory")]
    pub(crate) const fn slot(self, sequence: u64) -> usize {
        (sequence & self.mask) as usize
    }

    /// Returns the oldest sequence that a ring with this tail can still hold.
    #[inline]
    pub(crate) fn oldest(self, tail: u64) -> u64 {
        tail.saturating_sub(self.capacity()).max(self.first)
    }

    /// Returns the stamp that the slot of `sequence` has one lap earlier, if no publisher skipped
    /// it.
    #[inline]
    pub(crate) const fn previous_stamp(self, sequence: u64) -> u64 {
        debug_assert!(sequence >= self.first);
        if sequence - self.first >= self.capacity() { committed(sequence - self.capacity()) } else { VACANT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_grow_along_a_slot_and_name_their_sequence() {
        for q in [0, 1, 2, 1 << 20, LAST - 4, LAST] {
            assert!(VACANT < writing(q) && writing(q) < committed(q));
            assert_eq!((of_stamp(writing(q)), of_stamp(committed(q))), (q, q));
            assert!(is_writing(writing(q)) && !is_writing(committed(q)));
            assert!(q == LAST || committed(q) < writing(q + 1));
        }
        assert!(!is_writing(VACANT));
    }

    #[test]
    fn the_oldest_never_precedes_the_first() {
        let layout = Layout::new(4, 10);
        assert_eq!([10, 12, 14, 15, 20].map(|tail| layout.oldest(tail)), [10, 10, 10, 11, 16]);
        assert_eq!(layout.previous_stamp(13), VACANT);
        assert_eq!(layout.previous_stamp(14), committed(10));
        assert_eq!(layout.slot(LAST), 3);
    }
}
