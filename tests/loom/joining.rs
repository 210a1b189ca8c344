//! Subscribing while others publish, and changing from shared to exclusive.

use std::collections::BTreeSet;

use loom::thread;
use seqcast::{Start, TryRecvError};

use crate::{Reader, explore, id, pair, ring};

#[test]
fn a_subscriber_that_joins_misses_nothing_after() {
    let outcomes = explore(3, || {
        let (mut publisher, _first) = ring(4);
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher.publish(pair(1));
            publisher
        });
        let mut reader = Reader::new(ring.subscribe());
        let publisher = writer.join().unwrap();
        reader.settle();
        let expected: Vec<_> = (reader.account.start..2).map(|q| (q, q)).collect();
        assert_eq!(reader.got, expected);
        drop(publisher);
        reader.account.start
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1, 2]));
}

#[test]
fn what_lies_before_the_tail_can_be_read() {
    let outcomes = explore(3, || {
        let (mut publisher, _first) = ring(2);
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher.publish(pair(1));
            publisher
        });
        let tail = ring.next_sequence();
        let mut subscriber = ring.subscribe_at(Start::At(0));
        for q in 0..tail {
            assert_eq!(subscriber.try_recv().map(id), Ok(q));
        }
        writer.join().unwrap();
        tail
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1, 2]));
}

#[test]
fn what_was_received_lies_before_the_tail() {
    // The exclusive publisher advances the tail after the commit.
    let outcomes = explore(3, || {
        let (mut publisher, mut subscriber) = ring(2);
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher.publish(pair(1));
            publisher
        });
        let there = !subscriber.is_empty();
        let received = subscriber.try_iter().count();
        assert!(received > 0 || !there);
        let next = subscriber.next_sequence();
        assert!(ring.next_sequence() >= next);
        assert!(ring.subscribe().next_sequence() >= next);
        assert_eq!(ring.try_subscribe_at(Start::At(next)).unwrap().next_sequence(), next);
        writer.join().unwrap();
        received
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1, 2]));
}

#[test]
fn a_subscriber_may_join_a_lapped_ring() {
    let outcomes = explore(2, || {
        let (mut publisher, _first) = ring(2);
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            for q in 0..3 {
                publisher.publish(pair(q));
            }
            publisher
        });
        let mut reader = Reader::new(ring.subscribe_at(Start::Oldest));
        let joined = ring.try_subscribe_at(Start::At(0));
        let publisher = writer.join().unwrap();
        reader.settle();
        assert!(reader.got.iter().all(|got| got.0 == got.1));
        assert_eq!(reader.subscriber.next_sequence(), 3);
        drop(publisher);
        joined.is_ok()
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn the_exclusive_publisher_follows_the_shared_ones() {
    let outcomes = explore(2, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let mut reader = Reader::new(subscriber);
        let other = publisher.clone();
        let writer = thread::spawn(move || {
            other.publish(pair(0)).unwrap();
            other.publish(pair(1)).unwrap();
        });
        let exclusive = match publisher.try_into_exclusive() {
            Ok(mut publisher) => {
                publisher.publish(pair(2));
                publisher.publish(pair(3));
                assert_eq!(publisher.next_sequence(), 4);
                true
            }
            Err(shared) => {
                shared.publish(pair(2)).unwrap();
                false
            }
        };
        let _ = reader.poll();
        writer.join().unwrap();
        assert_eq!(reader.settle(), TryRecvError::Closed);
        exclusive
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn no_cursor_is_shown_beyond_the_tail() {
    // The reported tail is "never less than what the caller has seen", including the cursors of
    // other subscribers.
    let outcomes = explore(3, || {
        let (mut publisher, mut subscriber) = ring(2);
        let ring = publisher.ring();
        let reader = thread::spawn(move || {
            let _ = subscriber.try_recv();
            subscriber
        });
        let onlooker = thread::spawn(move || {
            let next = ring.stats().subscribers[0].next_sequence;
            let tail = ring.next_sequence();
            assert!(next <= tail, "a cursor at {next} is beyond the tail {tail}");
            (next, tail)
        });
        publisher.publish(pair(0));
        let _subscriber = reader.join().unwrap();
        onlooker.join().unwrap()
    });
    assert_eq!(outcomes, BTreeSet::from([(0, 0), (0, 1), (1, 1)]));
}

#[test]
fn what_is_told_of_the_ring_never_goes_back() {
    // The exclusive publisher laps the ring while another thread loads the tail, then the stamp of
    // its slot.
    let outcomes = explore(2, || {
        let (mut publisher, _subscriber) = ring(2);
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            for q in 0..3 {
                publisher.publish(pair(q));
            }
            publisher
        });
        let looks = [(); 2].map(|()| (ring.next_sequence(), ring.oldest_sequence()));
        assert!(looks[0].0 <= looks[1].0 && looks[0].1 <= looks[1].1, "{looks:?}");
        let _publisher = writer.join().unwrap();
        looks.map(|look| look.0)
    });
    assert!(outcomes.is_superset(&BTreeSet::from([[0, 0], [0, 2], [1, 3], [3, 3]])), "{outcomes:?}");
}

#[test]
fn what_is_told_of_the_ring_is_not_less_than_what_was_received() {
    let outcomes = explore(2, || {
        let (mut publisher, mut subscriber) = ring(2);
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            for q in 0..3 {
                publisher.publish(pair(q));
            }
            publisher
        });
        let received = subscriber.try_recv();
        let (next, tail) = (subscriber.next_sequence(), ring.next_sequence());
        assert!(tail >= next, "the tail is {tail} after a cursor at {next}");
        if let Err(TryRecvError::Lagged(lagged)) = received {
            let oldest = ring.oldest_sequence();
            assert!(oldest >= lagged.resumed_at, "the oldest is {oldest} after {lagged:?}");
        }
        let _publisher = writer.join().unwrap();
        (next, tail)
    });
    assert!(outcomes.is_superset(&BTreeSet::from([(0, 0), (1, 1), (1, 2), (1, 3)])), "{outcomes:?}");
}

#[test]
fn who_make_the_second_table_at_once_are_both_listed() {
    // Two idle subscribers fill the registry's first table. One of them leaves while two others
    // join.
    let outcomes = explore(3, || {
        let (publisher, first) = ring(2);
        let second = first.clone();
        let (one, two) = (first.ring(), first.ring());
        let joining = thread::spawn(move || one.subscribe());
        let leaving = thread::spawn(move || drop(second));
        let third = two.subscribe();
        let fourth = joining.join().unwrap();
        leaving.join().unwrap();
        let mut expected = [first.id(), third.id(), fourth.id()];
        expected.sort_unstable();
        let listed = || two.stats().subscribers.iter().map(|s| s.id).collect::<Vec<_>>();
        assert_eq!(listed(), expected);
        let order = third.id() < fourth.id();
        drop((first, third));
        assert_eq!(listed(), [fourth.id()]);
        drop(fourth);
        assert!(listed().is_empty());
        drop(publisher);
        order
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}
