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

use crate::registry::{PinSnapshot, Registration, Registrations, Registry};
use crate::slots::Storage;
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, CachePadded, Ordering, TryLock, full_fence};

/// Of a ring that drops messages when they were read.
pub(crate) struct Eager<S: Storage> {
    /// The id of the subscriber on duty, plus 1; 0 for none.
    pub(crate) duty: CachePadded<AtomicU64>,
    /// How often somebody has asked for a walk since it began. The first who asks walks, for the others too.
    pub(crate) asked: CachePadded<AtomicUsize>,
    /// A message came into its slot after it was passed over.
    pub(crate) late: AtomicBool,
    /// Messages that were borrowed at the end of the last walk.
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
    /// Looks for a subscriber that needs the message `oldest`, and puts it on duty.
    pub(crate) fn assign_duty(&self, walk: &mut Walk<S>, oldest: u64) -> bool {
        // The messages for which they were passed were overwritten.
        if walk.needed.is_some_and(|needed| needed <= oldest) {
            walk.restart();
        }
        while let Some(subscriber) = walk.next() {
            let mut position = subscriber.cursor.position();
            if position <= oldest {
                self.duty.store(subscriber.id() + 1, Ordering::Relaxed); // [duty.assign] Relaxed: the fence orders it
                // [duty.walk-fence] Pairs with `duty.rest-fence`: either that subscriber sees its duty, or this sees that it has passed.
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

/// A walk past all subscribers, and how far it came.
pub(crate) struct Walk<S: Storage> {
    pub(crate) subscribers: PinSnapshot,
    /// Which subscribers were looked up.
    as_of: u64,
    /// How many of them were seen to need the oldest message no more.
    passed: usize,
    /// Those need none before this one. `None` if there are none.
    pub(crate) needed: Option<u64>,
    /// The walk visits every subscriber that is so far from the last. Tasks often run in the order in which they subscribed; in that
    /// order, each would take over the duty from the one before.
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
    /// Looks up who subscribes, and begins anew if that has changed.
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

    pub(crate) fn restart(&mut self) {
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
