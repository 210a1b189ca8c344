//! Gated rings: publishers wait for room, and gating readers wake them.

use std::ops::Range;
use std::time::Instant;

use super::Channel;
use crate::error::TryPublishError;
use crate::events;
use crate::gate::{Gate, Verdict};
use crate::seq;
use crate::sequencer::{Bounded, ClaimError, Found, Next};
use crate::slots::Storage;
use crate::sync::{SPINS, Weak, YIELDS, spin_loop, yield_now};
use crate::wait::reentrancy::{self, NO_LIST};

/// What a publisher finds when it looks for room.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Room {
    /// This many messages can be published. Also if the ring is closed, which the next publish
    /// finds.
    Some(u64),
    /// There is no room. Holds the time of the next check at the latest, if there is a deadline.
    None(Option<Instant>),
}

impl<S: Storage> Channel<S> {
    /// Returns the gate of a gated ring, and its tail.
    #[inline]
    pub(crate) fn gated(&self) -> Option<(&Gate, &Bounded)> {
        self.gate.as_deref().zip(self.sequencer.bounded())
    }

    // Claims.

    /// Claims the next sequence, for one of many publishers.
    #[inline]
    pub(crate) fn claim(&self) -> Result<u64, ClaimError> {
        match self.sequencer.claim(1) {
            Some(sequence) => Ok(sequence),
            None => self.claim_bounded(),
        }
    }

    /// Claims after the fast claim has failed, because the ring is gated or closed.
    #[inline(never)]
    fn claim_bounded(&self) -> Result<u64, ClaimError> {
        let Some((gate, bounded)) = self.gated() else { return Err(ClaimError::Closed) };
        self.unless_closed(Self::below_limit(gate, bounded, || bounded.claim(1))).map(|claimed| claimed.start)
    }

    /// Claims the next `count` sequences, at least 1. Claims fewer if there is no room for all, or
    /// if the sequences end.
    #[inline]
    pub(super) fn claim_run(&self, count: u64) -> Result<Range<u64>, ClaimError> {
        let Some((gate, bounded)) = self.gated() else {
            let first = self.sequencer.claim(count).ok_or(ClaimError::Closed)?;
            return Ok(first..(first + count).min(seq::LAST + 1));
        };
        self.unless_closed(Self::below_limit(gate, bounded, || bounded.claim(count)))
    }

    /// Closes the ring if a claim found it closed. The sequences may be used up, as in
    /// `Sequencer::claim`.
    #[inline]
    fn unless_closed<R>(&self, claimed: Result<R, ClaimError>) -> Result<R, ClaimError> {
        if matches!(claimed, Err(ClaimError::Closed)) {
            self.sequencer.close();
        }
        claimed
    }

    /// Runs `claim`, and raises the limit while that makes room. The scan comes after the claim has
    /// failed. So the ring is full only if a gate holds publishers back, and not because others
    /// have used what an older scan allowed.
    #[inline]
    fn below_limit<R>(
        gate: &Gate,
        bounded: &Bounded,
        claim: impl Fn() -> Result<R, ClaimError>,
    ) -> Result<R, ClaimError> {
        loop {
            match claim() {
                Err(ClaimError::Full { limit }) if bounded.raise(gate.scan(bounded), limit) => {}
                claimed => return claimed,
            }
        }
    }

