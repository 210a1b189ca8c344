//! `len` and `is_empty` of senders and of receivers.

use super::broadcast::error::{RecvError, TryRecvError};
use super::broadcast::{Sender, channel};
use super::helpers::drain;
use crate::common::wakers::now;

#[test]
fn a_receiver_counts_what_it_has_yet_to_receive() {
    let (tx, mut rx) = channel(8);
    assert!(rx.is_empty());
    for sent in 1..=5 {
        tx.send(sent).unwrap();
        assert_eq!((rx.len(), rx.is_empty()), (sent, false));
    }
    for left in (0..5).rev() {
        now(rx.recv()).unwrap().unwrap();
        assert_eq!((rx.len(), rx.is_empty()), (left, left == 0));
    }
}

#[test]
fn each_receiver_counts_for_itself() {
    let (tx, mut ahead) = channel(8);
    let behind = tx.subscribe();
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    let late = tx.subscribe();
    ahead.try_recv().unwrap();
    assert_eq!((ahead.len(), behind.len(), late.len()), (1, 2, 0));
}

#[test]
fn a_receiver_counts_what_was_overwritten_as_well() {
    let (tx, mut rx) = channel(4);
    for sent in 1..=100 {
        tx.send(sent).unwrap();
        assert_eq!(rx.len(), sent);
    }
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(96)));
    assert_eq!(rx.len(), 4);
    assert_eq!(rx.try_recv(), Ok(97));
    assert_eq!(rx.len(), 3);
}

#[test]
fn a_receiver_lags_if_it_counts_more_than_the_rounded_capacity() {
    let (tx, mut rx) = channel(10);
    for value in 0..16 {
        tx.send(value).unwrap();
    }
    assert_eq!((rx.len(), now(rx.recv())), (16, Some(Ok(0))));
    tx.send(16).unwrap();
    tx.send(17).unwrap();
    assert_eq!((rx.len(), now(rx.recv())), (17, Some(Err(RecvError::Lagged(1)))));
    assert_eq!(rx.len(), 16);
}

#[test]
fn a_receiver_counts_what_is_left_after_the_close() {
    let (tx, mut rx) = channel(4);
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    drop(tx);
    assert_eq!(rx.len(), 2);
    assert_eq!(drain(&mut rx), [1, 2]);
    assert_eq!((rx.len(), rx.is_empty()), (0, true));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(rx.len(), 0, "the close must not count as a message");
}

#[test]
fn a_value_is_queued_until_all_receivers_have_seen_it() {
    let (tx, mut first) = channel(8);
    let mut second = tx.subscribe();
    assert_eq!((tx.len(), tx.is_empty()), (0, true));
    for sent in 1..=3 {
        tx.send(sent).unwrap();
        assert_eq!((tx.len(), tx.is_empty()), (sent, false));
    }
    first.try_recv().unwrap();
    assert_eq!(tx.len(), 3, "a value is queued until the other receiver has received it");
    second.try_recv().unwrap();
    assert_eq!(tx.len(), 2);
    assert_eq!(drain(&mut second), [2, 3]);
    assert_eq!((tx.len(), tx.is_empty()), (2, false));
    assert_eq!(drain(&mut first), [2, 3]);
    assert_eq!((tx.len(), tx.is_empty()), (0, true));
}

#[test]
fn a_value_is_queued_until_it_is_evicted() {
    let (tx, mut unread) = channel(3);
    for sent in 1..20 {
        tx.send(sent).unwrap();
        assert_eq!(tx.len(), sent.min(4));
    }
    assert_eq!((tx.len(), unread.len()), (4, 19), "the receiver must count evicted values, and the sender must not");
    assert_eq!(unread.try_recv(), Err(TryRecvError::Lagged(15)));
    assert_eq!((tx.len(), unread.len()), (4, 4));
}

#[test]
fn the_queue_of_a_channel_of_one_is_one_value_at_most() {
    let (tx, mut rx) = channel(1);
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    assert_eq!((tx.len(), tx.is_empty(), rx.len()), (1, false, 2));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(1)));
    assert_eq!((tx.len(), rx.len()), (1, 1));
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!((tx.len(), tx.is_empty(), rx.len()), (0, true, 0));
}

#[test]
fn only_receivers_that_were_alive_at_the_send_count() {
    let (tx, mut early) = channel(8);
    tx.send(1).unwrap();
    let mut late = tx.subscribe();
    tx.send(2).unwrap();
    assert_eq!(drain(&mut early), [1, 2]);
    assert_eq!(tx.len(), 1, "the late receiver has not received the second value");
    assert_eq!(drain(&mut late), [2]);
    assert!(tx.is_empty());
}

#[test]
fn a_receiver_that_leaves_has_seen_everything() {
    let (tx, mut stays) = channel(8);
    let leaves = tx.subscribe();
    for value in 0..5 {
        tx.send(value).unwrap();
    }
    stays.try_recv().unwrap();
    stays.try_recv().unwrap();
    assert_eq!(tx.len(), 5);
    drop(leaves);
    assert_eq!(tx.len(), 3);
    drop(stays);
    assert_eq!((tx.len(), tx.is_empty()), (0, true));
}

#[test]
fn a_receiver_that_leaves_while_it_lags_has_seen_everything() {
    let (tx, rx) = channel(2);
    for value in 0..9 {
        tx.send(value).unwrap();
    }
    assert_eq!(tx.len(), 2);
    drop(rx);
    assert!(tx.is_empty());
}

#[test]
fn a_send_that_fails_queues_nothing() {
    let tx = Sender::new(4);
    tx.send(1).unwrap_err();
    assert_eq!((tx.len(), tx.is_empty()), (0, true));
}

#[test]
fn all_senders_count_the_same() {
    let (tx, _rx) = channel(4);
    let clone = tx.clone();
    tx.send(1).unwrap();
    clone.send(2).unwrap();
    let upgraded = tx.downgrade().upgrade().unwrap();
    assert_eq!([tx.len(), clone.len(), upgraded.len()], [2; 3]);
}
