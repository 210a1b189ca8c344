//! Publishers that wait for room. A lost wake-up is a deadlock, which loom reports.

use crate::testing;
use std::collections::BTreeSet;

use loom::future::block_on;
use loom::thread;
use seqcast::{Builder, Inline, Publisher, RecvError, SharedPublisher, Subscriber};

use crate::{Pair, explore, id, pair};

/// A full gated ring of two slots, with one gating subscriber.
fn full(builder: Builder) -> (Publisher<Inline<Pair>>, Subscriber<Inline<Pair>>) {
    let (mut publisher, _) = builder.gated().inline();
    let gate = publisher.ring().subscribe_gating().unwrap();
    publisher.try_publish(pair(0)).unwrap();
    publisher.try_publish(pair(1)).unwrap();
    (publisher, gate)
}

/// Publishes one more message, which may wait. Returns whether it waited.
fn one_more(mut publisher: Publisher<Inline<Pair>>) -> thread::JoinHandle<(Publisher<Inline<Pair>>, bool)> {
    thread::spawn(move || {
        assert_eq!(publisher.publish(pair(2)), 2);
        let waited = !publisher.ring().stats().publishers_waited.is_zero();
        (publisher, waited)
    })
}

/// The publisher of `one_more` waited in some interleavings and not in others.
fn waited_or_not(outcomes: &BTreeSet<bool>) {
    assert_eq!(*outcomes, BTreeSet::from([false, true]));
}

#[test]
fn a_reader_that_moves_wakes_a_publisher() {
    waited_or_not(&explore(3, || {
        let (publisher, mut gate) = full(Builder::new(2));
        let writer = one_more(publisher);
        assert_eq!(gate.try_recv().map(id), Ok(0));
        let (_publisher, waited) = writer.join().unwrap();
        assert_eq!((gate.try_recv().map(id), gate.try_recv().map(id)), (Ok(1), Ok(2)));
        waited
    }));
}

#[test]
fn a_reader_that_has_no_fence_wakes_a_publisher_that_arms_the_ring() {
    waited_or_not(&explore(2, || {
        let (publisher, mut gate) = full(testing::with_barrier(Builder::new(2)));
        let writer = one_more(publisher);
        assert_eq!(gate.try_recv().map(id), Ok(0));
        let (_publisher, waited) = writer.join().unwrap();
        waited
    }));
}

#[test]
fn a_reader_and_a_publisher_wait_for_each_other_in_turn() {
    explore(2, || {
        let (mut publisher, _) = Builder::new(2).gated().inline::<Pair>();
        let mut gate = publisher.ring().subscribe_gating().unwrap();
        let writer = thread::spawn(move || {
            for name in 0..3 {
                publisher.publish(pair(name));
            }
            publisher
        });
        for name in 0..3 {
            assert_eq!(gate.recv().map(id), Ok(name));
        }
        writer.join().unwrap();
    });
}

#[test]
fn a_task_that_waits_is_woken() {
    explore(2, || {
        let (publisher, mut gate) = full(Builder::new(2));
        let publisher = publisher.share();
        let writer = thread::spawn(move || {
            assert_eq!(block_on(publisher.publish_async(pair(2))), Ok(2));
            publisher
        });
        assert_eq!(gate.try_recv().map(id), Ok(0));
        writer.join().unwrap();
    });
}

#[test]
fn a_gate_that_leaves_wakes_a_publisher() {
    waited_or_not(&explore(3, || {
        let (publisher, gate) = full(Builder::new(2));
        let writer = one_more(publisher);
        drop(gate);
        let (_publisher, waited) = writer.join().unwrap();
        waited
    }));
}

#[test]
fn a_gate_that_is_demoted_frees_a_publisher_that_waits() {
    let outcomes = explore(2, || {
        let (publisher, mut gate) = full(Builder::new(2));
        let ring = publisher.ring();
        let writer = one_more(publisher);
        testing::expire_gate_deadline(&ring);
        let (publisher, _) = writer.join().unwrap();
        let mut missed = 0;
        let mut names = Vec::new();
        loop {
            match gate.try_recv() {
                Ok(message) => names.push(id(message)),
                Err(seqcast::TryRecvError::Lagged(lagged)) => missed += lagged.missed,
                Err(_) => break,
            }
        }
        assert!(!gate.is_gating());
        assert_eq!((names, missed), (vec![1, 2], 1));
        drop(publisher);
    });
    assert_eq!(outcomes.len(), 1);
}

