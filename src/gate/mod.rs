//! Flow control of a gated ring: which subscribers gate, how far publishers may go, and who waits for room.
//!
//! A publisher claims only below a limit: a lap beyond the slowest gating cursor, as of some scan. It scans when it has used up
//! the limit, and reads nothing that a subscriber writes until then.
//!
//! # A subscriber that joins is not overrun
//!
//! It enters the list of gates with its cursor at the tail, runs a full fence, and reads the tail *again*: that is where it
//! begins. A scan reads the tail, runs a full fence, and then reads the gates. One of the two fences comes first. If it is the
//! subscriber's, the scan finds it. If it is the scan's, the subscriber's second look at the tail finds at least what the scan
//! found, so the limit is at most a lap beyond where the subscriber begins.
//!
//! A scan that read a list of gates which was replaced meanwhile begins again: it may have read the new cursor of a gate, and
//! not the clone that was left at the old one.
//!
//! # A reader that moves wakes who waits
//!
//! Publishers that find no room wait as subscribers do that find no message (`wait/mod.rs`), with the roles exchanged: the
//! publisher announces itself, runs a full fence, and scans once more; a gating reader moves its cursor, runs a full fence if some
//! publisher waits or has lately, and looks for those who wait.

mod stall;

use std::time::{Duration, Instant};

use crate::registry::{Registration, Registrations};
use crate::sequencer::Bounded;
use crate::sync::{Alarm, Arc, AtomicU64, AtomicUsize, CachePadded, Ordering, Snapshot, fence};
use crate::wait::{PublisherFence, WaitList};
use stall::Stall;

/// What a gated ring has beside an ordinary one.
pub(crate) struct Gate {
    /// The registrations of gating subscribers.
    gates: Snapshot<Registrations>,
    /// Publishers that wait for room.
    pub(crate) waiters: WaitList,
    /// What gating subscribers show to the quick way of receiving.
    pub(crate) decoy: Arc<Registration>,
    capacity: u64,
    stall: Option<Stall>,
    /// How long publishers have waited in all, in nanoseconds.
    waited: CachePadded<AtomicU64>,
    /// Tasks that wait for room, or were woken and have not looked yet.
    tasks: AtomicUsize,
    /// Rings for tasks when the deadline is over.
    pub(crate) alarm: Alarm,
}

/// What a publisher is to do that found the ring full.
pub(crate) enum Verdict {
    /// Wait, and look again at this time at the latest, if there is one.
    Wait(Option<Instant>),
    /// Try again: nobody holds it back, or the deadline is over, and room was made. These were demoted for that.
    Retry(Registrations),
}

impl Gate {
    pub(crate) fn new(capacity: u64, deadline: Option<Duration>, fence: PublisherFence) -> Self {
        Self {
            gates: Snapshot::new(Arc::default()),
            waiters: WaitList::new(fence),
            decoy: Registration::decoy(),
            capacity,
            stall: deadline.map(Stall::new),
            waited: CachePadded::new(AtomicU64::new(0)),
            tasks: AtomicUsize::new(0),
            alarm: Alarm::default(),
        }
    }

    /// Whether a gate may be demoted.
    pub(crate) fn has_deadline(&self) -> bool {
        self.stall.is_some()
    }

    /// Counts `registration` among the gates. What the caller finds as the tail after this, publishers do not overrun until its
    /// cursor has moved.
    pub(crate) fn join(&self, registration: &Arc<Registration>) {
        self.restart(registration);
        self.gates.update(|gates| Arc::new(gates.iter().chain([registration]).cloned().collect()));
        // [gate.join-fence] Pairs with the fence of `scan`: either the scan finds this gate, or the caller finds the tail of the scan.
        fence(Ordering::SeqCst);
    }

    /// Publishers no longer wait for this registration. Those that wait already are still to be woken.
    pub(crate) fn leave(&self, registration: &Arc<Registration>) {
        self.gates.update(|gates| {
            let left = gates.iter().filter(|other| !Arc::ptr_eq(other, registration));
            Arc::new(left.cloned().collect())
        });
    }

    /// How far publishers may go: a lap beyond the slowest gate, and beyond the tail if there is none.
    ///
    /// Lock-free: it begins again only when a gate has come or gone.
    pub(crate) fn scan(&self, bounded: &Bounded) -> u64 {
        loop {
            let gates = self.gates.peek();
            let tail = bounded.claimed();
            // [gate.scan-fence] Pairs with the fences of `join` and of readers that wake: whose fence comes first is found here.
            fence(Ordering::SeqCst);
            let cursors = gates.iter().filter(|gate| gate.gate.is_gating()).map(|gate| gate.cursor.next());
            let slowest = cursors.fold(tail, u64::min);
            // After the cursors: who finds the new cursor of a gate finds the clone that was made before it moved.
            if Arc::ptr_eq(&gates, &self.gates.peek()) {
                return slowest + self.capacity;
            }
        }
    }

