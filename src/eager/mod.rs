//! Messages that are dropped when every subscriber has read them.
//!
//! One subscriber at a time is *on duty*: it was seen at or before the oldest message that is left.
//! Its next receive checks the other subscribers, one after another, for one that still needs that
//! message. If there is one, the duty passes to it. If there is none, the message is dropped. So a
//! receive of a subscriber that is not on duty costs a load of the duty. A message costs as many
//! checks as there are subscribers, in any number of receives. When there is nothing to drop, no
//! subscriber is on duty, and the next receive begins again.
//!
//! Solvers call this a watched literal (Moskewicz et al., "Chaff", DAC 2001): while the watched one
//! holds, the others need no check.

use crate::registry::{PinSnapshot, Registration, Registrations, Registry};
use crate::slots::Storage;
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, CachePadded, Ordering, TryLock, full_fence};

/// The state of a ring with `eager_drop`.
pub(crate) struct Eager<S: Storage> {
    /// The id of the subscriber on duty, plus 1. 0 for none.
    pub(crate) duty: CachePadded<AtomicU64>,
    /// How often a thread has asked for a walk since the current walk began. The first thread that
    /// asks walks, on behalf of the others too.
    pub(crate) asked: CachePadded<AtomicUsize>,
    /// Whether a message came into its slot after a walk had passed it.
    pub(crate) late: AtomicBool,
    /// How many orphans were borrowed at the end of the last walk.
    pub(crate) borrowed: AtomicUsize,
    pub(crate) walk: TryLock<Walk<S>>,
}

impl<S: Storage> Default for Eager<S> {
    fn default() -> Self {
        Self {
            duty: CachePadded::new(AtomicU64::new(0)),
            asked: CachePadded::new(AtomicUsize::new(0)),
            late: AtomicBool::new(false),
            borrowed: AtomicUsize::new(0),
            walk: TryLock::default(),
        }
    }
}

impl<S: Storage> Eager<S> {
    /// Puts a subscriber that needs the message `oldest` on duty. Returns `false` if there is none.
    pub(crate) fn assign_duty(&self, walk: &mut Walk<S>, oldest: u64) -> bool {
        // The messages that the passed subscribers did not need were overwritten.
        if walk.needed.is_some_and(|needed| needed <= oldest) {
            walk.restart();
        }
        while let Some(subscriber) = walk.next() {
            let mut position = subscriber.cursor.position();
            if position <= oldest {
                // [duty.assign] Relaxed: the fence orders it
                self.duty.store(subscriber.id() + 1, Ordering::Relaxed);
                // [duty.walk-fence] SeqCst: pairs with `duty.rest-fence`. Either that subscriber
                // sees its duty, or this thread sees that it has passed the message.
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

/// A walk past all subscribers, and its progress.
pub(crate) struct Walk<S: Storage> {
    pub(crate) subscribers: PinSnapshot,
    /// The generation of the copied registrations.
    as_of: u64,
    /// How many subscribers were seen that no longer need the oldest message.
    passed: usize,
    /// The smallest sequence that one of those subscribers needs, or `None` if there are none.
    pub(crate) needed: Option<u64>,
    /// The distance from one visited subscriber to the next. Tasks often run in the order in which
    /// they subscribed. If the walk had that order too, each task would take over the duty from the
    /// one before.
    stride: usize,
    pub(crate) scratch: S::Scratch,
}

impl<S: Storage> Default for Walk<S> {
    fn default() -> Self {
        Self {
            subscribers: PinSnapshot::default(),
            as_of: 0,
            passed: 0,
            needed: None,
            stride: 1,
            scratch: S::Scratch::default(),
        }
    }
}

impl<S: Storage> Walk<S> {
    /// Copies the registrations, and begins again if they have changed. Returns whether they have.
    pub(crate) fn refresh(&mut self, registry: &Registry, gone: &mut Registrations) -> bool {
        self.subscribers.refresh(registry, gone);
        let changed = self.as_of != self.subscribers.as_of();
        if changed {
            self.as_of = self.subscribers.as_of();
            self.restart();
            let count = self.subscribers.registrations().len();
            self.stride = (count * 5 / 8..=count).find(|stride| gcd(*stride, count) <= 1).unwrap_or(1);
        }
        changed
    }

    /// Begins again with the first subscriber.
    pub(crate) fn restart(&mut self) {
        self.passed = 0;
        self.needed = None;
    }

    /// Returns the next subscriber to visit.
    fn next(&self) -> Option<&Registration> {
        let subscribers = self.subscribers.registrations();
        (self.passed < subscribers.len()).then(|| &*subscribers[self.passed * self.stride % subscribers.len()])
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
