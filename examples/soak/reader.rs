//! A subscriber and its account.

use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;

use seqcast::{Lagged, Start, Subscriber, TryRecvError};

use crate::hang::{self, Mark};
use crate::message::{self, Carry, PUBLISHERS};
use crate::stage::Stage;
use crate::tally::{self, Count};
use crate::watch::{check, violation};
use crate::ways::{self, Received};

pub(crate) struct Reader<S: Carry> {
    pub(crate) subscriber: Subscriber<S>,
    pub(crate) stage: Arc<Stage<S>>,
    mark: Arc<Mark>,
    /// Where the account begins, and what the subscriber had counted there.
    start: u64,
    base: [u64; 3],
    received: u64,
    /// As told by `Lagged`.
    missed: u64,
    last: Option<u64>,
    /// The number expected next, or later, from each publisher.
    numbers: Box<[u64]>,
    pub(crate) random: fastrand::Rng,
    /// What of `received` the watchdog knows.
    seen: u64,
}

impl<S: Carry> Reader<S> {
    pub(crate) fn new(stage: &Arc<Stage<S>>, subscriber: Subscriber<S>, random: &mut fastrand::Rng) -> Self {
        tally::add(Count::Subscribers, 1);
        let (start, base) = (subscriber.next_sequence(), counts(&subscriber));
        let numbers = (0..PUBLISHERS).map(|_| 0).collect();
        let mark = hang::mark(stage.lane, "subscriber", subscriber.id());
        let stage = Arc::clone(stage);
        Self {
            subscriber,
            stage,
            mark,
            start,
            base,
            received: 0,
            missed: 0,
            last: None,
            numbers,
            random: random.fork(),
            seen: 0,
        }
    }

    /// A second reader at the same cursor, which must not get anything twice either.
    pub(crate) fn fork(&mut self) -> Self {
        let mut fork = Self::new(&self.stage, self.subscriber.clone(), &mut self.random);
        check!(fork.start == self.subscriber.next_sequence(), "a clone begins elsewhere");
        fork.numbers.copy_from_slice(&self.numbers);
        fork.last = self.last;
        fork
    }

    pub(crate) fn doing(&self, what: &'static str) {
        self.mark.set(what);
    }

    /// What a receive brought, and nothing was received since: whether it brought something, or `Break` at the end.
    #[inline]
    pub(crate) fn note(&mut self, received: Received) -> ControlFlow<(), bool> {
        match received {
            Ok((sequence, name)) => self.took(sequence, name),
            Err(TryRecvError::Lagged(lagged)) => self.lagged(lagged),
            Err(TryRecvError::Empty) => return Continue(false),
            Err(TryRecvError::Closed) => return Break(()),
        }
        Continue(true)
    }

    #[inline]
    fn took(&mut self, sequence: u64, name: Option<u64>) {
        let (last, subscriber) = (self.last.replace(sequence), &self.subscriber);
        let grows = last.is_none_or(|last| last < sequence) && subscriber.last_sequence() == Some(sequence);
        check!(grows, "sequence {sequence} after {last:?}: {subscriber:?}");
        self.received += 1;
        if let Some(name) = self.look(name) {
            self.stage.saw(sequence, name);
            let parts = message::parts(name);
            let fits = !self.stage.manner.alone() || parts.1 == sequence - self.stage.first;
            check!(fits, "message {parts:?} has sequence {sequence}");
        }
    }

    /// As `note`, for a call that said how many messages it put into a batch, which is emptied.
    pub(crate) fn took_batch(
        &mut self,
        batch: &mut Vec<S::Item>,
        limit: usize,
        received: Result<usize, TryRecvError>,
    ) -> ControlFlow<()> {
        let count = received.unwrap_or(0);
        check!(batch.len() == count && count <= limit, "{} of {limit}: {received:?}", batch.len());
        for message in batch.drain(..) {
            self.look(S::name(&message));
        }
        self.took_unseen(count as u64);
        if let Err(error) = received {
            self.note(Err(error))?;
        }
        Continue(())
    }

