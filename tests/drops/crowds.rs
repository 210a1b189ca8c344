//! Many publishers and subscribers that join, borrow and leave.

use crate::common::counted::{Counted, Ledger};
use crate::common::{seed, testing};
use crate::make;
use seqcast::{RecvError, Ref, Start};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[test]
fn a_hundred_thousand_subscribers_come_borrow_and_go_while_publishers_run() {
    let ledger = Ledger::new();
    let (publisher, subscriber) = seqcast::boxed::<Counted>(64);
    let publisher = publisher.share();
    let ring = subscriber.ring();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            let (publisher, ledger, over) = (publisher.clone(), &ledger, &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    publisher.publish(ledger.make()).unwrap();
                }
            });
        }
        let comers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut borrowed = 0;
                    for _ in 0..50_000 {
                        let mut subscriber = ring.subscribe_at(Start::Oldest);
                        if let Ok(message) = subscriber.try_recv_ref() {
                            message.verify();
                            borrowed += 1;
                        }
                    }
                    borrowed
                })
            })
            .collect();
        let borrowed: u64 = comers.into_iter().map(|comer| comer.join().unwrap()).sum();
        over.store(true, Ordering::Relaxed);
        assert!(borrowed > 0);
    });
    drop((publisher, subscriber));
    drop(ring);
    ledger.settle();
}

#[test]
fn publishers_that_come_publish_once_and_go_leave_little_behind() {
    let ledger = Ledger::new();
    let (publisher, mut subscriber) = seqcast::boxed(16);
    let publisher = publisher.share();
    for _ in 0..20_000 {
        let short = publisher.clone();
        short.publish(ledger.make()).unwrap();
        let _ = subscriber.latest_ref().map(|message| message.verify());
    }
    let most = ledger.most();
    assert!(most <= 16 + 64 + 64 + 64 + 2, "up to {most} messages were alive in a ring of 16");
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn everything_at_once() {
    let mut random = fastrand::Rng::with_seed(seed());
    for capacity in [2, 16, 256] {
        let ledger = Ledger::new();
        let (publisher, subscriber) = seqcast::boxed::<Counted>(capacity);
        let publisher = publisher.share();
        thread::scope(|scope| {
            let writers: [_; 3] = std::array::from_fn(|_| {
                let (publisher, ledger, mut random) = (publisher.clone(), &ledger, random.fork());
                scope.spawn(move || {
                    for _ in 0..3_000 {
                        match random.u8(0..40) {
                            0 => drop(publisher.clone().publish(ledger.make())),
                            1 => drop(publisher.publish_many(make(ledger, random.usize(0..100)))),
                            2 => assert!(testing::claim(&publisher).is_some()),
                            3 => {
                                let write = testing::claim(&publisher).and_then(testing::Claim::begin);
                                thread::yield_now();
                                if let Some(write) = write {
                                    write.commit(ledger.make());
                                }
                            }
                            _ => drop(publisher.publish(ledger.make()).unwrap()),
                        }
                    }
                })
            });
            for _ in 0..3 {
                let (mut subscriber, mut random) = (subscriber.clone(), random.fork());
                scope.spawn(move || {
                    let mut last = None;
                    loop {
                        let received = match random.u8(0..10) {
                            0 => subscriber.recv().map(drop),
                            1 => {
                                subscriber = subscriber.clone();
                                continue;
                            }
                            2 => subscriber.recv_ref().map(std::mem::forget),
                            _ => subscriber.recv_ref().map(|message| {
                                assert!(last < Some(Ref::sequence(&message)));
                                last = Some(Ref::sequence(&message));
                                let id = message.verify();
                                for _ in 0..random.u8(0..3) {
                                    thread::yield_now();
                                }
                                assert_eq!(message.verify(), id);
                            }),
                        };
                        if received == Err(RecvError::Closed) {
                            break;
                        }
                    }
                });
            }
            for writer in writers {
                writer.join().unwrap();
            }
            // Past the last claim that is never committed.
            publisher.publish_many(make(&ledger, 3 * capacity));
            drop(publisher);
        });
        drop(subscriber);
        ledger.settle();
    }
}
