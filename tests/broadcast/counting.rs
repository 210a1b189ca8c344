//! The counts of receivers, senders and weak senders.

use super::broadcast::{Sender, channel};

#[test]
fn active_receivers_are_counted() {
    let (tx, first) = channel::<u8>(4);
    assert_eq!(tx.receiver_count(), 1);
    let second = tx.subscribe();
    let third = second.resubscribe();
    assert_eq!((tx.receiver_count(), tx.clone().receiver_count()), (3, 3));
    drop(first);
    assert_eq!(tx.receiver_count(), 2);
    drop((second, third));
    assert_eq!(tx.receiver_count(), 0);
    let _again = tx.subscribe();
    assert_eq!(tx.receiver_count(), 1);
}

#[test]
fn a_sender_made_alone_has_no_receiver() {
    assert_eq!(Sender::<u8>::new(4).receiver_count(), 0);
}

#[test]
fn a_receiver_that_never_reads_is_active() {
    let (tx, _unread) = channel(1);
    for value in 0..5 {
        tx.send(value).unwrap();
        assert_eq!(tx.receiver_count(), 1);
    }
}

#[test]
fn sends_and_receives_change_no_count() {
    let (tx, mut rx) = channel(2);
    let weak = tx.downgrade();
    for value in 0..5 {
        tx.send(value).unwrap();
        let _ = rx.try_recv();
        assert_eq!((tx.receiver_count(), weak.strong_count(), rx.sender_weak_count()), (1, 1, 1));
    }
}

#[test]
fn every_kind_of_handle_counts_senders() {
    let (tx, rx) = channel::<u8>(4);
    let weak = tx.downgrade();
    let counts = || [weak.strong_count(), rx.sender_strong_count()];
    assert_eq!((tx.strong_count(), counts()), (1, [1; 2]));
    let clone = tx.clone();
    assert_eq!((tx.strong_count(), counts()), (2, [2; 2]));
    let upgraded = weak.upgrade().unwrap();
    assert_eq!((upgraded.strong_count(), counts()), (3, [3; 2]));
    drop(tx);
    assert_eq!((clone.strong_count(), counts()), (2, [2; 2]));
    drop((clone, upgraded));
    assert_eq!(counts(), [0; 2]);
}

#[test]
fn every_kind_of_handle_counts_weak_senders() {
    let (tx, rx) = channel::<u8>(4);
    assert_eq!([tx.weak_count(), rx.sender_weak_count()], [0; 2]);
    let weak = tx.downgrade();
    let clone = weak.clone();
    assert_eq!([tx.weak_count(), weak.weak_count(), clone.weak_count(), rx.sender_weak_count()], [2; 4]);
    drop(clone);
    assert_eq!([tx.weak_count(), weak.weak_count(), rx.sender_weak_count()], [1; 3]);
    drop(tx);
    assert_eq!([weak.weak_count(), rx.sender_weak_count()], [1; 2]);
    drop(weak);
    assert_eq!(rx.sender_weak_count(), 0);
}

#[test]
fn an_upgrade_leaves_its_weak_sender_counted() {
    let (tx, _rx) = channel::<u8>(4);
    let weak = tx.downgrade();
    let upgraded = weak.upgrade().unwrap();
    assert_eq!((tx.strong_count(), tx.weak_count()), (2, 1));
    drop((upgraded, weak));
    assert_eq!((tx.strong_count(), tx.weak_count()), (1, 0));
}

#[test]
fn an_upgrade_that_fails_changes_no_count() {
    let (tx, rx) = channel::<u8>(4);
    let weak = tx.downgrade();
    drop(tx);
    assert!(weak.upgrade().is_none());
    assert_eq!((weak.strong_count(), weak.weak_count()), (0, 1));
    assert_eq!((rx.sender_strong_count(), rx.sender_weak_count()), (0, 1));
}
