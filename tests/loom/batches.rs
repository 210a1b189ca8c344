//! Batches and runs of claims.

use crate::testing;
use crate::wakers::Counter;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::{Context, Poll};

use loom::thread;
use seqcast::{Builder, Inline, SharedPublisher, TryRecvError};

use crate::{Pair, Reader, explore, id, pair, parking_ring, ring};

fn shared(capacity: usize) -> (SharedPublisher<Inline<Pair>>, Reader) {
    let (publisher, subscriber) = ring(capacity);
    (publisher.share(), Reader::new(subscriber))
}

#[test]
fn a_parked_thread_is_woken_by_the_end_of_a_batch() {
    explore(3, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let writer = thread::spawn(move || {
            let mut batch = publisher.batch();
            batch.publish(pair(0));
            batch.publish(pair(1));
            drop(batch);
            publisher
        });
        assert_eq!([subscriber.recv().map(id), subscriber.recv().map(id)], [Ok(0), Ok(1)]);
        writer.join().unwrap();
    });
}

#[test]
fn a_parked_thread_is_woken_by_the_end_of_a_shared_batch() {
    explore(2, || {
        let (publisher, mut subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let writer = thread::spawn(move || {
            let mut batch = publisher.batch();
            batch.publish(pair(0)).unwrap();
            batch.publish(pair(1)).unwrap();
            drop(batch);
            publisher
        });
        assert_eq!([subscriber.recv().map(id), subscriber.recv().map(id)], [Ok(0), Ok(1)]);
        writer.join().unwrap();
    });
}

#[test]
fn a_batch_wakes_a_task_at_most_once() {
    let outcomes = explore(3, || {
        let (mut publisher, mut subscriber) = parking_ring(4);
        let woken = Counter::new();
        let writer = thread::spawn(move || {
            let mut batch = publisher.batch();
            batch.publish(pair(0));
            batch.publish(pair(1));
            drop(batch);
            publisher
        });
        let polled = subscriber.poll_recv(&mut Context::from_waker(&Arc::clone(&woken).waker()));
        let _publisher = writer.join().unwrap();
        let waited = polled == Poll::Pending;
        assert!(woken.count() <= 1 && (!waited || woken.count() == 1), "{} wakes", woken.count());
        (waited, woken.count())
    });
    assert!(outcomes.is_superset(&BTreeSet::from([(false, 0), (true, 1)])), "{outcomes:?}");
}

#[test]
fn a_parked_thread_is_woken_by_a_run() {
    explore(2, || {
        let (publisher, mut subscriber) = parking_ring(4);
        let publisher = publisher.share();
        let writer = thread::spawn(move || {
            assert_eq!(publisher.publish_many((0..3).map(pair)), 3);
            publisher
        });
        for number in 0..3 {
            assert_eq!(subscriber.recv().map(id), Ok(number));
        }
        writer.join().unwrap();
    });
}

/// Publishes two messages with each claim, in a ring of four.
fn by_runs(publisher: &SharedPublisher<Inline<Pair>>, ids: std::ops::Range<u64>) -> usize {
    publisher.publish_many(ids.map(pair))
}

#[test]
fn runs_of_two_publishers_are_not_torn_and_stay_in_order() {
    let outcomes = explore(2, || {
        let (publisher, mut reader) = shared(4);
        let other = publisher.clone();
        let writers = [(publisher, 10), (other, 20)].map(|(publisher, first)| {
            thread::spawn(move || {
                assert_eq!(by_runs(&publisher, first..first + 3), 3);
                publisher
            })
        });
        let _ = reader.poll();
        let _ = reader.poll();
        let publishers = writers.map(|writer| writer.join().unwrap());
        assert_eq!(reader.settle(), TryRecvError::Empty);
        let tail = publishers[0].next_sequence();
        assert_eq!(reader.subscriber.next_sequence(), tail, "the reader left a readable message unread");
        for first in [10, 20] {
            let ids: Vec<_> = reader.ids().into_iter().filter(|id| (first..first + 3).contains(id)).collect();
            assert!(ids.is_sorted(), "{ids:?}");
        }
        assert_eq!(tail - 6, publishers[0].ring().stats().skipped);
        (reader.got.len(), reader.subscriber.holes())
    });
    assert!(outcomes.len() > 3, "{outcomes:?}");
}

fn what_is_acknowledged_lies_before_the_end(builder: fn() -> Builder) {
    let outcomes = explore(3, move || {
        let (publisher, subscriber) = builder().inline();
        let (publisher, mut reader) = (publisher.share(), Reader::new(subscriber));
        let other = publisher.clone();
        let closing = thread::spawn(move || assert!(other.close()));
        let published = by_runs(&publisher, 0..3);
        closing.join().unwrap();
        assert_eq!(publisher.next_sequence(), published as u64);
        assert_eq!(reader.settle(), TryRecvError::Closed);
        assert!(reader.ids().into_iter().eq(0..published as u64));
        published
    });
    assert_eq!(outcomes, BTreeSet::from([0, 2, 3]));
}

#[test]
fn what_a_run_acknowledged_lies_before_the_end() {
    what_is_acknowledged_lies_before_the_end(|| testing::never_parked(Builder::new(4)));
}

#[test]
fn a_gated_run_that_is_acknowledged_lies_before_the_end() {
    what_is_acknowledged_lies_before_the_end(|| testing::never_parked(Builder::new(4)).gated());
}

#[test]
fn a_publisher_suspended_in_a_run_stops_nobody() {
    // The publisher has claimed 0 and 1, and holds the slot of 0. One lap later another publisher
    // skips that slot, and the claim of 1 is overtaken.
    let outcomes = explore(2, || {
        let (publisher, mut reader) = shared(4);
        let suspended = publisher.clone();
        let first = testing::claim(&suspended).unwrap();
        let second = testing::claim(&suspended).unwrap();
        let write = first.begin().unwrap();
        let writer = thread::spawn(move || {
            assert_eq!(by_runs(&publisher, 10..15), 5);
            publisher
        });
        let _ = reader.poll();
        let publisher = writer.join().unwrap();
        assert!(second.begin().is_none(), "the claim must have been overtaken");
        reader.settle();
        assert_eq!(reader.subscriber.next_sequence(), publisher.next_sequence());
        assert!(reader.ids().is_sorted() && reader.ids().last() == Some(&14));
        write.commit(pair(0));
        reader.settle();
        assert!(reader.ids().last() == Some(&14));
        reader.got.len()
    });
    // All but the overwritten messages: 5 messages and a hole in a ring of 4.
    assert_eq!(outcomes, BTreeSet::from([3]));
}

#[test]
fn a_run_is_received_as_it_was_published() {
    let outcomes = explore(2, || {
        let (mut publisher, mut subscriber) = ring(4);
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            for number in 0..6 {
                publisher.publish(pair(number));
            }
            publisher
        });
        let mut buffer = Vec::new();
        let first = subscriber.try_recv_many(&mut buffer, 4);
        let next = subscriber.next_sequence();
        if let Ok(count) = first {
            assert!(buffer.iter().copied().map(id).eq(0..count as u64), "{buffer:?}");
            assert_eq!((next, subscriber.received()), (count as u64, count as u64));
        }
        assert!(ring.next_sequence() >= next);
        let _publisher = writer.join().unwrap();
        first.map_err(|error| matches!(error, TryRecvError::Empty))
    });
    assert!(outcomes.is_superset(&BTreeSet::from([Ok(1), Ok(2), Ok(3), Ok(4), Err(true), Err(false)])), "{outcomes:?}");
}

