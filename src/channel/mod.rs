//! The channel: what all handles of a ring share. The sequencer, the registry and the wait list
//! meet here. Every handle is an `Arc` of it.

mod eager;
mod gated;
mod run;
mod watch;

pub(crate) use gated::{Room, used_up};

use std::ops::Range;
use std::time::Duration;

use crate::eager::Eager;
use crate::error::{SubscribeError, TryPublishError};
use crate::gate::Gate;
use crate::registry::{Registration, Registry};
use crate::sequencer::{ClaimError, Next, Sequencer};
use crate::slots::Storage;
use crate::slots::stamp::BeginError;
use crate::start::Start;
use crate::stats::{RingStats, SubscriberStats};
use crate::sync::{Arc, AtomicUsize, Ordering, Weak, yield_now};
use crate::wait::reentrancy::{self, NO_LIST};
use crate::wait::{PublisherFence, WaitList, Watchers};

/// The shared state of a ring.
pub(crate) struct Channel<S: Storage> {
    pub(crate) sequencer: Sequencer<S>,
    pub(crate) registry: Registry,
    pub(crate) waiters: WaitList,
    /// Tasks that wait until the last subscriber is dropped.
    pub(crate) unsubscribed: Watchers,
    /// The gate of a gated ring.
    pub(crate) gate: Option<Box<Gate>>,
    /// The state of a ring with `eager_drop`.
    eager: Option<Box<Eager<S>>>,
    /// The number of handles that can publish. The drop of the last one closes the ring.
    publishers: AtomicUsize,
    /// For deferred wake-ups, which must not keep the ring alive.
    me: Weak<Self>,
}

impl<S: Storage> Channel<S> {
    /// Makes a channel with one publisher.
    pub(crate) fn new(sequencer: Sequencer<S>, gate: Option<Gate>, eager: bool, fence: PublisherFence) -> Arc<Self> {
        let capacity = sequencer.layout().capacity();
        Arc::new_cyclic(|me| Self {
            sequencer,
            registry: Registry::new(capacity),
            waiters: WaitList::new(fence),
            unsubscribed: Watchers::new(),
            gate: gate.map(Box::new),
            eager: eager.then(Box::default),
            publishers: AtomicUsize::new(1),
            me: Weak::clone(me),
        })
    }

    // Publishing.

    /// Wakes parked subscribers. Called after every commit or batch of commits. `published` is about
    /// the range of the committed sequences.
    #[inline]
    pub(crate) fn wake(&self, published: Range<u64>) {
        if self.waiters.armed_after_commit() {
            self.wake_after_commit(published.end);
            self.waiters.maybe_disarm(published.clone());
        }
        if S::DROPS {
            self.drop_unread(published);
        }
    }

    /// Returns whether messages are dropped when every subscriber has read them.
    pub(crate) fn is_eager(&self) -> bool {
        S::DROPS && self.eager.is_some()
    }

    /// Wakes all parked threads, and all parked tasks or the driver.
    #[cold]
    #[inline(never)]
    fn wake_after_commit(&self, end: u64) {
        // Half a lap: tasks that the driver does not wake in time still find the message that they
        // waited for.
        if !self.waiters.wake_after_commit(end, self.sequencer.layout().capacity() / 2) {
            self.wake_later();
        }
    }

    /// Wakes subscribers for `unwoken`, unless it is empty, and empties it.
    #[inline]
    pub(crate) fn wake_for(&self, unwoken: &mut Range<u64>) {
        if !unwoken.is_empty() {
            self.wake(unwoken.clone());
            unwoken.start = unwoken.end;
        }
    }

    /// Wakes all parked subscribers. If calls of wakers nest too deep on this thread, some are
    /// woken later.
    #[cold]
    #[inline(never)]
    fn wake_parked(&self) {
        if !self.waiters.wake() {
            self.wake_later();
        }
    }

    fn wake_later(&self) {
        let me = Weak::clone(&self.me);
        // If the ring is gone by then, no subscriber is parked.
        reentrancy::later(NO_LIST, move || {
            if let Some(channel) = me.upgrade() {
                channel.wake_parked();
            }
        });
    }

