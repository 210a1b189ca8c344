//! The live subscribers of a ring. Publishing and receiving do not use the registry, except that
//! publishers of a boxed ring scan the pins once in a while.

mod cursor;
mod gate_state;

pub(crate) use cursor::Cursor;
pub(crate) use gate_state::GateState;

use std::mem;
use std::ops::Range;

use crate::seq;
use crate::stats::Totals;
use crate::sync::{
    Arc, AtomicU64, AtomicUsize, CROWD_SHARDS, CROWD_THRESHOLD, CachePadded, Ordering, REGISTRY_SHARDS, Snapshot, fence,
};
use crate::wait::Waiter;

/// The part of a subscriber that other threads see.
pub(crate) struct Registration {
    pub(crate) cursor: CachePadded<Cursor>,
    pub(crate) waiter: Arc<Waiter>,
    id: u64,
    /// Whether it is in the second table of the registry.
    crowded: bool,
    /// Whether publishers wait for it. Publishers write it too.
    pub(crate) gate: GateState,
    name: Snapshot<Option<Box<str>>>,
    /// The largest number of received messages that was ever reported. Written by threads that read
    /// statistics.
    reported: AtomicU64,
}

impl Registration {
    /// Makes a registration that is in no registry, with a cursor at which no message ever comes.
    ///
    /// A gating subscriber shows it to the fast path of receiving. That finds nothing, and takes
    /// the slow path, which wakes publishers.
    pub(crate) fn decoy() -> Arc<Self> {
        Arc::new(Self::new(seq::LAST + 1, Waiter::new(), 0, false, GateState::lossy()))
    }

