//! A trivial ring: it keeps everything, with the fate of each sequence, and overwrites by
//! arithmetic.

use seqcast::{Lagged, Start, SubscribeError, TryRecvError};

/// The largest sequence.
pub(crate) const LAST: u64 = (1 << 63) - (1 << 32) - 1;

/// The fate of a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Its publisher has not reached the slot, or found a later sequence in it.
    Claimed,
    /// Its publisher holds the slot.
    Writing,
    There(u64),
    /// The slot was held.
    Hole,
}

impl Fate {
    fn reached(self) -> bool {
        matches!(self, Self::Writing | Self::There(_))
    }
}

/// What a subscriber finds at a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Message(u64),
    Hole,
    Lapped { oldest: u64 },
    Empty,
    Closed,
}

/// Why nothing was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A gating subscriber is a full lap behind.
    Full,
    Closed,
}

pub(crate) struct Ring {
    capacity: u64,
    slack: u64,
    first: u64,
    gated: bool,
    fates: Vec<Fate>,
    pub(crate) closed: bool,
    /// The cursors of gating subscribers.
    pub(crate) gates: Vec<u64>,
    /// Sequences below this can be claimed in a gated ring. It never decreases, even if a gating
    /// subscriber begins, or seeks, further back later.
    limit: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Subscriber {
    pub(crate) next: u64,
    pub(crate) last: Option<u64>,
    pub(crate) missed: u64,
    pub(crate) holes: u64,
    pub(crate) skipped_by_choice: u64,
    /// The messages received since it subscribed.
    pub(crate) received: u64,
    /// Where it subscribed or last sought, and what it had received by then.
    pub(crate) start: u64,
    pub(crate) received_before: u64,
    /// As a stream, it has returned `None`.
    pub(crate) ended: bool,
    /// `Some` if it is gating. It loses nothing from this sequence on.
    pub(crate) gate: Option<u64>,
    pub(crate) demoted: bool,
}

impl Ring {
    pub(crate) fn new(capacity: u64, slack: u64, first: u64, gated: bool) -> Self {
        Self { capacity, slack, first, gated, fates: Vec::new(), closed: false, gates: Vec::new(), limit: first }
    }

    pub(crate) fn tail(&self) -> u64 {
        self.first + self.fates.len() as u64
    }

    /// One lap before the newest sequence that was written, is being written, or is a hole.
    pub(crate) fn oldest(&self) -> u64 {
        let mut sequences = (self.first..self.tail()).rev();
        let newest = sequences.find(|&q| self.fate(q) == Fate::Hole || self.fate(q).reached());
        newest.map_or(self.first, |newest| (newest + 1).saturating_sub(self.capacity).max(self.first))
    }

    fn fate(&self, sequence: u64) -> Fate {
        self.fates[self.at(sequence)]
    }

    fn at(&self, sequence: u64) -> usize {
        usize::try_from(sequence - self.first).unwrap()
    }

    /// The newest sequence, not before `from`, that has the same slot and a fate for which `such`
    /// holds.
    fn newest(&self, from: u64, such: impl Fn(Fate) -> bool) -> Option<u64> {
        let slot = (self.at(from)..self.fates.len()).step_by(self.capacity as usize);
        slot.rev().find(|&at| such(self.fates[at])).map(|at| self.first + at as u64)
    }

    /// Claims a sequence. If there are no more, closes the ring.
    pub(crate) fn claim(&mut self) -> Result<u64, Refused> {
        self.closed |= self.tail() > LAST;
        if self.closed {
            return Err(Refused::Closed);
        }
        if self.is_full() {
            return Err(Refused::Full);
        }
        self.fates.push(Fate::Claimed);
        Ok(self.tail() - 1)
    }

    /// Whether nothing can be claimed. A publisher that has used up the limit computes a higher
    /// one, and stores it.
    fn is_full(&mut self) -> bool {
        if self.gated && self.tail() >= self.limit {
            self.limit = self.limit();
        }
        self.gated && self.tail() >= self.limit
    }

    /// Sequences below this can be claimed now: up to a lap beyond the slowest gate, or up to an
    /// earlier limit.
    fn limit(&self) -> u64 {
        if self.gated {
            let slowest = self.gates.iter().copied().fold(self.tail(), u64::min);
            self.limit.max(slowest + self.capacity)
        } else {
            u64::MAX
        }
    }

    /// Whether the ring is closed for a publisher that waits for room.
    fn is_over(&self) -> bool {
        self.closed || (self.gated && self.tail() > LAST)
    }

    /// Whether a publisher that waits for room must not wake.
    pub(crate) fn stays_full(&self) -> bool {
        !self.is_over() && self.tail() >= self.limit()
    }

