//! Everything at once, and the account at the end.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::{Account, Carry, Signed, seed, sign, stress, verify};
use seqcast::{Boxed, Builder, Inline, Start};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

type Plain = Inline<Signed>;
type Owning = Boxed<Box<Signed>>;

fn many_at_once<S: Carry>() {
    for (capacity, messages) in [(2, 500), (4, 1_000), (64, 3_000), (1024, 3_000)] {
        for first in common::FIRSTS {
            stress::shared::<S>(16, 16, capacity, messages, first);
        }
    }
}

#[test]
fn sixteen_publishers_and_sixteen_subscribers() {
    many_at_once::<Plain>();
}

#[test]
fn sixteen_publishers_and_sixteen_subscribers_of_a_boxed_ring() {
    many_at_once::<Owning>();
}

#[test]
fn two_publishers_race_for_two_slots() {
    for _ in 0..20 {
        stress::shared::<Plain>(2, 2, 2, 5_000, 0);
        stress::shared::<Owning>(2, 8, 2, 2_000, 0);
    }
}

#[test]
fn one_exclusive_publisher_and_sixteen_subscribers() {
    for capacity in [2, 64, 1024] {
        stress::exclusive::<Plain>(16, capacity, 30_000);
        stress::exclusive::<Owning>(16, capacity, 30_000);
    }
}

#[test]
fn subscribers_come_and_go_while_publishers_run() {
    come_and_go::<Plain>();
    come_and_go::<Owning>();
}

fn come_and_go<S: Carry>() {
    let mut random = fastrand::Rng::with_seed(seed());
    let (publisher, subscriber) = S::ring(Builder::new(64));
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
                    publisher.publish(S::wrap(sign(id, number))).ok().unwrap();
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
                            let path = random.u64(..S::PATHS);
                            let received = match path {
                                0..5 => subscriber.recv().map(S::open),
                                path => S::borrow(&mut subscriber, path),
                            };
                            match received {
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
