//! The live subscribers of a ring, for whoever looks: nobody on the way of a message comes here (but a boxed ring's
//! publishers, once in a while, to see what is borrowed).

use std::mem;

use crate::progress::Progress;
use crate::stats::Totals;
use crate::sync::{Arc, AtomicU64, AtomicUsize, CachePadded, Ordering, REGISTRY_SHARDS, Snapshot, fence, shard_of};
use crate::wait::Waiter;

/// What a subscriber lets others see of itself. Only its subscriber writes.
pub struct Seat {
    pub(crate) progress: CachePadded<Progress>,
    pub(crate) waiter: Arc<Waiter>,
    id: u64,
    name: Snapshot<Option<Box<str>>>,
    /// The largest number of received messages that was ever reported. Written by those who look on.
    reported: AtomicU64,
}

impl Seat {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Messages received so far, for those who look on. It never decreases, and is exact while the subscriber rests.
    pub(crate) fn received(&self) -> u64 {
        let received = self.progress.received().unwrap_or(0);
        // [reported.raise] Relaxed: one word, in which a number only grows.
        self.reported.fetch_max(received, Ordering::Relaxed).max(received)
    }

    /// What its subscriber received and did not receive.
    fn totals(&self) -> Totals {
        Totals {
            received: self.received(),
            missed: self.progress.missed.get(),
            holes: self.progress.holes.get(),
            skipped_by_choice: self.progress.skipped_by_choice.get(),
        }
    }

    pub(crate) fn name(&self) -> Arc<Option<Box<str>>> {
        self.name.load()
    }

    pub(crate) fn set_name(&self, name: Box<str>) {
        self.name.set(Arc::new(Some(name)));
    }
}

/// All seats, in small lists, so that joining and leaving copy one small list.
pub struct Registry {
    shards: Box<[Snapshot<Vec<Arc<Seat>>>]>,
    next_id: AtomicU64,
    live: AtomicUsize,
    /// Counts every coming and going, so that a `View` knows when it is old.
    changes: AtomicU64,
    /// The totals of those that left.
    departed: Counts,
    /// The largest totals that were ever reported.
    reported: Counts,
}

impl Registry {
    pub(crate) fn new() -> Self {
        let nobody = Arc::new(Vec::new());
        Self {
            shards: (0..REGISTRY_SHARDS).map(|_| Snapshot::new(Arc::clone(&nobody))).collect(),
            next_id: AtomicU64::new(0),
            live: AtomicUsize::new(0),
            changes: AtomicU64::new(0),
            departed: Counts::new(),
            reported: Counts::new(),
        }
    }

    /// Adds a seat for a subscriber that stands at `next`. The seat is whole before anyone can see it.
    pub(crate) fn join(&self, next: u64, waiter: Waiter) -> Arc<Seat> {
        let seat = Arc::new(Seat {
            progress: CachePadded::new(Progress::new(next)),
            waiter: Arc::new(waiter),
            id: self.next_id.fetch_add(1, Ordering::Relaxed), // [seat.id] Relaxed: only distinct
            name: Snapshot::new(Arc::new(None)),
            reported: AtomicU64::new(0),
        });
        self.live.fetch_add(1, Ordering::Relaxed); // [live.up] Relaxed: only a count
        self.shard(seat.id).update(|seats| seats.iter().chain([&seat]).cloned().collect());
        self.changed();
        seat
    }

    pub(crate) fn leave(&self, seat: &Arc<Seat>) {
        self.shard(seat.id).update(|seats| seats.iter().filter(|other| !Arc::ptr_eq(other, seat)).cloned().collect());
        self.live.fetch_sub(1, Ordering::Relaxed); // [live.down] Relaxed: only a count
        self.changed();
        // After it left the lists, so that nobody counts it twice.
        self.departed.add(&seat.totals());
    }

    /// The totals of all subscribers that ever were, and the live ones by id. No total ever decreases. One that is leaving right now
    /// may be missing for a moment.
    pub(crate) fn totals(&self) -> (Totals, Vec<Arc<Seat>>) {
        // The departed first: the seats of all that are counted here are off the lists by then.
        let departed = self.departed.load();
        let seats = self.seats();
        let totals = seats.iter().fold(departed, |sum, seat| sum + seat.totals());
        (self.reported.raise(totals), seats)
    }

    fn changed(&self) {
        // [changes.count] Release: pairs with the Acquire in `View::pins`, which then finds the change.
        self.changes.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn len(&self) -> usize {
        self.live.load(Ordering::Relaxed) // [live.len] Relaxed: only a count
    }

    /// All seats, by id.
    pub(crate) fn seats(&self) -> Vec<Arc<Seat>> {
        let mut seats: Vec<_> = self.shards.iter().flat_map(|shard| shard.load().to_vec()).collect();
        seats.sort_unstable_by_key(|seat| seat.id);
        seats
    }

    fn shard(&self, id: u64) -> &Snapshot<Vec<Arc<Seat>>> {
        &self.shards[shard_of(id)]
    }
}

/// [`Totals`] that many threads write.
struct Counts([AtomicU64; 4]);

impl Counts {
    fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    fn add(&self, more: &Totals) {
        for (count, more) in self.0.iter().zip(more.to_array()) {
            // [departed.add] Release: pairs with the Acquire of `load`: who finds a subscriber counted here finds its seat gone.
            count.fetch_add(more, Ordering::Release);
        }
    }

    fn load(&self) -> Totals {
        // [departed.load] Acquire: pairs with the Release of `add`.
        Totals::from_array(std::array::from_fn(|which| self.0[which].load(Ordering::Acquire)))
    }

    /// Raises each count to what is given, and returns the larger ones.
    fn raise(&self, totals: Totals) -> Totals {
        let totals = totals.to_array();
        Totals::from_array(std::array::from_fn(|which| {
            // [totals.raise] Relaxed: one word, in which a number only grows.
            self.0[which].fetch_max(totals[which], Ordering::Relaxed).max(totals[which])
        }))
    }
}

/// The seats as somebody saw them last, for those who look at all pins again and again.
#[derive(Default)]
pub(crate) struct View {
    seats: Vec<Arc<Seat>>,
    /// `changes` when they were looked up, plus 1; 0 for never.
    as_of: u64,
    pins: Vec<u64>,
}

impl View {
    /// All pins, sorted. Allocates only after subscribers came or went, or when more is pinned than ever before.
    ///
    /// Whoever pins a message that was taken out of its slot before this, and is not in here, finds its slot taken. `gone` gets the
    /// seats as they were before: to drop the last reference to one may run the user's code.
    pub(crate) fn pins(&mut self, registry: &Registry, gone: &mut Vec<Arc<Seat>>) -> &[u64] {
        // [scan.fence] Pairs with the fence of `slots/boxed/hand.rs`, after the pin and before the last look at the slot. If that one comes first,
        // the pin (and the seat, which came before) is seen here; if this one does, the look finds the slot taken.
        fence(Ordering::SeqCst);
        // [changes.look] Acquire: pairs with the Release in `changed`.
        let as_of = registry.changes.load(Ordering::Acquire) + 1;
        if self.as_of != as_of {
            *gone = mem::replace(&mut self.seats, registry.seats());
            self.as_of = as_of;
        }
        self.pins.clear();
        self.pins.extend(self.seats.iter().map(|seat| seat.progress.pinned()).filter(|pin| *pin != 0));
        self.pins.sort_unstable();
        &self.pins
    }
}
