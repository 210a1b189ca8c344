//! Eager drops, step by step: which thread drops messages that every subscriber has read, and when.

use std::ops::Range;

use super::Channel;
use crate::eager::{Eager, Walk};
use crate::registry::{Registration, Registrations};
use crate::slots::Storage;
use crate::sync::{Ordering, full_fence};

/// The rounds after which a thread ends its walk while others publish and receive. In each round it
/// takes at least one message out of its slot, or finds a change. The next receive continues, or
/// the next publish if there are no subscribers.
const ROUNDS: usize = 1 << 10;

impl<S: Storage> Channel<S> {
    /// Notes that the subscriber of this registration no longer needs the message `sequence`: its
    /// cursor and its pin are past it.
    #[inline]
    pub(crate) fn passed(&self, sequence: u64, registration: &Registration) {
        if let Some(eager) = &self.eager {
            self.passed_eager(eager, sequence, registration);
        }
    }

    #[inline(never)]
    fn passed_eager(&self, eager: &Eager<S>, sequence: u64, registration: &Registration) {
        // [duty.glance] Relaxed: it may miss what was stored just now. The fence in `found_empty`
        // makes up for that.
        let duty = eager.duty.load(Ordering::Relaxed);
        if duty == 0 || duty == registration.id() + 1 || !self.sequencer.holds(sequence) {
            self.drop_read(eager);
        }
    }

    /// Notes that the subscriber of this registration found no message, or was dropped (`is_gone`).
    #[inline]
    pub(crate) fn found_empty(&self, registration: &Registration, is_gone: bool) {
        if let Some(eager) = &self.eager {
            self.found_empty_eager(eager, registration, is_gone);
        }
    }

    #[inline(never)]
    fn found_empty_eager(&self, eager: &Eager<S>, registration: &Registration, is_gone: bool) {
        // [duty.rest-fence] SeqCst: pairs with `duty.walk-fence`. Either the walk sees that this
        // subscriber has passed, or this thread sees the duty. It also pairs with `scan.fence`:
        // either the scan sees that nothing is pinned, or this thread sees that the message was
        // taken out.
        full_fence();
        // [duty.load] Relaxed: comes after the fence.
        let duty = eager.duty.load(Ordering::Relaxed);
        let is_left = || {
            let tail = self.sequencer.tail();
            self.sequencer.oldest_left(tail) < tail
        };
        // A message that it has borrowed since the last such call may have been taken out of its
        // slot meanwhile. Messages are taken out in order, so the first one decides.
        let borrowed_since = registration.cursor.note_empty();
        let may_be_orphaned = || is_gone || borrowed_since.is_some_and(|first| !self.sequencer.holds(first));
        if duty == registration.id() + 1
            || (duty == 0 && is_left())
            || (self.sequencer.slots().orphan_count() > 0 && may_be_orphaned())
        {
            self.drop_read(eager);
        }
    }

    /// Drops what no subscriber reads, and what was overwritten. Called after the commit of
    /// `published`.
    #[inline]
    pub(crate) fn drop_unread(&self, published: Range<u64>) {
        if let Some(eager) = &self.eager {
            self.drop_unread_eager(eager, published);
        }
    }

    #[inline(never)]
    fn drop_unread_eager(&self, eager: &Eager<S>, published: Range<u64>) {
        // [duty.commit-fence] SeqCst: pairs with `duty.rest-fence`. Either the last subscriber to
        // leave finds the message, or this thread finds that it has left. It also pairs with
        // `late.fence`: either the walk finds the message, or this thread finds that it is late.
        full_fence();
        // By the slots, because a batch may have published further messages since.
        if self.sequencer.late(published).next().is_some() {
            // [late.set] Relaxed: the Release of `asked.add` publishes it
            eager.late.store(true, Ordering::Relaxed);
            return self.drop_read(eager);
        }
        let subscribers = self.registry.len();
        // [borrowed.load] Relaxed: an estimate.
        let borrowed = eager.borrowed.load(Ordering::Relaxed);
        if subscribers == 0 || self.sequencer.slots().orphan_count() > borrowed + subscribers / 8 {
            self.drop_read(eager);
        }
    }

