//! Gating subscribers and publishers that do not wait: a message that a gating subscriber has not
//! read is not overwritten.

use crate::testing;
use std::collections::BTreeSet;

use loom::thread;
use seqcast::{Builder, Inline, Publisher, Ring, SharedPublisher, TryRecvError};

use crate::{Pair, Reader, explore, pair};

/// A gated ring of two slots, without parking and without a gating subscriber.
fn ring() -> (Publisher<Inline<Pair>>, Ring<Inline<Pair>>) {
    let (publisher, _) = testing::never_parked(Builder::new(2)).gated().inline();
    let ring = publisher.ring();
    (publisher, ring)
}

fn gate(ring: &Ring<Inline<Pair>>) -> Reader {
    Reader::new(ring.subscribe_gating().unwrap())
}

/// Publishes until the ring is full, or `limit` messages have been published. Each is numbered by
/// its sequence.
fn fill(publisher: &mut Publisher<Inline<Pair>>, limit: u64) -> u64 {
    for sequence in 0..limit {
        if publisher.try_publish(pair(sequence)).is_err() {
            return sequence;
        }
    }
    limit
}

/// The reader has read everything from its start up to `end`, and missed nothing.
fn has_all(reader: &mut Reader, end: u64) {
    let start = reader.account.start;
    reader.settle();
    let sequences: Vec<_> = reader.got.iter().map(|got| got.0).collect();
    assert_eq!(sequences, (start..end).collect::<Vec<_>>());
    assert_eq!(reader.subscriber.missed(), 0);
}

#[test]
fn a_gate_is_not_overrun() {
    let outcomes = explore(3, || {
        let (mut publisher, ring) = ring();
        let mut reader = gate(&ring);
        let writer = thread::spawn(move || {
            let published = fill(&mut publisher, 4);
            (publisher, published)
        });
        let _ = reader.poll();
        let _ = reader.poll();
        let (_publisher, published) = writer.join().unwrap();
        has_all(&mut reader, published);
        published
    });
    assert_eq!(outcomes, BTreeSet::from([2, 3, 4]));
}

#[test]
fn a_gate_is_not_overrun_by_two() {
    let outcomes = explore(2, || {
        let (publisher, ring) = ring();
        let publisher = publisher.share();
        let mut reader = gate(&ring);
        let writers = [(publisher.clone(), 2), (publisher, 1)]
            .map(|(publisher, count)| thread::spawn(move || try_some(publisher, count)));
        let _ = reader.poll();
        let _ = reader.poll();
        let written = writers.map(|writer| writer.join().unwrap());
        let published = written.iter().map(|(_, published)| published).sum();
        has_all(&mut reader, published);
        published
    });
    assert_eq!(outcomes, BTreeSet::from([2, 3]));
}

#[test]
fn a_gate_that_joins_is_not_overrun() {
    let outcomes = explore(3, || {
        let (mut publisher, ring) = ring();
        let writer = thread::spawn(move || {
            let published = fill(&mut publisher, 4);
            (publisher, published)
        });
        let mut reader = gate(&ring);
        let (_publisher, published) = writer.join().unwrap();
        has_all(&mut reader, published);
        (reader.account.start, published)
    });
    // Wherever it joined, it has received all messages from then on, and publishers stay within one
    // lap of it.
    assert!(outcomes.iter().all(|(start, published)| published - start <= 2), "{outcomes:?}");
    assert_eq!(outcomes.iter().map(|outcome| outcome.0).collect::<BTreeSet<_>>(), BTreeSet::from([0, 1, 2, 3, 4]));
}

/// Publishes up to `count` messages while there is room.
fn try_some(publisher: SharedPublisher<Inline<Pair>>, count: u64) -> (SharedPublisher<Inline<Pair>>, u64) {
    let published = (0..count).filter(|_| publisher.try_publish(pair(7)).is_ok()).count() as u64;
    (publisher, published)
}