    /// As many messages were received, the last of them just now.
    pub(crate) fn took_unseen(&mut self, count: u64) {
        if count > 0 {
            self.received += count;
            let last = self.subscriber.last_sequence();
            let least = self.last.map_or(self.start.wrapping_sub(1), |last| last).wrapping_add(count);
            check!(
                last.is_some_and(|last| last >= least),
                "{count} messages after {:?}: {:?}",
                self.last,
                self.subscriber
            );
            self.last = last;
        }
    }

    /// A message that is whole, and later than any of its publisher before.
    #[inline]
    fn look(&mut self, name: Option<u64>) -> Option<u64> {
        let Some(name) = name else {
            violation(format!("torn, or seen after its drop: {:?}", self.subscriber));
            return None;
        };
        let (publisher, number) = message::parts(name);
        let expected = &mut self.numbers[usize::try_from(publisher).unwrap_or_default()];
        check!(number >= *expected, "number {number} of publisher {publisher} comes twice or late: {expected} is due");
        *expected = number + 1;
        Some(name)
    }

    fn lagged(&mut self, lagged: Lagged) {
        check!(lagged.missed > 0 && lagged.resumed_at == self.subscriber.next_sequence(), "{lagged:?}");
        self.missed += lagged.missed;
        self.settle();
    }

    /// Somebody else swallowed what `Lagged` told.
    pub(crate) fn swallow_lags(&mut self) {
        self.missed = self.subscriber.missed() - self.base[0];
    }

    /// Law 1.
    pub(crate) fn settle(&mut self) {
        let [missed, holes, skipped] = self.counted();
        check!(missed == self.missed, "{} missed as told, {missed} as counted", self.missed);
        let sum = self.received + missed + holes + skipped;
        let moved = self.subscriber.next_sequence().wrapping_sub(self.start);
        check!(
            sum == moved,
            "{} received + {missed} missed + {holes} holes + {skipped} skipped, but moved by {moved}: {:?}",
            self.received,
            self.subscriber
        );
        check!(holes == 0 || !self.stage.manner.alone(), "holes with one publisher");
        if self.received > self.seen {
            self.seen = self.received;
            hang::beat(self.stage.lane);
        }
    }

    fn counted(&self) -> [u64; 3] {
        let now = counts(&self.subscriber);
        [now[0] - self.base[0], now[1] - self.base[1], now[2] - self.base[2]]
    }

    pub(crate) fn seek(&mut self, start: Start) {
        self.settle();
        self.tell();
        let before = self.subscriber.next_sequence();
        self.subscriber.seek(start);
        let now = self.subscriber.next_sequence();
        check!(now >= self.stage.first && now <= self.stage.ring.next_sequence(), "sought to {now}");
        check!(counts(&self.subscriber) == self.base, "a seek counts");
        tally::add(Count::Seeks, 1);
        self.start = now;
        if now < before {
            // What comes again comes as it came before: the witnesses look at that.
            self.last = None;
            self.numbers.fill(0);
        }
    }

    /// Puts the account into the tally, and begins a new one.
    fn tell(&mut self) {
        let [missed, holes, skipped] = self.counted();
        tally::add(Count::Received, self.received);
        tally::add(Count::Missed, missed);
        tally::add(Count::Holes, holes);
        tally::add(Count::Skipped, skipped);
        self.base = counts(&self.subscriber);
        (self.start, self.received, self.seen, self.missed) = (self.subscriber.next_sequence(), 0, 0, 0);
    }

    /// `Closed` was said: at the end, and for ever after.
    pub(crate) fn at_end(&mut self) {
        self.doing("sees the end");
        self.settle();
        let (next, end) = (self.subscriber.next_sequence(), self.stage.ring.next_sequence());
        check!(next == end && self.stage.ring.is_closed(), "closed at {next}, but the end is {end}");
        let wrong = ways::not_closed(&mut self.subscriber, &self.stage);
        check!(wrong.is_empty(), "closed, but not so say {wrong:?}");
        self.settle();
    }
}

fn counts<S: Carry>(subscriber: &Subscriber<S>) -> [u64; 3] {
    [subscriber.missed(), subscriber.holes(), subscriber.skipped_by_choice()]
}

impl<S: Carry> Drop for Reader<S> {
    fn drop(&mut self) {
        self.settle();
        self.tell();
    }
}