    /// Why a publisher that polls for room is refused.
    pub(crate) fn refuses(&mut self) -> Option<Refused> {
        match self.is_over() {
            true => Some(Refused::Closed),
            false => self.is_full().then_some(Refused::Full),
        }
    }

    /// How many messages, up to `count`, can be published without waiting.
    pub(crate) fn room(&self, count: u64) -> u64 {
        let limit = self.limit();
        // Publishers do not wait if the ring or its sequences end.
        if self.gates.is_empty() || self.is_over() || limit > LAST {
            return count;
        }
        let free = (self.tail()..limit).filter(|q| !self.is_held(*q));
        free.take(count as usize).count() as u64
    }

    /// Whether a publisher that claims `sequence` as the newest one finds its slot held.
    fn is_held(&self, sequence: u64) -> bool {
        let slot = self.first + (sequence - self.first) % self.capacity;
        self.newest(slot, Fate::reached).is_some_and(|owner| self.fate(owner) == Fate::Writing)
    }

    /// Expires the deadline of a full ring. The gating subscribers that hold publishers back are
    /// demoted. If one of them waits for an uncommitted claim, publishers get room for one message
    /// instead.
    pub(crate) fn expire<'a>(&mut self, subscribers: impl Iterator<Item = &'a mut Subscriber>) {
        if self.refuses() != Some(Refused::Full) {
            return;
        }
        let (limit, capacity) = (self.limit(), self.capacity);
        let mut gates: Vec<_> = subscribers.filter(|subscriber| subscriber.gate.is_some()).collect();
        let holds = |gate: &Subscriber| gate.next + capacity <= limit;
        if gates.iter().filter(|gate| holds(gate)).all(|gate| self.find(gate.next) != Found::Empty) {
            for gate in gates.iter_mut().filter(|gate| holds(gate)) {
                (gate.gate, gate.demoted) = (None, true);
            }
        } else {
            self.limit = limit + 1;
            for since in gates.iter_mut().filter_map(|gate| gate.gate.as_mut()) {
                *since = (*since).max(self.limit - capacity);
            }
        }
    }

    /// Begins the write of a claimed sequence. Returns `false` if the slot is held or has a later
    /// sequence.
    pub(crate) fn begin(&mut self, sequence: u64) -> bool {
        let at = self.at(sequence);
        assert_eq!(self.fates[at], Fate::Claimed);
        let owner = self.newest(self.first + at as u64 % self.capacity, Fate::reached);
        if owner > Some(sequence) {
            return false;
        }
        let held = owner.is_some_and(|owner| self.fate(owner) == Fate::Writing);
        self.fates[at] = if held { Fate::Hole } else { Fate::Writing };
        !held
    }

    pub(crate) fn commit(&mut self, sequence: u64, value: u64) {
        let at = self.at(sequence);
        assert_eq!(self.fates[at], Fate::Writing);
        self.fates[at] = Fate::There(value);
    }

    pub(crate) fn publish(&mut self, value: u64) -> Result<u64, Refused> {
        loop {
            let sequence = self.claim()?;
            if self.begin(sequence) {
                self.commit(sequence, value);
                return Ok(sequence);
            }
        }
    }

    /// The number of held slots.
    pub(crate) fn held(&self) -> u64 {
        self.fates.iter().filter(|fate| **fate == Fate::Writing).count() as u64
    }

    pub(crate) fn holes(&self) -> u64 {
        self.fates.iter().filter(|fate| **fate == Fate::Hole).count() as u64
    }

    pub(crate) fn claimed(&self) -> u64 {
        self.fates.len() as u64
    }

    pub(crate) fn cursor(&self, start: Start) -> u64 {
        match start {
            Start::Latest => self.tail(),
            Start::Oldest => self.oldest(),
            Start::At(sequence) => sequence.clamp(self.first, self.tail()),
        }
    }

    pub(crate) fn subscribe(&self, start: Start) -> Subscriber {
        let next = self.cursor(start);
        Subscriber {
            next,
            last: None,
            missed: 0,
            holes: 0,
            skipped_by_choice: 0,
            received: 0,
            start: next,
            received_before: 0,
            ended: false,
            gate: None,
            demoted: false,
        }
    }

    pub(crate) fn try_subscribe(&self, start: Start) -> Result<Subscriber, SubscribeError> {
        match start {
            Start::At(sequence) if sequence > self.tail() => Err(SubscribeError::Future { tail: self.tail() }),
            Start::At(sequence) if sequence < self.oldest() => Err(SubscribeError::Evicted { oldest: self.oldest() }),
            start => Ok(self.subscribe(start)),
        }
    }

