//! Publishers that are suspended in the middle of a publish (law 7), and the holes they leave (law
//! 1).
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::testing;
use common::{Account, eventually};
use seqcast::{Builder, Inline, Lagged, SharedPublisher, Start, SubscribeError, Subscriber, TryRecvError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

fn ring(capacity: usize) -> (SharedPublisher<Inline<u64>>, Subscriber<Inline<u64>>) {
    let (publisher, subscriber) = seqcast::inline(capacity);
    (publisher.share(), subscriber)
}

#[test]
fn a_publisher_stopped_in_a_write_holds_back_no_publisher_and_readers_for_a_lap() {
    let (publisher, mut subscriber) = ring(4);
    let mut account = Account::new(&subscriber);
    let suspended = testing::claim(&publisher).unwrap().begin().unwrap();
    assert_eq!(publisher.publish_many([1, 2, 3]), 3);
    // In order: 0 may still come.
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
    // A lap later, its slot is skipped: sequence 4 is a hole, and 0 is lost.
    assert_eq!(publisher.publish(5), Ok(5));
    assert_eq!(publisher.ring().stats().skipped, 1);
    let Err(TryRecvError::Lagged(lagged)) = subscriber.try_recv() else { panic!("expected a loss") };
    assert_eq!(lagged, Lagged { missed: 2, resumed_at: 2 });
    account.lagged(&subscriber, lagged);
    for message in [2, 3, 5] {
        assert_eq!(subscriber.try_recv(), Ok(message));
        account.received(&subscriber, 1);
    }
    assert_eq!((subscriber.holes(), subscriber.try_recv()), (1, Err(TryRecvError::Empty)));
    account.settle(&subscriber);

    // It resumes: too late for its message, but its slot is used again.
    suspended.commit(0);
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(publisher.publish_many(6..10), 4);
    for message in 6..10 {
        assert_eq!(subscriber.try_recv(), Ok(message));
        account.received(&subscriber, 1);
    }
    account.settle(&subscriber);
    assert_eq!(publisher.ring().stats().skipped, 1);
}

#[test]
fn a_loss_beside_holes_is_told_at_once() {
    // Slot 0 is held: 0 is never committed, 2 and 4 are holes. A reader that was lapped at 1 cannot
    // continue at 2, because its slot was skipped since then.
    let (publisher, mut subscriber) = ring(2);
    let _suspended = testing::claim(&publisher).unwrap().begin().unwrap();
    publisher.publish(1).unwrap();
    subscriber.seek(Start::At(1));
    assert_eq!(publisher.publish(3), Ok(3));
    assert!(testing::claim(&publisher).unwrap().begin().is_none());
    assert_eq!(publisher.ring().oldest_sequence(), 3);
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 2, resumed_at: 3 })));
    assert_eq!(subscriber.try_recv(), Ok(3));
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
    assert_eq!((subscriber.next_sequence(), subscriber.holes()), (5, 1));
}

#[test]
fn a_publisher_that_never_comes_back_costs_one_hole_a_lap() {
    let (publisher, mut subscriber) = ring(4);
    let _suspended = testing::claim(&publisher).unwrap().begin().unwrap();
    let mut account = Account::new(&subscriber);
    for message in 0..300 {
        publisher.publish(message).unwrap();
        let before = account.received;
        loop {
            match subscriber.try_recv() {
                Ok(_) => account.received(&subscriber, 1),
                Err(TryRecvError::Lagged(lagged)) => account.lagged(&subscriber, lagged),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Closed) => panic!("closed"),
            }
        }
        assert!(account.received > before || message < 3, "the reader was blocked for more than a lap");
    }
    let stats = publisher.ring().stats();
    assert_eq!((stats.published - 1, stats.skipped), (300, 99));
    account.settle(&subscriber);
    assert_eq!((subscriber.holes(), subscriber.missed()), (99, 2));
    drop(publisher);
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_publisher_stopped_before_its_write_is_overrun() {
    let (publisher, mut subscriber) = ring(4);
    let late = testing::claim(&publisher).unwrap();
    assert_eq!(late.sequence(), 0);
    publisher.publish_many(1..=4);
    assert!(late.begin().is_none());
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 1, resumed_at: 1 })));
    assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!((publisher.ring().stats().skipped, subscriber.holes()), (0, 0));
}

#[test]
fn latest_and_is_empty_look_past_a_hole() {
    let (publisher, mut subscriber) = ring(2);
    let suspended = testing::claim(&publisher).unwrap().begin().unwrap();
    publisher.publish(1).unwrap();
    assert_eq!(publisher.publish(3), Ok(3));
    assert_eq!(subscriber.latest(), Ok(3));
    assert_eq!((subscriber.skipped_by_choice(), subscriber.holes(), subscriber.missed()), (3, 0, 0));
    let claim = testing::claim(&publisher).unwrap();
    assert!(subscriber.is_empty());
    assert!(claim.begin().is_none());
    assert!(subscriber.is_empty(), "a ring with only a hole must be empty");
    publisher.publish(5).unwrap();
    assert!(!subscriber.is_empty());
    assert_eq!((subscriber.try_recv(), subscriber.holes()), (Ok(5), 1));
    suspended.commit(0);
}

#[test]
fn a_hole_at_the_end_is_no_message() {
    let (publisher, mut subscriber) = ring(2);
    let _suspended = testing::claim(&publisher).unwrap().begin().unwrap();
    publisher.publish(1).unwrap();
    assert!(testing::claim(&publisher).unwrap().begin().is_none());
    publisher.close();
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 1, resumed_at: 1 })));
    assert_eq!(subscriber.try_recv(), Ok(1));
    assert_eq!((subscriber.try_recv(), subscriber.holes()), (Err(TryRecvError::Closed), 1));
    assert_eq!(subscriber.next_sequence(), publisher.next_sequence());
}

