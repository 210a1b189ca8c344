//! Slots, tail and end: claim, commit, skip, find a sequence, close. Knows no subscriber.

mod bounded;
mod evict;

pub(crate) use bounded::{Bounded, ClaimError, Next};

use crate::seq::{self, Layout};
use crate::slots::stamp::{BeginError, SlotState, WriteGuard};
use crate::slots::{Slot, Storage};
use crate::sync::{AtomicU64, CachePadded, Ordering, unsync_load, zeroed_words};

/// Where the sequences of a ring come from and where they are found.
pub(crate) struct Sequencer<S: Storage> {
    hot: CachePadded<Hot<S>>,
    /// The sequence that the next claim gets, and `CLOSED_BIT`. Read by nobody who polls. In a gated ring it holds [`GATED`], and the
    /// tail is in `bounded`.
    tail: CachePadded<AtomicU64>,
    cold: Cold,
}

/// Read by everybody, written hardly ever.
struct Hot<L> {
    slots: L,
    layout: Layout,
    /// `CLOSED` and `SKIPPED`, once they hold; `GATING`.
    flags: AtomicU64,
    bounded: Option<Box<CachePadded<Bounded>>>,
}

/// The ring has ended.
const CLOSED: u64 = 1;
/// Some sequence was skipped: look for holes.
const SKIPPED: u64 = 1 << 1;
/// From the beginning on a gated ring: the quick answer is never `Empty` there, which sends gating subscribers the long way.
const GATING: u64 = 1 << 2;

/// What claims of an ordinary ring find in place of the tail of a gated one: more than any sequence, so that the comparison that they
/// make anyway turns them away. (They may add to it: it never comes near the end of the word.)
const GATED: u64 = seq::CLOSED_BIT;

/// Touched on a hole, at the end, or when somebody looks.
struct Cold {
    /// The final sequence, once the tail says that the ring is closed; before that, where somebody tried to close it.
    end: AtomicU64,
    /// One word a slot: `q + 1` of the newest sequence of that slot that was skipped, 0 for none. Newest is enough: a
    /// reader at an older hole takes the newer mark as proof that it was lapped.
    hole_marks: Box<[AtomicU64]>,
    skipped: AtomicU64,
    /// The most that was ever told to be published.
    published: AtomicU64,
    /// Sequences below this were taken out of their slots, or were not there to be taken. 0 but in a ring that drops messages when they
    /// were read.
    evicted: AtomicU64,
    /// Room left in front of a lagged subscriber.
    slack: u64,
}

/// What is found at a sequence.
pub(crate) enum Found<'a, S: Storage> {
    /// The message is in this slot.
    Message(Slot<'a, S::Payload>),
    /// No message will ever come at this sequence.
    Hole,
    /// Overwritten; the oldest that can still be read is this one.
    Lapped { oldest: u64 },
    /// Nothing yet.
    Empty,
    /// The end, and nothing unread before it.
    Closed,
}

/// A slot that a claimed sequence has taken.
pub(crate) struct Write<'a, S: Storage> {
    slot: Slot<'a, S::Payload>,
    guard: WriteGuard<'a>,
}

impl<S: Storage> Write<'_, S> {
    pub(crate) fn sequence(&self) -> u64 {
        self.guard.sequence()
    }

    #[inline]
    pub(crate) fn commit(self, prepared: S::Prepared<'_>) -> S::Displaced<'_> {
        S::write(self.slot, self.guard, prepared)
    }

    /// As `commit`, with what needs no preparation.
    #[inline]
    pub(crate) fn commit_copy(self, item: &S::Item) {
        S::write_copy(self.slot, self.guard, item);
    }
}

impl<S: Storage> Sequencer<S> {
    /// `None` when no allocation can hold the slots. `slack` is below the capacity.
    pub(crate) fn new(layout: Layout, slack: u64, gated: bool, eager: bool) -> Option<Self> {
        debug_assert!(slack < layout.capacity());
        let (hole_marks, _) = zeroed_words(usize::try_from(layout.capacity()).ok()?)?;
        let bounded = gated.then(|| Box::new(CachePadded::new(Bounded::new(layout.first()))));
        let (tail, flags) = if gated { (GATED, GATING) } else { (layout.first(), 0) };
        Some(Self {
            hot: CachePadded::new(Hot { slots: S::new(layout, eager)?, layout, flags: AtomicU64::new(flags), bounded }),
            tail: CachePadded::new(AtomicU64::new(tail)),
            cold: Cold {
                end: AtomicU64::new(layout.first()),
                hole_marks,
                skipped: AtomicU64::new(0),
                published: AtomicU64::new(0),
                evicted: AtomicU64::new(0),
                slack,
            },
        })
    }

