//! Runs a program of operations on several handles of a ring and on a trivial model, which must
//! agree on every result. The operations come from [`Choices`]: a seed in the tests, the fuzzer's
//! bytes in `fuzz/`.

mod numbers;
mod operation;
mod publishing;
mod receiving;
mod room;
mod ways;

#[allow(unused_imports, reason = "each test uses a part of it")]
pub(crate) use numbers::{Number, Numbers};

use super::counted::Ledger;
use super::model;
use super::wakers::Counter;
use futures::stream::FusedStream;
use operation::{Operation, Trace, draw, op};
use publishing::Publishing;
use seqcast::{Builder, SharedPublisher, Start, SubscribeError, Subscriber};
use std::cell::OnceCell;
use std::sync::Arc;

/// The source of decisions.
pub(crate) trait Choices {
    /// A number below `bound`, which is not 0.
    fn below(&mut self, bound: u64) -> u64;

    fn any(&mut self) -> u64;

    /// Whether there are more operations to run.
    fn more(&mut self) -> bool;

    fn flag(&mut self) -> bool {
        self.below(2) == 1
    }
}

/// The parameters of a ring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) capacity: usize,
    pub(crate) slack: usize,
    pub(crate) first: u64,
    pub(crate) gated: bool,
}

/// Runs operations while `choices` has any. Afterwards each message must have been dropped once.
pub(crate) fn run<S: Numbers>(shape: Shape, choices: impl Choices) {
    let _trace = Trace::begin();
    let ledger = Ledger::new();
    let suspending = OnceCell::new();
    let mut both = Both::<S, _>::new(shape, choices, Arc::clone(&ledger), &suspending);
    let mut steps = 0_u32;
    while both.choices.more() {
        both.step(0);
        both.agree();
        steps += 1;
        // This comparison costs more than all others.
        if steps % 8 == 0 {
            both.stats_agree();
        }
    }
    both.stats_agree();
    both.finish();
    drop(suspending);
    ledger.settle();
}

/// More handles than this make no difference.
const ENOUGH: usize = 8;

struct Pair<S: seqcast::Storage> {
    real: Subscriber<S>,
    model: model::Subscriber,
    name: Option<String>,
    woken: Arc<Counter>,
    /// The last poll returned `Pending`, and nothing has happened in the ring since.
    waiting: bool,
}

impl<S: seqcast::Storage> Pair<S> {
    fn new(real: Subscriber<S>, model: model::Subscriber) -> Self {
        Self { real, model, name: None, woken: Arc::default(), waiting: false }
    }
}

struct Both<'a, S: seqcast::Storage, C> {
    choices: C,
    ledger: Arc<Ledger>,
    publishing: Publishing<'a, S>,
    ring: seqcast::Ring<S>,
    model: model::Ring,
    subscribers: Vec<Pair<S>>,
    /// Subscribers that hold a message now. They are absent from `subscribers` meanwhile.
    held: Vec<model::Subscriber>,
    capacity: u64,
    gated: bool,
    value: u64,
    /// What the last statistics reported: the messages published, and the totals.
    published: u64,
    totals: [u64; 4],
}

type Step<B> = Operation<fn(&mut B, u32)>;
type Subscribing<B, S> = Operation<fn(&B, Start) -> Option<Pair<S>>>;

impl<'a, S: Numbers, C: Choices> Both<'a, S, C> {
    fn new(shape: Shape, choices: C, ledger: Arc<Ledger>, suspending: &'a OnceCell<SharedPublisher<S>>) -> Self {
        let Shape { capacity, slack, first, gated } = shape;
        let builder = Builder::new(capacity).lag_slack(slack).first_sequence(first);
        let (publisher, real) = S::ring(if gated { builder.gated() } else { builder });
        let model = model::Ring::new(capacity as u64, slack as u64, first, gated);
        let subscribers = vec![Pair::new(real, model.subscribe(Start::Latest))];
        let ring = publisher.ring();
        assert_eq!((ring.capacity(), publisher.capacity()), (capacity, capacity));
        let publishing = Publishing::new(publisher, suspending);
        Self {
            choices,
            ledger,
            publishing,
            ring,
            model,
            subscribers,
            held: Vec::new(),
            capacity: capacity as u64,
            gated,
            value: 0,
            published: 0,
            totals: [0; 4],
        }
    }

    /// The next operation. Its argument is the number of operations inside which it runs.
    /// Operations of gated rings only come last.
    const STEPS: [Step<Self>; 11] = [
        op("publish", 12, |both, _| both.publish()),
        op("publish_many", 2, |both, _| both.publish_many()),
        op("publisher:", 1, |both, _| both.change_publishers()),
        op("new:", 1, |both, _| both.subscribe()),
        op("suspend:", 3, |both, _| both.suspend()),
        op("hold:", 5, |both, depth| if depth < 2 { both.hold(depth) } else { both.receive() }),
        op("subscriber:", 24, |both, _| both.receive()),
        op("new gate:", 3, |both, _| both.subscribe_gating()),
        op("wait for room:", 6, |both, depth| if depth < 2 { both.wait(depth) } else { both.receive() }),
        op("make room:", 3, |both, _| both.make_room()),
        op("expire_gate_deadline", 1, |both, _| both.expire()),
    ];

    /// The number of `STEPS` for all rings.
    const ORDINARY: usize = 7;

    /// Runs one operation. `depth` is the number of operations inside which it runs.
    fn step(&mut self, depth: u32) {
        let steps = if self.gated { &Self::STEPS[..] } else { &Self::STEPS[..Self::ORDINARY] };
        let step = draw(&mut self.choices, steps).begin();
        step(self, depth);
    }

