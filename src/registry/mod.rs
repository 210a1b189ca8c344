//! The live subscribers of a ring, for whoever looks: nobody on the way of a message comes here (but a boxed ring's
//! publishers, once in a while, to see what is borrowed).

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

/// What a subscriber lets others see of itself. Only its subscriber writes.
pub(crate) struct Registration {
    pub(crate) cursor: CachePadded<Cursor>,
    pub(crate) waiter: Arc<Waiter>,
    id: u64,
    /// Whether it is in the second table of the registry.
    crowded: bool,
    /// Whether publishers wait for it.
    pub(crate) gate: GateState,
    name: Snapshot<Option<Box<str>>>,
    /// The largest number of received messages that was ever reported. Written by those who look on.
    reported: AtomicU64,
}

impl Registration {
    /// In no registry, with a cursor at which no message ever comes. A gating subscriber shows it to the quick way of receiving,
    /// which then finds nothing and turns to the one that wakes publishers.
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

    /// Messages received so far, for observers. It never decreases, and is exact while the subscriber rests.
    fn received(&self) -> u64 {
        let received = self.cursor.received().unwrap_or(0);
        // [reported.raise] Relaxed: one word, in which a number only grows.
        self.reported.fetch_max(received, Ordering::Relaxed).max(received)
    }