    /// Returns where the only publisher of a gated ring writes next. It waits for room, which then
    /// stays. Before it waits, it wakes readers for `unwoken`.
    ///
    /// # Panics
    ///
    /// If the sequences are used up, in an ordinary ring too.
    #[inline(never)]
    pub(crate) fn next_bounded(&self, unwoken: Option<&mut Range<u64>>) -> Next<'_> {
        let Some(bounded) = self.sequencer.bounded() else { used_up() };
        // The common case needs no call.
        if let Ok(next) = bounded.next_exclusive() { next } else { self.wait_for_next(bounded, unwoken) }
    }

    #[cold]
    fn wait_for_next<'a>(&'a self, bounded: &'a Bounded, mut unwoken: Option<&mut Range<u64>>) -> Next<'a> {
        let Some(gate) = self.gate.as_deref() else { used_up() };
        loop {
            match Self::below_limit(gate, bounded, || bounded.next_exclusive()) {
                Ok(next) => return next,
                Err(ClaimError::Full { .. }) => {}
                Err(ClaimError::Closed) => used_up(),
            }
            if let Some(unwoken) = &mut unwoken {
                self.wake_for(unwoken);
            }
            self.wait_for_room(None);
        }
    }

    // Waiting for room.

    /// Looks for room as `room` does, after it has woken parked readers. The publisher that
    /// committed the message of a parked reader may have been suspended before it woke the reader.
    #[cold]
    pub(crate) fn wake_readers_and_find_room(&self) -> Room {
        if self.waiters.has_parked() {
            self.wake_parked();
        }
        self.room()
    }

    /// Looks for room. Demotes gates that have held publishers back for the whole deadline.
    pub(crate) fn room(&self) -> Room {
        let Some((gate, bounded)) = self.gated() else { return Room::Some(1) };
        loop {
            let limit = match Self::below_limit(gate, bounded, || bounded.room()) {
                Ok(room) => return Room::Some(room),
                Err(ClaimError::Closed) => return Room::Some(1),
                Err(ClaimError::Full { limit }) => limit,
            };
            match gate.check_deadline(bounded, limit, |sequence| self.has_come(sequence)) {
                Verdict::Wait(until) => return Room::None(until),
                Verdict::Retry(demoted) => {
                    self.wake_publishers();
                    // Last, because it calls user code.
                    for gate in &demoted {
                        events::demoted(gate, self.capacity());
                    }
                }
            }
        }
    }

    /// Returns whether a reader at `sequence` would find something there.
    fn has_come(&self, sequence: u64) -> bool {
        !matches!(self.sequencer.find(sequence), Found::Empty)
    }

    /// Acts as if the deadline had passed. For models.
    pub(crate) fn force_deadline(&self) {
        let Some((gate, bounded)) = self.gated() else { return };
        if let Err(ClaimError::Full { limit }) = Self::below_limit(gate, bounded, || bounded.room()) {
            gate.force_deadline(bounded, limit, |sequence| self.has_come(sequence));
            self.wake_publishers();
        }
    }

    /// Returns whether a publish would find room, perhaps because a gate is demoted. Room of the
    /// only publisher stays.
    pub(crate) fn has_room(&self) -> bool {
        self.finds_room() || matches!(self.wake_readers_and_find_room(), Room::Some(_))
    }

    /// Returns whether the ring has room or is closed, without a check of the deadline.
    pub(crate) fn finds_room(&self) -> bool {
        let Some((gate, bounded)) = self.gated() else { return true };
        !matches!(Self::below_limit(gate, bounded, || bounded.room()), Err(ClaimError::Full { .. }))
    }

    /// Returns whether the ring is closed, or its sequences are used up.
    pub(crate) fn is_over(&self) -> bool {
        self.gated().map_or_else(|| self.sequencer.is_closed(), |(_, bounded)| bounded.is_over())
    }

    /// Publishes by `attempt`, and waits while there is no room. Returns the item as `Full` when
    /// the time is over.
    pub(crate) fn publish_waiting(
        &self,
        deadline: Option<Instant>,
        mut item: S::Item,
        mut attempt: impl FnMut(S::Item) -> Result<u64, TryPublishError<S::Item>>,
    ) -> Result<u64, TryPublishError<S::Item>> {
        while self.wait_for_room(deadline) {
            match attempt(item) {
                Err(TryPublishError::Full(back)) => item = back,
                done => return done,
            }
            // Other publishers have taken the room.
            if is_over(deadline) {
                break;
            }
        }
        Err(TryPublishError::Full(item))
    }

    /// Waits until there may be room. Returns `false` when the time is over.
    ///
    /// A reader that moves wakes publishers as soon as there is room for one message. If publishers
    /// took it at once, they would sleep and wake for each message. So a publisher that waits takes
    /// no room for a moment while the room still grows, until it is a quarter of the ring.
    #[cold]
    pub(crate) fn wait_for_room(&self, deadline: Option<Instant>) -> bool {
        let Some(gate) = self.gate.as_deref() else { return true };
        let since = Instant::now();
        let in_time = self.spin_for_room(deadline) || self.park_for_room(gate, deadline);
        gate.add_waited(since);
        in_time
    }

    fn park_for_room(&self, gate: &Gate, deadline: Option<Instant>) -> bool {
        while !is_over(deadline) {
            let key = gate.waiters.prepare_wait();
            let Room::None(demotion) = self.wake_readers_and_find_room() else { return true };
            gate.waiters.commit_wait(key, deadline.into_iter().chain(demotion).min());
            if self.spin_for_room(deadline) {
                return true;
            }
        }
        false
    }

    /// Looks for room a few times. While each look finds more room, it lets the room grow. Returns
    /// whether there is any.
    ///
    /// The last looks yield first. If there are more threads than cores, the reader that must make
    /// room may be waiting for this core.
    fn spin_for_room(&self, deadline: Option<Instant>) -> bool {
        let enough = self.sequencer.layout().capacity() / 4;
        let spins = SPINS / ROOM_SPINS;
        let mut before = 0;
        for look in 0..=spins + YIELDS {
            if look > spins {
                if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                    break;
                }
                yield_now();
            }
            if let Room::Some(room) = self.room() {
                if room >= enough || room == before {
                    return true;
                }
                before = room;
            }
            if look < spins {
                // Each look takes the cache line of each reader's cursor from that reader.
                for _ in 0..ROOM_SPINS {
                    spin_loop();
                }
            }
        }
        before > 0
    }

    // Waking publishers.

    /// Wakes publishers that wait, if there is room for them. Called after a gating reader's cursor
    /// has moved over `moved`.
    #[inline]
    pub(crate) fn made_room(&self, moved: Range<u64>) {
        let Some(gate) = self.gate.as_deref() else { return };
        if gate.waiters.armed_after_commit() {
            self.wake_for_room(gate);
            gate.waiters.maybe_disarm(moved);
        }
    }

    #[cold]
    fn wake_for_room(&self, gate: &Gate) {
        let Some(bounded) = self.sequencer.bounded() else { return };
        if gate.waiters.has_parked() && gate.scan(bounded) > bounded.claimed() {
            self.wake_publishers();
        }
    }

    /// Returns whether publishers wait for room or have waited recently. Called after a commit.
    #[cold]
    pub(crate) fn has_waiting_publishers(&self) -> bool {
        self.gate.as_ref().is_some_and(|gate| gate.waiters.armed_after_commit())
    }

    /// Wakes all publishers that wait for room. If calls of wakers nest too deep on this thread,
    /// some are woken later.
    #[cold]
    #[inline(never)]
    pub(crate) fn wake_publishers(&self) {
        if self.gate.as_ref().is_some_and(|gate| !gate.waiters.wake_in_order()) {
            let me = Weak::clone(&self.me);
            reentrancy::later(NO_LIST, move || {
                if let Some(channel) = me.upgrade() {
                    channel.wake_publishers();
                }
            });
        }
    }
}

fn is_over(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| deadline <= Instant::now())
}

/// Spins between two looks for room.
const ROOM_SPINS: u32 = 10;

/// Panics because the sequences of a ring that is not closed are used up. For publishes of the only
/// publisher.
#[cold]
pub(crate) fn used_up() -> ! {
    panic!("all sequences of the ring are used up");
}
