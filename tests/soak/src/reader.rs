//! A subscriber and its account.

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
    /// Where the guarantee of a gating subscriber starts: it loses no message from here on.
    guaranteed: Option<u64>,
    was_gating: bool,
    /// It receives every message, and never asks for the newest one only.
    pub(crate) thorough: bool,
    /// The number expected next, or later, from each publisher.
    numbers: Box<[u64]>,
    pub(crate) random: fastrand::Rng,
    /// How many of those received the watchdog knows of.
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
        tally::add(Count::Gates, was_gating.into());
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

    /// A second reader at the same cursor, which must not get anything twice either.
    pub(crate) fn fork(&mut self) -> Self {
        let mut fork = Self::new(&self.stage, self.subscriber.clone(), &mut self.random);
        check!(fork.account.start == self.subscriber.next_sequence(), "a clone begins elsewhere");
        fork.numbers.copy_from_slice(&self.numbers);
        fork.guaranteed = self.guaranteed;
        fork.thorough = self.thorough;
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
        self.took_unseen(1);
        let last = self.subscriber.last_sequence();
        check!(last == Some(sequence), "{last:?} was received last, not {sequence}: {:?}", self.subscriber);
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
    #[inline]
    pub(crate) fn took_unseen(&mut self, count: u64) {
        report(self.account.check_received(&self.subscriber, count));
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
        report(self.account.check_lagged(&self.subscriber, lagged));
        check!(
            self.guaranteed.is_none_or(|from| lagged.resumed_at <= from),
            "a gating subscriber lost messages after {:?}: {lagged:?} of {:?}",
            self.guaranteed,
            self.subscriber
        );
        self.settle();
    }

    /// Somebody else swallowed what `Lagged` told since the subscriber stood at `before`.
    pub(crate) fn swallow_lags(&mut self, before: u64) {
        let missed = self.account.counted(&self.subscriber).missed;
        check!(
            missed == self.account.missed || self.guaranteed.is_none_or(|from| before < from),
            "a gating subscriber lost messages after {before}: {:?}",
            self.subscriber
        );
        self.account.missed = missed;
    }

    /// Law 1.
    pub(crate) fn settle(&mut self) {
        report(self.account.check_balance(&self.subscriber));
        let holes = self.account.counted(&self.subscriber).holes;
        check!(holes == 0 || !self.stage.manner.alone(), "holes with one publisher");
        check!(self.guaranteed.is_none() || self.subscriber.is_gating(), "demoted without a deadline");
        if self.account.received > self.seen {
            self.seen = self.account.received;
            hang::beat(self.stage.lane);
        }
    }

    pub(crate) fn seek(&mut self, start: Start) {
        self.settle();
        self.tell();
        let (before, counted) = (self.subscriber.next_sequence(), self.account.counted(&self.subscriber));
        self.subscriber.seek(start);
        let now = self.subscriber.next_sequence();
        // Messages that it had read may have been overwritten.
        self.guaranteed = self.guaranteed.map(|from| from.max(before));
        check!(now >= self.stage.first && now <= self.stage.ring.next_sequence(), "sought to {now}");
        check!(self.account.counted(&self.subscriber) == counted, "a seek counts");
        tally::add(Count::Seeks, 1);
        (self.account, self.seen) = (Account::after_seek(&self.subscriber), 0);
        if now < before {
            // What comes again comes as it came before: the witnesses look at that.
            self.numbers.fill(0);
        }
    }

    /// Puts the account into the tally.
    fn tell(&self) {
        let counted = self.account.counted(&self.subscriber);
        tally::add(Count::Received, self.account.received);
        if self.guaranteed.is_some() {
            tally::add(Count::GatesReceived, self.account.received);
        }
        tally::add(Count::Missed, counted.missed);
        tally::add(Count::Holes, counted.holes);
        tally::add(Count::Skipped, counted.skipped);
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

/// A violation, if there is one.
#[inline]
fn report(checked: Result<(), String>) {
    if let Err(wrong) = checked {
        violation(wrong);
    }
}

impl<S: Carry> Drop for Reader<S> {
    fn drop(&mut self) {
        self.settle();
        self.tell();
        tally::add(Count::Demoted, (self.was_gating && !self.subscriber.is_gating()).into());
    }
}
