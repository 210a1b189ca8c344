//! The state of a subscriber that other threads read: its cursor, its pin, and its counts. One
//! cache line that only the subscriber writes.

use crate::sync::{AtomicU64, Ordering};

/// A subscriber's cursor, its pin, and the counts of what it did not receive.
pub struct Cursor {
    next: AtomicU64,
    /// `q + 1` while the subscriber may read message `q` in place, otherwise 0. [`GONE`] after the
    /// subscriber was dropped.
    pin: AtomicU64,
    pub(crate) missed: Counter,
    pub(crate) holes: Counter,
    pub(crate) skipped_by_choice: Counter,
    /// Twice the number of jumps of the cursor. Odd during a jump, while `next` and `offset` do not
    /// belong together.
    jumps: AtomicU64,
    /// `next` minus the messages received so far. It wraps, because a `seek` may go back.
    offset: AtomicU64,
    /// The cursor when the subscriber last found no message.
    last_empty: AtomicU64,
}

/// The pin of a subscriber that was dropped. No message has this sequence.
const GONE: u64 = u64::MAX;

/// A count that one thread writes.
pub(crate) struct Counter(AtomicU64);

impl Counter {
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Adds to the count. Only its writer calls it.
    pub(crate) fn add(&self, more: u64) {
        // [counter.read] [counter.add] Relaxed, both: a count for statistics. A load and a store
        // are enough, because there is one writer.
        self.0.store(self.0.load(Ordering::Relaxed) + more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed) // [counter.get] Relaxed: as above
    }
}

impl Cursor {
    pub(crate) fn new(next: u64) -> Self {
        Self {
            next: AtomicU64::new(next),
            pin: AtomicU64::new(0),
            missed: Counter::new(),
            holes: Counter::new(),
            skipped_by_choice: Counter::new(),
            jumps: AtomicU64::new(0),
            offset: AtomicU64::new(next),
            last_empty: AtomicU64::new(next),
        }
    }

    /// Moves the cursor after a message was received. Only the subscriber calls it.
    #[inline]
    pub(crate) fn set_next(&self, next: u64) {
        // [cursor.set] Release: pairs with the Acquire of `cursor.load`. A thread that sees the
        // cursor sees the message before it, and so a tail that is not below it.
        self.next.store(next, Ordering::Release);
    }

    /// Moves the cursor without a message. Only the subscriber calls it.
    pub(crate) fn jump_to(&self, next: u64) {
        let offset = next.wrapping_sub(self.received_unsync());
        // [jump.own] Relaxed: only this thread writes it.
        let jumps = self.jumps.load(Ordering::Relaxed);
        // [jump.begin] Relaxed: the two stores that follow publish it.
        self.jumps.store(jumps + 1, Ordering::Relaxed);
        // [offset.set] Release: pairs with the Acquire of `offset.look`, so that a thread that sees
        // the new offset sees that a jump began.
        self.offset.store(offset, Ordering::Release);
        self.set_next(next);
        // [jump.end] Release: pairs with the Acquire of `jump.look`, so that a thread that sees the
        // end of the jump sees its result.
        self.jumps.store(jumps + 2, Ordering::Release);
    }

    /// Returns the cursor. Only the subscriber calls it.
    #[inline]
    pub(crate) fn next_unsync(&self) -> u64 {
        self.next.load(Ordering::Relaxed) // [cursor.own-load] Relaxed: only this thread writes it
    }

    pub(crate) fn next(&self) -> u64 {
        // [cursor.load] Acquire: pairs with the Release of `cursor.set`
        self.next.load(Ordering::Acquire)
    }

    /// Returns the number of messages received so far. Only the subscriber calls it.
    pub(crate) fn received_unsync(&self) -> u64 {
        // [offset.own] Relaxed: only this thread writes it
        self.next_unsync().wrapping_sub(self.offset.load(Ordering::Relaxed))
    }

    /// Returns the number of messages received so far, or `None` while the cursor jumps.
    pub(crate) fn received(&self) -> Option<u64> {
        // [jump.look] Acquire: pairs with the Release of `jump.end`. The cursor and the offset are
        // at least as new as that jump.
        let jumps = self.jumps.load(Ordering::Acquire);
        let next = self.next();
        // [offset.look] Acquire: pairs with the Release of `offset.set`. It also keeps the next
        // load after this one.
        let offset = self.offset.load(Ordering::Acquire);
        // [jump.again] Relaxed: if the cursor or the offset belongs to a later jump, this load sees
        // its beginning.
        let still = self.jumps.load(Ordering::Relaxed) == jumps;
        (still && jumps % 2 == 0).then(|| next.wrapping_sub(offset))
    }

    /// Announces that the subscriber may read `sequence`, and has finished with what it pinned
    /// before. Only the subscriber calls it.
    #[inline]
    pub(crate) fn pin(&self, sequence: u64) {
        // [pin.set] Release: pairs with the Acquire of `scan.pin`. A thread that reads this pin
        // comes after all reads of what was pinned before.
        self.pin.store(sequence + 1, Ordering::Release);
    }

    /// Announces that the subscriber reads no message any more. Only the subscriber calls it.
    #[inline]
    pub(crate) fn unpin(&self) {
        self.pin.store(0, Ordering::Release); // [pin.clear] Release: as `pin.set`
    }

    /// Notes that the subscriber found no message. Returns the first sequence that it has passed
    /// since the last such call, if any. Only the subscriber calls it.
    pub(crate) fn note_empty(&self) -> Option<u64> {
        let next = self.next_unsync();
        // [empty.load] [empty.set] Relaxed, both: only this thread uses it.
        let last = self.last_empty.load(Ordering::Relaxed);
        self.last_empty.store(next, Ordering::Relaxed);
        (last != next).then_some(last.min(next))
    }

    /// Announces that the subscriber needs no message any more, because it is dropped. Only the
    /// subscriber calls it.
    pub(crate) fn leave(&self) {
        self.pin.store(GONE, Ordering::Release); // [pin.leave] Release: as `pin.set`
    }

    /// Returns the sequence before which the subscriber needs no message.
    pub(crate) fn position(&self) -> u64 {
        // The cursor first. A thread that sees the cursor past a message sees the pin that was set
        // before, or a later one.
        let next = self.next();
        match self.pinned() {
            0 => next,
            GONE => GONE,
            pin => next.min(pin - 1),
        }
    }

    /// Returns the pinned sequence plus 1, or 0.
    #[inline]
    pub(crate) fn pinned(&self) -> u64 {
        // [scan.pin] Acquire: pairs with the Release of `pin.set`, `pin.clear` and `pin.leave`. All
        // reads of what was pinned before come first.
        self.pin.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_are_not_received() {
        let cursor = Cursor::new(5);
        assert_eq!((cursor.received(), cursor.received_unsync()), (Some(0), 0));
        cursor.set_next(6);
        cursor.jump_to(60);
        cursor.set_next(61);
        assert_eq!((cursor.received(), cursor.received_unsync()), (Some(2), 2));
        cursor.jump_to(0);
        cursor.set_next(1);
        assert_eq!((cursor.next(), cursor.received()), (1, Some(3)));
        // No count is returned during a jump.
        cursor.jumps.fetch_add(1, Ordering::Relaxed);
        assert_eq!(cursor.received(), None);
    }
}