    /// Drops what every subscriber has read. If another thread is doing so, that thread walks again
    /// instead.
    #[cold]
    fn drop_read(&self, eager: &Eager<S>) {
        // Dropped last, because their drop runs user code.
        let (mut garbage, mut gone) = (S::Garbage::default(), Registrations::new());
        // [asked.add] AcqRel: Release pairs with the Acquire of `asked.end`, so that the thread
        // that walks again sees what the caller did before. Acquire pairs with the Release of
        // `asked.end` and `asked.leave`, so that the caller finds the lock free.
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
                // [borrowed.set] Relaxed: an estimate
                eager.borrowed.store(borrowed, Ordering::Relaxed);
            }
            if rounds == 0 {
                // Other threads continue: the next receive walks.
                // [duty.leave] Relaxed: the Release of `asked.leave` publishes it.
                eager.duty.store(0, Ordering::Relaxed);
                eager.asked.store(0, Ordering::Release); // [asked.leave] Release: as `asked.end`
                break;
            }
            // [asked.end] AcqRel: pairs with `asked.add`. Release, so that the next thread that
            // walks comes after this one. Acquire, so that this thread sees what the threads that
            // asked did before. Acquire on failure, for the same reason.
            match eager.asked.compare_exchange(asked, 0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(now) => asked = now,
            }
        }
    }

    /// Begins a walk, and leaves it. For tests.
    pub(crate) fn stop_in_a_walk(&self) {
        let Some(eager) = &self.eager else { return };
        // [asked.stop] Relaxed: no other thread asks, by the caller's promise.
        if eager.asked.fetch_add(1, Ordering::Relaxed) == 0 {
            std::mem::forget(eager.walk.try_lock());
            self.registry.begin_taking(self.sequencer.oldest_left(self.sequencer.tail()));
        }
    }

    /// Drops messages until a subscriber is on duty, or no message is left, or `rounds` is 0.
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
            // [duty.none-fence] SeqCst: pairs with `duty.rest-fence`, as `duty.walk-fence` does. It
            // also pairs with `pin.fence`: a subscriber that goes back to a message, or starts at
            // one, is seen below, or finds the message gone.
            full_fence();
            let unseen = !walk.refresh(&self.registry, gone);
            self.sequencer.slots().release(unseen, &mut walk.scratch, garbage);
            let now = self.sequencer.tail();
            let left = self.sequencer.oldest_left(now);
            // No message is left, or a publisher is about to commit the oldest.
            if (tail == now && (left >= tail || left == oldest)) || *rounds == 0 {
                return;
            }
            tail = now;
        }
    }

    /// Turns messages that came too late into orphans. A subscriber that passed one may have done
    /// so long ago, and have come back.
    fn evict_late(&self, walk: &mut Walk<S>, garbage: &mut S::Garbage) {
        // [late.fence] SeqCst: pairs with `duty.commit-fence`. Either this thread finds the
        // message, or its publisher finds that it is late.
        full_fence();
        let first = self.sequencer.layout().first();
        for message in self.sequencer.late(first..first + self.sequencer.layout().capacity()) {
            self.registry.begin_taking(message);
            full_fence(); // [duty.late-fence] SeqCst: as `pin.fence`, for `begin_taking`
            self.sequencer.slots().take_out(message, &mut walk.scratch);
        }
        self.registry.end_taking();
        self.sequencer.slots().release(false, &mut walk.scratch, garbage);
    }

    /// Takes messages from `oldest` on, which no subscriber needs, out of their slots. Returns
    /// `false` if the registrations have changed, so that a new subscriber may need them.
    fn evict(&self, eager: &Eager<S>, walk: &mut Walk<S>, oldest: u64, tail: u64, gone: &mut Registrations) -> bool {
        self.registry.begin_taking(oldest);
        // [duty.evict-fence] SeqCst: pairs with `subscribe.fence`. Either this thread sees a
        // subscriber that has joined meanwhile, or that subscriber starts at a tail beyond all that
        // is taken out here. It also acts as `pin.fence` for `begin_taking`.
        full_fence();
        let needed = walk.needed.unwrap_or(tail).min(tail);
        let unchanged = !walk.refresh(&self.registry, gone);
        if unchanged {
            if self.sequencer.evict(oldest..needed, &mut walk.scratch) {
                // [late.hole] Relaxed: only this thread reads it next
                eager.late.store(true, Ordering::Relaxed);
            }
            walk.restart();
        }
        self.registry.end_taking();
        unchanged
    }
}
