//! Boxed rings with several publishers: which pool owns which node.

use crate::testing;
use std::collections::BTreeMap;
use std::sync::Arc;

use loom::thread;
use seqcast::{Boxed, Ref, SharedPublisher, Start};

use crate::explore;
use crate::message::{Log, Message, borrow, ring};

/// Publishes the messages `ids`, and returns their sequences.
fn publish(publisher: &SharedPublisher<Boxed<Message>>, log: &Arc<Log>, ids: &[u64]) -> Vec<(u64, u64)> {
    ids.iter().map(|&id| (publisher.publish(log.message(id)).unwrap(), id)).collect()
}

/// Fails if a received message differs from the one published with its sequence. Messages 0 and 1
/// were in the ring before.
fn check(got: Option<(u64, u64)>, published: &[(u64, u64)]) {
    let published: BTreeMap<_, _> = published.iter().copied().chain([(0, 0), (1, 1)]).collect();
    assert!(
        got.is_none_or(|(sequence, id)| published[&sequence] == id),
        "another message was published with this sequence"
    );
}

#[test]
fn two_publishers_take_nothing_from_a_reader() {
    let outcomes = explore(3, || {
        let log = Arc::new(Log::default());
        let (publisher, mut subscriber) = ring(&log, 2, 0);
        let publisher = publisher.share();
        let other = publisher.clone();
        let (one, two) = (Arc::clone(&log), Arc::clone(&log));
        let first = thread::spawn(move || (publish(&publisher, &one, &[10]), publisher));
        let second = thread::spawn(move || (publish(&other, &two, &[20, 21]), other));
        let got = borrow(&mut subscriber);
        let (mut published, publisher) = first.join().unwrap();
        let (more, other) = second.join().unwrap();
        published.extend(more);
        check(got, &published);
        drop((publisher, other, subscriber));
        log.settle();
        (got.map(|got| got.0), published[0].0)
    });
    for reached in [(Some(0), 2), (Some(0), 4), (None, 3)] {
        assert!(outcomes.contains(&reached), "{outcomes:?}");
    }
}

#[test]
fn who_goes_takes_nothing_from_a_reader() {
    // The publisher is not the last one. Only the pin orders the reader's load before the drop: no
    // fence follows the one before the scan of the pins.
    let outcomes = explore(8, || {
        let log = Arc::new(Log::default());
        let (publisher, mut subscriber) = ring(&log, 2, 0);
        let publisher = publisher.share();
        let other = publisher.clone();
        let theirs = Arc::clone(&log);
        let writer = thread::spawn(move || publish(&other, &theirs, &[10]));
        let got = [borrow(&mut subscriber), borrow(&mut subscriber)];
        let published = writer.join().unwrap();
        got.iter().for_each(|&got| check(got, &published));
        let alive = log.alive();
        drop((publisher, subscriber));
        log.settle();
        (got.map(|got| got.map(|got| got.0)), alive)
    });
    // Three are alive if the displaced one was borrowed during the scan of the pins. It is left to
    // other publishers.
    for reached in [([Some(0), Some(1)], 2), ([Some(0), Some(1)], 3), ([None, Some(1)], 2)] {
        assert!(outcomes.contains(&reached), "{outcomes:?}");
    }
}

#[test]
fn a_subscriber_that_joins_is_seen_by_the_next_look() {
    // The publisher's first scan runs while the subscriber registers. Its second scan must not
    // assume that it has found all subscribers.
    let outcomes = explore(4, || {
        let log = Arc::new(Log::default());
        let (publisher, subscriber) = ring(&log, 2, 0);
        drop(subscriber);
        let publisher = publisher.share();
        let (other, ring) = (publisher.clone(), publisher.ring());
        let theirs = Arc::clone(&log);
        let writer = thread::spawn(move || publish(&other, &theirs, &[10, 11]));
        let mut subscriber = ring.subscribe_at(Start::At(1));
        let got = borrow(&mut subscriber);
        let published = writer.join().unwrap();
        check(got, &published);
        drop((publisher, subscriber, ring));
        log.settle();
        got.map(|got| got.0)
    });
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), [None, Some(1)]);
}

