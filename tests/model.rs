//! Random sequences of operations on a ring and on the obviously right one, which must agree on every answer.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::{CAPACITIES, FIRSTS, model, seed};
use seqcast::{
    Builder, Inline, Publisher, RecvError, RecvTimeoutError, SharedPublisher, Start, Subscriber, TryRecvError,
};
use std::time::Duration;

type Storage = Inline<u64>;

enum Publishing {
    Exclusive(Publisher<Storage>),
    Shared(Vec<SharedPublisher<Storage>>),
    Over,
}

struct Pair {
    real: Subscriber<Storage>,
    model: model::Subscriber,
}

struct Both {
    random: fastrand::Rng,
    publishing: Publishing,
    ring: seqcast::Ring<Storage>,
    model: model::Ring,
    subscribers: Vec<Pair>,
    value: u64,
}

impl Both {
    fn new(capacity: usize, slack: usize, first: u64, random: fastrand::Rng) -> Self {
        let (publisher, real) = Builder::new(capacity).lag_slack(slack).first_sequence(first).inline();
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
    let mut seeds = fastrand::Rng::with_seed(seed());
    for capacity in CAPACITIES {
        for first in FIRSTS {
            for round in 0..12 {
                let mut random = seeds.fork();
                let slack = if round % 4 == 0 { random.usize(0..capacity) } else { 0 };
                let mut both = Both::new(capacity, slack, first, random);
                for _ in 0..300 {
                    match both.random.u8(0..40) {
                        0..12 => both.publish(),
                        12..14 => both.publish_many(),
                        14 if both.random.u8(0..4) == 0 => both.change_publishers(),
                        15 => both.subscribe(),
                        _ => {
                            let which = both.random.usize(0..both.subscribers.len());
                            both.receive(which);
                        }
                    }
                    both.agree();
                }
            }
        }
    }
}
