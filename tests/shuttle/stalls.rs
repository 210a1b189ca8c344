//! Publishers that are suspended in a publish, and resume laps later or never.

use crate::common::testing;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use seqcast::{Builder, RecvError, Ref, Start, TryRecvError};

use crate::common::counted::{Counted, Ledger};
use crate::common::{Account, Carry, block_on, read_to_end, sign, thread, verify};
use crate::{Owning, Plain, explore};

/// A slow publisher claims a sequence, yields, takes its slot, yields, and commits or never does.
/// Two others publish meanwhile, and readers receive by `paths`. Returns whether any reader missed
/// a message, whether any found a hole, and whether the slow publisher got its slot.
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
    // An uncommitted message is never received. Readers continue only after a lap.
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

/// Some outcome has a loss, with and without holes, both if the slow publisher got its slot and if
/// it did not.
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

/// A slot stays held. The publisher of the next lap skips it, and does not continue. Readers that
/// wait there must learn that they were lapped.
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
    // Before any publisher is dropped.
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
    // Readers borrow messages while these are displaced, left over, kept and their nodes reused.
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
                                assert_eq!(message.verify(), id, "the borrowed message changed");
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

/// A slot stays held, and two threads publish. An observer receives and loads the ring's progress.
/// The progress never decreases, is not less than what the observer received, and not more than
/// what was begun. Returns whether the observer was lapped, and whether it loaded the progress
/// during the publishing.
fn observed<S: Carry>() -> [bool; 2] {
    let (publisher, subscriber) = S::ring(Builder::new(2));
    let publisher = publisher.share();
    drop(testing::claim(&publisher).unwrap().begin());
    // Not shuttle's, because it orders nothing.
    let begun = Arc::new(AtomicU64::new(1));
    let ring = publisher.ring();
    let observer = {
        let (mut subscriber, begun) = (subscriber.clone(), Arc::clone(&begun));
        thread::spawn(move || {
            let (mut received, mut before, mut lapped) = (0, (0, 0, 0), false);
            let mut middle = false;
            loop {
                let end = match subscriber.try_recv() {
                    Ok(_) => {
                        received += 1;
                        false
                    }
                    Err(TryRecvError::Lagged(_)) => {
                        lapped = true;
                        false
                    }
                    Err(TryRecvError::Empty) => {
                        thread::yield_now();
                        false
                    }
                    Err(TryRecvError::Closed) => true,
                };
                let now = (ring.next_sequence(), ring.oldest_sequence(), ring.stats().published);
                assert!(
                    before.0 <= now.0 && before.1 <= now.1 && before.2 <= now.2,
                    "the progress decreased to {now:?} after {before:?}"
                );
                assert!(
                    subscriber.next_sequence() <= now.0,
                    "the progress is {now:?}, and a cursor is at {}",
                    subscriber.next_sequence()
                );
                assert!(
                    (received..=begun.load(Ordering::Relaxed)).contains(&now.2),
                    "the progress is {now:?}, after {received} received"
                );
                before = now;
                middle |= (2..12).contains(&now.2);
                if end {
                    return [lapped, middle];
                }
            }
        })
    };
    drop(subscriber);
    let writers: Vec<_> = (0..2)
        .map(|id| {
            let (publisher, begun) = (publisher.clone(), Arc::clone(&begun));
            thread::spawn(move || {
                for number in 0..6 {
                    begun.fetch_add(1, Ordering::Relaxed);
                    publisher.publish(S::wrap(sign(id, number))).ok().unwrap();
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    drop(publisher);
    observer.join().unwrap()
}

#[test]
fn what_is_told_of_the_ring_never_goes_back() {
    for outcomes in [explore(4_000, observed::<Plain>), explore(2_400, observed::<Owning>)] {
        assert!(outcomes.contains(&[true, true]) && outcomes.contains(&[true, false]), "{outcomes:?}");
    }
}

/// Two threads publish on a small ring, one of them slowly, and readers receive only the newest
/// message. There is always one. It increases, and is not older than what was acknowledged before.
/// Returns whether any message was skipped, and whether any receive found nothing new.
fn newest<S: Carry>(slack: usize) -> [bool; 2] {
    let (mut publisher, subscriber) = S::ring(Builder::new(4).lag_slack(slack));
    publisher.publish_many((0..4).map(|number| S::wrap(sign(7, number))));
    let publisher = publisher.share();
    // Not shuttle's, because it orders nothing.
    let acknowledged = Arc::new(AtomicU64::new(3));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (mut subscriber, acknowledged) = (subscriber.clone(), Arc::clone(&acknowledged));
            subscriber.seek(Start::Oldest);
            thread::spawn(move || {
                let start = subscriber.next_sequence();
                let (mut received, mut last, mut empty) = (0, None, false);
                loop {
                    let floor = acknowledged.load(Ordering::Relaxed);
                    match subscriber.latest() {
                        Ok(message) => {
                            verify(S::open(message));
                            let newest = subscriber.last_sequence();
                            assert!(last < newest, "{newest:?} after {last:?}");
                            assert!(newest >= Some(floor), "{newest:?}, though {floor} was published");
                            (received, last) = (received + 1, newest);
                        }
                        Err(TryRecvError::Empty) => {
                            assert!(last >= Some(floor), "nothing newer than {last:?}, though {floor} was published");
                            empty = true;
                            thread::yield_now();
                        }
                        Err(TryRecvError::Closed) => break,
                        Err(TryRecvError::Lagged(lagged)) => panic!("{lagged}"),
                    }
                }
                let sum = received + subscriber.holes() + subscriber.skipped_by_choice();
                assert_eq!((sum, subscriber.missed()), (subscriber.next_sequence() - start, 0));
                [subscriber.skipped_by_choice() > 0, empty]
            })
        })
        .collect();
    drop(subscriber);
    let slow = {
        let publisher = publisher.clone();
        thread::spawn(move || {
            let claim = testing::claim(&publisher).unwrap();
            thread::yield_now();
            if let Some(write) = claim.begin() {
                write.commit(S::wrap(sign(9, 0)));
            }
        })
    };
    // A single writer, so messages are acknowledged in order.
    let writer = thread::spawn(move || {
        for number in 0..10 {
            let sequence = publisher.publish(S::wrap(sign(0, number))).ok().unwrap();
            acknowledged.store(sequence, Ordering::Relaxed);
        }
    });
    slow.join().unwrap();
    writer.join().unwrap();
    let seen: Vec<_> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    [0, 1].map(|which| seen.iter().any(|seen| seen[which]))
}

#[test]
fn the_newest_is_not_older_than_what_was_acknowledged() {
    for slack in [0, 3] {
        for outcomes in
            [explore(3_000, move || newest::<Plain>(slack)), explore(1_500, move || newest::<Owning>(slack))]
        {
            assert!(outcomes.contains(&[true, true]) && outcomes.contains(&[true, false]), "{outcomes:?}");
        }
    }
}