    fn start(&mut self) -> Start {
        let (oldest, tail) = (self.model.oldest(), self.model.tail());
        match self.choices.below(6) {
            0 => Start::Latest,
            1 => Start::Oldest,
            2 => Start::At(self.choices.any()),
            3 => Start::At(oldest.saturating_sub(self.choices.below(3))),
            4 => Start::At(tail + self.choices.below(2)),
            _ => Start::At(oldest + self.choices.below(tail - oldest + 1)),
        }
    }

    fn subscribe(&mut self) {
        let start = self.start();
        if self.subscribers.len() >= ENOUGH {
            return;
        }
        let subscribe = draw(&mut self.choices, &Self::SUBSCRIBING).begin();
        self.subscribers.extend(subscribe(self, start));
    }

    /// How a subscriber is made. `None` if the ring refuses it.
    const SUBSCRIBING: [Subscribing<Self, S>; 3] = [
        op("subscribe_at", 1, |both, start| {
            let real = both.publishing.subscribe_at(start).unwrap_or_else(|| both.ring.subscribe_at(start));
            Some(Pair::new(real, both.model.subscribe(start)))
        }),
        op("subscribe", 1, |both, _| {
            let ring = both.subscribers.first().map_or_else(|| both.ring.clone(), |pair| pair.real.ring());
            Some(Pair::new(ring.subscribe(), both.model.subscribe(Start::Latest)))
        }),
        op("try_subscribe_at", 2, |both, start| {
            match (both.ring.try_subscribe_at(start), both.model.try_subscribe(start)) {
                (Ok(real), Ok(model)) => Some(Pair::new(real, model)),
                (real, model) => {
                    let refused: Option<SubscribeError> = real.err();
                    assert_eq!(refused, model.err());
                    None
                }
            }
        }),
    ];

    fn agree(&self) {
        let (ring, model) = (&self.ring, &self.model);
        assert_eq!(
            (ring.next_sequence(), ring.oldest_sequence(), ring.is_closed(), ring.subscriber_count()),
            (model.tail(), model.oldest(), model.closed, self.subscribers.len())
        );
        for Pair { real, model: expected, .. } in &self.subscribers {
            assert_eq!(
                (real.next_sequence(), real.last_sequence(), real.missed(), real.skipped_by_choice(), real.holes()),
                (expected.next, expected.last, expected.missed, expected.skipped_by_choice, expected.holes)
            );
            assert_eq!((real.is_empty(), real.lag()), (expected.is_empty(model), expected.lag(model)));
            assert_eq!(real.is_gating(), expected.gate.is_some());
            assert_eq!(
                (real.start_sequence(), real.received(), real.is_terminated()),
                (expected.start, expected.received - expected.received_before, expected.ended)
            );
        }
    }

    fn stats_agree(&mut self) {
        let model = &self.model;
        let stats = self.ring.stats();
        let holes = model.holes();
        // A publisher that skips the last sequence finds no other one. `published` does not
        // decrease then.
        self.published = self.published.max(model.claimed() - holes);
        let (totals, live) = (stats.totals, &stats.subscribers);
        let now = [totals.received, totals.missed, totals.holes, totals.skipped_by_choice];
        assert!(self.totals.iter().zip(now).all(|(before, now)| *before <= now), "{now:?} after {:?}", self.totals);
        assert!(
            totals.received >= live.iter().map(|live| live.received).sum()
                && totals.missed >= live.iter().map(|live| live.missed).sum()
        );
        self.totals = now;
        assert_eq!(stats.capacity as u64, self.capacity);
        if !self.gated {
            assert_eq!(self.ring.subscribe_gating().err(), Some(SubscribeError::NotGated));
            assert!(stats.publishers_waited.is_zero());
        }
        let expected = (model.tail(), self.ring.capacity(), self.subscribers.len());
        assert!(self.publishing.look_ups().is_none_or(|look_ups| look_ups == expected));
        assert_eq!((stats.published, stats.skipped, stats.closed), (self.published, holes, model.closed));
        let mut expected: Vec<_> = self.subscribers.iter().collect();
        expected.sort_unstable_by_key(|pair| pair.real.id());
        assert_eq!(stats.subscribers.len(), expected.len());
        for (reported, Pair { real, model: expected, name, .. }) in stats.subscribers.iter().zip(expected) {
            assert_eq!((reported.gating, reported.demoted), (expected.gate.is_some(), expected.demoted));
            assert_eq!((real.is_closed(), real.capacity()), (model.closed, stats.capacity));
            assert_eq!(
                (
                    reported.id,
                    reported.next_sequence,
                    reported.lag,
                    reported.received,
                    reported.missed,
                    reported.holes,
                    reported.skipped_by_choice
                ),
                (
                    real.id(),
                    expected.next,
                    expected.lag(model),
                    expected.received,
                    expected.missed,
                    expected.holes,
                    expected.skipped_by_choice
                )
            );
            assert_eq!(reported.name, *name);
        }
    }

    /// Drops all handles, publishers or subscribers first.
    fn finish(mut self) {
        if self.choices.flag() {
            self.subscribers.clear();
        }
        if self.choices.flag() {
            self.publishing.close_by_dropping(&mut self.model);
            for Pair { real, model, .. } in &mut self.subscribers {
                // Subscribers may not reach the end: a claim before it may never be committed.
                for _ in 0..2 * self.capacity + 2 {
                    assert_eq!(real.try_recv().map(S::open), model.try_recv(&self.model));
                }
            }
        }
    }

    /// Something has happened in the ring. Every waiting subscriber must have been woken.
    fn expect_woken(&mut self) {
        for pair in self.subscribers.iter_mut().filter(|pair| pair.waiting) {
            pair.waiting = false;
            assert!(pair.woken.take() > 0, "a waiting subscriber was not woken");
        }
    }
}