#[test]
fn a_gate_that_receives_a_run_frees_a_publisher_that_waits() {
    explore(2, || {
        let (mut publisher, lossy) = Builder::new(4).gated().inline::<Pair>();
        let mut gating = lossy.ring().subscribe_gating().unwrap();
        drop(lossy);
        publisher.publish_many((0..4).map(pair));
        let writer = thread::spawn(move || {
            publisher.publish(pair(4));
            publisher
        });
        let mut buffer = Vec::new();
        assert_eq!(gating.try_recv_many(&mut buffer, 2), Ok(2));
        let _publisher = writer.join().unwrap();
        while gating.try_recv_many(&mut buffer, 4).is_ok() {}
        assert!(buffer.into_iter().map(id).eq(0..5));
    });
}

/// Three runs of two in a ring of four. The first message of each run is written last.
#[test]
fn a_run_of_the_only_publisher_is_read_in_order() {
    let outcomes = explore(2, || {
        let (mut publisher, subscriber) = ring(4);
        let mut reader = Reader::new(subscriber);
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            assert_eq!(publisher.publish_many((0..6).map(pair)), 0..6);
            publisher
        });
        for _ in 0..3 {
            let _ = reader.poll();
            assert!(ring.next_sequence() >= reader.subscriber.next_sequence(), "the tail is behind a reader");
        }
        let _publisher = writer.join().unwrap();
        assert_eq!(reader.settle(), TryRecvError::Empty);
        assert!(reader.got.iter().all(|(sequence, id)| sequence == id));
        (reader.account.received, reader.account.missed)
    });
    assert!(outcomes.iter().all(|(received, missed)| received + missed == 6), "{outcomes:?}");
    assert!(outcomes.contains(&(6, 0)) && outcomes.iter().any(|(_, missed)| *missed > 0), "{outcomes:?}");
}