#[test]
fn a_claim_below_the_end_is_waited_for() {
    let (publisher, mut subscriber) = ring(4);
    let write = testing::claim(&publisher).unwrap().begin().unwrap();
    publisher.close();
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
    thread::scope(|scope| {
        let reader = scope.spawn(|| (subscriber.recv(), subscriber.recv().is_err()));
        eventually("parked", || publisher.ring().stats().subscribers[0].parked);
        write.commit(7);
        assert_eq!(reader.join().unwrap(), (Ok(7), true));
    });
}

#[test]
fn a_claim_of_the_very_last_sequence_is_waited_for() {
    const LAST: u64 = (1 << 63) - (1 << 32) - 1;
    let (publisher, mut subscriber) = Builder::new(4).first_sequence(LAST).inline::<u64>();
    let publisher = publisher.share();
    let claim = testing::claim(&publisher).unwrap();
    assert_eq!(claim.sequence(), LAST);
    let write = claim.begin().unwrap();
    assert_eq!((publisher.next_sequence(), publisher.subscribe().next_sequence()), (LAST + 1, LAST + 1));
    // The sequences are used up: that is the end, after the claim.
    assert!(publisher.publish(2).is_err());
    assert_eq!((publisher.is_closed(), publisher.next_sequence()), (true, LAST + 1));
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
    write.commit(1);
    assert_eq!((subscriber.try_recv(), subscriber.try_recv()), (Ok(1), Err(TryRecvError::Closed)));
}

#[test]
fn stopped_publishers_up_to_one_less_than_the_slots_stop_nobody() {
    for capacity in [2, 4, 64] {
        let (publisher, mut subscriber) = ring(capacity);
        let suspended: Vec<_> = (1..capacity).map(|_| testing::claim(&publisher).unwrap().begin().unwrap()).collect();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| assert_eq!(publisher.publish_many(0..100), 100));
            }
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let _ = subscriber.try_recv();
                }
            });
            eventually("300 published", || publisher.ring().stats().published >= 300 + capacity as u64 - 1);
            done.store(true, Ordering::Relaxed);
        });
        drop(suspended);
    }
}

#[test]
fn latest_ends_however_the_publishers_stand() {
    // 0 and 1 are committed. 2 and 3 are being written over them. 4 and 5 found the slots held.
    let (publisher, mut subscriber) = ring(2);
    publisher.publish_many([0, 1]);
    let writes = [(); 2].map(|()| testing::claim(&publisher).unwrap().begin().unwrap());
    for _ in 0..2 {
        assert!(testing::claim(&publisher).unwrap().begin().is_none());
    }
    let mut meanwhile = subscriber.clone();
    assert_eq!(meanwhile.latest(), Err(TryRecvError::Empty));
    assert_eq!((meanwhile.skipped_by_choice(), meanwhile.holes()), (4, 2));
    publisher.close();
    writes.into_iter().zip([2, 3]).for_each(|(write, message)| write.commit(message));
    let mut account = Account::new(&subscriber);
    assert_eq!(subscriber.latest(), Ok(3));
    account.received(&subscriber, 1);
    assert_eq!(subscriber.latest(), Err(TryRecvError::Closed));
    account.settle(&subscriber);
    assert_eq!(meanwhile.latest(), Err(TryRecvError::Closed));
}

#[test]
fn claims_that_reached_no_slot_have_overwritten_nothing() {
    // 4 and 5 are claimed. 2 and 3 can still be read, in every way.
    let (publisher, mut subscriber) = ring(2);
    publisher.publish_many(0..4);
    let claims = [(); 2].map(|()| testing::claim(&publisher).unwrap());
    let ring = publisher.ring();
    assert_eq!((ring.oldest_sequence(), ring.next_sequence()), (2, 6));
    let two = |mut subscriber: Subscriber<_>| [subscriber.try_recv(), subscriber.try_recv(), subscriber.try_recv()];
    let there = [Ok(2), Ok(3), Err(TryRecvError::Empty)];
    assert_eq!(two(ring.subscribe_at(Start::Oldest)), there);
    assert_eq!(two(ring.try_subscribe_at(Start::At(2)).unwrap()), there);
    let mut latest = subscriber.clone();
    assert_eq!((latest.latest(), latest.skipped_by_choice()), (Ok(3), 3));
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 2, resumed_at: 2 })));
    assert_eq!(two(subscriber), there);
    // One of them begins its write: 2 is overwritten.
    let [four, _five] = claims;
    let _four = four.begin().unwrap();
    assert_eq!(ring.oldest_sequence(), 3);
    assert_eq!(ring.try_subscribe_at(Start::At(2)).unwrap_err(), SubscribeError::Evicted { oldest: 3 });
    assert_eq!(ring.subscribe_at(Start::Oldest).try_recv(), Ok(3));
}

#[test]
fn latest_is_the_newest_that_is_there() {
    // 2 and 3 are claimed. The messages that they will overwrite can still be read.
    let (publisher, mut subscriber) = ring(2);
    publisher.publish_many([0, 1]);
    let claims = [(); 2].map(|()| testing::claim(&publisher).unwrap());
    assert_eq!(subscriber.latest(), Ok(1));
    assert_eq!((subscriber.skipped_by_choice(), subscriber.last_sequence()), (1, Some(1)));
    for claim in claims {
        claim.begin().unwrap().commit(7);
    }
    assert_eq!((subscriber.latest(), subscriber.last_sequence()), (Ok(7), Some(3)));
}
