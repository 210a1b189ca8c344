//! Random sequences of operations on a ring and on the obviously right one, which must agree on every answer.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::{CAPACITIES, FIRSTS, model, seed};
use seqcast::{
    Boxed, Builder, Inline, Publisher, Receive, RecvError, RecvTimeoutError, Ref, SharedPublisher, Start, Storage,
    Subscriber, TryRecvError,
};
use std::time::Duration;

/// How numbers are kept, and what can be done with them beyond what every ring does.
trait Numbers: Receive + Storage<Item = u64> + Sized {
    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>);

    /// Receives by reference, if there is such a thing; runs `meanwhile` while the message is held.
    fn hold(subscriber: &mut Subscriber<Self>, path: u8, meanwhile: impl FnOnce())
    -> Option<Result<u64, TryRecvError>>;
}

impl Numbers for Inline<u64> {
    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>) {
        builder.inline()
    }

    fn hold(_: &mut Subscriber<Self>, _: u8, _: impl FnOnce()) -> Option<Result<u64, TryRecvError>> {
        None
    }
}

impl Numbers for Boxed<u64> {
    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>) {
        builder.boxed()
    }

    fn hold(
        subscriber: &mut Subscriber<Self>,
        path: u8,
        meanwhile: impl FnOnce(),
    ) -> Option<Result<u64, TryRecvError>> {
        let next = subscriber.next_sequence();
        let held = match path {
            0 => subscriber.try_recv_ref(),
            1 => subscriber.latest_ref(),
            2 => subscriber.recv_ref_timeout(Duration::ZERO).map_err(|error| match error {
                RecvTimeoutError::Timeout => TryRecvError::Empty,
                RecvTimeoutError::Closed => TryRecvError::Closed,
                RecvTimeoutError::Lagged(lagged) => TryRecvError::Lagged(lagged),
            }),
            _ => match futures::FutureExt::now_or_never(subscriber.recv_ref_async()) {
                None => Err(TryRecvError::Empty),
                Some(received) => received.map_err(TryRecvError::from),
            },
        };
        Some(held.map(|message| {
            let value = *message;
            assert!(Ref::sequence(&message) == next || path == 1);
            meanwhile();
            assert_eq!(*message, value, "it changed while it was held");
            value
        }))
    }
}

enum Publishing<S: Storage> {
    Exclusive(Publisher<S>),
    Shared(Vec<SharedPublisher<S>>),
    Over,
}

struct Pair<S: Storage> {
    real: Subscriber<S>,
    model: model::Subscriber,
}

struct Both<S: Storage> {
    random: fastrand::Rng,
    publishing: Publishing<S>,
    ring: seqcast::Ring<S>,
    model: model::Ring,
    subscribers: Vec<Pair<S>>,
    value: u64,
}

impl<S: Numbers> Both<S> {
    fn new(capacity: usize, slack: usize, first: u64, random: fastrand::Rng) -> Self {
        let (publisher, real) = S::ring(Builder::new(capacity).lag_slack(slack).first_sequence(first));
        let model = model::Ring::new(capacity as u64, slack as u64, first);
        let subscribers = vec![Pair { real, model: model.subscribe(Start::Latest) }];
        let ring = publisher.ring();
        Self { random, publishing: Publishing::Exclusive(publisher), ring, model, subscribers, value: 0 }
    }

    fn next_value(&mut self) -> u64 {
        self.value += 1;
        self.value
    }

    fn publish(&mut self) {
        let value = self.next_value();
        let expected = self.model.publish(value);
        match &mut self.publishing {
            Publishing::Exclusive(publisher) => assert_eq!(Some(publisher.publish(value)), expected),
            Publishing::Shared(publishers) => {
                let published = self.random.choice(&*publishers).unwrap().publish(value);
                assert_eq!(published.ok(), expected);
            }
            Publishing::Over => assert_eq!(expected, None),
        }
    }