#[test]
fn a_subscriber_that_joins_a_crowd_is_seen_by_the_next_look() {
    // Two idle subscribers fill the registry's first table. The third subscriber makes the second
    // table, which the publisher must scan then. The publisher's first scan runs at its first
    // message, and the second scan at its fourth.
    let outcomes = explore(3, || {
        let log = Arc::new(Log::default());
        let (publisher, mut subscriber) = ring(&log, 2, 0);
        let idle = subscriber.clone();
        let publisher = publisher.share();
        let other = publisher.clone();
        // Three subscribers are live, so two displaced messages do not start a scan yet.
        let third = subscriber.clone();
        let mut published = publish(&other, &log, &[8, 9]);
        drop(third);
        subscriber.seek(Start::At(3));
        let theirs = Arc::clone(&log);
        let writer = thread::spawn(move || publish(&other, &theirs, &[10, 11, 12, 13]));
        let mut late = subscriber.clone();
        let got = borrow(&mut late);
        published.extend(writer.join().unwrap());
        check(got, &published);
        drop((publisher, subscriber, idle, late));
        log.settle();
        got.map(|got| got.0)
    });
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), [None, Some(3)]);
}

#[test]
fn what_a_stalled_publisher_leaves_is_reclaimed_by_others() {
    // The claim has no pool. What it displaces is left to other publishers, at the end or during a
    // scan.
    let outcomes = explore(2, || {
        let log = Arc::new(Log::default());
        let (publisher, mut subscriber) = ring(&log, 2, 0);
        let publisher = publisher.share();
        let other = publisher.clone();
        let (one, two) = (Arc::clone(&log), Arc::clone(&log));
        let stalled = thread::spawn(move || {
            let message = one.message(10);
            let claim = testing::claim(&other).unwrap();
            let sequence = claim.sequence();
            if let Some(write) = claim.begin() {
                write.commit(message);
            }
            (sequence, other)
        });
        let writer = thread::spawn(move || (publish(&publisher, &two, &[20, 21]), publisher));
        let got = borrow(&mut subscriber);
        let (sequence, other) = stalled.join().unwrap();
        let (mut published, publisher) = writer.join().unwrap();
        published.push((sequence, 10));
        check(got, &published);
        drop((publisher, other, subscriber));
        log.settle();
        (got.map(|got| got.0), published.into_iter().map(|(sequence, _)| sequence).collect::<Vec<_>>())
    });
    for reached in [(Some(0), vec![2, 3, 4]), (Some(0), vec![3, 4, 2]), (None, vec![3, 5, 2])] {
        assert!(outcomes.contains(&reached), "{outcomes:?}");
    }
}

#[test]
fn a_publisher_that_stops_in_its_slot_costs_no_message() {
    // It never commits, and the old message stays in its slot until the ring is dropped. Another
    // publisher continues around it.
    let outcomes = explore(4, || {
        let log = Arc::new(Log::default());
        let (publisher, mut subscriber) = ring(&log, 2, 0);
        let publisher = publisher.share();
        let other = publisher.clone();
        let suspended = thread::spawn(move || {
            let claim = testing::claim(&other).unwrap();
            let sequence = claim.sequence();
            drop(claim.begin());
            (sequence, other)
        });
        let published = publish(&publisher, &log, &[10, 11]);
        let got = borrow(&mut subscriber);
        check(got, &published);
        let (sequence, other) = suspended.join().unwrap();
        drop((publisher, other, subscriber));
        log.settle();
        (sequence, published[1].0)
    });
    assert!(outcomes.contains(&(2, 5)) && outcomes.contains(&(4, 3)), "{outcomes:?}");
}

#[test]
fn a_borrowed_message_outlives_its_publishers() {
    let outcomes = explore(4, || {
        let log = Arc::new(Log::default());
        let (publisher, mut subscriber) = ring(&log, 2, 0);
        let publisher = publisher.share();
        let other = publisher.clone();
        let theirs = Arc::clone(&log);
        let writer = thread::spawn(move || publish(&other, &theirs, &[10]));
        let held = subscriber.try_recv_ref().ok();
        let published = publish(&publisher, &log, &[20]);
        // This may be the last publisher.
        drop(publisher);
        let published = [published, writer.join().unwrap()].concat();
        let got = held.map(|held| (Ref::sequence(&held), held.read()));
        check(got, &published);
        drop(subscriber);
        log.settle();
        got.map(|got| got.0)
    });
    assert!(outcomes.contains(&Some(0)) && outcomes.contains(&None), "{outcomes:?}");
}

