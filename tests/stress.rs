//! Many publishers and subscribers of every kind at once; at the end everything adds up to the unit (laws 1 to 3, 7).
#![cfg(not(loom))]

mod common;

use common::{Account, read_to_end, seed, sign, verify};
use seqcast::{Builder, Inline, SharedPublisher, Start, Subscriber};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

type Message = common::Signed;

/// Remembers who sent each sequence; two subscribers that see one sequence must see the same message (law 2).
struct Witness(Vec<AtomicU64>);

impl Witness {
    fn new() -> Self {
        Self((0..1 << 16).map(|_| AtomicU64::new(u64::MAX)).collect())
    }

    fn saw(&self, offset: u64, (publisher, number): (u64, u64)) {
        let Some(place) = usize::try_from(offset).ok().and_then(|at| self.0.get(at)) else { return };
        let name = publisher << 32 | number;
        let before = place
            .compare_exchange(u64::MAX, name, Ordering::Relaxed, Ordering::Relaxed)
            .unwrap_or_else(|before| before);
        assert!(before == u64::MAX || before == name, "two messages under one sequence");
    }
}

/// Reads to the end and checks all that one subscriber can check. Returns (received, missed, holes).
fn check(mut subscriber: Subscriber<Inline<Message>>, path: u64, first: u64, witness: &Witness) -> [u64; 3] {
    let mut account = Account::new(&subscriber);
    let mut last = [None; 32];
    read_to_end(&mut subscriber, path, &mut account, |subscriber, message| {
        let (publisher, number) = verify(message);
        let before = last[publisher as usize].replace(number);
        assert!(before < Some(number), "out of its publisher's order");
        if path % 5 == 0 {
            witness.saw(subscriber.last_sequence().unwrap() - first, (publisher, number));
        }
    });
    assert_eq!(subscriber.next_sequence(), subscriber.ring().next_sequence(), "not at the end");
    [account.received, account.missed, subscriber.holes()]
}

fn all_at_once(publishers: u64, subscribers: u64, capacity: usize, messages: u64, first: u64) {
    let (publisher, subscriber) = Builder::new(capacity).first_sequence(first).inline::<Message>();
    let publisher = publisher.share();
    let ring = publisher.ring();
    let witness = Witness::new();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..subscribers)
            .map(|path| {
                let (subscriber, witness) = (subscriber.clone(), &witness);
                scope.spawn(move || check(subscriber, path, first, witness))
            })
            .collect();
        drop(subscriber);
        for id in 0..publishers {
            let publisher = publisher.clone();
            scope.spawn(move || {
                let mut numbers = 0..messages;
                while let Some(number) = numbers.next() {
                    publisher.publish(sign(id, number)).unwrap();
                    if number % 16 == 0 {
                        publisher.publish_many(numbers.by_ref().take(5).map(|number| sign(id, number)));
                    }
                }
            });
        }
        drop(publisher);
        let sums: Vec<_> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
        let stats = ring.stats();
        assert_eq!(stats.published, publishers * messages);
        assert_eq!(stats.published + stats.skipped, ring.next_sequence() - first);
        for [received, missed, holes] in sums {
            // Missed counts sequences, so it may include holes; what it cannot is hide a message.
            assert_eq!(received + missed + holes, stats.published + stats.skipped);
            assert!(holes <= stats.skipped && received <= stats.published);
        }
    });
}

#[test]
fn sixteen_publishers_and_sixteen_subscribers() {
    for (capacity, messages) in [(2, 500), (4, 1_000), (64, 3_000), (1024, 3_000)] {
        for first in common::FIRSTS {
            all_at_once(16, 16, capacity, messages, first);
        }
    }
}

#[test]
fn two_publishers_race_for_two_slots() {
    for _ in 0..20 {
        all_at_once(2, 2, 2, 5_000, 0);
    }
}

#[test]
fn one_exclusive_publisher_and_sixteen_subscribers() {
    for capacity in [2, 64, 1024] {
        let (mut publisher, subscriber) = seqcast::inline::<Message>(capacity);
        let witness = Witness::new();
        thread::scope(|scope| {
            let readers: Vec<_> = (0..16)
                .map(|path| {
                    let (subscriber, witness) = (subscriber.clone(), &witness);
                    scope.spawn(move || check(subscriber, path, 0, witness))
                })
                .collect();
            for number in 0..30_000 {
                assert_eq!(publisher.publish(sign(0, number)), number);
                if number % 64 == 0 {
                    thread::yield_now();
                }
            }
            drop(publisher);
            for reader in readers {
                let [received, missed, holes] = reader.join().unwrap();
                assert_eq!((received + missed, holes), (30_000, 0));
            }
        });
    }
}

#[test]
fn subscribers_come_and_go_while_publishers_run() {
    let mut random = fastrand::Rng::with_seed(seed());
    let (publisher, subscriber) = seqcast::inline::<Message>(64);
    let publisher: SharedPublisher<Inline<Message>> = publisher.share();
    let ring = publisher.ring();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for id in 0..2 {
            let (publisher, over) = (publisher.clone(), &over);
            scope.spawn(move || {
                for number in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    publisher.publish(sign(id, number)).unwrap();
                }
            });
        }
        let comers: Vec<_> = (0..4)
            .map(|_| {
                let (ring, mut random) = (ring.clone(), random.fork());
                scope.spawn(move || {
                    for _ in 0..2_000 {
                        let start = match random.u8(0..3) {
                            0 => Start::Latest,
                            1 => Start::Oldest,
                            _ => Start::At(ring.next_sequence().saturating_sub(random.u64(0..100))),
                        };
                        let mut subscriber = ring.subscribe_at(start);
                        let mut account = Account::new(&subscriber);
                        for _ in 0..random.u8(0..8) {
                            match subscriber.recv() {
                                Ok(message) => {
                                    verify(message);
                                    account.received(&subscriber, 1);
                                }
                                Err(seqcast::RecvError::Lagged(lagged)) => account.lagged(&subscriber, lagged),
                                Err(seqcast::RecvError::Closed) => panic!("closed"),
                            }
                        }
                        account.settle(&subscriber);
                        if random.u8(..) < 3 {
                            std::mem::forget(subscriber);
                        }
                    }
                })
            })
            .collect();
        for comer in comers {
            comer.join().unwrap();
        }
        over.store(true, Ordering::Relaxed);
    });
    drop((publisher, subscriber));
    let stats = ring.stats();
    assert_eq!(stats.published + stats.skipped, ring.next_sequence());
}
