//! An obviously right ring: it keeps everything, and forgets by arithmetic.

use seqcast::{Lagged, Start, SubscribeError, TryRecvError};

pub(crate) struct Ring {
    capacity: u64,
    slack: u64,
    first: u64,
    messages: Vec<u64>,
    pub(crate) closed: bool,
}

#[derive(Clone)]
pub(crate) struct Subscriber {
    pub(crate) next: u64,
    pub(crate) last: Option<u64>,
    pub(crate) missed: u64,
    pub(crate) skipped_by_choice: u64,
}

impl Ring {
    pub(crate) fn new(capacity: u64, slack: u64, first: u64) -> Self {
        Self { capacity, slack, first, messages: Vec::new(), closed: false }
    }

    pub(crate) fn tail(&self) -> u64 {
        self.first + self.messages.len() as u64
    }

    pub(crate) fn oldest(&self) -> u64 {
        self.tail().saturating_sub(self.capacity).max(self.first)
    }

    pub(crate) fn publish(&mut self, value: u64) -> Option<u64> {
        if self.closed {
            return None;
        }
        self.messages.push(value);
        Some(self.tail() - 1)
    }

    pub(crate) fn cursor(&self, start: Start) -> u64 {
        match start {
            Start::Latest => self.tail(),
            Start::Oldest => self.oldest(),
            Start::At(sequence) => sequence.clamp(self.first, self.tail()),
        }
    }

    pub(crate) fn subscribe(&self, start: Start) -> Subscriber {
        Subscriber { next: self.cursor(start), last: None, missed: 0, skipped_by_choice: 0 }
    }

    pub(crate) fn try_subscribe(&self, start: Start) -> Result<Subscriber, SubscribeError> {
        match start {
            Start::At(sequence) if sequence > self.tail() => Err(SubscribeError::Future { tail: self.tail() }),
            Start::At(sequence) if sequence < self.oldest() => Err(SubscribeError::Evicted { oldest: self.oldest() }),
            start => Ok(self.subscribe(start)),
        }
    }
}

impl Subscriber {
    pub(crate) fn try_recv(&mut self, ring: &Ring) -> Result<u64, TryRecvError> {
        if self.next < ring.oldest() {
            let resumed_at = ring.oldest() + ring.slack;
            let missed = resumed_at - self.next;
            self.missed += missed;
            self.next = resumed_at;
            return Err(TryRecvError::Lagged(Lagged { missed, resumed_at }));
        }
        if self.next == ring.tail() {
            return Err(if ring.closed { TryRecvError::Closed } else { TryRecvError::Empty });
        }
        self.last = Some(self.next);
        self.next += 1;
        Ok(ring.messages[usize::try_from(self.next - 1 - ring.first).unwrap()])
    }

    pub(crate) fn try_recv_many(&mut self, ring: &Ring, limit: usize) -> Result<Vec<u64>, TryRecvError> {
        let mut received = Vec::new();
        while received.len() < limit {
            if !received.is_empty() && (self.next < ring.oldest() || self.next == ring.tail()) {
                break;
            }
            received.push(self.try_recv(ring)?);
        }
        Ok(received)
    }

    pub(crate) fn latest(&mut self, ring: &Ring) -> Result<u64, TryRecvError> {
        if self.next < ring.tail() {
            self.skipped_by_choice += ring.tail() - 1 - self.next;
            self.next = ring.tail() - 1;
        }
        self.try_recv(ring)
    }

    pub(crate) fn is_empty(&self, ring: &Ring) -> bool {
        self.next == ring.tail()
    }

    pub(crate) fn lag(&self, ring: &Ring) -> u64 {
        ring.tail() - self.next
    }
}