    pub(crate) fn subscribe_gating(&self, start: Start) -> Result<Subscriber, SubscribeError> {
        match start {
            _ if !self.gated => Err(SubscribeError::NotGated),
            Start::At(sequence) if sequence < self.oldest() => Err(SubscribeError::Evicted { oldest: self.oldest() }),
            start => Ok(Subscriber { gate: Some(self.tail()), ..self.subscribe(start) }),
        }
    }

    fn find(&self, sequence: u64) -> Found {
        match self.newest(sequence, Fate::reached) {
            Some(owner) if owner > sequence => return self.lapped(owner),
            Some(owner) => {
                if let Fate::There(value) = self.fate(owner) {
                    return Found::Message(value);
                }
            }
            None => {}
        }
        match self.newest(sequence, |fate| fate == Fate::Hole) {
            Some(hole) if hole > sequence => self.lapped(hole),
            Some(_) => Found::Hole,
            None if self.closed && sequence == self.tail() => Found::Closed,
            None => Found::Empty,
        }
    }

    /// The result if the slot contains `later`.
    fn lapped(&self, later: u64) -> Found {
        Found::Lapped { oldest: self.oldest().max(later + 1 - self.capacity) }
    }
}

impl Subscriber {
    fn pass_holes(&mut self, ring: &Ring) -> Found {
        loop {
            match ring.find(self.next) {
                Found::Hole => {
                    self.holes += 1;
                    self.next += 1;
                }
                found => return found,
            }
        }
    }

    pub(crate) fn seek(&mut self, ring: &Ring, start: Start) {
        // Publishers may already have room for a lap beyond the old cursor.
        self.gate = self.gate.map(|since| since.max(self.next));
        self.next = ring.cursor(start);
        (self.start, self.received_before, self.ended) = (self.next, self.received, false);
    }

    pub(crate) fn try_recv(&mut self, ring: &Ring) -> Result<u64, TryRecvError> {
        match self.pass_holes(ring) {
            Found::Message(value) => {
                self.received += 1;
                self.last = Some(self.next);
                self.next += 1;
                Ok(value)
            }
            Found::Lapped { oldest } => {
                // Publishers wait for a gating subscriber, so it needs no slack.
                let resumed_at = oldest + if self.gate.is_some() { 0 } else { ring.slack };
                assert!(
                    self.gate.is_none_or(|since| resumed_at <= since),
                    "lost messages that publishers had to keep for it"
                );
                assert!(
                    !matches!(ring.find(resumed_at), Found::Lapped { .. }),
                    "the sequence to resume at is already lost"
                );
                let missed = resumed_at - self.next;
                self.missed += missed;
                self.next = resumed_at;
                Err(TryRecvError::Lagged(Lagged { missed, resumed_at }))
            }
            Found::Closed => Err(TryRecvError::Closed),
            Found::Empty | Found::Hole => Err(TryRecvError::Empty),
        }
    }

    pub(crate) fn try_recv_many(&mut self, ring: &Ring, limit: usize) -> Result<Vec<u64>, TryRecvError> {
        let mut received = Vec::new();
        while received.len() < limit && (received.is_empty() || matches!(self.pass_holes(ring), Found::Message(_))) {
            received.push(self.try_recv(ring)?);
        }
        Ok(received)
    }

    /// The newest message. If there is none, moves from the cursor as far as possible.
    pub(crate) fn latest(&mut self, ring: &Ring) -> Result<u64, TryRecvError> {
        let is_there = |q: &u64| matches!(ring.find(*q), Found::Message(_));
        if let Some(newest) = (self.next..ring.tail()).rev().find(is_there) {
            self.skip_to(newest);
            return self.try_recv(ring);
        }
        let (mut at, mut newest) = (self.next, None);
        loop {
            match ring.find(at) {
                Found::Message(_) => {
                    newest = Some(at);
                    at += 1;
                }
                Found::Hole => {
                    if newest.is_none() {
                        self.skip_to(at);
                        self.holes += 1;
                        self.next += 1;
                    }
                    at += 1;
                }
                Found::Lapped { oldest } => (at, newest) = (oldest, None),
                Found::Empty | Found::Closed => break,
            }
        }
        self.skip_to(newest.unwrap_or(at));
        self.try_recv(ring)
    }

    fn skip_to(&mut self, sequence: u64) {
        self.skipped_by_choice += sequence - self.next;
        self.next = sequence;
    }

    pub(crate) fn is_empty(&self, ring: &Ring) -> bool {
        matches!(self.clone().pass_holes(ring), Found::Empty | Found::Closed)
    }

    pub(crate) fn lag(&self, ring: &Ring) -> u64 {
        ring.tail() - self.next
    }
}