    fn publish_many(&mut self) {
        let count = self.random.u64(0..2 * self.ring.capacity().min(40) as u64);
        let values: Vec<_> = (0..count).map(|_| self.next_value()).collect();
        let start = self.model.tail();
        let published = values.iter().filter_map(|value| self.model.publish(*value)).count();
        match &mut self.publishing {
            Publishing::Exclusive(publisher) => assert_eq!(publisher.publish_many(values), start..start + count),
            Publishing::Shared(publishers) => {
                assert_eq!(self.random.choice(&*publishers).unwrap().publish_many(values), published);
            }
            Publishing::Over => assert_eq!(published, 0),
        }
    }

    fn change_publishers(&mut self) {
        self.publishing = match (std::mem::replace(&mut self.publishing, Publishing::Over), self.random.u8(0..8)) {
            (Publishing::Exclusive(publisher), 0..7) => Publishing::Shared(vec![publisher.share()]),
            (Publishing::Exclusive(publisher), _) => {
                self.model.closed = true;
                publisher.close();
                Publishing::Over
            }
            (Publishing::Shared(mut publishers), 0..3) => {
                publishers.push(publishers[0].clone());
                Publishing::Shared(publishers)
            }
            (Publishing::Shared(mut publishers), 3..6) => {
                let last = publishers.len() == 1;
                match publishers.pop().unwrap().try_into_exclusive() {
                    Ok(publisher) => {
                        assert!(last && !self.model.closed);
                        Publishing::Exclusive(publisher)
                    }
                    Err(publisher) => {
                        assert!(!last || self.model.closed);
                        publishers.push(publisher);
                        Publishing::Shared(publishers)
                    }
                }
            }
            (Publishing::Shared(mut publishers), 6) => {
                publishers.pop();
                self.model.closed |= publishers.is_empty();
                if publishers.is_empty() { Publishing::Over } else { Publishing::Shared(publishers) }
            }
            (Publishing::Shared(publishers), _) => {
                assert_eq!(publishers[0].close(), !self.model.closed);
                self.model.closed = true;
                Publishing::Shared(publishers)
            }
            (Publishing::Over, _) => Publishing::Over,
        };
    }

    fn start(&mut self) -> Start {
        let (oldest, tail) = (self.model.oldest(), self.model.tail());
        match self.random.u8(0..6) {
            0 => Start::Latest,
            1 => Start::Oldest,
            2 => Start::At(self.random.u64(..)),
            3 => Start::At(oldest.saturating_sub(self.random.u64(0..3))),
            4 => Start::At(tail + self.random.u64(0..2)),
            _ => Start::At(self.random.u64(oldest..=tail)),
        }
    }

    fn subscribe(&mut self) {
        let start = self.start();
        if self.random.bool() {
            self.subscribers.push(Pair { real: self.ring.subscribe_at(start), model: self.model.subscribe(start) });
        } else {
            match (self.ring.try_subscribe_at(start), self.model.try_subscribe(start)) {
                (Ok(real), Ok(model)) => self.subscribers.push(Pair { real, model }),
                (Err(seqcast::SubscribeError::Evicted { oldest }), Err(model)) => {
                    let slack = oldest - self.model.oldest();
                    assert_eq!(model, seqcast::SubscribeError::Evicted { oldest: oldest - slack });
                }
                (real, model) => assert_eq!(real.err(), model.err()),
            }
        }
    }

