//! Channels that are closed because all senders were dropped.

use super::broadcast::channel;
use super::broadcast::error::{RecvError, TryRecvError};
use super::helpers::drain;
use crate::common::wakers::now;

#[test]
fn a_channel_is_closed_once_all_senders_are_dropped() {
    let (tx, rx) = channel::<u8>(4);
    let clones = [tx.clone(), tx.clone()];
    drop(tx);
    assert!(!rx.is_closed());
    for clone in clones {
        assert!(!rx.is_closed());
        drop(clone);
    }
    assert!(rx.is_closed());
}

#[test]
fn a_channel_is_closed_while_values_are_left_in_it() {
    let (tx, rx) = channel(4);
    tx.send(1).unwrap();
    drop(tx);
    assert!(rx.is_closed());
    assert_eq!(rx.len(), 1);
}

#[test]
fn the_retained_values_are_received_before_the_close() {
    let (tx, mut first) = channel(4);
    let mut second = tx.subscribe();
    for value in 0..4 {
        tx.send(value).unwrap();
    }
    drop(tx);
    for value in 0..4 {
        assert_eq!(now(first.recv()), Some(Ok(value)));
        assert_eq!(second.try_recv(), Ok(value));
    }
    assert_eq!(now(first.recv()), Some(Err(RecvError::Closed)));
    assert_eq!(second.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn every_way_of_receiving_reports_the_close_again_and_again() {
    let (tx, mut rx) = channel::<u8>(4);
    drop(tx);
    for _ in 0..3 {
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(now(rx.recv()), Some(Err(RecvError::Closed)));
        assert_eq!(rx.blocking_recv(), Err(RecvError::Closed));
    }
}

#[test]
fn each_receiver_reaches_the_close_by_itself() {
    let (tx, mut ahead) = channel(4);
    let mut behind = tx.subscribe();
    tx.send(1).unwrap();
    assert_eq!(ahead.try_recv(), Ok(1));
    drop(tx);
    assert_eq!(ahead.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(behind.try_recv(), Ok(1));
    assert_eq!(behind.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn an_empty_channel_with_a_sender_is_not_closed() {
    let (tx, mut rx) = channel(4);
    let last = tx.clone();
    drop(tx);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    last.send(1).unwrap();
    assert_eq!(drain(&mut rx), [1]);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn a_channel_without_receivers_is_open_to_the_next_one() {
    let (tx, rx) = channel(4);
    drop(rx);
    let mut rx = tx.subscribe();
    assert!(!rx.is_closed());
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    tx.send(1).unwrap();
    assert_eq!(drain(&mut rx), [1]);
}
