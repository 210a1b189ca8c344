//! Slots: no message is torn, and no handle waits for a suspended publisher.

use crate::testing;
use loom::thread;
use seqcast::{Inline, Publisher, SharedPublisher, TryRecvError};

use crate::{Pair, Reader, explore, id, pair, parking_ring, ring};

#[test]
fn nothing_is_torn_when_one_publisher_laps() {
    let outcomes = explore(3, || {
        let (mut publisher, subscriber) = ring(2);
        let mut reader = Reader::new(subscriber);
        let writer = thread::spawn(move || {
            for q in 0..3 {
                publisher.publish(pair(q));
            }
            publisher
        });
        for _ in 0..2 {
            let _ = reader.poll();
        }
        let publisher = writer.join().unwrap();
        assert_eq!(reader.settle(), TryRecvError::Empty);
        assert!(reader.got.iter().all(|got| got.0 == got.1), "a message has another sequence than its number");
        drop(publisher);
        (reader.ids(), reader.account.missed)
    });
    assert!(outcomes.contains(&(vec![0, 1, 2], 0)) && outcomes.contains(&(vec![1, 2], 1)), "{outcomes:?}");
}

#[test]
fn nothing_is_torn_when_two_publishers_lap() {
    let outcomes = explore(2, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let mut reader = Reader::new(subscriber);
        let other = publisher.clone();
        let writer = thread::spawn(move || [other.publish(pair(10)).unwrap(), other.publish(pair(11)).unwrap()]);
        let second = thread::spawn(move || publisher.publish(pair(20)).map(|q| (q, publisher)).unwrap());
        let _ = reader.poll();
        let _ = reader.poll();
        let mut sequences = writer.join().unwrap().to_vec();
        let (q, publisher) = second.join().unwrap();
        sequences.push(q);
        reader.settle();
        let claimed = publisher.next_sequence();
        assert_eq!(reader.subscriber.next_sequence(), claimed, "the reader left a readable message unread");
        for (sequence, id) in &reader.got {
            let expected = sequences.iter().zip([10, 11, 20]).find(|(q, _)| *q == sequence);
            assert_eq!(expected.map(|(_, id)| id), Some(*id), "a message has another number");
        }
        (reader.got.len(), reader.account.missed, reader.subscriber.holes())
    });
    assert!(outcomes.contains(&(3, 0, 0)) && outcomes.contains(&(2, 1, 0)), "{outcomes:?}");
    assert!(outcomes.iter().any(|outcome| outcome.2 > 0), "no outcome has a hole: {outcomes:?}");
}

#[test]
fn a_stalled_publisher_stops_nobody() {
    // Sequence 0 is claimed and holds its slot until the end. 1 and 3 are published, and 2 is a
    // hole. A reader is woken at most a lap later, and continues.
    let outcomes = explore(2, || {
        let (publisher, subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let mut reader = Reader::new(subscriber);
        let stalled = publisher.clone();
        let write = testing::claim(&stalled).unwrap().begin().unwrap();
        let writer = thread::spawn(move || [publisher.publish(pair(7)).unwrap(), publisher.publish(pair(8)).unwrap()]);
        let first = reader.subscriber.recv();
        match first {
            Ok(message) => reader.take(message),
            Err(seqcast::RecvError::Lagged(lagged)) => reader.account.lagged(&reader.subscriber, lagged),
            Err(seqcast::RecvError::Closed) => panic!("closed although a publisher exists"),
        }
        assert_eq!(writer.join().unwrap(), [1, 3]);
        reader.settle();
        assert_eq!(reader.ids().last(), Some(&8));
        drop(write);
        (reader.ids(), reader.account.missed, reader.subscriber.holes())
    });
    assert!(outcomes.contains(&(vec![8], 2, 1)) || outcomes.contains(&(vec![8], 3, 0)), "{outcomes:?}");
}

#[test]
fn a_stalled_publisher_may_come_back() {
    let outcomes = explore(2, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let mut reader = Reader::new(subscriber);
        let stalled = publisher.clone();
        let writer = thread::spawn(move || [publisher.publish(pair(7)).unwrap(), publisher.publish(pair(8)).unwrap()]);
        let back = thread::spawn(move || {
            let claim = testing::claim(&stalled).unwrap();
            let sequence = claim.sequence();
            if let Some(write) = claim.begin() {
                write.commit(pair(9));
            }
            (sequence, stalled)
        });
        let _ = reader.poll();
        let [seven, eight] = writer.join().unwrap();
        let (nine, _stalled) = back.join().unwrap();
        reader.settle();
        let names = [(seven, 7), (eight, 8), (nine, 9)];
        assert!(reader.got.iter().all(|got| names.contains(got)), "{:?}", reader.got);
        (reader.ids().len(), reader.account.missed, reader.subscriber.holes())
    });
    assert!(outcomes.len() > 2, "{outcomes:?}");
}

