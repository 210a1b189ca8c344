//! A lap or more between two loads that belong together.

use std::collections::BTreeSet;

use loom::thread;
use seqcast::{Builder, Inline, Publisher, SharedPublisher, Start, SubscribeError, Subscriber, TryRecvError};

use crate::testing;
use crate::{Pair, Reader, explore, id, pair, ring};

/// A shared ring of two. The slot of 0 stays held, so every even sequence becomes a hole.
fn ring_with_a_held_slot() -> (SharedPublisher<Inline<Pair>>, Subscriber<Inline<Pair>>) {
    let (publisher, subscriber) = ring(2);
    let publisher = publisher.share();
    drop(testing::claim(&publisher).unwrap().begin());
    (publisher, subscriber)
}

#[test]
fn who_went_over_a_hole_finds_the_tail_behind_it() {
    // The reader has found the hole at 2. The one at 4 is made in parallel.
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
    // The hole at 2 exists before. The reader is at 0, and those at 4 and 6 are made in parallel.
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
        let Err(TryRecvError::Lagged(lagged)) = late.try_recv() else { panic!("expected a loss") };
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
        assert!((2..=6).contains(&published), "{published} reported as published, with 1 published and 0 in a write");
        let _publisher = writer.join().unwrap();
        published
    });
    assert!(outcomes.is_superset(&BTreeSet::from([2, 3, 4])), "{outcomes:?}");
}

/// A ring of two is full, and two more laps are published while a subscriber receives the newest.
fn the_newest_is_found(
    slack: usize,
    publish: impl Fn(Publisher<Inline<Pair>>) -> Handle + Send + Sync + Copy + 'static,
) {
    let outcomes = explore(2, move || {
        let (mut publisher, mut subscriber) = testing::never_parked(Builder::new(2)).lag_slack(slack).inline();
        publisher.publish_many([pair(0), pair(1)]);
        let writer = thread::spawn(move || publish(publisher));
        let newest = subscriber.latest().map(id).expect("there is always a message to receive");
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

fn exclusive(mut publisher: Publisher<Inline<Pair>>) -> Handle {
    publisher.publish_many((2..5).map(pair));
    Ok(publisher)
}

fn shared(publisher: Publisher<Inline<Pair>>) -> Handle {
    let publisher = publisher.share();
    publisher.publish_many((2..5).map(pair));
    Err(publisher)
}

#[test]
fn the_newest_is_found_while_the_publisher_laps() {
    // With slack, a lapped subscriber resumes at the message that is being written.
    the_newest_is_found(1, exclusive);
}

#[test]
fn the_newest_is_found_while_a_shared_publisher_laps() {
    the_newest_is_found(0, shared);
}

#[test]
fn what_is_taken_for_the_newest_is_not_older_than_what_was_there() {
    // 3 is committed, and is overwritten by 7 while 2 remains, because 6 never takes its slot.
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
        assert!(newest >= 3, "{newest} was received as the newest");
        let _publisher = writer.join().unwrap();
        newest
    });
    assert!(outcomes.is_superset(&BTreeSet::from([3, 4, 5, 7])), "{outcomes:?}");
}

#[test]
fn there_is_a_newest_while_claims_reach_their_slots() {
    // 4 and 5 are held, 6 and 7 are claimed. 3 is readable until 7 begins, and 6 is from then on.
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
        let newest = subscriber.latest().map(id).expect("there is always a message to receive");
        let _publisher = writer.join().unwrap();
        newest
    });
    assert_eq!(outcomes, BTreeSet::from([3, 6]));
}

#[test]
fn what_is_told_to_be_published_never_goes_back() {
    // 2 is claimed, and becomes a hole. Another publisher continues.
    let outcomes = explore(2, || {
        let (publisher, subscriber) = ring_with_a_held_slot();
        let (other, ring) = (publisher.clone(), publisher.ring());
        drop(subscriber);
        let writers = [
            thread::spawn(move || drop(testing::claim(&publisher).unwrap().begin())),
            thread::spawn(move || drop(testing::claim(&other).unwrap())),
        ];
        let looks = [(); 2].map(|()| ring.stats().published);
        assert!(looks[0] <= looks[1], "{looks:?} published");
        for writer in writers {
            writer.join().unwrap();
        }
        looks
    });
    assert!(outcomes.is_superset(&BTreeSet::from([[1, 1], [1, 2], [2, 2], [2, 3]])), "{outcomes:?}");
}

/// A shared publisher laps a ring of two twice.
fn lapping(publisher: Publisher<Inline<Pair>>) -> thread::JoinHandle<SharedPublisher<Inline<Pair>>> {
    let publisher = publisher.share();
    thread::spawn(move || {
        for q in 0..4 {
            publisher.publish(pair(q)).unwrap();
        }
        publisher
    })
}

