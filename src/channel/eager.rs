//! What `eager` is for, step by step: who drops messages that every subscriber has read, and when.

use std::ops::Range;

use super::Channel;
use crate::eager::{Eager, Walk};
use crate::registry::{Registration, Registrations};
use crate::slots::Storage;
use crate::sync::{Ordering, full_fence};

/// So many rounds a thread goes on, while others publish and receive: each takes a message at least out of its slot, or meets a
/// change. What is left then is taken up by the next receive, or by the next publish if there are no subscribers.
const ROUNDS: usize = 1 << 10;

impl<S: Storage> Channel<S> {
    /// The subscriber of this registration needs the message `sequence` no more: its cursor and its pin are past it.
    #[inline]
    pub(crate) fn passed(&self, sequence: u64, registration: &Registration) {
        if let Some(eager) = &self.eager {
            self.passed_eager(eager, sequence, registration);
        }
    }

    #[inline(never)]
    fn passed_eager(&self, eager: &Eager<S>, sequence: u64, registration: &Registration) {
        // [duty.glance] Relaxed: what was stored just now may be overlooked. `found_empty` makes up for that.
        let duty = eager.duty.load(Ordering::Relaxed);
        if duty == 0 || duty == registration.id() + 1 || !self.sequencer.holds(sequence) {
            self.drop_read(eager);
        }
    }

    /// The subscriber of this registration finds no message, or `is_gone`.
    #[inline]
    pub(crate) fn found_empty(&self, registration: &Registration, is_gone: bool) {
        if let Some(eager) = &self.eager {
            self.found_empty_eager(eager, registration, is_gone);
        }
    }

    #[inline(never)]
    fn found_empty_eager(&self, eager: &Eager<S>, registration: &Registration, is_gone: bool) {
        // [duty.rest-fence] Pairs with `duty.walk-fence`: either the walk sees that it has passed, or this sees the duty. And with
        // `scan.fence`: either the scan sees that nothing is pinned, or this sees that the message was taken out.
        full_fence();
        // [duty.load] Relaxed: after the fence.
        let duty = eager.duty.load(Ordering::Relaxed);
        let is_left = || {
            let tail = self.sequencer.tail();
            self.sequencer.oldest_left(tail) < tail
        };
        // What it has borrowed since it last rested may have been taken out of its slot meanwhile: the first goes first.
        let borrowed_since = registration.cursor.note_empty();
        let may_be_orphaned = || is_gone || borrowed_since.is_some_and(|first| !self.sequencer.holds(first));
        if duty == registration.id() + 1
            || (duty == 0 && is_left())
            || (self.sequencer.slots().orphan_count() > 0 && may_be_orphaned())
        {
            self.drop_read(eager);
        }
    }

    /// After the commit of these: drops what nobody reads, and what was overwritten.
    #[inline]
    pub(crate) fn drop_unread(&self, published: Range<u64>) {
        if let Some(eager) = &self.eager {
            self.drop_unread_eager(eager, published);
        }
    }

    #[inline(never)]
    fn drop_unread_eager(&self, eager: &Eager<S>, published: Range<u64>) {
        // [duty.commit-fence] Pairs with `duty.rest-fence`: either the last subscriber to leave finds the message, or this finds it gone.
        // And with `duty.none-fence`: either a walk finds the message, or this finds that it was passed over.
        full_fence();
        // By their slots: a batch may have published further on since.
        if self.sequencer.late(published).next().is_some() {
            eager.late.store(true, Ordering::Relaxed); // [late.set] Relaxed: `asked.add` publishes it
            return self.drop_read(eager);
        }
        let subscribers = self.registry.len();
        // [borrowed.load] Relaxed: about right will do.
        let borrowed = eager.borrowed.load(Ordering::Relaxed);
        if subscribers == 0 || self.sequencer.slots().orphan_count() > borrowed + subscribers / 8 {
            self.drop_read(eager);
        }
    }

