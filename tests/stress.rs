//! Everything at once, and the account at the end.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::{Account, Signed, seed, sign, stress, verify};
use seqcast::Start;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[test]
fn sixteen_publishers_and_sixteen_subscribers() {
    for (capacity, messages) in [(2, 500), (4, 1_000), (64, 3_000), (1024, 3_000)] {
        for first in common::FIRSTS {
            stress::shared(16, 16, capacity, messages, first);
        }
    }
}

#[test]
fn two_publishers_race_for_two_slots() {
    for _ in 0..20 {
        stress::shared(2, 2, 2, 5_000, 0);
    }
}

#[test]
fn one_exclusive_publisher_and_sixteen_subscribers() {
    for capacity in [2, 64, 1024] {
        stress::exclusive(16, capacity, 30_000);
    }
}

#[test]
fn subscribers_come_and_go_while_publishers_run() {
    let mut random = fastrand::Rng::with_seed(seed());
    let (publisher, subscriber) = seqcast::inline::<Signed>(64);
    let publisher = publisher.share();
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

#[test]
fn leaked_subscribers_change_nothing_for_others() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(64);
    for round in 0..1_000 {
        let mut leaked = subscriber.clone();
        assert!(leaked.poll_recv(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending());
        std::mem::forget(leaked);
        publisher.publish(round);
        assert_eq!(subscriber.recv(), Ok(round));
    }
    assert_eq!(publisher.subscriber_count(), 1_001);
}
