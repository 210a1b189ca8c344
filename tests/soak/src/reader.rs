//! A subscriber with its account.

use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;

use seqcast::{Lagged, Start, Subscriber, TryRecvError};

use crate::common::Account;
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
    account: Account,
    /// The start of a gating subscriber's guarantee: it loses no message from here on.
    guaranteed: Option<u64>,
    was_gating: bool,
    /// It receives every message, and never only the newest one.
    pub(crate) thorough: bool,
    /// The least number expected next from each publisher.
    numbers: Box<[u64]>,
    pub(crate) random: fastrand::Rng,
    /// The received count that was last reported to the watchdog.
    seen: u64,
}

impl<S: Carry> Reader<S> {
    pub(crate) fn new(stage: &Arc<Stage<S>>, subscriber: Subscriber<S>, random: &mut fastrand::Rng) -> Self {
        tally::add(Count::Subscribers, 1);
        let account = Account::new(&subscriber);
        let numbers = (0..PUBLISHERS).map(|_| 0).collect();
        let mark = hang::mark(stage.lane, "subscriber", subscriber.id());
        let stage = Arc::clone(stage);
        let was_gating = subscriber.is_gating();
        tally::add(Count::GatingSubscribers, was_gating.into());
        let (guaranteed, random) = (None, random.fork());
        Self { subscriber, stage, mark, account, guaranteed, was_gating, thorough: false, numbers, random, seen: 0 }
    }

    /// A gating subscriber. Publishers wait for it from this sequence on.
    pub(crate) fn gating(
        stage: &Arc<Stage<S>>,
        subscriber: Subscriber<S>,
        from: u64,
        random: &mut fastrand::Rng,
    ) -> Self {
        let mut reader = Self::new(stage, subscriber, random);
        reader.guaranteed = stage.manner.exact().then_some(from);
        reader.settle();
        reader
    }

    /// A second reader with the same cursor. It, too, must not receive any message twice.
    pub(crate) fn fork(&mut self) -> Self {
        let mut fork = Self::new(&self.stage, self.subscriber.clone(), &mut self.random);
        check!(fork.account.start == self.subscriber.next_sequence(), "a clone has another cursor");
        fork.numbers.copy_from_slice(&self.numbers);
        fork.guaranteed = self.guaranteed;
        fork.thorough = self.thorough;
        fork
    }

    pub(crate) fn doing(&self, what: &'static str) {
        self.mark.set(what);
    }

