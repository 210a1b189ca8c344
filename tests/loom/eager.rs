//! Messages that are dropped when every subscriber has read them.

use std::collections::BTreeSet;
use std::sync::Arc;

use loom::thread;
use seqcast::{Boxed, Builder, Publisher, Start, Subscriber, TryRecvError};

use crate::message::{Log, Message, borrow, borrow_some, publishing};
use crate::{explore, testing};

/// A ring with the messages `0..filled`, and a subscriber that has read none.
fn ring(log: &Arc<Log>, capacity: usize, filled: u64) -> (Publisher<Boxed<Message>>, Subscriber<Boxed<Message>>) {
    let (mut publisher, subscriber) = testing::never_parked(Builder::new(capacity)).eager_drop().boxed();
    for id in 0..filled {
        publisher.publish(log.message(id));
    }
    (publisher, subscriber)
}

/// Reads the next message. An error contains whether the message is reported as lost.
fn try_read(subscriber: &mut Subscriber<Boxed<Message>>) -> Result<u64, bool> {
    let read = subscriber.try_recv_ref().map(|message| message.read());
    read.map_err(|error| matches!(error, TryRecvError::Lagged(lagged) if lagged.missed == 1))
}

/// Reads until there are no more messages.
fn read(mut subscriber: Subscriber<Boxed<Message>>) -> Subscriber<Boxed<Message>> {
    while borrow(&mut subscriber).is_some() {}
    subscriber
}

#[test]
fn who_finds_no_more_has_left_nothing() {
    let outcomes = explore(2, || {
        let log = Arc::new(Log::default());
        let (publisher, first) = ring(&log, 2, 2);
        let second = first.clone();
        let reader = thread::spawn(move || read(second));
        let first = read(first);
        let alive = log.alive();
        let second = reader.join().unwrap();
        assert_eq!(log.alive(), 0, "both subscribers have read everything");
        drop((publisher, first, second));
        log.settle();
        alive
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1, 2]));
}

#[test]
fn what_is_published_while_the_last_one_leaves_is_dropped() {
    let outcomes = explore(3, || {
        let log = Arc::new(Log::default());
        let (publisher, subscriber) = ring(&log, 2, 1);
        let writer = publishing(publisher, &log, 1..2);
        drop(subscriber);
        let alive = log.alive();
        let publisher = writer.join().unwrap();
        assert_eq!(log.alive(), 0, "no subscriber is left to read it");
        drop(publisher);
        log.settle();
        alive
    });
    assert!(outcomes.contains(&0) && outcomes.len() > 1, "{outcomes:?}");
}

#[test]
fn who_subscribes_beside_readers_loses_nothing() {
    let outcomes = explore(2, || {
        let log = Arc::new(Log::default());
        let (mut publisher, mut reader) = ring(&log, 4, 0);
        let ring = publisher.ring();
        let theirs = Arc::clone(&log);
        let busy = thread::spawn(move || {
            for id in 0..2 {
                publisher.publish(theirs.message(id));
                assert_eq!(borrow(&mut reader), Some((id, id)));
            }
            (publisher, reader)
        });
        let mut late = ring.subscribe();
        let start = late.start_sequence();
        let (publisher, reader) = busy.join().unwrap();
        assert_eq!(borrow_some(&mut late, 3), (start..2).collect::<Vec<_>>());
        drop((publisher, reader, late));
        log.settle();
        start
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1, 2]));
}

#[test]
fn nothing_is_taken_from_who_comes_to_old_messages() {
    let outcomes = explore(4, || {
        let log = Arc::new(Log::default());
        let (publisher, reader) = ring(&log, 2, 1);
        let ring = publisher.ring();
        let reader = thread::spawn(move || read(reader));
        let mut late = ring.subscribe_at(Start::At(0));
        let got = try_read(&mut late);
        let reader = reader.join().unwrap();
        drop((publisher, reader, late));
        log.settle();
        got
    });
    assert_eq!(outcomes, BTreeSet::from([Ok(0), Err(true)]));
}

#[test]
fn nothing_is_taken_from_who_goes_back() {
    let outcomes = explore(4, || {
        let log = Arc::new(Log::default());
        let (publisher, mut first) = ring(&log, 2, 1);
        let second = first.clone();
        assert_eq!(borrow(&mut first), Some((0, 0)));
        let reader = thread::spawn(move || read(second));
        first.seek(Start::At(0));
        let got = try_read(&mut first);
        let reader = reader.join().unwrap();
        drop((publisher, reader, first));
        log.settle();
        got
    });
    assert_eq!(outcomes, BTreeSet::from([Ok(0), Err(true)]));
}

