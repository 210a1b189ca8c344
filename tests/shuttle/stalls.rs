//! Publishers that are stopped in the middle of a publish and come back laps later, or never.

use crate::common::testing;
use std::collections::BTreeSet;
use std::sync::Arc;

use seqcast::{Builder, RecvError, Ref, TryRecvError};

use crate::common::counted::{Counted, Ledger};
use crate::common::{Account, Carry, block_on, read_to_end, sign, thread, verify};
use crate::{Owning, Plain, explore};

/// One draws a sequence, lets others by, takes its slot, lets others by, and commits or never does. Two publish around it; readers on
/// `paths` take part. Returns whether anybody (missed, came upon a hole), and whether the slow one got its slot.
fn stalled<S: Carry>(paths: &'static [u64], commits: bool) -> [bool; 3] {
    let (publisher, subscriber) = S::ring(Builder::new(2));
    let publisher = publisher.share();
    let readers: Vec<_> = paths
        .iter()
        .map(|&path| {
            let mut subscriber = subscriber.clone();
            thread::spawn(move || {
                let mut account = Account::new(&subscriber);
                read_to_end(&mut subscriber, path, &mut account, |_, message| {
                    verify(message);
                });
                [account.received, account.missed, subscriber.holes(), subscriber.next_sequence()]
            })
        })
        .collect();
    drop(subscriber);
    let slow = {
        let publisher = publisher.clone();
        thread::spawn(move || {
            let claim = testing::claim(&publisher).unwrap();
            thread::yield_now();
            let Some(write) = claim.begin() else { return false };
            thread::yield_now();
            if commits {
                write.commit(S::wrap(sign(9, 0)));
            }
            true
        })
    };
    let writers: Vec<_> = (0..2)
        .map(|id| {
            let publisher = publisher.clone();
            thread::spawn(move || (0..6).for_each(|number| drop(publisher.publish(S::wrap(sign(id, number))))))
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let began = slow.join().unwrap();
    // What is never committed is never received; only a lap tells of it.
    for number in 0..if commits { 0 } else { 4 } {
        publisher.publish(S::wrap(sign(3, number))).ok().unwrap();
    }
    let end = publisher.next_sequence();
    drop(publisher);
    let sums: Vec<_> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    for [received, missed, holes, next] in &sums {
        assert_eq!((received + missed + holes, *next), (end, end));
    }
    [sums.iter().any(|sum| sum[1] > 0), sums.iter().any(|sum| sum[2] > 0), began]
}

/// Something was lost; and there were holes or none while the slow one got its slot or not.
fn reached(outcomes: &BTreeSet<[bool; 3]>, expected: [[bool; 2]; 2]) {
    for [hole, began] in expected {
        assert!(outcomes.contains(&[true, hole, began]), "{outcomes:?}");
    }
}

#[test]
fn a_slow_publisher_comes_back() {
    reached(&explore(6_000, || stalled::<Plain>(&[0, 2, 4], true)), [[true, true], [false, true]]);
    reached(&explore(3_200, || stalled::<Owning>(&[0, 6, 7], true)), [[true, true], [false, true]]);
}

#[test]
fn a_stopped_publisher_stops_nobody() {
    reached(&explore(6_000, || stalled::<Plain>(&[0, 2, 4], false)), [[true, true], [false, false]]);
    reached(&explore(3_200, || stalled::<Owning>(&[5, 6, 7], false)), [[true, true], [false, false]]);
}

/// A slot is held for good; who comes a lap later skips it, and gets no further. Whoever waits there must learn that it was lapped.
fn skipped<S: Carry>() -> usize {
    let (publisher, subscriber) = S::ring(Builder::new(2));
    let publisher = publisher.share();
    drop(testing::claim(&publisher).unwrap().begin().unwrap());
    let readers: Vec<_> = (0..5)
        .map(|reader| {
            let mut subscriber = subscriber.clone();
            thread::spawn(move || {
                let waits = subscriber.try_recv().is_err_and(|error| error == TryRecvError::Empty);
                if waits {
                    let received = match reader % 2 {
                        0 => subscriber.recv(),
                        _ => block_on(subscriber.recv_async()),
                    };
                    assert!(matches!(received, Err(RecvError::Lagged(_))));
                }
                waits
            })
        })
        .collect();
    let skips = {
        let publisher = publisher.clone();
        thread::spawn(move || {
            std::mem::forget(testing::claim(&publisher).unwrap());
            assert!(testing::claim(&publisher).unwrap().begin().is_none());
            publisher
        })
    };
    // Before any publisher goes.
    let waited = readers.into_iter().map(|reader| usize::from(reader.join().unwrap())).sum();
    drop((publisher, skips.join().unwrap()));
    waited
}

#[test]
fn sleepers_at_a_hole_are_woken_by_the_skip() {
    for outcomes in [explore(4_000, skipped::<Plain>), explore(2_400, skipped::<Owning>)] {
        assert_eq!((outcomes.first(), outcomes.last()), (Some(&0), Some(&5)), "{outcomes:?}");
    }
}

#[test]
fn every_message_is_dropped_once() {
    // Readers look at messages where they lie while they are displaced, left over, kept back and used again.
    let outcomes = explore(6_000, || {
        let ledger = Ledger::new();
        let (publisher, subscriber) = Builder::new(2).boxed::<Counted>();
        let publisher = publisher.share();
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let mut subscriber = subscriber.clone();
                thread::spawn(move || {
                    let mut looks = 0;
                    loop {
                        match subscriber.try_recv_ref() {
                            Ok(message) => {
                                let id = message.verify();
                                thread::yield_now();
                                assert_eq!(message.verify(), id, "another message in its place");
                                let _ = Ref::sequence(&message);
                                looks += 1;
                            }
                            Err(TryRecvError::Empty) => thread::yield_now(),
                            Err(TryRecvError::Lagged(_)) => {}
                            Err(TryRecvError::Closed) => return looks,
                        }
                    }
                })
            })
            .collect();
        drop(subscriber);
        let writers: Vec<_> = (0..3)
            .map(|id| {
                let (publisher, ledger) = (publisher.clone(), Arc::clone(&ledger));
                thread::spawn(move || {
                    for number in 0..5 {
                        if id == 0 && number == 2 {
                            let message = ledger.make();
                            if let Some(write) = testing::claim(&publisher).unwrap().begin() {
                                thread::yield_now();
                                write.commit(message);
                            }
                        }
                        drop(publisher.publish(ledger.make()));
                    }
                })
            })
            .collect();
        drop(publisher);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let looks: Vec<u64> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
        ledger.settle();
        looks.iter().any(|looks| *looks > 3)
    });
    assert_eq!(outcomes.len(), 2, "{outcomes:?}");
}