#[test]
fn a_claim_that_is_overrun_harms_nobody() {
    // Claimed, then overtaken by a lap before it took its slot.
    explore(2, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let mut reader = Reader::new(subscriber);
        let late = publisher.clone();
        let claim = testing::claim(&late).unwrap();
        let writer = thread::spawn(move || {
            for id in 1..=3 {
                publisher.publish(pair(id)).unwrap();
            }
        });
        let _ = reader.poll();
        if let Some(write) = claim.begin() {
            write.commit(pair(0));
        }
        writer.join().unwrap();
        reader.settle();
        assert_eq!(reader.subscriber.next_sequence(), late.next_sequence());
        assert!(reader.got.windows(2).all(|two| two[0].1 < two[1].1));
    });
}

#[test]
fn the_newest_is_found_while_stalled_publishers_come_back() {
    // 2 and 3 are being written over 0 and 1. No message is readable until one of them is
    // committed.
    let outcomes = explore(3, || {
        let (publisher, mut subscriber) = ring(2);
        let publisher = publisher.share();
        publisher.publish_many([pair(0), pair(1)]);
        let writes = [(); 2].map(|()| testing::claim(&publisher).unwrap().begin().unwrap());
        let reader = thread::spawn(move || {
            let newest = subscriber.latest().map(id);
            (newest, subscriber)
        });
        writes.into_iter().zip([2, 3]).for_each(|(write, message)| write.commit(pair(message)));
        let (newest, mut subscriber) = reader.join().unwrap();
        assert_eq!(newest.ok(), subscriber.last_sequence());
        let rest = subscriber.latest().map(id);
        assert_eq!(rest, if newest == Ok(3) { Err(TryRecvError::Empty) } else { Ok(3) });
        let received = u64::from(newest.is_ok()) + u64::from(rest.is_ok());
        assert_eq!((received + subscriber.skipped_by_choice(), subscriber.missed()), (4, 0));
        newest.ok()
    });
    assert!(outcomes.into_iter().eq([None, Some(2), Some(3)]));
}

/// One publisher publishes more than two slots hold. After a report of a loss, the reader must find
/// the message at which it resumes, or be lapped again.
fn who_is_told_of_a_loss(publish: impl Fn(Publisher<Inline<Pair>>) -> Handle + Send + Sync + Copy + 'static) {
    let outcomes = explore(3, move || {
        let (publisher, mut subscriber) = ring(2);
        let writer = thread::spawn(move || publish(publisher));
        let told = match subscriber.try_recv() {
            Err(TryRecvError::Lagged(lagged)) => {
                Some((lagged.resumed_at, subscriber.try_recv() != Err(TryRecvError::Empty)))
            }
            _ => None,
        };
        let _publisher = writer.join().unwrap();
        told
    });
    assert!(outcomes.contains(&None) && outcomes.contains(&Some((1, true))), "{outcomes:?}");
    assert!(
        outcomes.iter().flatten().all(|(_, found)| *found),
        "no message at the reported `resumed_at`: {outcomes:?}"
    );
}

type Handle = Result<Publisher<Inline<Pair>>, SharedPublisher<Inline<Pair>>>;

#[test]
fn who_is_told_of_a_loss_finds_the_next_message() {
    who_is_told_of_a_loss(|mut publisher| {
        for q in 0..3 {
            publisher.publish(pair(q));
        }
        Ok(publisher)
    });
}

#[test]
fn who_is_told_of_a_loss_beside_others_finds_the_next_message() {
    who_is_told_of_a_loss(|publisher| {
        let publisher = publisher.share();
        for q in 0..4 {
            publisher.publish(pair(q)).unwrap();
        }
        Err(publisher)
    });
}
