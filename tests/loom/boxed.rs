//! Boxed rings: readers borrow messages in their slots while publishers replace them.
//!
//! Most models use bound 4 if that is feasible: of the defects tried on the design, one was only
//! found at that bound.

use std::sync::Arc;

use loom::thread;
use seqcast::{Ref, Start};

use crate::explore;
use crate::message::{Log, borrow, borrow_some, publishing, ring};

#[test]
fn a_lap_takes_nothing_from_a_reader() {
    let outcomes = explore(4, || {
        let log = Arc::new(Log::default());
        let (publisher, mut subscriber) = ring(&log, 2, 0);
        let writer = publishing(publisher, &log, 2..4);
        let got = borrow_some(&mut subscriber, 2);
        drop(writer.join().unwrap());
        drop(subscriber);
        log.settle();
        got
    });
    for reached in [vec![0, 1], vec![0], vec![1], vec![2], vec![]] {
        assert!(outcomes.contains(&reached), "{outcomes:?}");
    }
}

#[test]
fn a_reader_finds_what_was_just_put_there() {
    // The reader is at the end: its message is new, and is replaced two laps later.
    let outcomes = explore(4, || {
        let log = Arc::new(Log::default());
        let (publisher, mut subscriber) = ring(&log, 2, 2);
        let writer = publishing(publisher, &log, 2..5);
        let got = borrow_some(&mut subscriber, 2);
        drop(writer.join().unwrap());
        drop(subscriber);
        log.settle();
        got
    });
    for reached in [vec![], vec![2], vec![2, 3], vec![3]] {
        assert!(outcomes.contains(&reached), "{outcomes:?}");
    }
}

#[test]
fn a_lap_takes_nothing_from_two_readers() {
    let outcomes = explore(2, || {
        let log = Arc::new(Log::default());
        let (publisher, mut first) = ring(&log, 2, 0);
        let mut second = first.clone();
        // The first read orders a scan of the pins, the second reader drops what the scan released.
        let writer = publishing(publisher, &log, 2..4);
        let reader = thread::spawn(move || (borrow_some(&mut first, 1), first));
        let got = borrow_some(&mut second, 1);
        let (other, first) = reader.join().unwrap();
        drop(writer.join().unwrap());
        drop((first, second));
        log.settle();
        (got, other)
    });
    for reached in [(vec![0], vec![0]), (vec![0], vec![]), (vec![], vec![0]), (vec![], vec![])] {
        assert!(outcomes.contains(&reached), "{outcomes:?}");
    }
}

#[test]
fn a_subscriber_that_joins_is_seen() {
    // The publisher has scanned before, and has found no subscriber.
    let outcomes = explore(4, || {
        let log = Arc::new(Log::default());
        let (mut publisher, subscriber) = ring(&log, 0, 0);
        drop(subscriber);
        for q in 0..3 {
            publisher.publish(log.message(q));
        }
        let ring = publisher.ring();
        let writer = publishing(publisher, &log, 3..5);
        let mut subscriber = ring.subscribe_at(Start::Oldest);
        let got = borrow_some(&mut subscriber, 1);
        drop(writer.join().unwrap());
        drop((subscriber, ring));
        log.settle();
        got
    });
    for reached in [vec![], vec![1], vec![2], vec![3]] {
        assert!(outcomes.contains(&reached), "{outcomes:?}");
    }
}

#[test]
fn a_borrowed_message_stays_and_is_reclaimed_later() {
    let outcomes = explore(4, || {
        let log = Arc::new(Log::default());
        let (publisher, mut subscriber) = ring(&log, 2, 0);
        let writer = publishing(publisher, &log, 2..5);
        let held = subscriber.try_recv_ref().ok();
        let mut publisher = writer.join().unwrap();
        let got = held.map(|held| {
            // Laps later.
            assert_eq!((Ref::sequence(&held), held.read()), (0, 0));
            assert_eq!(log.alive(), 4, "one borrowed, two in slots, one free node");
        });
        // The next scan finds it free. Its node is reused, and each publish then drops one message.
        for q in 5..8 {
            publisher.publish(log.message(q));
        }
        assert!(!log.is_alive(0), "message 0 was not reclaimed");
        assert!((3..=4).contains(&log.alive()), "two in slots, one or two free nodes");
        drop((publisher, subscriber));
        log.settle();
        got.is_some()
    });
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), [false, true]);
}

#[test]
fn who_leaves_has_let_go() {
    // The subscriber takes a copy, and is dropped while the publisher reclaims.
    let outcomes = explore(4, || {
        let log = Arc::new(Log::default());
        let (publisher, mut subscriber) = ring(&log, 2, 0);
        let writer = publishing(publisher, &log, 2..4);
        let copy = subscriber.try_recv().ok();
        drop(subscriber);
        drop(writer.join().unwrap());
        let got = copy.as_ref().map(|copy| copy.read());
        drop(copy);
        log.settle();
        got
    });
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), [None, Some(0)]);
}

#[test]
fn a_leaked_borrow_ends_with_its_subscriber() {
    let outcomes = explore(3, || {
        let log = Arc::new(Log::default());
        let (publisher, mut subscriber) = ring(&log, 2, 0);
        let writer = publishing(publisher, &log, 2..4);
        if let Ok(message) = subscriber.try_recv_ref() {
            message.read();
            std::mem::forget(message);
        }
        let got = borrow(&mut subscriber);
        drop(subscriber);
        drop(writer.join().unwrap());
        log.settle();
        got.map(|(sequence, _)| sequence)
    });
    assert!(outcomes.contains(&Some(1)) && outcomes.contains(&None), "{outcomes:?}");
}
