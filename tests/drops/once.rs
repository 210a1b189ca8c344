//! Each message is dropped once, for all uses and ends of its ring.

use crate::common::counted::{Counted, Ledger};
use crate::common::{CAPACITIES, FIRSTS, testing};
use crate::{S, make, warm};
use seqcast::{Builder, Closed, RecvError, SharedPublisher, TryRecvError};
use std::cell::RefCell;
use std::sync::Arc;
use std::thread;

#[test]
fn every_message_is_dropped_once_however_many_there_are() {
    for capacity in CAPACITIES {
        for first in FIRSTS {
            for count in [0, 1, capacity - 1, capacity, capacity + 1, 2 * capacity + 63, 3 * capacity + 200] {
                let ledger = Ledger::new();
                let (mut publisher, mut subscriber) = Builder::new(capacity).first_sequence(first).boxed();
                let mut clones = Vec::new();
                for number in 0..count {
                    assert_eq!(publisher.publish(ledger.make()), first + number as u64);
                    match number % 5 {
                        0 => clones.extend(subscriber.try_recv()),
                        1 => assert!(subscriber.try_recv_ref().unwrap().verify() >= number as u64),
                        _ => assert!(subscriber.latest_ref().is_ok()),
                    }
                }
                let publisher = publisher.share();
                assert_eq!(publisher.publish_many(make(&ledger, count)), count);
                // The last handle is a publisher or a subscriber.
                if count % 2 == 0 {
                    drop(publisher);
                    drop(subscriber);
                } else {
                    let ring = subscriber.ring();
                    drop(subscriber);
                    drop(publisher);
                    drop(ring);
                }
                assert_eq!(ledger.live(), clones.len() as i64);
                drop(clones);
                ledger.settle();
            }
        }
    }
}

#[test]
fn sharing_and_taking_back_loses_nothing() {
    let ledger = Ledger::new();
    let (mut publisher, mut subscriber) = seqcast::boxed(4);
    for round in 0..200 {
        publisher.publish_many(make(&ledger, round % 7));
        let shared = publisher.share();
        let other = shared.clone();
        shared.publish(ledger.make()).unwrap();
        other.publish_many(make(&ledger, round % 5));
        let shared = shared.try_into_exclusive().unwrap_err();
        drop(other);
        let held = subscriber.latest_ref().unwrap();
        publisher = shared.try_into_exclusive().unwrap();
        publisher.publish_many(make(&ledger, 9));
        held.verify();
    }
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn a_closed_ring_gives_the_value_back() {
    let ledger = Ledger::new();
    let (publisher, mut subscriber) = seqcast::boxed(4);
    let publisher = publisher.share();
    // With a new ring and a warm one. A publish must not drop the returned message instead of one
    // that is ready to be dropped.
    for count in [0, warm(4)] {
        let publisher = if count == 0 { publisher.clone() } else { seqcast::boxed(4).0.share() };
        publisher.publish_many(make(&ledger, count));
        let live = ledger.live();
        assert!(publisher.close());
        let message = ledger.make();
        let id = message.id;
        let Err(Closed(back)) = publisher.publish(message) else { panic!("published") };
        assert_eq!(back.verify(), id);
        drop(back);
        assert!(publisher.try_publish(ledger.make()).is_err());
        assert_eq!(publisher.publish_many(make(&ledger, 10)), 0);
        assert!(ledger.live() <= live, "a returned message was not dropped");
    }
    assert_eq!(subscriber.try_recv_ref().unwrap_err(), TryRecvError::Closed);
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn no_message_is_forgotten_near_the_last_sequence() {
    const LAST: u64 = (1 << 63) - (1 << 32) - 1;
    for capacity in [2, 4, 64] {
        for left in [1, 2, 3, capacity as u64, capacity as u64 + 1, 200] {
            let ledger = Ledger::new();
            let (publisher, subscriber) = Builder::new(capacity).first_sequence(LAST + 1 - left).boxed();
            let publisher = publisher.share();
            // One publisher takes a slot and commits only after all sequences are used. Another one
            // never takes its slot.
            let late = testing::claim(&publisher).unwrap().begin().unwrap();
            let _ = if left > 2 { testing::claim(&publisher) } else { None };
            let published = publisher.publish_many(make(&ledger, left as usize + 10));
            assert!((published as u64) < left, "{published} messages were published with {left} sequences left");
            assert!(publisher.publish(ledger.make()).is_err());
            late.commit(ledger.make());
            let live = ledger.live();
            assert!(live > 0 && live <= capacity as i64 + 2 * 64 + 1, "{live} messages");
            drop((publisher, subscriber));
            ledger.settle();
        }
    }
}

#[test]
fn stopped_and_overrun_publishers_take_no_message_along() {
    for capacity in [2, 4, 64] {
        let ledger = Ledger::new();
        let (publisher, mut subscriber) = seqcast::boxed::<Counted>(capacity);
        let publisher = publisher.share();
        publisher.publish_many(make(&ledger, warm(capacity)));
        // One publisher is suspended forever before its slot, one in its slot. Two others resume a
        // few laps later.
        let _ = testing::claim(&publisher).unwrap();
        let _ = testing::claim(&publisher).unwrap().begin().unwrap();
        let early = testing::claim(&publisher).unwrap();
        let late = testing::claim(&publisher).unwrap().begin();
        publisher.publish_many(make(&ledger, 5 * capacity));
        assert!(early.begin().is_none(), "the claim must have been overtaken");
        if let Some(late) = late {
            late.commit(ledger.make());
        }
        publisher.publish_many(make(&ledger, 5 * capacity));
        assert!(publisher.ring().stats().skipped > 0);
        assert!(matches!(subscriber.try_recv_ref(), Err(TryRecvError::Lagged(_))));
        while let Ok(message) = subscriber.try_recv_ref() {
            message.verify();
        }
        drop((publisher, subscriber));
        ledger.settle();
    }
}

#[test]
fn a_publisher_kept_by_a_thread_cleans_up_at_its_end() {
    thread_local! {
        static KEPT: RefCell<Option<SharedPublisher<S>>> = const { RefCell::new(None) };
    }
    let ledger = Ledger::new();
    let (publisher, mut subscriber) = seqcast::boxed(4);
    let publisher = publisher.share();
    let maker = Arc::clone(&ledger);
    thread::spawn(move || {
        publisher.publish_many(make(&maker, warm(4)));
        KEPT.set(Some(publisher));
        KEPT.with_borrow(|publisher| publisher.as_ref().unwrap().publish(maker.make())).unwrap();
    })
    .join()
    .unwrap();
    assert_eq!(ledger.live(), 4);
    assert_eq!(subscriber.latest_ref().unwrap().verify(), warm(4) as u64);
    assert_eq!(subscriber.recv_ref().unwrap_err(), RecvError::Closed);
    drop(subscriber);
    ledger.settle();
}