    /// Drops what every subscriber has read, unless another thread is at it, which then looks again.
    #[cold]
    fn drop_read(&self, eager: &Eager<S>) {
        // Dropped last: that runs the user's code.
        let (mut garbage, mut gone) = (S::Garbage::default(), Registrations::new());
        // [asked.add] AcqRel: Release so that who walks again sees what the caller did before; Acquire pairs with `asked.end`: the lock is
        // free.
        if eager.asked.fetch_add(1, Ordering::AcqRel) != 0 {
            return;
        }
        let (mut asked, mut rounds) = (1, ROUNDS);
        loop {
            if let Some(mut walk) = eager.walk.try_lock() {
                self.walk(eager, &mut walk, &mut rounds, &mut garbage, &mut gone);
                // [late.take] Relaxed: as `late.set`.
                if eager.late.swap(false, Ordering::Relaxed) {
                    self.evict_late(&mut walk, &mut garbage);
                }
                let Walk { subscribers, scratch, .. } = &mut *walk;
                let borrowed = self.sequencer.slots().reclaim(&self.registry, subscribers, scratch, &mut garbage);
                eager.borrowed.store(borrowed, Ordering::Relaxed); // [borrowed.set] Relaxed: about right will do
            }
            if rounds == 0 {
                // Others go on: the next receive walks. [duty.leave] Relaxed: `asked.leave` publishes it.
                eager.duty.store(0, Ordering::Relaxed);
                eager.asked.store(0, Ordering::Release); // [asked.leave] Release: as `asked.end`
                break;
            }
            // [asked.end] AcqRel: Release so that the next who walks comes after this; Acquire pairs with `asked.add`.
            match eager.asked.compare_exchange(asked, 0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(now) => asked = now,
            }
        }
    }

    /// For tests: begins a walk, and leaves it.
    pub(crate) fn stop_in_a_walk(&self) {
        let Some(eager) = &self.eager else { return };
        // [asked.stop] Relaxed: nobody else asks, the caller promises.
        if eager.asked.fetch_add(1, Ordering::Relaxed) == 0 {
            std::mem::forget(eager.walk.try_lock());
            self.registry.begin_taking(self.sequencer.oldest_left(self.sequencer.tail()));
        }
    }

    /// Drops messages until somebody is on duty, or nothing is left, or `rounds` is 0.
    fn walk(
        &self,
        eager: &Eager<S>,
        walk: &mut Walk<S>,
        rounds: &mut usize,
        garbage: &mut S::Garbage,
        gone: &mut Registrations,
    ) {
        let mut tail = self.sequencer.tail();
        loop {
            *rounds = rounds.saturating_sub(1);
            let oldest = self.sequencer.oldest_left(tail);
            if oldest < tail {
                walk.refresh(&self.registry, gone);
                if eager.assign_duty(walk, oldest) {
                    return;
                }
                if !self.evict(eager, walk, oldest, tail, gone) && *rounds > 0 {
                    continue;
                }
            }
            eager.duty.store(0, Ordering::Relaxed); // [duty.none] Relaxed: the fence orders it
            // [duty.none-fence] As `duty.walk-fence`. And pairs with `pin.fence`: who goes back to a message, or comes to it, either is
            // seen below, or finds it gone.
            full_fence();
            let unseen = !walk.refresh(&self.registry, gone);
            self.sequencer.slots().release(unseen, &mut walk.scratch, garbage);
            let now = self.sequencer.tail();
            let left = self.sequencer.oldest_left(now);
            // Nothing is left, or a publisher is about to commit the oldest.
            if (tail == now && (left >= tail || left == oldest)) || *rounds == 0 {
                return;
            }
            tail = now;
        }
    }

    /// Leaves over the messages that came too late. Whoever has passed them may have done so long ago, and come back.
    fn evict_late(&self, walk: &mut Walk<S>, garbage: &mut S::Garbage) {
        // [late.fence] Pairs with `duty.commit-fence`: either this finds the message, or its publisher finds that it is late.
        full_fence();
        let first = self.sequencer.layout().first();
        for message in self.sequencer.late(first..first + self.sequencer.layout().capacity()) {
            self.registry.begin_taking(message);
            full_fence(); // [duty.late-fence] As `pin.fence`, for `begin_taking`
            self.sequencer.slots().take_out(message, &mut walk.scratch);
        }
        self.registry.end_taking();
        self.sequencer.slots().release(false, &mut walk.scratch, garbage);
    }

    /// Takes the messages from `oldest` on out of their slots that nobody needs. `false` if somebody may have come who does.
    fn evict(&self, eager: &Eager<S>, walk: &mut Walk<S>, oldest: u64, tail: u64, gone: &mut Registrations) -> bool {
        self.registry.begin_taking(oldest);
        // [duty.evict-fence] Pairs with `subscribe.fence`: either this sees who subscribed meanwhile, or that one starts at a tail behind
        // all that is taken out here. And as `pin.fence`, for `begin_taking`.
        full_fence();
        let needed = walk.needed.unwrap_or(tail).min(tail);
        let unchanged = !walk.refresh(&self.registry, gone);
        if unchanged {
            if self.sequencer.evict(oldest..needed, &mut walk.scratch) {
                eager.late.store(true, Ordering::Relaxed); // [late.hole] Relaxed: this thread looks at it next
            }
            walk.restart();
        }
        self.registry.end_taking();
        unchanged
    }
}
