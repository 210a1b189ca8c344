//! Dropping messages when every subscriber has read them.
//!
//! One subscriber at a time is *on duty*: it was seen at or before the oldest message that is left. Its
//! next receive looks at the others, one after another, for one that still needs that message. If there
//! is one, the duty passes to it. If there is none, the message is dropped. So a receive beside
//! others costs a look at the duty, and a message as many looks as there are subscribers, however many
//! receives it takes. Without anything to drop nobody is on duty, and the next receive takes it up.
//!
//! It is what solvers call a watched literal (Moskewicz et al., "Chaff", DAC 2001): as long as the
//! one that is watched holds, nobody looks at the rest.

use super::Channel;
use crate::registry::{PinSnapshot, Registration, Registrations, Registry};
use crate::slots::Storage;
use crate::sync::{AtomicU64, AtomicUsize, CachePadded, Ordering, TryLock, full_fence};

/// Of a ring that drops messages when they were read.
#[derive(Default)]
pub(crate) struct Eager {
    /// The id of the subscriber on duty, plus 1; 0 for none.
    duty: CachePadded<AtomicU64>,
    /// How often somebody has asked for a walk since it began. The first who asks walks, for the others too.
    asked: CachePadded<AtomicUsize>,
    /// Messages that were borrowed at the end of the last walk.
    borrowed: AtomicUsize,
    walk: TryLock<Walk>,
}

/// A walk past all subscribers, and how far it came.
#[derive(Default)]
struct Walk {
    subscribers: PinSnapshot,
    /// Which subscribers were looked up.
    as_of: u64,
    /// How many of them were seen to need the oldest message no more.
    passed: usize,
    /// Those need none before this one. `None` if there are none.
    needed: Option<u64>,
    /// The walk visits every subscriber that is so far from the last. Tasks often run in the order in which they subscribed; in that
    /// order, each would take over the duty from the one before.
    stride: usize,
}

impl Walk {
    /// Looks up who subscribes, and begins anew if that has changed.
    fn refresh(&mut self, registry: &Registry, gone: &mut Registrations) -> bool {
        self.subscribers.refresh(registry, gone);
        let changed = self.as_of != self.subscribers.as_of();
        if changed {
            self.as_of = self.subscribers.as_of();
            self.restart();
            let count = self.subscribers.registrations().len();
            self.stride = (count * 5 / 8..).find(|stride| gcd(*stride, count) <= 1).unwrap_or(1);
        }
        changed
    }

    fn restart(&mut self) {
        self.passed = 0;
        self.needed = None;
    }

    /// The next one to be visited.
    fn next(&self) -> Option<&Registration> {
        let subscribers = self.subscribers.registrations();
        (self.passed < subscribers.len()).then(|| &*subscribers[self.passed * self.stride % subscribers.len()])
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl<S: Storage> Channel<S> {
    /// The subscriber of this registration needs the message `sequence` no more: its cursor and its pin are past it.
    #[inline]
    pub(crate) fn passed(&self, sequence: u64, registration: &Registration) {
        if let Some(eager) = &self.eager {
            self.passed_eager(eager, sequence, registration);
        }
    }

    #[inline(never)]
    fn passed_eager(&self, eager: &Eager, sequence: u64, registration: &Registration) {
        // [duty.pass-fence] Pairs with `duty.walk-fence`: either the walk sees that it has passed, or this sees the duty. And with
        // `scan.fence`: either the scan sees that nothing is pinned, or this sees that the message was taken out.
        full_fence();
        // [duty.load] Relaxed: after the fence.
        let duty = eager.duty.load(Ordering::Relaxed);
        if duty == 0 || duty == registration.id() + 1 || !self.sequencer.holds(sequence) {
            self.drop_read(eager);
        }
    }

    /// After a commit: drops what nobody reads, and what was overwritten.
    #[inline]
    pub(crate) fn drop_unread(&self) {
        if let Some(eager) = &self.eager {
            // [duty.commit-fence] Pairs with `duty.pass-fence`: either the last subscriber to leave finds the message, or this finds it gone.
            full_fence();
            let subscribers = self.registry.len();
            // [borrowed.load] Relaxed: about right will do.
            let borrowed = eager.borrowed.load(Ordering::Relaxed);
            if subscribers == 0 || self.sequencer.slots().left_over() > borrowed + subscribers / 8 {
                self.drop_read(eager);
            }
        }
    }

    /// Drops what every subscriber has read, unless another thread is at it, which then looks again.
    #[cold]
    fn drop_read(&self, eager: &Eager) {
        // Dropped last: that runs the user's code.
        let (mut garbage, mut gone) = (S::Garbage::default(), Registrations::new());
        // [asked.add] AcqRel: Release so that who walks again sees what the caller did before; Acquire pairs with `asked.end`.
        if eager.asked.fetch_add(1, Ordering::AcqRel) != 0 {
            return;
        }
        let mut asked = 1;
        loop {
            if let Some(mut walk) = eager.walk.try_lock() {
                self.walk(eager, &mut walk, &mut gone);
                self.sequencer.slots().reclaim(&self.registry, &mut walk.subscribers, &mut garbage);
                // [borrowed.set] Relaxed: about right will do.
                eager.borrowed.store(self.sequencer.slots().left_over(), Ordering::Relaxed);
            }
            // [asked.end] AcqRel: Release so that the next who walks comes after this; Acquire pairs with `asked.add`.
            match eager.asked.compare_exchange(asked, 0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(now) => asked = now,
            }
        }
    }

    /// Takes messages out of their slots until somebody is on duty, or nothing is left.
    fn walk(&self, eager: &Eager, walk: &mut Walk, gone: &mut Registrations) {
        loop {
            let tail = self.sequencer.tail();
            let oldest = self.sequencer.oldest_left(tail);
            if oldest < tail {
                walk.refresh(&self.registry, gone);
                if self.assign_duty(eager, walk, oldest) {
                    return;
                }
                // [duty.evict-fence] Pairs with `subscribe.fence`: either this sees who subscribed meanwhile, or that one starts at a
                // tail behind all that is taken out here.
                full_fence();
                if walk.refresh(&self.registry, gone) {
                    continue;
                }
                self.sequencer.evict(walk.needed.unwrap_or(tail).min(tail), &self.registry);
                walk.restart();
                if self.sequencer.oldest_left(tail) > oldest {
                    continue;
                }
                // A publisher is about to commit the oldest.
            }
            eager.duty.store(0, Ordering::Relaxed); // [duty.none] Relaxed: the fence orders it
            full_fence(); // [duty.none-fence] As `duty.walk-fence`
            if self.sequencer.tail() == tail {
                return;
            }
        }
    }

    /// Looks for a subscriber that needs the message `oldest`, and puts it on duty.
    fn assign_duty(&self, eager: &Eager, walk: &mut Walk, oldest: u64) -> bool {
        // The messages for which they were passed were overwritten.
        if walk.needed.is_some_and(|needed| needed <= oldest) {
            walk.restart();
        }
        while let Some(subscriber) = walk.next() {
            let mut position = subscriber.cursor.position();
            if position <= oldest {
                eager.duty.store(subscriber.id() + 1, Ordering::Relaxed); // [duty.assign] Relaxed: the fence orders it
                // [duty.walk-fence] Pairs with `duty.pass-fence`: either that subscriber sees its duty, or this sees that it has passed.
                full_fence();
                position = subscriber.cursor.position();
                if position <= oldest {
                    return true;
                }
            }
            walk.needed = Some(walk.needed.map_or(position, |needed| needed.min(position)));
            walk.passed += 1;
        }
        false
    }
}