    /// The deadline counts for `gate` from now on: it has just joined, or jumped.
    pub(crate) fn restart(&self, gate: &Registration) {
        if let Some(stall) = &self.stall {
            gate.gate.set_since(stall.now());
        }
    }

    /// Asks the deadline about the gates that hold publishers back at `limit`. `has_come` says whether a reader at a sequence would
    /// find something there.
    ///
    /// A gate whose message was claimed and is not committed waits for a publisher. It is not demoted: publishers go on by one, and the
    /// gate loses that message, if it comes to that.
    pub(crate) fn check_deadline(&self, bounded: &Bounded, limit: u64, has_come: impl Fn(u64) -> bool) -> Verdict {
        let Some(stall) = &self.stall else { return Verdict::Wait(None) };
        // Before the cursors: a gate that is late now was still there now.
        let now = Instant::now();
        let gates = self.gates.load();
        let holders = self.holders(&gates, limit);
        let Some(slowest) = holders.iter().map(|gate| gate.cursor.next()).min() else {
            return Verdict::Retry(Registrations::new());
        };
        let could_read = holders.iter().all(|gate| has_come(gate.cursor.next()));
        let since = stall.since(limit, could_read, slowest);
        let is_over = |due: &Option<Instant>| due.is_some_and(|due| due <= now);
        if !could_read {
            let due = stall.due(since);
            if is_over(&due) {
                bounded.raise(limit + 1, limit);
                return Verdict::Retry(Registrations::new());
            }
            return Verdict::Wait(due);
        }
        let due = |gate: &Registration| stall.due(since.max(gate.gate.since()));
        let is_slowest = |gate: &Registration| gate.cursor.next() == slowest;
        let mut late: Vec<_> = holders.iter().filter(|gate| is_over(&due(gate)) && is_slowest(gate)).collect();
        if late.is_empty() {
            let slowest = holders.iter().filter(|gate| is_slowest(gate));
            return Verdict::Wait(slowest.filter_map(|gate| due(gate)).min().or(Some(now)));
        }
        late.retain(|gate| self.demote(gate));
        Verdict::Retry(late.into_iter().copied().cloned().collect())
    }

    /// The gates without which publishers could go beyond `limit`.
    fn holders<'a>(&self, gates: &'a Registrations, limit: u64) -> Vec<&'a Arc<Registration>> {
        let holds = |gate: &&Arc<Registration>| gate.gate.is_gating() && gate.cursor.next() + self.capacity <= limit;
        gates.iter().filter(holds).collect()
    }

    /// `true` for the one thread that did.
    fn demote(&self, gate: &Arc<Registration>) -> bool {
        let demoted = gate.gate.demote();
        if demoted {
            self.leave(gate);
        }
        demoted
    }

    /// For models, which have no clock: as if the deadline were over for all.
    pub(crate) fn force_deadline(&self, bounded: &Bounded, limit: u64, has_come: impl Fn(u64) -> bool) {
        let gates = self.gates.load();
        let holders = self.holders(&gates, limit);
        if holders.iter().all(|gate| has_come(gate.cursor.next())) {
            for gate in holders {
                self.demote(gate);
            }
        } else {
            bounded.raise(limit + 1, limit);
        }
    }

    /// A task waits for room from now on.
    pub(crate) fn add_task(&self) {
        self.tasks.fetch_add(1, Ordering::Relaxed); // [tasks.add] Relaxed: a hint, for fairness
    }

    /// A task that has waited since `since` waits no more.
    pub(crate) fn remove_task(&self, since: Instant) {
        self.tasks.fetch_sub(1, Ordering::Relaxed); // [tasks.remove] Relaxed: as above
        self.add_waited(since);
    }

    /// Whether any task waits for room.
    pub(crate) fn has_tasks(&self) -> bool {
        self.tasks.load(Ordering::Relaxed) != 0 // [tasks.load] Relaxed: as above
    }

    /// Counts the time that a publisher has waited since `since`.
    pub(crate) fn add_waited(&self, since: Instant) {
        let nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.waited.fetch_add(nanos, Ordering::Relaxed); // [waited.add] Relaxed: a count
    }

    /// How long publishers have waited in all.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited.load(Ordering::Relaxed)) // [waited.load] Relaxed: a count
    }
}
