//! What a subscriber lets others see of itself: its cursor, what it borrows, and its account. One cache line that it alone writes.

use crate::sync::{AtomicU64, Ordering};

/// Where a subscriber stands, what it borrows, and what it did not receive.
pub struct Cursor {
    next: AtomicU64,
    /// `q + 1` while it may be looking at message `q` where it lies; otherwise 0, and [`GONE`] in the end.
    pin: AtomicU64,
    pub(crate) missed: Counter,
    pub(crate) holes: Counter,
    pub(crate) skipped_by_choice: Counter,
    /// How often the cursor jumped, twice: odd in the middle of a jump, while `next` and `offset` do not belong together.
    jumps: AtomicU64,
    /// `next` less the messages received so far. It wraps: a `seek` may go back.
    offset: AtomicU64,
    /// Where it found no message the last time.
    rested_at: AtomicU64,
}

/// The pin of a subscriber that is gone: no message has this sequence.
const GONE: u64 = u64::MAX;

/// A count with one writer.
pub(crate) struct Counter(AtomicU64);

impl Counter {
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// By the one writer.
    pub(crate) fn add(&self, more: u64) {
        // [counter.read] [counter.add] Relaxed: a count for onlookers; load and store do, as there is one writer.
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
            rested_at: AtomicU64::new(next),
        }
    }

    /// By the one writer: a message was received.
    #[inline]
    pub(crate) fn set_next(&self, next: u64) {
        // [cursor.set] Release: who sees the cursor sees the message before it, and so a tail that is not below it.
        self.next.store(next, Ordering::Release);
    }

    /// By the one writer: moves the cursor without a message.
    pub(crate) fn jump_to(&self, next: u64) {
        let offset = next.wrapping_sub(self.received_unsync());
        // [jump.own] Relaxed: it wrote that itself.
        let jumps = self.jumps.load(Ordering::Relaxed);
        // [jump.begin] Relaxed: published by the two stores that follow.
        self.jumps.store(jumps + 1, Ordering::Relaxed);
        // [offset.set] Release: pairs with the Acquire in `received`: who sees the new offset sees that a jump began.
        self.offset.store(offset, Ordering::Release);
        self.set_next(next);
        // [jump.end] Release: pairs with the Acquire in `received`: who sees the end of the jump sees where it went.
        self.jumps.store(jumps + 2, Ordering::Release);
    }

    /// By the one writer.
    #[inline]
    pub(crate) fn next_unsync(&self) -> u64 {
        self.next.load(Ordering::Relaxed) // [cursor.own-load] Relaxed: it wrote that itself
    }

    pub(crate) fn next(&self) -> u64 {
        self.next.load(Ordering::Acquire) // [cursor.load] Acquire: pairs with the Release of `set_next`
    }

    /// By the one writer: messages received so far.
    pub(crate) fn received_unsync(&self) -> u64 {
        self.next_unsync().wrapping_sub(self.offset.load(Ordering::Relaxed)) // [offset.own] Relaxed: it wrote that itself
    }

    /// Messages received so far; `None` while the cursor jumps.
    pub(crate) fn received(&self) -> Option<u64> {
        // [jump.look] Acquire: pairs with the Release of `jump_to`: cursor and offset are at least as new as that jump.
        let jumps = self.jumps.load(Ordering::Acquire);
        let next = self.next();
        // [offset.look] Acquire: pairs with the Release of `jump_to`; and the next look comes after this one.
        let offset = self.offset.load(Ordering::Acquire);
        // [jump.again] Relaxed: if either of the two belongs to a later jump, that one's beginning is seen here.
        let still = self.jumps.load(Ordering::Relaxed) == jumps;
        (still && jumps % 2 == 0).then(|| next.wrapping_sub(offset))
    }

    /// By the one writer. Announces that it may be looking at `sequence`, and no more at what it pinned before.
    #[inline]
    pub(crate) fn pin(&self, sequence: u64) {
        // [pin.set] Release: pairs with the Acquire of `pinned`: who reads this finds the subscriber done with what it pinned before.
        self.pin.store(sequence + 1, Ordering::Release);
    }

    /// By the one writer: looks at nothing any more.
    #[inline]
    pub(crate) fn unpin(&self) {
        self.pin.store(0, Ordering::Release); // [pin.clear] Release: as in `pin`
    }

    /// By the one writer: finds no message. Returns the first of those that it has passed since the last time.
    pub(crate) fn rest(&self) -> Option<u64> {
        let next = self.next_unsync();
        // [rested.load] [rested.set] Relaxed, both: nobody else uses it.
        let last = self.rested_at.load(Ordering::Relaxed);
        self.rested_at.store(next, Ordering::Relaxed);
        (last != next).then_some(last.min(next))
    }

    /// By the one writer, in the end: needs no message any more.
    pub(crate) fn leave(&self) {
        self.pin.store(GONE, Ordering::Release); // [pin.leave] Release: as in `pin`
    }

    /// It needs no message before this one.
    pub(crate) fn position(&self) -> u64 {
        // The cursor first: who sees it behind a message sees the pin that was set before, or a later one.
        let next = self.next();
        match self.pinned() {
            0 => next,
            GONE => GONE,
            pin => next.min(pin - 1),
        }
    }

    /// What is pinned, plus 1, or 0.
    #[inline]
    pub(crate) fn pinned(&self) -> u64 {
        // [scan.pin] Acquire: pairs with the Release of `pin` and `unpin`: whatever was pinned before is done with.
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
        // A jump that is on its way is not looked at.
        cursor.jumps.fetch_add(1, Ordering::Relaxed);
        assert_eq!(cursor.received(), None);
    }
}
