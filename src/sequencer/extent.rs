//! The extent of a ring: its tail, its oldest and newest messages, and how many were published.

use super::{SKIPPED, Sequencer};
use crate::seq;
use crate::slots::Storage;
use crate::slots::stamp::SlotState;
use crate::sync::Ordering;

impl<S: Storage> Sequencer<S> {
    /// Returns the sequence that the next message gets, or the end of a closed ring. It never
    /// decreases, and is never less than what the caller has seen.
    pub(crate) fn tail(&self) -> u64 {
        let tail = self.claimed();
        // An exclusive publisher moves the tail after the commit of a single message, so the stamp
        // may show a message that the tail does not include.
        match self.hot.slots.slot(tail).stamp.load(tail) {
            SlotState::Absent => tail,
            SlotState::Committed => tail + 1,
            // A lap passed between the two loads. The tail was at `newer` before its write began,
            // and the load of the stamp acquired that, so no later call returns less.
            SlotState::Overwritten(newer) => newer,
        }
    }

    /// Returns the number of messages that are published or being written. It never decreases.
    pub(crate) fn published(&self) -> u64 {
        let mut skipped = self.skipped();
        let published = loop {
            // After the holes, so that each of them was claimed.
            let drawn = self.tail() - self.hot.layout.first();
            let now = self.skipped();
            if now == skipped {
                break drawn - skipped;
            }
            // Publishers made holes between the two loads, and the tail may include them or not.
            skipped = now;
        };
        // A sequence counts when it is claimed, and no longer when it has become a hole.
        // [published.raise] Relaxed: one word that only grows.
        self.cold.published.fetch_max(published, Ordering::Relaxed).max(published)
    }

    /// Returns the oldest sequence that can still be read.
    pub(crate) fn oldest(&self) -> u64 {
        self.oldest_below(self.tail()).max(self.evicted())
    }

    /// Returns the oldest sequence that can still be read, given a tail. A claim that has not
    /// reached its slot yet has overwritten nothing. A publisher that skipped its slot has: a
    /// subscriber that finds its mark is lapped.
    pub(super) fn oldest_below(&self, tail: u64) -> u64 {
        let layout = self.hot.layout;
        let skipped = self.flags() & SKIPPED != 0;
        let passed = |&q: &u64| self.hot.slots.slot(q).stamp.newest() >= Some(q) || (skipped && self.hole_mark(q) > q);
        // An exclusive publisher begins the message at the tail before it moves the tail.
        let newest = (layout.oldest(tail)..=tail.min(seq::LAST)).rev().find(passed);
        // In the first lap, these are all sequences.
        let newest =
            newest.or_else(|| (layout.oldest(tail) > layout.first()).then(|| self.newest_passed(skipped)).flatten());
        newest.map_or(layout.first(), |newest| layout.oldest(newest + 1))
    }

    /// Returns the newest sequence whose slot was taken or skipped, however many claims came after
    /// it.
    #[cold]
    fn newest_passed(&self, skipped: bool) -> Option<u64> {
        let first = self.hot.layout.first();
        let of_slot = |q: u64| {
            self.hot.slots.slot(q).stamp.newest().max(skipped.then(|| self.hole_mark(q).checked_sub(1)).flatten())
        };
        (first..first + self.hot.layout.capacity()).filter_map(of_slot).max()
    }

    /// Returns the newest message that is in any slot, however many claims came after it.
    #[cold]
    pub(crate) fn newest_there(&self) -> Option<u64> {
        let slots = self.hot.layout.first()..self.hot.layout.first() + self.hot.layout.capacity();
        let newest = |q: u64| self.hot.slots.slot(q).stamp.newest();
        let is_there = |q: &u64| matches!(self.hot.slots.slot(*q).stamp.load(*q), SlotState::Committed);
        slots.filter_map(newest).filter(is_there).max().filter(|newest| *newest >= self.evicted())
    }
}
