//! The live subscribers of a ring, for whoever looks: nobody on the way of a message comes here.

use crate::sync::{Arc, AtomicU64, CachePadded, Ordering, REGISTRY_SHARDS, Snapshot};
use crate::wait::Waiter;

/// What a subscriber lets others see of itself. Only its subscriber writes.
pub(crate) struct Seat {
    pub(crate) progress: CachePadded<Progress>,
    pub(crate) waiter: Arc<Waiter>,
    id: u64,
    name: Snapshot<Option<Box<str>>>,
}

/// Where a subscriber stands and what it did not receive.
pub(crate) struct Progress {
    next: AtomicU64,
    pub(crate) missed: Tally,
    pub(crate) holes: Tally,
    pub(crate) skipped_by_choice: Tally,
}

/// A count with one writer.
pub(crate) struct Tally(AtomicU64);

impl Tally {
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// By the one writer.
    pub(crate) fn add(&self, more: u64) {
        // Relaxed: a count for onlookers; load and store do, as there is one writer.
        self.0.store(self.0.load(Ordering::Relaxed) + more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed) // Relaxed: as above
    }
}

impl Progress {
    /// By the one writer.
    #[inline]
    pub(crate) fn set_next(&self, next: u64) {
        // Release: who reads it (Acquire) finds the subscriber done with everything before.
        self.next.store(next, Ordering::Release);
    }

    pub(crate) fn next(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }
}

impl Seat {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn name(&self) -> Arc<Option<Box<str>>> {
        self.name.load()
    }

    pub(crate) fn set_name(&self, name: Box<str>) {
        self.name.set(Arc::new(Some(name)));
    }
}

/// All seats, in small lists, so that joining and leaving copy one small list.
pub(crate) struct Registry {
    shards: Box<[Snapshot<Vec<Arc<Seat>>>]>,
    next_id: AtomicU64,
}

impl Registry {
    pub(crate) fn new() -> Self {
        let nobody = Arc::new(Vec::new());
        Self {
            shards: (0..REGISTRY_SHARDS).map(|_| Snapshot::new(Arc::clone(&nobody))).collect(),
            next_id: AtomicU64::new(0),
        }
    }

    /// Adds a seat for a subscriber that stands at `next`. The seat is whole before anyone can see it.
    pub(crate) fn join(&self, next: u64, waiter: Waiter) -> Arc<Seat> {
        let seat = Arc::new(Seat {
            progress: CachePadded::new(Progress {
                next: AtomicU64::new(next),
                missed: Tally::new(),
                holes: Tally::new(),
                skipped_by_choice: Tally::new(),
            }),
            waiter: Arc::new(waiter),
            id: self.next_id.fetch_add(1, Ordering::Relaxed), // Relaxed: only distinct
            name: Snapshot::new(Arc::new(None)),
        });
        self.shard(seat.id).update(|seats| seats.iter().chain([&seat]).cloned().collect());
        seat
    }

    pub(crate) fn leave(&self, seat: &Arc<Seat>) {
        self.shard(seat.id).update(|seats| seats.iter().filter(|other| !Arc::ptr_eq(other, seat)).cloned().collect());
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.load().len()).sum()
    }

    /// All seats, by id.
    pub(crate) fn seats(&self) -> Vec<Arc<Seat>> {
        let mut seats: Vec<_> = self.shards.iter().flat_map(|shard| shard.load().to_vec()).collect();
        seats.sort_unstable_by_key(|seat| seat.id);
        seats
    }

    fn shard(&self, id: u64) -> &Snapshot<Vec<Arc<Seat>>> {
        &self.shards[(id % REGISTRY_SHARDS) as usize]
    }
}