#[test]
fn a_gate_that_joins_beside_two_is_not_overrun() {
    let outcomes = explore(2, || {
        let (publisher, ring) = ring();
        let publisher = publisher.share();
        let other = publisher.clone();
        let writers = [thread::spawn(move || try_some(publisher, 2)), thread::spawn(move || try_some(other, 1))];
        let mut reader = gate(&ring);
        let written = writers.map(|writer| writer.join().unwrap());
        let end = ring.next_sequence();
        // Sequences that publishers skipped are holes: the lossy rules apply in the first lap after
        // a join.
        let start = reader.account.start;
        assert_eq!(reader.settle(), TryRecvError::Empty);
        assert_eq!(reader.subscriber.missed(), 0);
        assert_eq!(reader.got.len() as u64 + reader.subscriber.holes(), end - start);
        drop(written);
        start
    });
    assert!(outcomes.is_superset(&BTreeSet::from([0, 1, 2])), "{outcomes:?}");
}

#[test]
fn a_clone_of_a_gate_loses_nothing_when_the_gate_moves() {
    let outcomes = explore(3, || {
        let (mut publisher, ring) = ring();
        let mut reader = gate(&ring);
        fill(&mut publisher, 2);
        let writer = thread::spawn(move || {
            let published = 2 + (2..4).filter(|&sequence| publisher.try_publish(pair(sequence)).is_ok()).count() as u64;
            (publisher, published)
        });
        let mut clone = Reader::new(reader.subscriber.clone());
        reader.poll().unwrap();
        reader.poll().unwrap();
        let (mut publisher, published) = writer.join().unwrap();
        has_all(&mut clone, published);
        assert!(published > 2 || publisher.try_publish(pair(2)).is_ok(), "there must be room after both have read");
        published
    });
    assert_eq!(outcomes, BTreeSet::from([2]), "the clone must hold the unread messages");
}

#[test]
fn without_a_gate_nobody_waits() {
    let outcomes = explore(2, || {
        let (publisher, ring) = ring();
        let publisher = publisher.share();
        let mut reader = Reader::new(ring.subscribe());
        let other = publisher.clone();
        let publish = |publisher: SharedPublisher<Inline<Pair>>, first: u64| {
            move || {
                for name in first..first + 2 {
                    publisher.try_publish(pair(name)).unwrap();
                }
                publisher
            }
        };
        let writer = thread::spawn(publish(publisher, 0));
        let last = publish(other, 10)();
        let _ = reader.poll();
        let first = writer.join().unwrap();
        reader.settle();
        let stats = ring.stats();
        assert_eq!(stats.published, 4);
        assert_eq!(reader.subscriber.next_sequence(), 4 + stats.skipped);
        assert!(reader.subscriber.missed() > 0, "of four messages in two slots, some must be missed");
        drop((first, last));
        reader.got.len()
    });
    assert!(outcomes.is_superset(&BTreeSet::from([2, 3])), "{outcomes:?}");
}

#[test]
fn a_publisher_that_went_on_by_the_deadline_takes_one_message() {
    let outcomes = explore(2, || {
        let (publisher, ring) = ring();
        let publisher = publisher.share();
        let mut reader = gate(&ring);
        // Claimed and never committed: the reader waits for this message, and must not be demoted.
        std::mem::forget(testing::claim(&publisher).unwrap());
        publisher.try_publish(pair(1)).unwrap();
        let writer = thread::spawn(move || {
            let refused = publisher.try_publish(pair(2)).is_err();
            testing::expire_gate_deadline(&publisher.ring());
            (publisher, refused)
        });
        let early = reader.poll().is_ok();
        let (publisher, refused) = writer.join().unwrap();
        assert!(refused && !early && reader.subscriber.is_gating());
        let published = publisher.try_publish(pair(2));
        assert_eq!(published.ok(), Some(2));
        assert!(publisher.try_publish(pair(3)).is_err(), "the deadline makes room for one message only");
        reader.settle();
        let names: Vec<_> = reader.got.iter().map(|got| got.0).collect();
        assert_eq!((names, reader.subscriber.missed()), (vec![1, 2], 1));
    });
    assert_eq!(outcomes.len(), 1);
}
