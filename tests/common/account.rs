//! The account of one subscriber: each sequence that its cursor passes is counted once (law 1), and
//! received sequences increase (law 2).
#![allow(dead_code, reason = "each test uses a part of it")]

use seqcast::{Lagged, Storage, Subscriber};

/// A test reports each receive of a subscriber to its account. Functions that begin with `check`
/// return an error, the others panic with it.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) start: u64,
    pub(crate) received: u64,
    /// The sum of what `Lagged` reported.
    pub(crate) missed: u64,
    /// The last received sequence.
    pub(crate) last: Option<u64>,
    before: Counts,
}

/// What a subscriber has counted since it subscribed, regardless of seeks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) missed: u64,
    pub(crate) holes: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    fn of<S: Storage>(subscriber: &Subscriber<S>) -> Self {
        Self { missed: subscriber.missed(), holes: subscriber.holes(), skipped: subscriber.skipped_by_choice() }
    }
}

fn ensure(holds: bool, wrong: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(wrong()) }
}

#[track_caller]
fn expect(checked: Result<(), String>) {
    if let Err(wrong) = checked {
        panic!("{wrong}");
    }
}

impl Account {
    /// The account of a subscriber that has received nothing.
    pub(crate) fn new<S: Storage>(subscriber: &Subscriber<S>) -> Self {
        Self { start: subscriber.next_sequence(), received: 0, missed: 0, last: None, before: Counts::default() }
    }

    /// The account of a subscriber that has called `seek` immediately before.
    pub(crate) fn after_seek<S: Storage>(subscriber: &Subscriber<S>) -> Self {
        Self { before: Counts::of(subscriber), ..Self::new(subscriber) }
    }

    /// What the subscriber has counted since this account began.
    pub(crate) fn counted<S: Storage>(&self, subscriber: &Subscriber<S>) -> Counts {
        let (now, before) = (Counts::of(subscriber), self.before);
        Counts {
            missed: now.missed - before.missed,
            holes: now.holes - before.holes,
            skipped: now.skipped - before.skipped,
        }
    }

    /// `count` messages have been received. The last one is the subscriber's last sequence.
    pub(crate) fn check_received<S: Storage>(&mut self, subscriber: &Subscriber<S>, count: u64) -> Result<(), String> {
        if count == 0 {
            return Ok(());
        }
        let least = self.last.map_or(self.start, |last| last + 1) + (count - 1);
        let last = subscriber.last_sequence();
        ensure(last >= Some(least), || {
            format!("law 2: {count} received up to {last:?}, of {self:?} of {subscriber:?}")
        })?;
        self.last = last;
        self.received += count;
        Ok(())
    }

    #[track_caller]
    pub(crate) fn received<S: Storage>(&mut self, subscriber: &Subscriber<S>, count: usize) {
        expect(self.check_received(subscriber, count as u64));
    }

    /// A loss has been reported.
    pub(crate) fn check_lagged<S: Storage>(
        &mut self,
        subscriber: &Subscriber<S>,
        lagged: Lagged,
    ) -> Result<(), String> {
        self.missed += lagged.missed;
        let fits = lagged.missed > 0 && lagged.resumed_at == subscriber.next_sequence();
        ensure(fits, || format!("{lagged:?} of {subscriber:?}"))
    }

    #[track_caller]
    pub(crate) fn lagged<S: Storage>(&mut self, subscriber: &Subscriber<S>, lagged: Lagged) {
        expect(self.check_lagged(subscriber, lagged));
    }

    /// Checks law 1, and that the subscriber's own counters agree.
    pub(crate) fn check_balance<S: Storage>(&self, subscriber: &Subscriber<S>) -> Result<(), String> {
        let counted = self.counted(subscriber);
        let wrong = |what: &str| format!("{what}: {self:?}, {counted:?} of {subscriber:?}");
        ensure(self.missed == counted.missed, || wrong("missed as reported and as counted"))?;
        let sum = self.received + self.missed + counted.holes + counted.skipped;
        ensure(sum == subscriber.next_sequence() - self.start, || wrong("law 1"))?;
        let same = (self.received, self.start) == (subscriber.received(), subscriber.start_sequence());
        ensure(same, || wrong("received as reported and as counted"))
    }

    #[track_caller]
    pub(crate) fn settle<S: Storage>(&self, subscriber: &Subscriber<S>) {
        expect(self.check_balance(subscriber));
    }
}
