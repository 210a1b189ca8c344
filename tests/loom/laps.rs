//! A lap, or more, between two looks that belong together.

use std::collections::BTreeSet;

use loom::thread;
use seqcast::{Inline, SharedPublisher, Start, Subscriber, TryRecvError, testing};

use crate::{Pair, explore, id, pair, ring};

/// A shared ring of two with 0 held for good, so that every even sequence becomes a hole.
fn ring_with_a_held_slot() -> (SharedPublisher<Inline<Pair>>, Subscriber<Inline<Pair>>) {
    let (publisher, subscriber) = ring(2);
    let publisher = publisher.share();
    drop(testing::claim(&publisher).unwrap().begin());
    (publisher, subscriber)
}

#[test]
fn who_went_over_a_hole_finds_the_tail_behind_it() {
    // The hole at 2 is known to the reader; that at 4 is made beside it.
    let outcomes = explore(3, || {
        let (publisher, mut subscriber) = ring_with_a_held_slot();
        publisher.publish_many([pair(1), pair(3)]);
        while subscriber.try_recv() != Err(TryRecvError::Empty) {}
        assert_eq!(subscriber.next_sequence(), 4);
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            assert!(testing::claim(&publisher).unwrap().begin().is_none());
            publisher
        });
        assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
        let (next, tail) = (subscriber.next_sequence(), ring.next_sequence());
        assert!(tail >= next, "the tail is {tail} after a cursor at {next}");
        let _publisher = writer.join().unwrap();
        (next, tail)
    });
    assert_eq!(outcomes, BTreeSet::from([(4, 4), (4, 5), (5, 5)]));
}

#[test]
fn who_was_lapped_by_a_skip_finds_the_tail_behind_it() {
    // The hole at 2 is known to the reader, that waits at 0; those at 4 and 6 are made beside it.
    let outcomes = explore(2, || {
        let (publisher, subscriber) = ring_with_a_held_slot();
        publisher.publish_many([pair(1), pair(3)]);
        let ring = publisher.ring();
        let mut late = ring.subscribe_at(Start::At(0));
        drop(subscriber);
        let writer = thread::spawn(move || {
            publisher.publish_many([pair(5), pair(7)]);
            publisher
        });
        let Err(TryRecvError::Lagged(lagged)) = late.try_recv() else { panic!("no loss") };
        let looks = (ring.next_sequence(), ring.oldest_sequence());
        assert!(looks.0 >= lagged.resumed_at && looks.1 >= lagged.resumed_at, "{looks:?} after {lagged:?}");
        let _publisher = writer.join().unwrap();
        lagged.resumed_at
    });
    assert!(outcomes.contains(&2) && outcomes.contains(&5), "{outcomes:?}");
}

#[test]
fn not_less_is_told_to_be_published_than_was_received() {
    let outcomes = explore(2, || {
        let (publisher, subscriber) = ring_with_a_held_slot();
        publisher.publish(pair(1)).unwrap();
        let ring = publisher.ring();
        assert_eq!(ring.subscribe_at(Start::At(1)).try_recv().map(id), Ok(1));
        drop(subscriber);
        let writer = thread::spawn(move || {
            publisher.publish_many([pair(3), pair(5)]);
            publisher
        });
        let published = ring.stats().published;
        assert!((2..=6).contains(&published), "{published} published: 1 was, 0 is being written");
        let _publisher = writer.join().unwrap();
        published
    });
    assert!(outcomes.is_superset(&BTreeSet::from([2, 3, 4])), "{outcomes:?}");
}
