//! The end of a ring: which messages are before it, and how all handles learn of it.

use crate::testing;
use std::collections::BTreeSet;

use loom::thread;
use seqcast::{Inline, Subscriber, TryRecvError};

use crate::{Pair, Reader, explore, id, pair, parking_ring, ring};

#[test]
fn an_acknowledged_publish_lies_before_the_end() {
    let outcomes = explore(3, || {
        let (publisher, subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let mut reader = Reader::new(subscriber);
        let closer = publisher.clone();
        let writer = thread::spawn(move || publisher.publish(pair(1)).is_ok());
        let reader = thread::spawn(move || {
            reader.read_to_end();
            reader
        });
        assert!(closer.close());
        let published = writer.join().unwrap();
        let reader = reader.join().unwrap();
        assert_eq!(reader.ids(), if published { vec![1] } else { vec![] });
        assert_eq!(reader.account.missed, 0);
        published
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn one_of_two_closers_wins() {
    let outcomes = explore(3, || {
        let (publisher, mut subscriber) = ring(2);
        let publisher = publisher.share();
        let other = publisher.clone();
        let second = thread::spawn(move || {
            let won = other.close();
            (won, other.publish(pair(0)).is_err())
        });
        let first = publisher.close();
        assert_eq!(publisher.next_sequence(), 0, "the tail must not count a refused claim");
        let (second, refused) = second.join().unwrap();
        assert!(refused);
        assert!(first != second);
        assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(publisher.next_sequence(), 0);
        first
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn who_learns_of_the_end_leaves_nobody_in_the_dark() {
    // The publisher that closes may be suspended in `close`. Any publish that is refused, and any
    // second `close`, has made the end visible to all.
    let outcomes = explore(3, || {
        let (publisher, mut subscriber) = ring(2);
        let publisher = publisher.share();
        let other = publisher.clone();
        let closing = thread::spawn(move || other.close());
        let refused = publisher.publish(pair(1)).is_err();
        if refused {
            assert!(subscriber.is_closed());
            assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
        } else {
            publisher.close();
            assert_eq!(subscriber.try_recv().map(id), Ok(1));
            assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
        }
        closing.join().unwrap();
        refused
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn a_closer_that_comes_too_late_moves_no_end() {
    let outcomes = explore(3, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let mut reader = Reader::new(subscriber);
        let other = publisher.clone();
        let closing = thread::spawn(move || other.close());
        let published = publisher.publish_many([pair(0), pair(1)]) as u64;
        let won = publisher.close();
        assert_eq!(publisher.next_sequence(), published);
        assert!(closing.join().unwrap() != won);
        assert_eq!(publisher.next_sequence(), published);
        assert_eq!(reader.settle(), TryRecvError::Closed);
        assert_eq!(reader.got.len() as u64, published);
        (published, won)
    });
    assert_eq!(outcomes, BTreeSet::from([(0, false), (1, false), (2, false), (2, true)]));
}

#[test]
fn the_last_of_two_publishers_closes() {
    explore(2, || {
        let (publisher, subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let mut reader = Reader::new(subscriber);
        let other = publisher.clone();
        let first = thread::spawn(move || publisher.publish(pair(1)).unwrap());
        let second = thread::spawn(move || other.publish(pair(2)).unwrap());
        reader.read_to_end();
        assert_eq!(reader.account.missed, 0);
        let mut ids = reader.ids();
        ids.sort_unstable();
        assert_eq!(ids, [1, 2]);
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn messages_come_before_closed() {
    let outcomes = explore(3, || {
        let (mut publisher, mut subscriber) = ring(2);
        let writer = thread::spawn(move || {
            publisher.publish(pair(1));
        });
        let first = subscriber.try_recv();
        writer.join().unwrap();
        match first {
            Err(TryRecvError::Empty) => assert_eq!(subscriber.try_recv().map(id), Ok(1)),
            first => assert_eq!(first.map(id), Ok(1)),
        }
        assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
        first.is_ok()
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn a_claim_below_the_end_is_waited_for() {
    // The end is set while a message before it is claimed and not committed.
    explore(3, || {
        let (publisher, mut subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let other = publisher.clone();
        std::mem::forget(testing::claim(&other).unwrap());
        let writer = thread::spawn(move || {
            testing::resume(&other, 0).begin().unwrap().commit(pair(5));
            other
        });
        publisher.close();
        assert_eq!(subscriber.recv().map(id), Ok(5));
        assert_eq!(subscriber.recv(), Err(seqcast::RecvError::Closed));
        writer.join().unwrap();
    });
}

/// The result of `try_recv` on another thread, which is synchronized with no other thread.
fn try_recv_elsewhere(mut subscriber: Subscriber<Inline<Pair>>) -> thread::JoinHandle<TryRecvError> {
    thread::spawn(move || subscriber.try_recv().unwrap_err())
}

#[test]
fn who_makes_the_end_known_knows_it() {
    // Sequence 0 is claimed and never committed, and the end is after it. So the subscriber finds
    // neither a message nor the end. The refused publish makes the end visible instead of the
    // thread that closed.
    let outcomes = explore(3, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let other = publisher.clone();
        std::mem::forget(testing::claim(&publisher).unwrap());
        let closing = thread::spawn(move || other.close());
        let asking = try_recv_elsewhere(subscriber);
        let refused = publisher.publish(pair(1)).is_err();
        assert!(!refused || publisher.is_closed());
        assert_eq!(asking.join().unwrap(), TryRecvError::Empty);
        closing.join().unwrap();
        refused
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn who_comes_second_to_close_knows_the_end() {
    // The first `close` may have set the end at a tail that the second had not loaded.
    let outcomes = explore(3, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let other = publisher.clone();
        let closing = thread::spawn(move || {
            let claimed = testing::claim(&other).map(std::mem::forget).is_some();
            (claimed, other.close())
        });
        let asking = try_recv_elsewhere(subscriber);
        let won = publisher.close();
        let (claimed, other_won) = closing.join().unwrap();
        assert!(won != other_won);
        let told = asking.join().unwrap();
        assert!(!claimed || told == TryRecvError::Empty, "`Closed` was returned before the end");
        (won, claimed, told == TryRecvError::Closed)
    });
    let reached = [(false, true, false), (true, false, false), (true, false, true), (true, true, false)];
    assert_eq!(outcomes, BTreeSet::from(reached));
}

#[test]
fn a_closed_ring_is_never_empty_before_its_end() {
    // If all publishers are gone, a subscriber that finds the end can read all messages before it.
    let outcomes = explore(3, || {
        let (publisher, mut subscriber) = ring(2);
        let publisher = publisher.share();
        let other = publisher.clone();
        let writer = thread::spawn(move || publisher.publish(pair(1)).unwrap());
        let reader = thread::spawn(move || {
            let closed = subscriber.is_closed();
            if closed {
                assert_eq!(subscriber.try_recv().map(id), Ok(1));
                assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
            }
            closed
        });
        drop(other);
        writer.join().unwrap();
        reader.join().unwrap()
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn marks_of_holes_may_be_made_out_of_order() {
    // The slot of sequence 0 stays held. 2 and 4 find it held, independently of each other. Both
    // holes must leave 5 readable.
    explore(3, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let mut reader = Reader::new(subscriber);
        let held = testing::claim(&publisher).unwrap().begin().unwrap();
        for q in 1..5 {
            let claim = testing::claim(&publisher).unwrap();
            if q % 2 == 1 {
                claim.begin().unwrap().commit(pair(q));
            } else {
                std::mem::forget(claim);
            }
        }
        let other = publisher.clone();
        let second = thread::spawn(move || assert!(testing::resume(&other, 2).begin().is_none()));
        assert!(testing::resume(&publisher, 4).begin().is_none());
        second.join().unwrap();
        publisher.publish(pair(5)).unwrap();
        reader.settle();
        assert_eq!(reader.subscriber.next_sequence(), 6);
        assert_eq!(reader.ids(), [5]);
        drop(held);
    });
}

#[test]
fn a_lap_while_closing_is_told_exactly() {
    // Refused claims advance the tail. A lapped reader must not count them as messages.
    explore(2, || {
        let (mut publisher, mut subscriber) = ring(2);
        publisher.publish_many((0..3).map(pair));
        let publisher = publisher.share();
        let (closer, ring) = (publisher.clone(), publisher.ring());
        let closing = thread::spawn(move || {
            closer.close();
        });
        let mut last = 2;
        for _ in 0..3 {
            if let Ok(sequence) = publisher.publish(pair(9)) {
                last = sequence;
            }
        }
        let told = subscriber.try_recv();
        let seen = ring.next_sequence();
        closing.join().unwrap();
        assert_eq!((seen, ring.next_sequence()), (last + 1, last + 1));
        let Err(TryRecvError::Lagged(lagged)) = told else { panic!("expected a loss, found {told:?}") };
        assert_eq!(lagged.resumed_at, last - 1);
    });
}

#[test]
fn a_ring_that_is_closed_while_a_publisher_laps_is_read_to_its_end() {
    let outcomes = explore(2, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let (closer, ring) = (publisher.clone(), publisher.ring());
        let mut reader = Reader::new(subscriber);
        let closing = thread::spawn(move || {
            closer.close();
        });
        let writer = thread::spawn(move || (0..4).take_while(|&q| publisher.publish(pair(q)).is_ok()).count() as u64);
        // `Closed` before any other call: the end is final.
        let early = reader.settle() == TryRecvError::Closed;
        let stood = reader.subscriber.next_sequence();
        let acknowledged = writer.join().unwrap();
        closing.join().unwrap();
        assert!(!early || stood == acknowledged, "`Closed` at {stood}, before the acknowledged end {acknowledged}");
        assert_eq!(reader.settle(), TryRecvError::Closed);
        assert_eq!((reader.subscriber.next_sequence(), ring.next_sequence()), (acknowledged, acknowledged));
        assert!(reader.got.iter().all(|got| got.0 == got.1));
        (acknowledged, early, reader.account.missed > 0)
    });
    for reached in [(0, true, false), (3, false, true), (4, false, true), (4, true, true), (4, true, false)] {
        assert!(outcomes.contains(&reached), "{outcomes:?}");
    }
}