    /// Records the result of the last receive. Returns whether it received a message or a loss, or
    /// `Break` at the end.
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
        self.took_unseen(1);
        let last = self.subscriber.last_sequence();
        check!(
            last == Some(sequence),
            "the last sequence is {last:?}, but {sequence} was received: {:?}",
            self.subscriber
        );
        if let Some(name) = self.verify(name) {
            self.stage.saw(sequence, name);
            let parts = message::parts(name);
            let fits = !self.stage.manner.alone() || parts.1 == sequence - self.stage.first;
            check!(fits, "message {parts:?} has sequence {sequence}");
        }
    }

    /// Like `note`, for a call that returned how many messages it appended to a batch. Empties the
    /// batch.
    pub(crate) fn took_batch(
        &mut self,
        batch: &mut Vec<S::Item>,
        limit: usize,
        received: Result<usize, TryRecvError>,
    ) -> ControlFlow<()> {
        let count = received.unwrap_or(0);
        check!(batch.len() == count && count <= limit, "{} of {limit}: {received:?}", batch.len());
        for message in batch.drain(..) {
            self.verify(S::name(&message));
        }
        self.took_unseen(count as u64);
        if let Err(error) = received {
            self.note(Err(error))?;
        }
        Continue(())
    }

    /// Records that `count` messages were received.
    #[inline]
    pub(crate) fn took_unseen(&mut self, count: u64) {
        report(self.account.check_received(&self.subscriber, count));
    }

    /// Checks that a message is whole, and later than its publisher's messages before.
    #[inline]
    fn verify(&mut self, name: Option<u64>) -> Option<u64> {
        let Some(name) = name else {
            violation(format!("a message is torn, or was read after its drop: {:?}", self.subscriber));
            return None;
        };
        let (publisher, number) = message::parts(name);
        let expected = &mut self.numbers[usize::try_from(publisher).unwrap_or_default()];
        check!(
            number >= *expected,
            "number {number} of publisher {publisher} was received twice or late: expected {expected}"
        );
        *expected = number + 1;
        Some(name)
    }

    fn lagged(&mut self, lagged: Lagged) {
        report(self.account.check_lagged(&self.subscriber, lagged));
        check!(
            self.guaranteed.is_none_or(|from| lagged.resumed_at <= from),
            "a gating subscriber lost messages after {:?}: {lagged:?} of {:?}",
            self.guaranteed,
            self.subscriber
        );
        self.settle();
    }

    /// An adapter has hidden the losses since the cursor was `before`.
    pub(crate) fn swallow_lags(&mut self, before: u64) {
        let missed = self.account.counted(&self.subscriber).missed;
        check!(
            missed == self.account.missed || self.guaranteed.is_none_or(|from| before < from),
            "a gating subscriber lost messages after {before}: {:?}",
            self.subscriber
        );
        self.account.missed = missed;
    }

    /// Checks law 1.
    pub(crate) fn settle(&mut self) {
        report(self.account.check_balance(&self.subscriber));
        let holes = self.account.counted(&self.subscriber).holes;
        check!(holes == 0 || !self.stage.manner.alone(), "a hole although there is a single publisher");
        check!(
            self.guaranteed.is_none() || self.subscriber.is_gating(),
            "a gating subscriber was demoted without a deadline"
        );
        if self.account.received > self.seen {
            self.seen = self.account.received;
            hang::beat(self.stage.lane);
        }
    }

    pub(crate) fn seek(&mut self, start: Start) {
        self.settle();
        self.add_to_tally();
        let (before, counted) = (self.subscriber.next_sequence(), self.account.counted(&self.subscriber));
        self.subscriber.seek(start);
        let now = self.subscriber.next_sequence();
        // Messages that it has read may have been overwritten.
        self.guaranteed = self.guaranteed.map(|from| from.max(before));
        check!(now >= self.stage.first && now <= self.stage.ring.next_sequence(), "a seek moved the cursor to {now}");
        check!(self.account.counted(&self.subscriber) == counted, "a seek changed the counts");
        tally::add(Count::Seeks, 1);
        (self.account, self.seen) = (Account::after_seek(&self.subscriber), 0);
        if now < before {
            // Messages received again have the same numbers as before. `Stage::saw` checks that.
            self.numbers.fill(0);
        }
    }

    /// Adds the account to the tally.
    fn add_to_tally(&self) {
        let counted = self.account.counted(&self.subscriber);
        tally::add(Count::Received, self.account.received);
        if self.guaranteed.is_some() {
            tally::add(Count::GatingReceived, self.account.received);
        }
        tally::add(Count::Missed, counted.missed);
        tally::add(Count::Holes, counted.holes);
        tally::add(Count::Skipped, counted.skipped);
    }

    /// Checks that every way to receive returns `Closed`, at the end, from then on.
    pub(crate) fn at_end(&mut self) {
        self.doing("sees the end");
        self.settle();
        let (next, end) = (self.subscriber.next_sequence(), self.stage.ring.next_sequence());
        check!(next == end && self.stage.ring.is_closed(), "closed at {next}, but the end is {end}");
        let wrong = ways::not_closed(&mut self.subscriber, &self.stage);
        check!(wrong.is_empty(), "the ring is closed, but {wrong:?} do not report it");
        self.settle();
    }
}

/// Reports a violation, if there is one.
#[inline]
fn report(checked: Result<(), String>) {
    if let Err(wrong) = checked {
        violation(wrong);
    }
}

impl<S: Carry> Drop for Reader<S> {
    fn drop(&mut self) {
        self.settle();
        self.add_to_tally();
        tally::add(Count::Demoted, (self.was_gating && !self.subscriber.is_gating()).into());
    }
}
