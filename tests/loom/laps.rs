//! A lap, or more, between two looks that belong together.

use std::collections::BTreeSet;

use loom::thread;
use seqcast::{Builder, Inline, Publisher, SharedPublisher, Start, Subscriber, TryRecvError, testing};

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

/// Two are in a ring of two, and two more laps are published while somebody takes the newest.
fn the_newest_is_found(
    slack: usize,
    publish: impl Fn(Publisher<Inline<Pair>>) -> Handle + Send + Sync + Copy + 'static,
) {
    let outcomes = explore(2, move || {
        let (mut publisher, mut subscriber) = Builder::new(2).never_parked().lag_slack(slack).inline();
        publisher.publish_many([pair(0), pair(1)]);
        let writer = thread::spawn(move || publish(publisher));
        let newest = subscriber.latest().map(id).expect("1 was there, and then newer ones");
        assert!(newest >= 1);
        assert_eq!(subscriber.last_sequence(), Some(newest));
        let _publisher = writer.join().unwrap();
        let rest = subscriber.latest().map(id);
        assert_eq!(rest, if newest == 4 { Err(TryRecvError::Empty) } else { Ok(4) });
        let received = 1 + u64::from(rest.is_ok());
        assert_eq!((received + subscriber.skipped_by_choice(), subscriber.missed()), (5, 0));
        newest
    });
    assert!(outcomes.is_superset(&BTreeSet::from([1, 3, 4])), "{outcomes:?}");
}

type Handle = Result<Publisher<Inline<Pair>>, SharedPublisher<Inline<Pair>>>;

fn alone(mut publisher: Publisher<Inline<Pair>>) -> Handle {
    publisher.publish_many((2..5).map(pair));
    Ok(publisher)
}

fn beside_others(publisher: Publisher<Inline<Pair>>) -> Handle {
    let publisher = publisher.share();
    publisher.publish_many((2..5).map(pair));
    Err(publisher)
}

#[test]
fn the_newest_is_found_while_the_publisher_laps() {
    // With room left in front of those that are lapped: where they go on is the message that is being written.
    the_newest_is_found(1, alone);
}

#[test]
fn the_newest_is_found_while_a_shared_publisher_laps() {
    the_newest_is_found(0, beside_others);
}

#[test]
fn what_is_taken_for_the_newest_is_not_older_than_what_was_there() {
    // 3 was there, and is overwritten by 7 while 2 is left, as nobody has taken the slot of 6.
    let outcomes = explore(3, || {
        let (mut publisher, mut subscriber) = ring(4);
        publisher.publish_many((0..4).map(pair));
        let publisher = publisher.share();
        let writer = thread::spawn(move || {
            publisher.publish_many([pair(4), pair(5)]);
            std::mem::forget(testing::claim(&publisher).unwrap());
            publisher.publish(pair(7)).unwrap();
            publisher
        });
        let newest = subscriber.latest().map(id).unwrap();
        assert!(newest >= 3, "{newest} was taken for the newest");
        let _publisher = writer.join().unwrap();
        newest
    });
    assert!(outcomes.is_superset(&BTreeSet::from([3, 4, 5, 7])), "{outcomes:?}");
}

#[test]
fn there_is_a_newest_while_claims_reach_their_slots() {
    // 4 and 5 are held, 6 and 7 are drawn. 3 is there until 7 begins: by then 6 is.
    let outcomes = explore(3, || {
        let (mut publisher, mut subscriber) = ring(4);
        publisher.publish_many((0..4).map(pair));
        let publisher = publisher.share();
        (0..2).for_each(|_| drop(testing::claim(&publisher).unwrap().begin()));
        (0..2).for_each(|_| drop(testing::claim(&publisher)));
        let writer = thread::spawn(move || {
            testing::resume(&publisher, 6).begin().unwrap().commit(pair(6));
            drop(testing::resume(&publisher, 7).begin());
            publisher
        });
        let newest = subscriber.latest().map(id).expect("something was there all the time");
        let _publisher = writer.join().unwrap();
        newest
    });
    assert_eq!(outcomes, BTreeSet::from([3, 6]));
}