    /// Publishes `item` at the next sequence of the only publisher. The caller wakes subscribers.
    #[inline]
    pub(crate) fn publish_exclusive(
        &self,
        pool: &mut S::Pool,
        next: Next<'_>,
        item: S::Item,
        garbage: &mut S::Garbage,
    ) {
        self.sequencer.slots().prepare_exclusive(pool, item, garbage, |prepared, garbage| {
            self.retire_displaced(self.sequencer.publish_exclusive(next, prepared), garbage);
        });
    }

    /// Retires the message that a write displaced.
    #[inline]
    pub(crate) fn retire_displaced(&self, displaced: S::Displaced<'_>, garbage: &mut S::Garbage) {
        self.sequencer.slots().retire_displaced(displaced, &self.registry, garbage);
    }

    /// Publishes `item` as one of many publishers. The caller wakes subscribers.
    #[inline]
    pub(crate) fn publish_shared(
        &self,
        pool: &S::Pool,
        item: S::Item,
        garbage: &mut S::Garbage,
    ) -> Result<u64, TryPublishError<S::Item>> {
        // Prepared before the claim, so that nothing after the claim can fail or take long.
        self.sequencer.slots().prepare_shared(pool, item, garbage, |prepared, garbage| {
            let sequence = match self.claim() {
                Ok(sequence) => sequence,
                Err(error) => return self.refuse(error, prepared),
            };
            match self.sequencer.begin(sequence) {
                Ok(write) => self.retire_displaced(write.commit(prepared), garbage),
                Err(BeginError::Overrun) => self.sequencer.slots().discard(prepared, garbage),
                Err(BeginError::Held) => return self.publish_after_skip(sequence, prepared, garbage),
            }
            Ok(sequence)
        })
    }

    /// Publishes at a later sequence, because the slot of `skipped` is held.
    #[cold]
    fn publish_after_skip(
        &self,
        mut skipped: u64,
        mut prepared: S::Prepared<'_>,
        garbage: &mut S::Garbage,
    ) -> Result<u64, TryPublishError<S::Item>> {
        // A skip wakes subscribers, and wakers may take long.
        S::release_pool(&mut prepared);
        let mut skips = 0;
        loop {
            self.skip(skipped);
            skips += 1;
            // After a lap of holes, every slot is held. A publisher that holds one may be waiting
            // for this core.
            if skips == self.sequencer.layout().capacity() {
                skips = 0;
                yield_now();
            }
            let sequence = match self.claim() {
                Ok(sequence) => sequence,
                Err(error) => return self.refuse(error, prepared),
            };
            match self.sequencer.begin(sequence) {
                Ok(write) => self.retire_displaced(write.commit(prepared), garbage),
                Err(BeginError::Overrun) => self.sequencer.slots().discard(prepared, garbage),
                Err(BeginError::Held) => {
                    skipped = sequence;
                    continue;
                }
            }
            return Ok(sequence);
        }
    }

    /// Gives up a claimed sequence, and wakes subscribers that are parked there. A suspended
    /// publisher could otherwise leave them parked at the hole.
    pub(crate) fn skip(&self, sequence: u64) {
        self.sequencer.skip(sequence);
        self.wake(sequence..sequence);
    }

    /// Returns the item of a publish that claimed nothing. If the ring has just run out of
    /// sequences, no subscriber was woken yet.
    #[cold]
    fn refuse(&self, error: ClaimError, prepared: S::Prepared<'_>) -> Result<u64, TryPublishError<S::Item>> {
        let item = S::cancel(prepared);
        match error {
            ClaimError::Full { .. } => Err(TryPublishError::Full(item)),
            ClaimError::Closed => {
                self.wake_all();
                Err(TryPublishError::Closed(item))
            }
        }
    }

    // Closing.

    pub(crate) fn close(&self) -> bool {
        let first = self.sequencer.close();
        // Whether or not the ring is armed, and whichever thread has closed it. That thread may
        // have been suspended before this.
        self.wake_all();
        first
    }

    /// Wakes all subscribers and publishers at the end of the ring.
    fn wake_all(&self) {
        self.wake_parked();
        self.waiters.wake_driver();
        self.wake_publishers();
        if let Some(gate) = &self.gate {
            gate.alarm.unpark();
        }
    }

    /// Ends the driver. Publishers wake tasks from now on, and this wakes the tasks that the driver
    /// was called for.
    pub(crate) fn end_driving(&self) {
        let waker = self.waiters.end_driving();
        self.wake_parked();
        // Last, because the drop of a waker may take long.
        reentrancy::discard(waker);
    }