    #[inline]
    pub(crate) fn layout(&self) -> Layout {
        self.hot.layout
    }

    /// Where a subscriber goes on that was lapped.
    pub(crate) fn resume(&self, oldest: u64) -> u64 {
        let roomy = oldest + self.cold.slack;
        if !S::DROPS || oldest > self.evicted() {
            return roomy;
        }
        // The older ones were taken out of their slots, so it may have room enough already.
        roomy.min((self.tail() + self.cold.slack).saturating_sub(self.hot.layout.capacity())).max(oldest)
    }

    /// The claims of a gated ring.
    #[inline]
    pub(crate) fn bounded(&self) -> Option<&Bounded> {
        self.hot.bounded.as_deref().map(|bounded| &**bounded)
    }

    /// Where the tail is.
    fn tail_word(&self) -> &AtomicU64 {
        self.bounded().map_or(&self.tail, |bounded| &bounded.tail)
    }

    // Publishing alone.

    /// Where the only publisher writes next; for that publisher. `None` in a gated ring, or when all sequences are used up.
    #[inline]
    pub(crate) fn next_exclusive(&self) -> Option<Next<'_>> {
        let sequence = unsync_load(&self.tail);
        // One comparison for both: a gated ring has more than any sequence here.
        (sequence <= seq::LAST).then_some(Next { sequence, tail: &self.tail })
    }

    /// Writes `prepared` at the caller's own next sequence.
    #[inline]
    pub(crate) fn publish_exclusive<'p>(&self, next: Next<'_>, prepared: S::Prepared<'p>) -> S::Displaced<'p> {
        let slot = self.hot.slots.slot(next.sequence);
        let displaced = S::write(slot, slot.stamp.begin(next.sequence), prepared);
        Self::move_tail(next, 1);
        displaced
    }

    #[inline]
    fn move_tail(next: Next<'_>, by: u64) {
        // [tail.move] Release: pairs with the Acquire of `tail()`: who starts at the tail finds all before it committed, or before the run
        // that is being written.
        next.tail.store(next.sequence + by, Ordering::Release);
    }

    /// Writes a run of messages from the caller's own next sequence on.
    ///
    /// The first comes last: a reader that waits for it then finds the whole run, and does not take the cache line of each message away
    /// from the publisher in the middle of it. The tail moves before, as by claims: whoever is lapped by a part of the run finds all of
    /// it behind the tail.
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

    pub(crate) fn slots(&self) -> &S {
        &self.hot.slots
    }

    // Publishing beside others.

    /// Draws the next `count` sequences and returns the first, or `None` if the ring is closed, or gated. Those beyond the last
    /// sequence of a ring do not exist.
    #[inline]
    pub(crate) fn claim(&self, count: u64) -> Option<u64> {
        // [tail.claim] Relaxed: a claim promises nothing but its own numbers; the slots' stamps order what is written there.
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
        // Not closed but used up, after centuries: that is the end. If closed, the closer may have been stopped in the middle.
        self.close();
        // [tail.unclaim] So that refused claims never add up to anything. Relaxed: below the bit the number means nothing any more.
        self.tail.fetch_sub(count, Ordering::Relaxed);
    }

    /// Takes the slot of a claimed sequence.
    #[inline]
    pub(crate) fn begin(&self, sequence: u64) -> Result<Write<'_, S>, BeginError> {
        let slot = self.hot.slots.slot(sequence);
        let guard = slot.stamp.try_begin(sequence, self.hot.layout.previous_stamp(sequence))?;
        Ok(Write { slot, guard })
    }

    /// Gives up a claimed sequence whose slot is held: it becomes a hole.
    #[cold]
    pub(crate) fn skip(&self, sequence: u64) {
        // [skipped.count] Release: pairs with the Acquire in `skipped`: who counts this hole finds a tail behind it.
        self.cold.skipped.fetch_add(1, Ordering::Release);
        // [hole-marks.set] fetch_max: marks may be made out of order. Release: pairs with the Acquire in `hole_mark`: the bit may have been set for
        // an earlier hole, and who goes over this one finds a tail behind it.
        self.cold.hole_marks[self.hot.layout.slot(sequence)].fetch_max(sequence + 1, Ordering::Release);
        self.set(SKIPPED);
    }

    // The end.

    /// Closes the ring at its tail. `true` for the one call that did; the ring is closed in any case.
    ///
    /// Lock-free: an attempt fails only when somebody claimed or closed meanwhile.
    pub(crate) fn close(&self) -> bool {
        // [close.tail] Acquire, here and below: pairs with the Release of the exchange, so that who finds the ring closed knows the end.
        let word = self.tail_word();
        let mut tail = word.load(Ordering::Acquire);
        let mut first = false;
        while tail & seq::CLOSED_BIT == 0 && !first {
            // [end.propose] Before the bit, so that whoever sees the bit sees the end. fetch_max: of several who try, the one that succeeds has
            // seen the largest tail. Relaxed: published by the Release below.
            self.cold.end.fetch_max(tail.min(seq::LAST + 1), Ordering::Relaxed);
            let closed = tail | seq::CLOSED_BIT;
            // [close.bit] Release: a thread that sees the bit sees the end. Acquire on failure, as above.
            match word.compare_exchange_weak(tail, closed, Ordering::Release, Ordering::Acquire) {
                Ok(_) => first = true,
                Err(now) => tail = now,
            }
        }
        // By whoever comes by: the one who closed may have been stopped before this.
        if !self.is_closed() {
            self.set(CLOSED);
        }
        first
    }

    fn set(&self, flag: u64) {
        // [flags.set] Release: pairs with the Acquire of `flags`.
        self.hot.flags.fetch_or(flag, Ordering::Release);
    }

    /// `CLOSED`, `SKIPPED` and `GATING`.
    #[inline]
    fn flags(&self) -> u64 {
        // [flags.load] Acquire: pairs with the Release of `set`, so that what a flag promises (a hole's mark, the end, the last commits) is
        // seen with it.
        self.hot.flags.load(Ordering::Acquire)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.flags() & CLOSED != 0
    }

    // Looking.

    /// The sequence that the next message gets; the end of a closed ring. It never goes back, and is never less than what the
    /// caller has seen.
    pub(crate) fn tail(&self) -> u64 {
        let tail = self.claimed();
        // An exclusive publisher moves the tail after the commit of a single message, so the stamp may know of a message that the tail does not.
        match self.hot.slots.slot(tail).stamp.load(tail) {
            SlotState::Absent => tail,
            SlotState::Committed => tail + 1,
            // A lap passed between the two looks. The tail stood at `newer` before its write began, and the stamp acquired that:
            // no later look finds less.
            SlotState::Overwritten(newer) => newer,
        }
    }

    /// Messages published so far, and those being written. It never goes back.
    pub(crate) fn published(&self) -> u64 {
        let mut skipped = self.skipped();
        let published = loop {
            // After the holes, so that each of them was drawn.
            let drawn = self.tail() - self.hot.layout.first();
            let now = self.skipped();
            if now == skipped {
                break drawn - skipped;
            }
            // Publishers made holes between the looks, and the tail may count them or not.
            skipped = now;
        };
        // A sequence counts when it is drawn, and no longer once it became a hole. [published.raise] Relaxed: one word, in which a
        // number only grows.
        self.cold.published.fetch_max(published, Ordering::Relaxed).max(published)
    }

    /// The oldest sequence that can still be read.
    pub(crate) fn oldest(&self) -> u64 {
        self.oldest_below(self.tail()).max(self.evicted())
    }

    /// The oldest that can still be read, given a tail. Claims that have not reached their slots yet have overwritten nothing. A
    /// publisher that skipped has: whoever looks behind its mark is lapped.
    fn oldest_below(&self, tail: u64) -> u64 {
        let layout = self.hot.layout;
        let skipped = self.flags() & SKIPPED != 0;
        let passed = |&q: &u64| self.hot.slots.slot(q).stamp.newest() >= Some(q) || (skipped && self.hole_mark(q) > q);
        // An exclusive publisher begins the message at the tail before it moves the tail.
        let newest = (layout.oldest(tail)..=tail.min(seq::LAST)).rev().find(passed);
        // In the first lap, that was all there is.
        let newest =
            newest.or_else(|| (layout.oldest(tail) > layout.first()).then(|| self.newest_passed(skipped)).flatten());
        newest.map_or(layout.first(), |newest| layout.oldest(newest + 1))
    }

    /// The newest sequence whose slot was taken or skipped, however many claims came after it.
    #[cold]
    fn newest_passed(&self, skipped: bool) -> Option<u64> {
        let first = self.hot.layout.first();
        let of_slot = |q: u64| {
            self.hot.slots.slot(q).stamp.newest().max(skipped.then(|| self.hole_mark(q).checked_sub(1)).flatten())
        };
        (first..first + self.hot.layout.capacity()).filter_map(of_slot).max()
    }

    /// The newest message that is in any slot, however many claims came after it.
    #[cold]
    pub(crate) fn newest_there(&self) -> Option<u64> {
        let slots = self.hot.layout.first()..self.hot.layout.first() + self.hot.layout.capacity();
        let newest = |q: u64| self.hot.slots.slot(q).stamp.newest();
        let is_there = |q: &u64| matches!(self.hot.slots.slot(*q).stamp.load(*q), SlotState::Committed);
        slots.filter_map(newest).filter(is_there).max().filter(|newest| *newest >= self.evicted())
    }

    /// What the tail says: claims so far, or the end.
    fn claimed(&self) -> u64 {
        // [tail.load] Acquire: pairs with the Release in `publish_exclusive`, so that what lies before can be read, and in `close`.
        let tail = self.tail_word().load(Ordering::Acquire);
        if tail & seq::CLOSED_BIT == 0 {
            tail.min(seq::LAST + 1)
        } else {
            // [end.load] Relaxed: the bit published it.
            self.cold.end.load(Ordering::Relaxed)
        }
    }

    /// How many sequences became holes.
    pub(crate) fn skipped(&self) -> u64 {
        self.cold.skipped.load(Ordering::Acquire) // [skipped.load] Acquire: pairs with the Release in `skip`
    }

    /// The quick answer: the message, or `Empty` in an ordinary ring that knows neither holes nor an end; `None` for all that takes longer.
    #[inline]
    pub(crate) fn find_fast(&self, sequence: u64) -> Option<Found<'_, S>> {
        let slot = self.hot.slots.slot(sequence);
        match slot.stamp.load(sequence) {
            SlotState::Committed => Some(Found::Message(slot)),
            SlotState::Overwritten(_) => None,
            SlotState::Absent => (self.flags() == 0).then_some(Found::Empty),
        }
    }

    /// What is found at `sequence`.
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
        // [end.find] Relaxed: `flags` acquired it. A sequence before the end is claimed: it will come, or be skipped.
        if flags & CLOSED != 0 && sequence >= self.cold.end.load(Ordering::Relaxed) {
            return Found::Closed;
        }
        Found::Empty
    }

    /// The newest sequence of this slot that was skipped, plus 1; to be asked after `SKIPPED` was seen.
    fn hole_mark(&self, sequence: u64) -> u64 {
        // [hole-marks.load] Acquire: pairs with the Release in `skip`. (The bit published the marks that were made before it, not later ones.)
        self.cold.hole_marks[self.hot.layout.slot(sequence)].load(Ordering::Acquire)
    }

    /// A lap, given that the slot was seen to belong to `evidence`.
    #[cold]
    fn lapped(&self, evidence: u64) -> Found<'_, S> {
        // The tail only saves a second jump: it may lag behind the evidence.
        let oldest = self.oldest_below(self.claimed()).max((evidence + 1).saturating_sub(self.hot.layout.capacity()));
        Found::Lapped { oldest: oldest.max(self.evicted()) }
    }
}

impl<S: Storage> Drop for Sequencer<S> {
    /// Limits the drop of the slots to those that were used. A large ring with few messages is then dropped fast, and its untouched pages
    /// stay untouched.
    fn drop(&mut self) {
        // A publisher writes only at a sequence that it claimed, which lies below the tail for as long as the ring exists. This includes
        // publishers that never committed. A publisher that was refused wrote nothing. An exclusive publisher moves the tail before a
        // run, or after a single write, and nothing between the two can panic.
        let tail = self.claimed();
        let oldest = self.hot.layout.oldest(tail);
        self.hot.slots.limit_drop(oldest..tail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::Inline;

    #[test]
    fn a_refused_claim_takes_its_count_back() {
        let sequencer = Sequencer::<Inline<u64>>::new(Layout::new(2, seq::LAST - 1), 0, false, false).unwrap();
        assert_eq!([sequencer.claim(1), sequencer.claim(1)], [Some(seq::LAST - 1), Some(seq::LAST)]);
        for count in 1..4 {
            assert_eq!(sequencer.claim(count), None);
        }
        assert_eq!(sequencer.tail.load(Ordering::Relaxed), (seq::LAST + 1) | seq::CLOSED_BIT);
    }
}