#[test]
fn a_publisher_that_laps_takes_what_others_do_not() {
    // The last reader takes the message out of its slot, or the publisher of the next lap does.
    let outcomes = explore(3, || {
        let log = Arc::new(Log::default());
        let (publisher, mut reader) = ring(&log, 1, 1);
        let writer = publishing(publisher, &log, 1..2);
        let got = borrow_some(&mut reader, 1);
        let publisher = writer.join().unwrap();
        let rest = borrow_some(&mut reader, 2);
        assert!(reader.next_sequence() == 2 && reader.received() + reader.missed() == 2);
        assert_eq!(borrow(&mut reader), None);
        assert_eq!(log.alive(), 0);
        drop((publisher, reader));
        log.settle();
        (got, rest)
    });
    for reached in [(vec![0], vec![1]), (vec![], vec![1])] {
        assert!(outcomes.contains(&reached), "{outcomes:?}");
    }
}

#[test]
fn two_publishers_and_the_last_reader_drop_each_message_once() {
    explore(2, || {
        let log = Arc::new(Log::default());
        let (publisher, mut reader) = ring(&log, 2, 1);
        let publisher = publisher.share();
        let (other, theirs) = (publisher.clone(), Arc::clone(&log));
        let writer = thread::spawn(move || {
            for id in 10..12 {
                other.publish(theirs.message(id)).unwrap();
            }
        });
        let message = log.message(20);
        publisher.publish(message).unwrap();
        borrow(&mut reader);
        writer.join().unwrap();
        let reader = read(reader);
        drop((publisher, reader));
        log.settle();
    });
}

#[test]
fn who_subscribes_beside_one_that_skips_loses_nothing() {
    // The reader that skips has pinned nothing, so it has run no fence since the message was
    // published.
    let outcomes = explore(2, || {
        let log = Arc::new(Log::default());
        let (publisher, mut reader) = ring(&log, 2, 0);
        let ring = publisher.ring();
        let writer = publishing(publisher, &log, 0..1);
        let skipping = thread::spawn(move || {
            reader.seek(Start::Latest);
            reader
        });
        let mut late = ring.subscribe();
        let start = late.start_sequence();
        let publisher = writer.join().unwrap();
        let reader = skipping.join().unwrap();
        assert_eq!(borrow_some(&mut late, 2), (start..1).collect::<Vec<_>>());
        drop((publisher, reader, late));
        log.settle();
        start
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1]));
}

#[test]
fn who_leaves_with_a_leaked_borrow_is_done_with_it() {
    explore(3, || {
        let log = Arc::new(Log::default());
        let (publisher, mut first) = ring(&log, 2, 1);
        let second = first.clone();
        let leaving = thread::spawn(move || {
            let message = first.try_recv_ref().unwrap();
            message.read();
            std::mem::forget(message);
        });
        // Loom reports an error if the last reader drops the message and that read does not happen
        // before the drop.
        let second = read(second);
        leaving.join().unwrap();
        assert_eq!(log.alive(), 0);
        drop((publisher, second));
        log.settle();
    });
}

#[test]
fn the_oldest_is_never_behind_the_tail() {
    let outcomes = explore(3, || {
        let log = Arc::new(Log::default());
        let (mut publisher, mut reader) = ring(&log, 2, 0);
        let ring = publisher.ring();
        let theirs = Arc::clone(&log);
        let busy = thread::spawn(move || {
            publisher.publish(theirs.message(0));
            assert_eq!(borrow(&mut reader), Some((0, 0)));
            (publisher, reader)
        });
        let oldest = ring.oldest_sequence();
        assert!(oldest <= ring.next_sequence());
        drop(busy.join().unwrap());
        log.settle();
        oldest
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1]));
}

#[test]
fn what_a_claim_is_about_to_overwrite_is_left_to_its_publisher() {
    // Sequence 3 is claimed while the last subscriber that needs message 2 leaves. Message 1 is in
    // the slot of 3 then, though it counts as overwritten. Its node may become that of message 5 at
    // any moment, in the same slot.
    explore(2, || {
        let log = Arc::new(Log::default());
        let (mut publisher, mut reader) = ring(&log, 2, 2);
        let behind = reader.clone();
        assert_eq!(borrow_some(&mut reader, 2), [0, 1]);
        publisher.publish(log.message(2));
        assert_eq!(borrow_some(&mut reader, 1), [2]);
        let publisher = publisher.share();
        let drawn = testing::claim(&publisher).unwrap().sequence();
        let theirs = Arc::clone(&log);
        let writer = thread::spawn(move || {
            let write = testing::resume(&publisher, drawn).begin().unwrap();
            write.commit(theirs.message(3));
            for id in 4..6 {
                publisher.publish(theirs.message(id)).unwrap();
            }
            publisher
        });
        drop(behind);
        let publisher = writer.join().unwrap();
        assert!(log.is_alive(4) && log.is_alive(5));
        drop((publisher, reader));
        log.settle();
    });
}