#[test]
fn a_publisher_may_be_used_by_two_at_once() {
    // One of the two threads finds the pool in use, and publishes without a pool.
    let outcomes = explore(2, || {
        let log = Arc::new(Log::default());
        let (publisher, mut subscriber) = ring(&log, 2, 0);
        let publisher = Arc::new(publisher.share());
        let other = Arc::clone(&publisher);
        let theirs = Arc::clone(&log);
        let second = thread::spawn(move || publish(&other, &theirs, &[20, 21]));
        let reader = thread::spawn(move || {
            let got = borrow(&mut subscriber);
            (got, subscriber)
        });
        let mut published = publish(&publisher, &log, &[10]);
        published.extend(second.join().unwrap());
        let (got, subscriber) = reader.join().unwrap();
        check(got, &published);
        // Two in slots, and some that are left over or free.
        let alive = log.alive();
        assert!(alive <= 5);
        drop((publisher, subscriber));
        log.settle();
        (got.map(|got| got.0), published[0].0, alive)
    });
    for reached in [(None, 3, 3), (None, 2, 5), (Some(0), 2, 2), (Some(0), 4, 3)] {
        assert!(outcomes.contains(&reached), "{outcomes:?}");
    }
}

#[test]
fn what_is_left_over_is_all_found() {
    // Two publishers without a pool put what they displace on the list of orphans, and run no
    // fence. A third one scans, and takes the list. With two subscribers, the list is too short for
    // the two to scan, and the third scans at every second message.
    let outcomes = explore(3, || {
        let log = Arc::new(Log::default());
        let (mut publisher, subscriber) = ring(&log, 2, 0);
        let handles = [subscriber.clone(), subscriber];
        publisher.publish(log.message(2));
        let publisher = publisher.share();
        let others = [publisher.clone(), publisher.clone()];
        for _ in 3..6 {
            std::mem::forget(testing::claim(&publisher).unwrap());
        }
        let writers: Vec<_> = others
            .into_iter()
            .zip([3, 5])
            .map(|(other, sequence)| {
                let theirs = Arc::clone(&log);
                thread::spawn(move || {
                    let message = theirs.message(sequence);
                    match testing::resume(&other, sequence).begin() {
                        Some(write) => write.commit(message),
                        None => drop(message),
                    }
                    other
                })
            })
            .collect();
        // Spawned last: loom would not try its steps after those of the others if it came first.
        let theirs = Arc::clone(&log);
        let looking = thread::spawn(move || {
            publisher.publish(theirs.message(6)).unwrap();
            (theirs.alive(), publisher)
        });
        let others: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        let (alive, publisher) = looking.join().unwrap();
        drop((publisher, others, handles));
        log.settle();
        alive
    });
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), [4, 5, 6]);
}

#[test]
fn the_pool_is_handed_over_with_the_publisher() {
    let outcomes = explore(2, || {
        let log = Arc::new(Log::default());
        let (publisher, mut subscriber) = ring(&log, 3, 1);
        let publisher = publisher.share();
        let other = publisher.clone();
        let theirs = Arc::clone(&log);
        let writer = thread::spawn(move || publish(&other, &theirs, &[10]));
        let reader = thread::spawn(move || {
            let got = borrow(&mut subscriber);
            (got.map(|got| got.1), subscriber)
        });
        let exclusive = match publisher.try_into_exclusive() {
            Ok(mut publisher) => {
                publisher.publish(log.message(20));
                true
            }
            Err(shared) => shared.publish(log.message(20)).is_err(),
        };
        let _ = writer.join().unwrap();
        let (got, subscriber) = reader.join().unwrap();
        drop(subscriber);
        log.settle();
        (got, exclusive)
    });
    let all = [(None, false), (None, true), (Some(1), false), (Some(1), true)];
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), all);
}