    /// Its account, given `received`.
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

/// No message has a sequence from here on.
const NOTHING: u64 = u64::MAX;

/// A list of registrations that is replaced as a whole: joining and leaving copy it.
type Shard = Snapshot<Registrations>;

fn shards(count: usize, empty: &Arc<Registrations>) -> Box<[Shard]> {
    (0..count).map(|_| Snapshot::new(Arc::clone(empty))).collect()
}

/// All registrations, in short lists, so that registering copies little.
///
/// A small table of lists is there from the beginning. A subscriber that joins beside `CROWD_THRESHOLD` others goes into a second table, with many
/// more lists. That table is made when it is first needed, and kept as long as the ring.
pub struct Registry {
    shards: Box<[Shard]>,
    /// The second table; empty until it is made. It is replaced once, so whoever finds it made has the one that all others use.
    crowd: Snapshot<Box<[Shard]>>,
    /// Registrations in the second table.
    crowd_len: AtomicUsize,
    /// What every empty list is, so that lists take no memory after their subscribers left.
    empty: Arc<Registrations>,
    next_id: AtomicU64,
    live: AtomicUsize,
    /// Counts how often a subscriber came, went, or went back, so that a `PinSnapshot` knows when it is old.
    generation: AtomicU64,
    /// `q + 1` while a thread may be looking at any message of the lap from `q` on, to take it out of its slot (`Storage::take_out`);
    /// otherwise [`NOTHING`].
    taking: AtomicU64,
    /// How many messages the ring holds.
    capacity: u64,
    /// The totals of those that left.
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
            taking: AtomicU64::new(NOTHING),
            capacity,
            departed: Counts::new(),
            reported: Counts::new(),
        }
    }

    /// Adds a registration for a subscriber that stands at `next`. It is whole before anyone can see it. It is in its list, and `generation` has
    /// moved, before the subscriber pins anything.
    pub(crate) fn register(&self, next: u64, waiter: Waiter, gate: GateState) -> Arc<Registration> {
        let others = self.live.fetch_add(1, Ordering::Relaxed); // [live.up] Relaxed: only a count
        let id = self.next_id.fetch_add(1, Ordering::Relaxed); // [registration.id] Relaxed: only distinct
        let registration = Arc::new(Registration::new(next, waiter, id, others >= CROWD_THRESHOLD, gate));
        if registration.crowded {
            self.make_crowd();
            // [crowd.up] Relaxed: `bump_generation` publishes it, so a `PinSnapshot` that finds the change finds the count.
            self.crowd_len.fetch_add(1, Ordering::Relaxed);
        }
        self.update(&registration, |registrations| {
            Arc::new(registrations.iter().chain([&registration]).cloned().collect())
        });
        self.bump_generation();
        registration
    }

    /// Makes the second table, unless it is there. Lock-free: of several threads that make one, the first succeeds, and the others use
    /// that one and drop their own, which nobody has seen.
    fn make_crowd(&self) {
        if self.crowd.load().is_empty() {
            self.crowd.update(|crowd| {
                if crowd.is_empty() { Arc::new(shards(CROWD_SHARDS, &self.empty)) } else { Arc::clone(crowd) }
            });
        }
    }

    /// By its subscriber. Whether no other is left.
    pub(crate) fn unregister(&self, registration: &Arc<Registration>) -> bool {
        self.update(registration, |registrations| {
            let left: Registrations =
                registrations.iter().filter(|other| !Arc::ptr_eq(other, registration)).cloned().collect();
            if left.is_empty() { Arc::clone(&self.empty) } else { Arc::new(left) }
        });
        if registration.crowded {
            // [crowd.down] Relaxed: whoever reads it finds one registration less to look for, and this one has left.
            self.crowd_len.fetch_sub(1, Ordering::Relaxed);
        }
        // [live.down] Relaxed: only a count. Who acts on it runs a fence before or after.
        let was_last = self.live.fetch_sub(1, Ordering::Relaxed) == 1;
        self.bump_generation();
        // After it left the lists, so that nobody counts it twice.
        self.departed.add(&registration.totals(registration.cursor.received_unsync()));
        was_last
    }

    /// The totals of all subscribers that ever existed, and the live ones by id, each with its own. No total ever decreases. A
    /// subscriber that is leaving right now may be missing for a moment.
    pub(crate) fn totals(&self) -> (Totals, Vec<(Arc<Registration>, Totals)>) {
        // The departed first: the registrations of all that are counted here are off the lists by then.
        let departed = self.departed.load();
        let account = |registration: Arc<Registration>| {
            let totals = registration.totals(registration.received());
            (registration, totals)
        };
        let live: Vec<_> = self.registrations().into_iter().map(account).collect();
        let totals = live.iter().fold(departed, |sum, (_, totals)| sum + *totals);
        (self.reported.raise(totals), live)
    }

    /// Replaces the list that `registration` is in, or joins.
    fn update(&self, registration: &Registration, next: impl FnMut(&Arc<Registrations>) -> Arc<Registrations>) {
        let crowd;
        let shards = if registration.crowded {
            // Its own thread made the table or found it made before the registration existed for others, so this is not the empty one.
            crowd = self.crowd.load();
            &*crowd
        } else {
            &self.shards
        };
        shard_of(shards, registration.id).update(next);
    }

    /// Keeps every message of the lap from `sequence` on from being used again, until [`end_taking`](Self::end_taking). By one thread at a
    /// time. The caller runs a fence before it looks at a message, as after `pin`. (Not those of later laps: a thread that stops in there
    /// keeps a lap of messages, and no more.)
    pub(crate) fn begin_taking(&self, sequence: u64) {
        self.taking.store(sequence + 1, Ordering::Release); // [taking.set] Release: as `pin.set`
    }

    pub(crate) fn end_taking(&self) {
        self.taking.store(NOTHING, Ordering::Release); // [taking.clear] Release: as `pin.clear`
    }

    /// Also when a subscriber goes back.
    pub(crate) fn bump_generation(&self) {
        // [generation.bump] Release: pairs with the Acquire in `PinSnapshot::take`, which then finds the change.
        self.generation.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn len(&self) -> usize {
        self.live.load(Ordering::Relaxed) // [live.len] Relaxed: only a count
    }

    /// The cursor of the subscriber that is furthest behind.
    pub(crate) fn slowest(&self) -> Option<u64> {
        self.registrations().iter().map(|registration| registration.cursor.next()).min()
    }

    /// All registrations, by id.
    pub(crate) fn registrations(&self) -> Vec<Arc<Registration>> {
        let mut registrations = Vec::new();
        collect(&self.shards, &mut registrations);
        // A registration is counted before it is in its list and until after it left. So as long as one is known to be there, the count is not 0.
        // [crowd.look] Relaxed: `generation.load` ordered it after the registrations that must be found.
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
            // [departed.add] Release: pairs with the Acquire of `load`: who finds a subscriber counted here finds its registration gone.
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

/// The registrations as somebody saw them last, for those who look at all pins again and again.
#[derive(Default)]
pub struct PinSnapshot {
    registrations: Vec<Arc<Registration>>,
    /// `generation` when they were looked up, plus 1; 0 for never.
    as_of: u64,
    /// Sorted.
    pins: Vec<u64>,
    taking: Range<u64>,
}

impl PinSnapshot {
    /// Looks at all pins. Allocates only after subscribers came or went, or when more is pinned than ever before.
    ///
    /// Whoever pins a message that was taken out of its slot before this, and is not in here, finds its slot taken. `gone` gets the
    /// registrations as they were before: to drop the last reference to one may run the user's code.
    pub(crate) fn take(&mut self, registry: &Registry, gone: &mut Registrations) {
        // [scan.fence] Pairs with the fence of `slots/boxed/guard.rs`, after the pin and before the last look at the slot. If that one comes first,
        // the pin (and the registration, which came before) is seen here; if this one does, the look finds the slot taken.
        fence(Ordering::SeqCst);
        self.refresh(registry, gone);
        // [taking.load] Acquire: as `scan.pin`.
        let taking = registry.taking.load(Ordering::Acquire);
        self.taking = taking..taking.saturating_add(registry.capacity);
        self.pins.clear();
        self.pins
            .extend(self.registrations.iter().map(|registration| registration.cursor.pinned()).filter(|pin| *pin != 0));
        self.pins.sort_unstable();
    }

    /// Whether somebody may be looking at the message with this pin.
    pub(crate) fn contains(&self, pin: u64) -> bool {
        self.taking.contains(&pin) || self.pins.binary_search(&pin).is_ok()
    }

    /// Looks up the live subscribers, unless none came or went since the last time. `gone` gets the registrations as they were before.
    pub(crate) fn refresh(&mut self, registry: &Registry, gone: &mut Registrations) {
        // [generation.load] Acquire: pairs with the Release in `bump_generation`.
        let as_of = registry.generation.load(Ordering::Acquire) + 1;
        if self.as_of != as_of {
            gone.append(&mut mem::replace(&mut self.registrations, registry.registrations()));
            self.as_of = as_of;
        }
    }

    /// Changes when others are looked up.
    pub(crate) fn as_of(&self) -> u64 {
        self.as_of
    }

    /// The subscribers at the last look.
    pub(crate) fn registrations(&self) -> &[Arc<Registration>] {
        &self.registrations
    }
}
