//! A message whose clone panics is not received, and can still be borrowed.

use crate::common::counted::Ledger;
use crate::common::eventually;
use crate::common::panics::{throw, throws};
use crate::{S, make, warm};
use futures::FutureExt;
use seqcast::{Publisher, Subscriber, TryRecvError};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;

/// A ring with `count` messages, of which message 1 cannot be cloned.
fn with_a_stubborn_message(count: usize) -> (Arc<Ledger>, Publisher<S>, Subscriber<S>) {
    let ledger = Ledger::new();
    ledger.on_clone(|id| {
        if id == 1 {
            throw();
        }
    });
    let (mut publisher, subscriber) = seqcast::boxed(8);
    publisher.publish_many(make(&ledger, count));
    (ledger, publisher, subscriber)
}

#[test]
fn a_message_whose_clone_panics_is_not_received() {
    type Path = fn(&mut Subscriber<S>);
    let paths: [Path; 11] = [
        |s| drop(s.try_recv()),
        |s| drop(s.recv()),
        |s| drop(s.recv_timeout(std::time::Duration::MAX)),
        |s| drop(s.recv_deadline(std::time::Instant::now())),
        |s| assert!(s.recv_many(&mut Vec::new(), 5).is_err()),
        |s| assert!(s.try_recv_many(&mut Vec::new(), 5).is_err()),
        |s| drop(s.recv_async().now_or_never()),
        |s| assert!(s.recv_many_async(&mut Vec::new(), 5).now_or_never().is_none()),
        |s| drop(s.poll_recv(&mut Context::from_waker(Waker::noop()))),
        |s| drop(s.iter().next()),
        |s| drop(s.try_iter().next()),
    ];
    let (ledger, mut publisher, mut subscriber) = with_a_stubborn_message(3);
    assert_eq!(subscriber.try_recv().unwrap().id, 3);
    let live = ledger.live();
    for path in paths {
        // Each call tries to clone again.
        assert!(throws(|| path(&mut subscriber)));
        assert_eq!((subscriber.next_sequence(), subscriber.last_sequence()), (1, Some(0)));
        assert_eq!((subscriber.missed(), subscriber.lag(), ledger.live()), (0, 2, live));
        assert!(!publisher.ring().stats().subscribers[0].parked);
    }
    // A borrow succeeds and moves the cursor past the message.
    assert_eq!(subscriber.try_recv_ref().unwrap().verify(), 1);
    assert_eq!(subscriber.next_sequence(), 2);
    assert!(subscriber.try_recv().is_ok());
    assert_eq!(subscriber.try_recv().unwrap_err(), TryRecvError::Empty);
    publisher.publish(ledger.make());
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn the_newest_message_is_not_received_when_its_clone_panics() {
    let (ledger, mut publisher, mut subscriber) = with_a_stubborn_message(2);
    for _ in 0..3 {
        assert!(throws(|| drop(subscriber.latest())));
        // The skipped messages stay skipped.
        assert_eq!((subscriber.next_sequence(), subscriber.skipped_by_choice()), (1, 1));
    }
    publisher.publish(ledger.make());
    assert!(subscriber.latest().is_ok());
    assert_eq!((subscriber.next_sequence(), subscriber.skipped_by_choice()), (3, 2));
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn what_was_pushed_before_a_clone_panics_stays_pushed() {
    for many in [true, false] {
        let (ledger, publisher, mut subscriber) = with_a_stubborn_message(3);
        let mut buffer = Vec::new();
        let mut receive = |subscriber: &mut Subscriber<S>| {
            throws(|| {
                if many {
                    subscriber.try_recv_many(&mut buffer, 9).ok()
                } else {
                    subscriber.recv_many(&mut buffer, 9).ok()
                }
            })
        };
        assert!(receive(&mut subscriber));
        assert_eq!(subscriber.next_sequence(), 1);
        assert!(receive(&mut subscriber));
        drop(subscriber.try_recv_ref().unwrap());
        assert!(!receive(&mut subscriber));
        assert_eq!(buffer.len(), 2);
        drop((publisher, subscriber, buffer));
        ledger.settle();
    }
}

#[test]
fn a_message_whose_clone_panics_is_let_go_of() {
    let (ledger, mut publisher, mut subscriber) = with_a_stubborn_message(2);
    drop(subscriber.try_recv());
    assert!(throws(|| drop(subscriber.try_recv())));
    publisher.publish_many(make(&ledger, warm(8)));
    assert!(ledger.was_dropped(1), "the failed clone still holds the message");
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn a_parked_reader_whose_clone_panics_goes_on() {
    let (ledger, mut publisher, mut subscriber) = with_a_stubborn_message(1);
    drop(subscriber.try_recv());
    let ring = publisher.ring();
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            assert!(throws(|| drop(subscriber.recv())));
            drop(subscriber.recv_ref().unwrap());
            // The reader parks again.
            subscriber.recv_ref().unwrap().verify()
        });
        eventually("parked", || ring.stats().subscribers[0].parked);
        let message = ledger.make();
        let (stubborn, id) = (message.id, ledger.made());
        ledger.on_clone(move |id| {
            if id == stubborn {
                throw();
            }
        });
        publisher.publish(message);
        eventually("the reader has received and is parked again", || {
            let stats = ring.stats();
            stats.subscribers[0].parked && stats.subscribers[0].next_sequence == 2
        });
        publisher.publish(ledger.make());
        assert_eq!(reader.join().unwrap(), id);
    });
    drop((publisher, subscriber, ring));
    ledger.settle();
}
