//! The one place where sequencer, registry and wait list meet. Every handle is an `Arc` of this.

use std::ops::Range;

use crate::error::{Closed, SubscribeError};
use crate::registry::{Registry, Seat};
use crate::sequencer::Sequencer;
use crate::slots::Storage;
use crate::slots::stamp::Refused;
use crate::start::Start;
use crate::stats::{RingStats, SubscriberStats};
use crate::sync::{Arc, AtomicUsize, Ordering, Weak, yield_now};
use crate::wait::reentrancy::{self, NO_LIST};
use crate::wait::{PublisherFence, WaitList};

pub(crate) struct Channel<S: Storage> {
    pub(crate) sequencer: Sequencer<S>,
    pub(crate) registry: Registry,
    pub(crate) waiters: WaitList,
    /// Handles that can publish; the last one to go closes the ring.
    publishers: AtomicUsize,
    /// For what is left for later.
    me: Weak<Self>,
}

impl<S: Storage> Channel<S> {
    /// A channel with one publisher.
    pub(crate) fn new(sequencer: Sequencer<S>, fence: PublisherFence) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            sequencer,
            registry: Registry::new(),
            waiters: WaitList::new(fence),
            publishers: AtomicUsize::new(1),
            me: Weak::clone(me),
        })
    }

    // Publishing.

    /// To be called after every commit or batch of commits; `published` is about what it was.
    #[inline]
    pub(crate) fn wake(&self, published: Range<u64>) {
        if self.waiters.armed_after_commit() {
            self.wake_parked();
            self.waiters.rest(published);
        }
    }

    /// Wakes everybody who is parked; some of them a little later, where calls of wakers nest deep on this thread.
    #[cold]
    #[inline(never)]
    fn wake_parked(&self) {
        if !self.waiters.wake() {
            let me = Weak::clone(&self.me);
            // A ring that is gone by then has nobody parked.
            reentrancy::later(NO_LIST, move || {
                if let Some(channel) = me.upgrade() {
                    channel.wake_parked();
                }
            });
        }
    }

    /// Publishes `item` at `sequence`, the next one of the only publisher, without the wake-up that a commit asks for.
    #[inline]
    pub(crate) fn publish_exclusive(&self, pool: &mut S::Pool, sequence: u64, item: S::Item, remains: &mut S::Remains) {
        self.sequencer.slots().draft_alone(pool, item, remains, |draft, remains| {
            self.settle(self.sequencer.publish_exclusive(sequence, draft), remains);
        });
    }

    /// Sees to what a committed write left.
    #[inline]
    pub(crate) fn settle(&self, written: S::Written<'_>, remains: &mut S::Remains) {
        self.sequencer.slots().settle(written, &self.registry, remains);
    }

    /// Publishes beside others, without the wake-up that a commit asks for.
    #[inline]
    pub(crate) fn publish_shared(
        &self,
        pool: &S::Pool,
        item: S::Item,
        remains: &mut S::Remains,
    ) -> Result<u64, Closed<S::Item>> {
        // The draft comes before the claim, so that nothing is left to do then that can fail or take its time.
        self.sequencer.slots().draft_beside(pool, item, remains, |draft, remains| {
            let Some(sequence) = self.sequencer.claim() else { return self.refuse(draft) };
            match self.sequencer.begin(sequence) {
                Ok(write) => self.settle(write.commit(draft), remains),
                Err(Refused::Overrun) => self.sequencer.slots().discard(draft, remains),
                Err(Refused::Held) => return self.publish_elsewhere(sequence, draft, remains),
            }
            Ok(sequence)
        })
    }

    /// The slot of `skipped` is held: tries further on.
    #[cold]
    fn publish_elsewhere(
        &self,
        mut skipped: u64,
        mut draft: S::Draft<'_>,
        remains: &mut S::Remains,
    ) -> Result<u64, Closed<S::Item>> {
        // To skip is to wake, and wakers may take their time.
        S::without_pool(&mut draft);
        let mut skips = 0;
        loop {
            self.skip(skipped);
            skips += 1;
            // A lap of holes: every slot is held. Whoever holds them may be waiting for this core.
            if skips == self.sequencer.span().capacity() {
                skips = 0;
                yield_now();
            }
            let Some(sequence) = self.sequencer.claim() else { return self.refuse(draft) };
            match self.sequencer.begin(sequence) {
                Ok(write) => self.settle(write.commit(draft), remains),
                Err(Refused::Overrun) => self.sequencer.slots().discard(draft, remains),
                Err(Refused::Held) => {
                    skipped = sequence;
                    continue;
                }
            }
            return Ok(sequence);
        }
    }

    /// Gives up a claimed sequence, and wakes whoever is parked at it, lest this publisher get no further.
    pub(crate) fn skip(&self, sequence: u64) {
        self.sequencer.skip(sequence);
        self.wake(sequence..sequence);
    }

    /// The ring is closed. (If it has just run out of sequences, nobody was woken yet.)
    #[cold]
    fn refuse<R>(&self, draft: S::Draft<'_>) -> Result<R, Closed<S::Item>> {
        let item = S::cancel(draft);
        self.wake_parked();
        Err(Closed(item))
    }

    // Closing.

    pub(crate) fn close(&self) -> bool {
        let first = self.sequencer.close();
        // Whatever ARMED says, and whoever closed: that one may have been stopped before this.
        self.wake_parked();
        first
    }

    pub(crate) fn add_publisher(&self) {
        // [publishers.add] Relaxed: who adds one holds one, so the count cannot reach 0 meanwhile.
        self.publishers.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn drop_publisher(&self, pool: &mut S::Pool) {
        // First, so that the last one finds what the others left.
        let mut remains = S::Remains::default();
        self.sequencer.slots().retire(pool, &self.registry, false, &mut remains);
        // [publishers.drop] AcqRel: Release so that this handle's commits come before the end; Acquire so that the last one's close comes
        // after all of theirs.
        if self.publishers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.close();
            self.sequencer.slots().retire(pool, &self.registry, true, &mut remains);
        }
        // The remains are dropped last: that may take its time.
    }

    /// Whether there is one publisher, the caller's.
    pub(crate) fn is_last_publisher(&self) -> bool {
        // [publishers.last] Acquire: pairs with the Release in `drop_publisher`: the others' commits come before what the caller does next.
        self.publishers.load(Ordering::Acquire) == 1
    }

    /// The subscriber of this seat is gone, perhaps with a place among those who are to be woken.
    pub(crate) fn abandon(&self, seat: &Seat) {
        if self.waiters.abandon(&seat.waiter, self.registry.len()) {
            self.wake_parked();
        }
    }

    /// A subscriber is gone, perhaps with the last borrow of a message that no publisher will see to.
    pub(crate) fn tidy(&self) {
        if self.sequencer.is_closed() {
            self.sequencer.slots().tidy(&self.registry, &mut S::Remains::default());
        }
    }

    // Looking.

    /// The cursor that `start` means now.
    pub(crate) fn cursor(&self, start: Start) -> u64 {
        match start {
            Start::Latest => self.sequencer.tail(),
            Start::Oldest => self.sequencer.oldest(),
            Start::At(sequence) => sequence.min(self.sequencer.tail()).max(self.sequencer.span().first()),
        }
    }

    /// The cursor that `start` means now, unless it names a sequence that is gone or not there yet.
    pub(crate) fn checked_cursor(&self, start: Start) -> Result<u64, SubscribeError> {
        let Start::At(sequence) = start else { return Ok(self.cursor(start)) };
        let (oldest, tail) = (self.sequencer.oldest(), self.sequencer.tail());
        if sequence < oldest {
            Err(SubscribeError::Evicted { oldest })
        } else if sequence > tail {
            Err(SubscribeError::Future { tail })
        } else {
            Ok(sequence)
        }
    }

    pub(crate) fn stats(&self) -> RingStats {
        let (totals, seats) = self.registry.totals();
        let published = self.sequencer.published();
        let skipped = self.sequencer.skipped();
        let tail = self.sequencer.tail();
        let subscribers = seats
            .iter()
            .map(|seat| {
                let next_sequence = seat.progress.next();
                SubscriberStats {
                    id: seat.id(),
                    name: seat.name().as_deref().map(str::to_owned),
                    next_sequence,
                    lag: tail.saturating_sub(next_sequence),
                    received: seat.received(),
                    missed: seat.progress.missed.get(),
                    holes: seat.progress.holes.get(),
                    skipped_by_choice: seat.progress.skipped_by_choice.get(),
                    parked: seat.waiter.is_parked(),
                    gating: false,
                }
            })
            .collect();
        RingStats {
            published,
            skipped,
            capacity: self.capacity(),
            closed: self.sequencer.is_closed(),
            totals,
            subscribers,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "it came from a `usize`")]
    pub(crate) fn capacity(&self) -> usize {
        self.sequencer.span().capacity() as usize
    }
}
