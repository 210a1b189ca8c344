//! Flow control of a gated ring: which subscribers gate, how far publishers may go, and which
//! publishers wait for room.
//!
//! A publisher claims only below a limit, which is a lap beyond the slowest gating cursor of some
//! scan. It scans when it has used up the limit. Until then it reads nothing that a subscriber
//! writes.
//!
//! # A subscriber that joins is not overrun
//!
//! The subscriber enters the list of gates with its cursor at the tail, runs a full fence, and
//! reads the tail *again*. It begins there. A scan reads the tail, runs a full fence, and then
//! reads the gates. One of the two fences comes first. If it is the subscriber's, the scan finds
//! the subscriber. If it is the scan's, the subscriber's second load of the tail finds at least
//! what the scan found. So the limit is at most a lap beyond the sequence at which the subscriber
//! begins.
//!
//! A scan begins again if the list of gates was replaced meanwhile. It may have read the new cursor
//! of a gate, and not the clone that was left at the old one.
//!
//! # A reader that moves wakes publishers that wait
//!
//! Publishers wait for room as subscribers wait for messages (`wait/mod.rs`), with the roles
//! exchanged. The publisher announces itself, runs a full fence, and scans once more. A gating
//! reader moves its cursor. If a publisher waits or has waited recently, it then runs a full fence
//! and looks for publishers that wait.

mod stall;

use std::time::{Duration, Instant};

use crate::registry::{Registration, Registrations};
use crate::sequencer::Bounded;
use crate::sync::{Alarm, Arc, AtomicU64, AtomicUsize, CachePadded, Ordering, Snapshot, fence};
use crate::wait::{PublisherFence, WaitList};
use stall::Stall;

/// The part of a gated ring that an ordinary ring does not have.
pub(crate) struct Gate {
    /// The registrations of gating subscribers.
    gates: Snapshot<Registrations>,
    /// Publishers that wait for room.
    pub(crate) waiters: WaitList,
    /// What gating subscribers show to the fast path of receiving.
    pub(crate) decoy: Arc<Registration>,
    capacity: u64,
    stall: Option<Stall>,
    /// How long publishers have waited in total, in nanoseconds.
    waited: CachePadded<AtomicU64>,
    /// Tasks that wait for room, or were woken and were not polled since.
    tasks: AtomicUsize,
    /// The thread that checks the deadline for tasks.
    pub(crate) alarm: Alarm,
}

/// What a publisher does that found the ring full.
pub(crate) enum Verdict {
    /// It waits, and checks again at this time at the latest, if there is one.
    Wait(Option<Instant>),
    /// It tries again: no gate holds it back, or the deadline has passed and room was made. These gates
    /// were demoted for that.
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

    /// Returns whether a gate may be demoted.
    pub(crate) fn has_deadline(&self) -> bool {
        self.stall.is_some()
    }

    /// Adds `registration` to the gates. The caller loads the tail after this. Publishers do not
    /// overrun a subscriber at that tail until its cursor moves.
    pub(crate) fn join(&self, registration: &Arc<Registration>) {
        self.restart(registration);
        self.gates.update(|gates| Arc::new(gates.iter().chain([registration]).cloned().collect()));
        // [gate.join-fence] SeqCst: pairs with `gate.scan-fence`. Either the scan finds this gate,
        // or the caller finds the tail of the scan.
        fence(Ordering::SeqCst);
    }

    /// Removes `registration` from the gates. The caller wakes publishers that wait already.
    pub(crate) fn leave(&self, registration: &Arc<Registration>) {
        self.gates.update(|gates| {
            let left = gates.iter().filter(|other| !Arc::ptr_eq(other, registration));
            Arc::new(left.cloned().collect())
        });
    }

    /// Returns how far publishers may go: a lap beyond the slowest gate, or beyond the tail if
    /// there is none.
    ///
    /// Lock-free: it begins again only when a gate has joined or left.
    pub(crate) fn scan(&self, bounded: &Bounded) -> u64 {
        loop {
            let gates = self.gates.peek();
            let tail = bounded.claimed();
            // [gate.scan-fence] SeqCst: pairs with `gate.join-fence`, and with the fence of a
            // reader that wakes publishers. If the other fence comes first, this scan finds the
            // gate or the new cursor.
            fence(Ordering::SeqCst);
            let cursors = gates.iter().filter(|gate| gate.gate.is_gating()).map(|gate| gate.cursor.next());
            let slowest = cursors.fold(tail, u64::min);
            // After the cursors: a scan that finds the new cursor of a gate finds the clone that
            // was made before it moved.
            if Arc::ptr_eq(&gates, &self.gates.peek()) {
                return slowest + self.capacity;
            }
        }
    }

    /// Restarts the deadline of `gate`, which has just joined or jumped.
    pub(crate) fn restart(&self, gate: &Registration) {
        if let Some(stall) = &self.stall {
            gate.gate.set_since(stall.now());
        }
    }

    /// Checks the deadline of the gates that hold publishers back at `limit`. `has_come` returns
    /// whether a reader at a sequence would find something there.
    ///
    /// A gate whose next message was claimed and is not committed waits for a publisher itself. It
    /// is not demoted. Instead publishers continue by one message, and the gate loses that message
    /// if it is overwritten.
    pub(crate) fn check_deadline(&self, bounded: &Bounded, limit: u64, has_come: impl Fn(u64) -> bool) -> Verdict {
        let Some(stall) = &self.stall else { return Verdict::Wait(None) };
        // The time comes before the cursors, so that a gate that is late by it was still there at
        // that time.
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

    /// Returns the gates that keep publishers below `limit`.
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

    /// Acts as if the deadline had passed for all gates. For models, which have no clock.
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

    /// Counts a task that waits for room.
    pub(crate) fn add_task(&self) {
        self.tasks.fetch_add(1, Ordering::Relaxed); // [tasks.add] Relaxed: a hint, for fairness
    }

    /// Ends the count of a task that has waited since `since`.
    pub(crate) fn remove_task(&self, since: Instant) {
        self.tasks.fetch_sub(1, Ordering::Relaxed); // [tasks.remove] Relaxed: as `tasks.add`
        self.add_waited(since);
    }

    /// Returns whether a task waits for room.
    pub(crate) fn has_tasks(&self) -> bool {
        self.tasks.load(Ordering::Relaxed) != 0 // [tasks.load] Relaxed: as `tasks.add`
    }

    /// Counts the time that a publisher has waited since `since`.
    pub(crate) fn add_waited(&self, since: Instant) {
        let nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.waited.fetch_add(nanos, Ordering::Relaxed); // [waited.add] Relaxed: a count
    }

    /// Returns how long publishers have waited in total.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited.load(Ordering::Relaxed)) // [waited.load] Relaxed: a count
    }
}
