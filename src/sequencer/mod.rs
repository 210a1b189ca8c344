//! The sequencer: slots, tail and end. It claims, commits, skips and finds sequences, and closes
//! the ring. It does not depend on subscribers.

mod bounded;
mod evict;
mod extent;
mod find;
mod publish;

pub(crate) use bounded::{Bounded, ClaimError, Next};
pub(crate) use find::Found;
pub(crate) use publish::Write;

use crate::seq::{self, Layout};
use crate::slots::Storage;
use crate::sync::{AtomicU64, CachePadded, Ordering, zeroed_words};

/// The slots of a ring, the words from which sequences are claimed, and the end.
pub(crate) struct Sequencer<S: Storage> {
    hot: CachePadded<Hot<S>>,
    /// The sequence that the next claim gets, and `CLOSED_BIT`. Subscribers do not load it when
    /// they poll. In a gated ring it holds [`GATED`], and the tail is in `bounded`.
    tail: CachePadded<AtomicU64>,
    cold: Cold,
}

/// What all threads read and hardly any write.
struct Hot<L> {
    slots: L,
    layout: Layout,
    /// `CLOSED` and `SKIPPED` once they hold. `GATING` from the start in a gated ring.
    flags: AtomicU64,
    bounded: Option<Box<CachePadded<Bounded>>>,
}

/// The ring has ended.
const CLOSED: u64 = 1;
/// A sequence was skipped, so readers must look for holes.
const SKIPPED: u64 = 1 << 1;
/// The ring is gated. The fast path then never returns `Empty`, so gating subscribers take the slow
/// path.
const GATING: u64 = 1 << 2;

/// What a claim of an ordinary ring finds instead of the tail in a gated ring. It is more than any
/// sequence, so the comparison that claims make anyway refuses it. Claims may add to it, but never
/// bring it near the end of the word.
const GATED: u64 = seq::CLOSED_BIT;

/// What is touched on a hole, at the end, or for statistics.
struct Cold {
    /// The end of the ring, once the tail has `CLOSED_BIT`. Before that, the largest tail at which
    /// a thread tried to close.
    end: AtomicU64,
    /// One word per slot: `q + 1` of the newest sequence of that slot that was skipped, 0 for none.
    /// The newest is enough: to a reader at an older hole, the newer mark proves that it was
    /// lapped.
    hole_marks: Box<[AtomicU64]>,
    /// The number of holes.
    skipped: AtomicU64,
    /// The largest number of published messages that was ever reported.
    published: AtomicU64,
    /// Sequences below this were taken out of their slots, or had no message to take out. It is 0
    /// except in a ring with `eager_drop`.
    evicted: AtomicU64,
    /// The room that is left in front of a subscriber that has lagged.
    slack: u64,
}

impl<S: Storage> Sequencer<S> {
    /// Makes a vacant ring. `slack` must be below the capacity. Returns `None` if no allocation can
    /// hold the slots.
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

    /// Returns the tail of a gated ring.
    #[inline]
    pub(crate) fn bounded(&self) -> Option<&Bounded> {
        self.hot.bounded.as_deref().map(|bounded| &**bounded)
    }

    /// Returns the word that holds the tail.
    fn tail_word(&self) -> &AtomicU64 {
        self.bounded().map_or(&self.tail, |bounded| &bounded.tail)
    }

    pub(crate) fn slots(&self) -> &S {
        &self.hot.slots
    }

    /// Closes the ring at its tail. Returns `true` for the one call that did. In any case, the ring
    /// is closed afterwards.
    ///
    /// Lock-free: an attempt fails only when another thread has claimed or closed.
    pub(crate) fn close(&self) -> bool {
        // [close.tail] Acquire: pairs with the Release of `close.bit`, so that a thread that finds
        // the ring closed sees the end.
        let word = self.tail_word();
        let mut tail = word.load(Ordering::Acquire);
        let mut first = false;
        while tail & seq::CLOSED_BIT == 0 && !first {
            // [end.propose] Relaxed: the Release of `close.bit` publishes it. It comes before the
            // bit, so that a thread that sees the bit sees the end. `fetch_max`, because of several
            // threads the one that succeeds has seen the largest tail.
            self.cold.end.fetch_max(tail.min(seq::LAST + 1), Ordering::Relaxed);
            let closed = tail | seq::CLOSED_BIT;
            // [close.bit] Release: pairs with the Acquire of `tail.load` and `close.tail`, so that
            // a thread that sees the bit sees the end. Acquire on failure, as `close.tail`.
            match word.compare_exchange_weak(tail, closed, Ordering::Release, Ordering::Acquire) {
                Ok(_) => first = true,
                Err(now) => tail = now,
            }
        }
        // Any thread sets the flag, because the thread that closed may have been suspended before
        // this.
        if !self.is_closed() {
            self.set(CLOSED);
        }
        first
    }

    fn set(&self, flag: u64) {
        // [flags.set] Release: pairs with the Acquire of `flags.load`.
        self.hot.flags.fetch_or(flag, Ordering::Release);
    }

    /// Returns `CLOSED`, `SKIPPED` and `GATING`.
    #[inline]
    fn flags(&self) -> u64 {
        // [flags.load] Acquire: pairs with the Release of `flags.set`, so that a thread that sees a
        // flag sees what it stands for: the mark of a hole, the end, the last commits.
        self.hot.flags.load(Ordering::Acquire)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.flags() & CLOSED != 0
    }

    /// Returns the sequence after the claimed ones, or the end.
    fn claimed(&self) -> u64 {
        // [tail.load] Acquire: pairs with the Release of `tail.move`, so that the messages before
        // the tail can be read, and with that of `close.bit`, so that the end is seen.
        let tail = self.tail_word().load(Ordering::Acquire);
        if tail & seq::CLOSED_BIT == 0 {
            tail.min(seq::LAST + 1)
        } else {
            // [end.load] Relaxed: the bit has published it.
            self.cold.end.load(Ordering::Relaxed)
        }
    }

    /// Returns how many sequences became holes.
    pub(crate) fn skipped(&self) -> u64 {
        // [skipped.load] Acquire: pairs with the Release of `skipped.count`
        self.cold.skipped.load(Ordering::Acquire)
    }

    /// Returns the newest sequence of this slot that was skipped, plus 1. The caller has seen
    /// `SKIPPED`.
    fn hole_mark(&self, sequence: u64) -> u64 {
        // [hole-marks.load] Acquire: pairs with the Release of `hole-marks.set`. The flag publishes
        // only the marks that were made before it.
        self.cold.hole_marks[self.hot.layout.slot(sequence)].load(Ordering::Acquire)
    }
}

impl<S: Storage> Drop for Sequencer<S> {
    /// Limits the drop of the slots to those that were used. A large ring with few messages is then
    /// dropped fast, and its untouched pages stay untouched.
    fn drop(&mut self) {
        // A publisher writes only at a sequence that it claimed, which is below the tail as long as
        // the ring exists. This holds for publishers that never committed. A publisher that was
        // refused wrote nothing. An exclusive publisher moves the tail before a run or after a
        // single write, and nothing between the two can panic.
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
