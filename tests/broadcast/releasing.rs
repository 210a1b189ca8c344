//! When the channel drops a value: at its last receive, at its overwrite, and when receivers are
//! dropped.

use super::broadcast::channel;
use super::broadcast::error::{RecvError, TryRecvError};
use crate::common::counted::{Counted, Ledger};
use crate::common::wakers::now;
use std::sync::Arc;
use std::thread;
use tokio::sync::Semaphore;

#[test]
fn a_value_is_released_once_all_receivers_have_a_clone() {
    let ledger = Ledger::new();
    let (tx, mut first) = channel(4);
    let mut second = tx.subscribe();
    tx.send(ledger.make()).unwrap();
    drop(first.try_recv().unwrap());
    assert!(!ledger.was_dropped(0));
    drop(second.try_recv().unwrap());
    assert!(ledger.was_dropped(0));
    assert_eq!(ledger.live(), 0);
    ledger.settle();
}

#[test]
fn values_are_released_one_by_one_as_they_are_received() {
    let ledger = Ledger::new();
    let (tx, mut rx) = channel(8);
    for _ in 0..8 {
        tx.send(ledger.make()).unwrap();
    }
    for left in (0..8).rev() {
        drop(now(rx.recv()).unwrap().unwrap());
        assert_eq!(ledger.live(), left);
    }
    ledger.settle();
}

#[test]
fn an_overwritten_value_is_dropped() {
    let ledger = Ledger::new();
    let (tx, _unread) = channel(2);
    for sent in 1..=10 {
        tx.send(ledger.make()).unwrap();
        assert_eq!(ledger.live(), sent.min(2), "{sent} sent");
        assert!(sent <= 2 || ledger.was_dropped(sent as u64 - 3), "the oldest value must be dropped");
    }
    drop((tx, _unread));
    ledger.settle();
}

#[test]
fn a_receiver_that_leaves_drops_what_it_alone_had_yet_to_read() {
    let ledger = Ledger::new();
    let (tx, mut stays) = channel(8);
    let leaves = tx.subscribe();
    for _ in 0..5 {
        tx.send(ledger.make()).unwrap();
    }
    for _ in 0..2 {
        drop(stays.try_recv().unwrap());
    }
    assert_eq!(ledger.live(), 5);
    drop(leaves);
    assert!(ledger.was_dropped(0) && ledger.was_dropped(1));
    assert_eq!(ledger.live(), 3, "values that the other receiver has not read must stay");
    for _ in 0..3 {
        stays.try_recv().unwrap().verify();
    }
    assert_eq!(ledger.live(), 0);
    ledger.settle();
}

#[test]
fn the_last_receiver_drops_every_unread_value_when_it_leaves() {
    let ledger = Ledger::new();
    let (tx, rx) = channel(8);
    for _ in 0..5 {
        tx.send(ledger.make()).unwrap();
    }
    let second = tx.subscribe();
    drop(rx);
    assert_eq!(ledger.live(), 0, "the later receiver must not keep these values");
    tx.send(ledger.make()).unwrap();
    drop(second);
    assert_eq!(ledger.live(), 0);
    ledger.settle();
}

#[test]
fn a_receiver_that_leaves_while_it_lags_drops_what_is_left() {
    let ledger = Ledger::new();
    let (tx, rx) = channel(4);
    for _ in 0..11 {
        tx.send(ledger.make()).unwrap();
    }
    drop(rx);
    assert_eq!(ledger.live(), 0);
    ledger.settle();
}

#[test]
fn a_receiver_that_subscribed_later_keeps_no_earlier_value() {
    let ledger = Ledger::new();
    let (tx, mut early) = channel(4);
    tx.send(ledger.make()).unwrap();
    let _late = tx.subscribe();
    drop(early.try_recv().unwrap());
    assert_eq!(ledger.live(), 0);
    ledger.settle();
}