    fn new(next: u64, waiter: Waiter, id: u64, crowded: bool, gate: GateState) -> Self {
        Self {
            cursor: CachePadded::new(Cursor::new(next)),
            waiter: Arc::new(waiter),
            id,
            crowded,
            gate,
            name: Snapshot::new(Arc::new(None)),
            reported: AtomicU64::new(0),
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Returns the messages received so far, for statistics. It never decreases, and is exact while
    /// the subscriber does not receive.
    fn received(&self) -> u64 {
        let received = self.cursor.received().unwrap_or(0);
        // [reported.raise] Relaxed: one word that only grows.
        self.reported.fetch_max(received, Ordering::Relaxed).max(received)
    }

    /// Returns the subscriber's counts, given `received`.
    fn totals(&self, received: u64) -> Totals {
        Totals {
            received,
            missed: self.cursor.missed.get(),
            holes: self.cursor.holes.get(),
            skipped_by_choice: self.cursor.skipped_by_choice.get(),
        }
    }

    pub(crate) fn name(&self) -> Arc<Option<Box<str>>> {
        self.name.load()
    }

    pub(crate) fn set_name(&self, name: Box<str>) {
        self.name.set(Arc::new(Some(name)));
    }
}

pub(crate) type Registrations = Vec<Arc<Registration>>;

/// A value that is larger than all sequences.
const NO_SEQUENCE: u64 = u64::MAX;

/// A list of registrations. Joining and leaving copy it, and replace it as a whole.
type Shard = Snapshot<Registrations>;

fn shards(count: usize, empty: &Arc<Registrations>) -> Box<[Shard]> {
    (0..count).map(|_| Snapshot::new(Arc::clone(empty))).collect()
}

/// All registrations of a ring, in short lists, so that joining copies little.
///
/// A small table of lists exists from the beginning. A subscriber that joins when `CROWD_THRESHOLD`
/// others exist goes into a second table, with many more lists. That table is made when it is first
/// needed, and kept as long as the ring.
pub struct Registry {
    shards: Box<[Shard]>,
    /// The second table. It is empty until it is made. It is replaced once, so a thread that finds
    /// it made has the table that all others use.
    crowd: Snapshot<Box<[Shard]>>,
    /// The number of registrations in the second table.
    crowd_len: AtomicUsize,
    /// The value of every empty list, so that a list takes no memory after its subscribers have
    /// left.
    empty: Arc<Registrations>,
    next_id: AtomicU64,
    live: AtomicUsize,
    /// How often a subscriber joined, left, or went back. A `PinSnapshot` is outdated when it
    /// changes.
    generation: AtomicU64,
    /// `q + 1` while a thread may read any message of the lap that begins at `q`, to take it out of
    /// its slot (`Storage::take_out`). Otherwise [`NO_SEQUENCE`].
    taking: AtomicU64,
    /// The number of messages that the ring holds.
    capacity: u64,
    /// The totals of the subscribers that have left.
    departed: Counts,
    /// The largest totals that were ever reported.
    reported: Counts,
}

impl Registry {
    pub(crate) fn new(capacity: u64) -> Self {
        let empty = Arc::default();
        Self {
            shards: shards(REGISTRY_SHARDS, &empty),
            crowd: Snapshot::new(Arc::default()),
            crowd_len: AtomicUsize::new(0),
            empty,
            next_id: AtomicU64::new(0),
            live: AtomicUsize::new(0),
            generation: AtomicU64::new(0),
            taking: AtomicU64::new(NO_SEQUENCE),
            capacity,
            departed: Counts::new(),
            reported: Counts::new(),
        }
    }

    /// Adds a registration for a subscriber with the cursor `next`. The registration is complete
    /// before another thread can see it. It is in its list, and `generation` has changed, before
    /// the subscriber pins anything.
    pub(crate) fn register(&self, next: u64, waiter: Waiter, gate: GateState) -> Arc<Registration> {
        let others = self.live.fetch_add(1, Ordering::Relaxed); // [live.up] Relaxed: a count
        // [registration.id] Relaxed: must only be unique
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let registration = Arc::new(Registration::new(next, waiter, id, others >= CROWD_THRESHOLD, gate));
        if registration.crowded {
            self.make_crowd();
            // [crowd.up] Relaxed: `generation.bump` publishes it, so that a `PinSnapshot` that sees
            // the change sees the count.
            self.crowd_len.fetch_add(1, Ordering::Relaxed);
        }
        self.update(&registration, |registrations| {
            Arc::new(registrations.iter().chain([&registration]).cloned().collect())
        });
        self.bump_generation();
        registration
    }

    /// Makes the second table, unless it exists.
    ///
    /// Lock-free. If several threads make one, the first succeeds. The others use that one, and
    /// drop their own, which no thread has seen.
    fn make_crowd(&self) {
        if self.crowd.load().is_empty() {
            self.crowd.update(|crowd| {
                if crowd.is_empty() { Arc::new(shards(CROWD_SHARDS, &self.empty)) } else { Arc::clone(crowd) }
            });
        }
    }

    /// Removes a subscriber's registration. Returns whether it was the last. Only that subscriber
    /// calls it.
    pub(crate) fn unregister(&self, registration: &Arc<Registration>) -> bool {
        self.update(registration, |registrations| {
            let left: Registrations =
                registrations.iter().filter(|other| !Arc::ptr_eq(other, registration)).cloned().collect();
            if left.is_empty() { Arc::clone(&self.empty) } else { Arc::new(left) }
        });
        if registration.crowded {
            // [crowd.down] Relaxed: the registration has left its list before, so a thread that
            // sees the lower count misses nothing.
            self.crowd_len.fetch_sub(1, Ordering::Relaxed);
        }
        // [live.down] Relaxed: a count. A thread that acts on it runs a fence before or after.
        let was_last = self.live.fetch_sub(1, Ordering::Relaxed) == 1;
        self.bump_generation();
        // After it has left the lists, so that no thread counts it twice.
        self.departed.add(&registration.totals(registration.cursor.received_unsync()));
        was_last
    }

    /// Returns the totals of all subscribers that ever existed, and the live subscribers by id,
    /// each with its own totals.
    ///
    /// No total ever decreases. A subscriber that is leaving may be missing for a moment.
    pub(crate) fn totals(&self) -> (Totals, Vec<(Arc<Registration>, Totals)>) {
        // The departed first. The registrations of all subscribers that are counted here have left
        // the lists by then.
        let departed = self.departed.load();
        let account = |registration: Arc<Registration>| {
            let totals = registration.totals(registration.received());
            (registration, totals)
        };
        let live: Vec<_> = self.registrations().into_iter().map(account).collect();
        let totals = live.iter().fold(departed, |sum, (_, totals)| sum + *totals);
        (self.reported.raise(totals), live)
    }

    /// Replaces the list of `registration`.
    fn update(&self, registration: &Registration, next: impl FnMut(&Arc<Registrations>) -> Arc<Registrations>) {
        let crowd;
        let shards = if registration.crowded {
            // The subscriber's thread made the table, or found it made, before another thread could
            // see the registration. So this is not the empty table.
            crowd = self.crowd.load();
            &*crowd
        } else {
            &self.shards
        };
        shard_of(shards, registration.id).update(next);
    }

    /// Keeps every message of the lap that begins at `sequence` from being used again, until
    /// [`end_taking`](Self::end_taking).
    ///
    /// One thread calls it at a time. The caller runs a fence before it reads a message, as after
    /// `pin`. Messages of later laps are not kept, so a thread that is suspended here keeps one lap
    /// of messages and no more.
    pub(crate) fn begin_taking(&self, sequence: u64) {
        self.taking.store(sequence + 1, Ordering::Release); // [taking.set] Release: as `pin.set`
    }

    /// Ends what `begin_taking` began.
    pub(crate) fn end_taking(&self) {
        self.taking.store(NO_SEQUENCE, Ordering::Release); // [taking.clear] Release: as `pin.clear`
    }

    /// Makes every `PinSnapshot` outdated. Called when a subscriber joins, leaves, or goes back.
    pub(crate) fn bump_generation(&self) {
        // [generation.bump] Release: pairs with the Acquire of `generation.load`, so that a thread
        // that sees the new generation sees the change.
        self.generation.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn len(&self) -> usize {
        self.live.load(Ordering::Relaxed) // [live.len] Relaxed: a count
    }

    /// Returns the cursor of the slowest subscriber.
    pub(crate) fn slowest(&self) -> Option<u64> {
        self.registrations().iter().map(|registration| registration.cursor.next()).min()
    }

    /// Returns all registrations, sorted by id.
    pub(crate) fn registrations(&self) -> Vec<Arc<Registration>> {
        let mut registrations = Vec::new();
        collect(&self.shards, &mut registrations);
        // A registration is counted before it enters its list and until after it has left. So while
        // one must be found, the count is not 0.
        // [crowd.look] Relaxed: `generation.load` orders it after the registrations that must be
        // found.
        if self.crowd_len.load(Ordering::Relaxed) != 0 {
            collect(&self.crowd.load(), &mut registrations);
        }
        registrations.sort_unstable_by_key(|registration| registration.id);
        registrations
    }
}

#[expect(clippy::cast_possible_truncation, reason = "below the number of shards")]
fn shard_of(shards: &[Shard], id: u64) -> &Shard {
    &shards[(id % shards.len() as u64) as usize]
}

fn collect(shards: &[Shard], registrations: &mut Registrations) {
    for shard in shards {
        registrations.extend_from_slice(&shard.load());
    }
}

/// [`Totals`] that many threads write.
struct Counts([AtomicU64; 4]);

impl Counts {
    fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    fn add(&self, more: &Totals) {
        for (count, more) in self.0.iter().zip(more.to_array()).filter(|(_, more)| *more != 0) {
            // [departed.add] Release: pairs with the Acquire of `departed.load`, so that a thread
            // that finds a subscriber counted here finds its registration gone.
            count.fetch_add(more, Ordering::Release);
        }
    }

    fn load(&self) -> Totals {
        // [departed.load] Acquire: pairs with the Release of `departed.add`.
        Totals::from_array(std::array::from_fn(|which| self.0[which].load(Ordering::Acquire)))
    }

    /// Raises each count to the given one at least, and returns the larger ones.
    fn raise(&self, totals: Totals) -> Totals {
        let totals = totals.to_array();
        Totals::from_array(std::array::from_fn(|which| {
            // [totals.raise] Relaxed: one word that only grows.
            self.0[which].fetch_max(totals[which], Ordering::Relaxed).max(totals[which])
        }))
    }
}

/// A copy of the registrations and of all pins, for a thread that reads the pins again and again.
#[derive(Default)]
pub struct PinSnapshot {
    registrations: Vec<Arc<Registration>>,
    /// The `generation` when they were copied, plus 1. 0 if they never were.
    as_of: u64,
    /// Sorted.
    pins: Vec<u64>,
    taking: Range<u64>,
}

impl PinSnapshot {
    /// Reads all pins. Allocates only after subscribers have joined or left, or when more messages
    /// are pinned than ever before.
    ///
    /// Take a message that was taken out of its slot before this call. A subscriber that pins it
    /// later, or whose pin is not in here, finds that its slot was taken. `gone` receives the
    /// earlier registrations, because the drop of the last reference to one may run user code.
    pub(crate) fn take(&mut self, registry: &Registry, gone: &mut Registrations) {
        // [scan.fence] SeqCst: pairs with `pin.fence`, which comes after the pin and before the
        // subscriber's last load of the stamp. If that fence comes first, this scan sees the pin,
        // and the registration, which came before it. If this fence comes first, the subscriber
        // finds that the slot was taken.
        fence(Ordering::SeqCst);
        self.refresh(registry, gone);
        // [taking.load] Acquire: pairs with the Release of `taking.set` and `taking.clear`, as
        // `scan.pin` does for pins.
        let taking = registry.taking.load(Ordering::Acquire);
        self.taking = taking..taking.saturating_add(registry.capacity);
        self.pins.clear();
        self.pins
            .extend(self.registrations.iter().map(|registration| registration.cursor.pinned()).filter(|pin| *pin != 0));
        self.pins.sort_unstable();
    }

    /// Returns whether a thread may be reading the message with this pin.
    pub(crate) fn contains(&self, pin: u64) -> bool {
        self.taking.contains(&pin) || self.pins.binary_search(&pin).is_ok()
    }

    /// Copies the live registrations, unless no subscriber has joined, left or gone back since the
    /// last time. `gone` receives the earlier registrations.
    pub(crate) fn refresh(&mut self, registry: &Registry, gone: &mut Registrations) {
        // [generation.load] Acquire: pairs with the Release of `generation.bump`.
        let as_of = registry.generation.load(Ordering::Acquire) + 1;
        if self.as_of != as_of {
            gone.append(&mut mem::replace(&mut self.registrations, registry.registrations()));
            self.as_of = as_of;
        }
    }

    /// Returns a number that changes when the registrations are copied again.
    pub(crate) fn as_of(&self) -> u64 {
        self.as_of
    }

    /// Returns the subscribers when they were last copied.
    pub(crate) fn registrations(&self) -> &[Arc<Registration>] {
        &self.registrations
    }
}