    fn receive(&mut self, which: usize) {
        let start = self.start();
        let (model, limit) = (&self.model, self.random.usize(0..6));
        let Pair { real, model: expected } = &mut self.subscribers[which];
        let mut buffer = Vec::new();
        match self.random.u8(0..14) {
            0..3 => assert_eq!(real.try_recv(), expected.try_recv(model)),
            3 => {
                let expected = expected.try_recv_many(model, limit);
                assert_eq!(real.try_recv_many(&mut buffer, limit), expected.as_ref().map(Vec::len).map_err(|e| *e));
                assert_eq!(buffer, expected.unwrap_or_default());
            }
            4 => assert_eq!(real.latest(), expected.latest(model)),
            5 => {
                real.seek(start);
                expected.next = model.cursor(start);
            }
            6 => {
                let taken: Vec<_> = real.try_iter().collect();
                let goal = model.tail();
                for got in taken {
                    assert!(expected.next < goal);
                    assert_eq!(got.map_err(TryRecvError::Lagged), expected.try_recv(model));
                }
                assert_eq!(expected.next, goal);
            }
            7 => assert_eq!(
                real.recv_timeout(Duration::ZERO),
                expected.try_recv(model).map_err(|error| match error {
                    TryRecvError::Empty => RecvTimeoutError::Timeout,
                    TryRecvError::Closed => RecvTimeoutError::Closed,
                    TryRecvError::Lagged(lagged) => RecvTimeoutError::Lagged(lagged),
                })
            ),
            8 | 9 if !real.is_empty() || real.is_closed() => {
                let expected = expected.try_recv(model).map_err(|error| match error {
                    TryRecvError::Empty => panic!("would block"),
                    TryRecvError::Closed => RecvError::Closed,
                    TryRecvError::Lagged(lagged) => RecvError::Lagged(lagged),
                });
                if limit % 2 == 0 {
                    assert_eq!(real.recv(), expected);
                } else {
                    assert_eq!(futures::executor::block_on(real.recv_async()), expected);
                }
            }
            10 => {
                let clone = Pair { real: real.clone(), model: model.subscribe(Start::At(expected.next)) };
                self.subscribers.push(clone);
            }
            11 if self.subscribers.len() > 3 => drop(self.subscribers.swap_remove(which)),
            _ => {}
        }
    }

    /// A message that is held while publishers go on, for some laps perhaps.
    fn hold(&mut self, which: usize) {
        let mut pair = self.subscribers.swap_remove(which);
        let (mut expected, path) = (pair.model.clone(), self.random.u8(0..4));
        let received = match path {
            1 => expected.latest(&self.model),
            _ => expected.try_recv(&self.model),
        };
        let held = S::hold(&mut pair.real, path, || {
            for _ in 0..self.random.u64(0..3) * self.ring.capacity().min(40) as u64 {
                self.publish();
            }
        });
        if let Some(held) = held {
            assert_eq!(held, received);
            pair.model = expected;
        }
        self.subscribers.push(pair);
    }

    fn agree(&self) {
        let (ring, model) = (&self.ring, &self.model);
        assert_eq!(
            (ring.next_sequence(), ring.oldest_sequence(), ring.is_closed(), ring.subscriber_count()),
            (model.tail(), model.oldest(), model.closed, self.subscribers.len())
        );
        for Pair { real, model: expected } in &self.subscribers {
            assert_eq!(
                (real.next_sequence(), real.last_sequence(), real.missed(), real.skipped_by_choice(), real.holes()),
                (expected.next, expected.last, expected.missed, expected.skipped_by_choice, 0)
            );
            assert_eq!((real.is_empty(), real.lag()), (expected.is_empty(model), expected.lag(model)));
        }
        let stats = ring.stats();
        assert_eq!((stats.published, stats.skipped), (model.tail() - model.cursor(Start::At(0)), 0));
        let mut expected: Vec<_> =
            self.subscribers.iter().map(|pair| (pair.real.id(), pair.model.next, pair.model.missed)).collect();
        expected.sort_unstable();
        let told: Vec<_> = stats.subscribers.iter().map(|s| (s.id, s.next_sequence, s.missed)).collect();
        assert_eq!(told, expected);
    }
}

#[test]
fn the_ring_agrees_with_the_obvious_one() {
    agrees::<Inline<u64>>();
}

#[test]
fn the_boxed_ring_agrees_with_the_obvious_one() {
    agrees::<Boxed<u64>>();
}

fn agrees<S: Numbers>() {
    let mut seeds = fastrand::Rng::with_seed(seed());
    for capacity in CAPACITIES {
        for first in FIRSTS {
            for round in 0..12 {
                let mut random = seeds.fork();
                let slack = if round % 4 == 0 { random.usize(0..capacity) } else { 0 };
                let mut both = Both::<S>::new(capacity, slack, first, random);
                for _ in 0..300 {
                    match both.random.u8(0..40) {
                        0..12 => both.publish(),
                        12..14 => both.publish_many(),
                        14 if both.random.u8(0..4) == 0 => both.change_publishers(),
                        15 => both.subscribe(),
                        _ => {
                            let which = both.random.usize(0..both.subscribers.len());
                            if both.random.u8(0..4) == 0 { both.hold(which) } else { both.receive(which) }
                        }
                    }
                    both.agree();
                }
            }
        }
    }
}