#[test]
fn a_seek_wakes_a_publisher() {
    waited_or_not(&explore(2, || {
        let (publisher, mut gate) = full(Builder::new(2));
        let writer = one_more(publisher);
        gate.seek(seqcast::Start::At(1));
        let (_publisher, waited) = writer.join().unwrap();
        waited
    }));
}

#[test]
fn of_two_gates_that_move_at_once_one_wakes_the_publisher() {
    let outcomes = explore(2, || {
        let (publisher, mut gate) = full(Builder::new(2));
        let mut clone = gate.clone();
        let writer = one_more(publisher);
        let other = thread::spawn(move || {
            assert_eq!(clone.try_recv().map(id), Ok(0));
            clone
        });
        assert_eq!(gate.try_recv().map(id), Ok(0));
        let (_publisher, waited) = writer.join().unwrap();
        other.join().unwrap();
        waited
    });
    assert!(outcomes.contains(&true));
}

fn publish_one(publisher: SharedPublisher<Inline<Pair>>, name: u64) -> thread::JoinHandle<u64> {
    thread::spawn(move || {
        let sequence = publisher.publish(pair(name)).unwrap();
        std::mem::forget(publisher);
        sequence
    })
}

#[test]
fn two_publishers_that_wait_are_both_woken() {
    let outcomes = explore(2, || {
        let (publisher, mut gate) = full(Builder::new(2));
        let publisher = publisher.share();
        let writers = [publish_one(publisher.clone(), 10), publish_one(publisher.clone(), 11)];
        assert_eq!((gate.try_recv().map(id), gate.try_recv().map(id)), (Ok(0), Ok(1)));
        let mut sequences = writers.map(|writer| writer.join().unwrap());
        sequences.sort_unstable();
        assert_eq!(sequences, [2, 3]);
        let last = [gate.try_recv().map(id).unwrap(), gate.try_recv().map(id).unwrap()];
        assert_eq!(gate.missed(), 0);
        drop(publisher);
        last
    });
    assert_eq!(outcomes, BTreeSet::from([[10, 11], [11, 10]]));
}

#[test]
fn the_end_wakes_a_publisher_that_waits() {
    explore(3, || {
        let (publisher, gate) = full(Builder::new(2));
        let publisher = publisher.share();
        let other = publisher.clone();
        let writer = thread::spawn(move || other.publish(pair(2)).is_err());
        assert!(publisher.close());
        assert!(writer.join().unwrap());
        drop(gate);
    });
}

#[test]
fn a_gate_that_joins_wakes_a_publisher_that_waited_for_its_first_cursor() {
    let outcomes = explore(2, || {
        let (mut publisher, _) = Builder::new(2).gated().inline::<Pair>();
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            for name in 0..3 {
                publisher.publish(pair(name));
            }
            publisher
        });
        let mut gate = ring.subscribe_gating().unwrap();
        let start = gate.next_sequence();
        // From every start other than 0, there is room for all.
        if start == 0 {
            assert_eq!(gate.recv().map(id), Ok(0));
        }
        writer.join().unwrap();
        start
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1, 2, 3]));
}

#[test]
fn the_newest_wakes_who_waits_for_it() {
    let outcomes = explore(2, || {
        let (mut publisher, mut subscriber) = crate::parking_ring(2);
        let writer = thread::spawn(move || {
            for name in 0..3 {
                publisher.publish(pair(name));
            }
        });
        let first = subscriber.recv_latest().map(id).unwrap();
        writer.join().unwrap();
        let last = subscriber.recv_latest().map(id);
        assert_eq!(last, if first == 2 { Err(RecvError::Closed) } else { Ok(2) });
        first
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1, 2]));
}

#[test]
fn nobody_waits_for_room_that_others_have_used_when_no_gate_is_left() {
    explore(2, || {
        let (publisher, gate) = full(Builder::new(2));
        let publisher = publisher.share();
        let one = publish_one(publisher.clone(), 10);
        drop(gate);
        publisher.publish(pair(11)).unwrap();
        publisher.publish(pair(12)).unwrap();
        one.join().unwrap();
        std::mem::forget(publisher);
    });
}