    pub(crate) fn add_publisher(&self) {
        // [publishers.add] Relaxed: the caller holds a publisher, so the count cannot reach 0
        // meanwhile.
        self.publishers.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn drop_publisher(&self, pool: &mut S::Pool) {
        // First, so that the last publisher finds what the others have left.
        let mut garbage = S::Garbage::default();
        self.sequencer.slots().retire(pool, &self.registry, false, &mut garbage);
        // [publishers.drop] AcqRel: pairs with itself. Release, so that this handle's commits come
        // before the end. Acquire, so that the close by the last handle comes after all of theirs.
        if self.publishers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.close();
            self.sequencer.slots().retire(pool, &self.registry, true, &mut garbage);
        }
        // The garbage is dropped last, because that may take long.
    }

    /// Returns whether the caller's publisher is the only one.
    pub(crate) fn is_last_publisher(&self) -> bool {
        // [publishers.last] Acquire: pairs with the Release of `publishers.drop`, so that the
        // commits of the others come before what the caller does next.
        self.publishers.load(Ordering::Acquire) == 1
    }

    /// Notes that the subscriber of this registration was dropped, perhaps with a place on the wait
    /// lists.
    pub(crate) fn note_dropped(&self, registration: &Registration) {
        if self.waiters.note_dropped(&registration.waiter, self.registry.len()) {
            self.wake_parked();
        }
    }

    /// Reclaims what a dropped subscriber borrowed from a closed ring, where no publisher does it.
    pub(crate) fn reclaim_after_close(&self) {
        if self.sequencer.is_closed() {
            self.sequencer.slots().reclaim_after_close(&self.registry, &mut S::Garbage::default());
        }
    }

    // Looking.

    /// Returns the cursor that `start` means now.
    pub(crate) fn resolve(&self, start: Start) -> u64 {
        match start {
            Start::Latest => self.sequencer.tail(),
            Start::Oldest => self.sequencer.oldest(),
            Start::At(sequence) => sequence.min(self.sequencer.tail()).max(self.sequencer.layout().first()),
        }
    }

    /// Returns the cursor that `start` means now, unless its sequence is overwritten or beyond the
    /// tail.
    pub(crate) fn try_resolve(&self, start: Start) -> Result<u64, SubscribeError> {
        let Start::At(sequence) = start else { return Ok(self.resolve(start)) };
        let (oldest, tail) = (self.sequencer.oldest(), self.sequencer.tail());
        if sequence < oldest {
            Err(SubscribeError::Evicted { oldest })
        } else if sequence > tail {
            Err(SubscribeError::Future { tail })
        } else {
            Ok(sequence)
        }
    }

    /// Returns the largest lag of a live subscriber.
    pub(crate) fn max_lag(&self) -> u64 {
        // The cursor comes first, so that the tail is not older.
        self.registry.slowest().map_or(0, |next| self.sequencer.tail().saturating_sub(next))
    }

    pub(crate) fn stats(&self) -> RingStats {
        let (totals, live) = self.registry.totals();
        let published = self.sequencer.published();
        let skipped = self.sequencer.skipped();
        let tail = self.sequencer.tail();
        let subscribers = live
            .iter()
            .map(|(registration, account)| {
                let next_sequence = registration.cursor.next();
                SubscriberStats {
                    id: registration.id(),
                    name: registration.name().as_deref().map(str::to_owned),
                    next_sequence,
                    lag: tail.saturating_sub(next_sequence),
                    received: account.received,
                    missed: account.missed,
                    holes: account.holes,
                    skipped_by_choice: account.skipped_by_choice,
                    parked: registration.waiter.is_parked(),
                    gating: registration.gate.is_gating(),
                    demoted: registration.gate.is_demoted(),
                }
            })
            .collect();
        RingStats {
            published,
            skipped,
            capacity: self.capacity(),
            closed: self.sequencer.is_closed(),
            publishers_waited: self.gate.as_ref().map_or(Duration::ZERO, |gate| gate.waited()),
            totals,
            subscribers,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the capacity came from a `usize`")]
    pub(crate) fn capacity(&self) -> usize {
        self.sequencer.layout().capacity() as usize
    }
}