#[test]
fn a_closed_channel_keeps_its_values_for_the_receivers() {
    let ledger = Ledger::new();
    let (tx, mut rx) = channel(4);
    for _ in 0..3 {
        tx.send(ledger.make()).unwrap();
    }
    let weak = tx.downgrade();
    drop(tx);
    assert_eq!(ledger.live(), 3);
    drop(rx.try_recv().unwrap());
    assert_eq!(ledger.live(), 2);
    drop(rx);
    assert_eq!(ledger.live(), 0, "a weak sender must not keep a value");
    drop(weak);
    ledger.settle();
}

#[test]
fn a_permit_in_a_value_is_free_once_every_receiver_is_done_with_it() {
    let (tx, mut first) = channel(4);
    let mut second = tx.subscribe();
    let permits = Arc::new(Semaphore::new(2));
    for _ in 0..2 {
        let permit = Arc::clone(&permits).try_acquire_owned().unwrap();
        tx.send(Arc::new(permit)).unwrap();
    }
    assert_eq!(permits.available_permits(), 0);
    let held = first.try_recv().unwrap();
    drop(second.try_recv().unwrap());
    assert_eq!(permits.available_permits(), 0, "the first receiver still holds the value");
    drop(held);
    assert_eq!(permits.available_permits(), 1);
    drop(first);
    assert_eq!(permits.available_permits(), 1, "the second receiver has not read the value");
    drop(second);
    assert_eq!(permits.available_permits(), 2);
    assert_eq!(tx.receiver_count(), 0);
}

#[test]
fn what_is_dropped_is_received_by_nobody() {
    let ledger = Ledger::new();
    let (tx, rx) = channel(4);
    tx.send(ledger.make()).unwrap();
    drop(rx);
    let mut next = tx.subscribe();
    assert!(matches!(next.try_recv(), Err(TryRecvError::Empty)));
    ledger.settle();
}

/// Two threads send. Four receive until the end of the values, or are dropped early.
fn readers_on_threads(messages: u64, capacity: usize, stay: bool) {
    let ledger = Ledger::new();
    let (tx, first) = channel::<Counted>(capacity);
    let readers: Vec<_> = (1..4)
        .map(|_| tx.subscribe())
        .chain([first])
        .enumerate()
        .map(|(at, mut rx)| {
            let end = if stay { 2 * messages } else { at as u64 * messages / 2 };
            thread::spawn(move || {
                let mut seen = 0;
                while seen < end {
                    match rx.blocking_recv() {
                        Ok(value) => {
                            value.verify();
                            seen += 1;
                        }
                        Err(RecvError::Lagged(missed)) => seen += missed,
                        Err(RecvError::Closed) => unreachable!("the channel has senders"),
                    }
                }
                stay.then_some(rx)
            })
        })
        .collect();
    let writers: Vec<_> = (0..2)
        .map(|_| {
            let (tx, ledger) = (tx.clone(), Arc::clone(&ledger));
            thread::spawn(move || {
                for number in 0..messages {
                    drop(tx.send(ledger.make()));
                    if number % 32 == 0 {
                        thread::yield_now();
                    }
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let mut readers: Vec<_> = readers.into_iter().filter_map(|reader| reader.join().unwrap()).collect();
    // A lag may have counted abandoned sequences, so a reader may have stopped before the end.
    for rx in &mut readers {
        while !matches!(rx.try_recv(), Err(TryRecvError::Empty)) {}
    }
    assert_eq!((ledger.live(), tx.is_empty(), tx.receiver_count()), (0, true, readers.len()));
    ledger.settle();
}

#[test]
fn nothing_is_left_once_receivers_on_threads_have_read_everything() {
    readers_on_threads(500, 1_000, true);
    readers_on_threads(2_000, 8, true);
    readers_on_threads(2_000, 1, true);
}

#[test]
fn nothing_is_left_once_receivers_on_threads_have_left() {
    readers_on_threads(500, 1_000, false);
    readers_on_threads(2_000, 8, false);
    readers_on_threads(2_000, 1, false);
}
