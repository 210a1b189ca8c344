//! `WeakSender`: a sender that does not keep its channel open.

use super::broadcast::channel;
use super::broadcast::error::{RecvError, TryRecvError};
use super::helpers::drain;
use crate::common::wakers::{Counter, now};
use crate::poll;
use std::pin::pin;
use std::task::Poll;

#[test]
fn an_upgrade_succeeds_while_there_is_a_sender() {
    let (tx, mut rx) = channel(4);
    let weak = tx.downgrade();
    let clone = tx.clone();
    drop(tx);
    weak.upgrade().expect("the channel has a sender").send(1).unwrap();
    assert!(weak.upgrade().unwrap().same_channel(&clone));
    assert_eq!(drain(&mut rx), [1]);
}

#[test]
fn an_upgrade_fails_once_all_senders_are_dropped() {
    let (tx, rx) = channel::<u8>(4);
    let weak = tx.downgrade();
    let clone = weak.clone();
    drop(tx);
    for _ in 0..3 {
        assert!(weak.upgrade().is_none() && clone.upgrade().is_none());
    }
    drop(rx);
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_channel_with_weak_senders_alone_is_closed() {
    let (tx, mut rx) = channel(4);
    let weak = [tx.downgrade(), tx.downgrade()];
    tx.send(1).unwrap();
    drop(tx);
    assert!(rx.is_closed());
    assert_eq!(now(rx.recv()), Some(Ok(1)));
    assert_eq!(now(rx.recv()), Some(Err(RecvError::Closed)));
    drop(weak);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_weak_sender_leaves_its_sender_as_it_was() {
    let (tx, mut rx) = channel(4);
    drop(tx.downgrade());
    assert!(!rx.is_closed());
    tx.send(1).unwrap();
    assert_eq!(drain(&mut rx), [1]);
}

#[test]
fn an_upgraded_sender_keeps_the_channel_open() {
    let (tx, mut rx) = channel(4);
    let upgraded = tx.downgrade().upgrade().unwrap();
    drop(tx);
    assert!(!rx.is_closed());
    upgraded.send(1).unwrap();
    assert_eq!(drain(&mut rx), [1]);
    let weak = upgraded.downgrade();
    drop(upgraded);
    assert!(rx.is_closed() && weak.upgrade().is_none());
}

#[test]
fn the_drop_of_the_last_sender_wakes_receivers_beside_a_weak_sender() {
    let (tx, mut rx) = channel::<u8>(4);
    let _weak = tx.downgrade();
    let woken = Counter::new();
    let mut waits = pin!(rx.recv());
    assert!(poll(waits.as_mut(), &woken).is_pending());
    drop(tx);
    assert!(woken.count() > 0);
    assert_eq!(poll(waits, &woken), Poll::Ready(Err(RecvError::Closed)));
}

#[test]
fn an_upgrade_succeeds_without_receivers() {
    let (tx, rx) = channel(4);
    let weak = tx.downgrade();
    drop(rx);
    let upgraded = weak.upgrade().unwrap();
    assert!(upgraded.send(1).is_err());
    let mut rx = upgraded.subscribe();
    upgraded.send(2).unwrap();
    assert_eq!(drain(&mut rx), [2]);
}