#[test]
fn who_joins_at_the_oldest_finds_it_while_publishers_lap() {
    let outcomes = explore(2, || {
        let (publisher, subscriber) = ring(2);
        let ring = subscriber.ring();
        drop(subscriber);
        let writer = lapping(publisher);
        let mut reader = Reader::new(ring.subscribe_at(Start::Oldest));
        // No write of that message is in progress, because the only publisher has finished it. The
        // message may be lost again.
        let found = reader.poll();
        assert!(reader.account.start == 0 || found.is_ok(), "no message at {}", reader.account.start);
        let _publisher = writer.join().unwrap();
        reader.settle();
        assert!(reader.got.iter().all(|got| got.0 == got.1));
        assert_eq!(reader.subscriber.next_sequence(), 4);
        (reader.account.start, reader.got.len())
    });
    assert!(outcomes.is_superset(&BTreeSet::from([(0, 3), (1, 2), (1, 3), (2, 2)])), "{outcomes:?}");
}

#[test]
fn who_goes_on_where_it_left_is_not_in_the_future() {
    let outcomes = explore(2, || {
        let (mut publisher, mut subscriber) = ring(2);
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            publisher.publish_many((0..4).map(pair));
            publisher
        });
        let _ = subscriber.try_recv();
        let next = subscriber.next_sequence();
        let joined = match ring.try_subscribe_at(Start::At(next)) {
            Ok(joined) => {
                assert_eq!(joined.next_sequence(), next);
                true
            }
            Err(SubscribeError::Evicted { oldest }) => {
                assert!(next < oldest && ring.oldest_sequence() >= oldest);
                false
            }
            Err(other) => panic!("at {next}: {other}"),
        };
        let _publisher = writer.join().unwrap();
        (next, joined)
    });
    assert!(outcomes.is_superset(&BTreeSet::from([(0, true), (0, false), (1, true), (1, false)])), "{outcomes:?}");
}

#[test]
fn a_sequence_is_refused_only_if_it_is_gone() {
    let outcomes = explore(2, || {
        let (publisher, subscriber) = ring(2);
        let ring = subscriber.ring();
        drop(subscriber);
        let writer = lapping(publisher);
        let told = match ring.try_subscribe_at(Start::At(0)) {
            Ok(mut joined) => joined.try_recv().map(id),
            Err(SubscribeError::Evicted { oldest }) => {
                let late = ring.subscribe_at(Start::At(0)).try_recv();
                let Err(TryRecvError::Lagged(lagged)) = late else { panic!("`Evicted`, and then {late:?}") };
                assert!(lagged.resumed_at >= oldest);
                Err(TryRecvError::Closed)
            }
            Err(other) => panic!("at 0: {other}"),
        };
        let _publisher = writer.join().unwrap();
        told.map_err(|error| std::mem::discriminant(&error) == std::mem::discriminant(&TryRecvError::Closed))
    });
    assert!(outcomes.is_superset(&BTreeSet::from([Ok(0), Err(true), Err(false)])), "{outcomes:?}");
}

#[test]
fn what_is_not_empty_holds_a_message_or_a_loss() {
    let outcomes = explore(2, || {
        let (mut publisher, mut subscriber) = ring(2);
        let writer = thread::spawn(move || {
            publisher.publish_many((0..5).map(pair));
            publisher
        });
        let there = !subscriber.is_empty();
        let received = subscriber.try_recv();
        assert!(!there || received != Err(TryRecvError::Empty));
        let _publisher = writer.join().unwrap();
        (there, received.map(id).ok())
    });
    assert!(outcomes.is_superset(&BTreeSet::from([(false, None), (true, Some(0)), (true, None)])), "{outcomes:?}");
}

#[test]
fn no_cursor_is_shown_beyond_the_tail_of_a_lapped_ring() {
    let outcomes = explore(2, || {
        let (mut publisher, mut subscriber) = ring(2);
        let ring = publisher.ring();
        let both = thread::spawn(move || {
            for q in 0..3 {
                publisher.publish(pair(q));
                assert_eq!(subscriber.try_recv().map(id), Ok(q));
            }
            (publisher, subscriber)
        });
        let next = ring.stats().subscribers[0].next_sequence;
        let tail = ring.next_sequence();
        assert!(next <= tail, "a cursor at {next} is beyond the tail {tail}");
        let _handles = both.join().unwrap();
        (next, tail)
    });
    assert!(outcomes.is_superset(&BTreeSet::from([(0, 0), (0, 3), (1, 1), (1, 3), (3, 3)])), "{outcomes:?}");
}
