//! `Sender::send`: which receivers get a value, and what a send returns.

use super::broadcast::error::SendError;
use super::broadcast::{Sender, channel};
use super::helpers::drain;
use std::sync::Arc;

#[test]
fn every_receiver_gets_every_value_in_the_order_of_the_sends() {
    let (tx, first) = channel(8);
    let mut receivers = [first, tx.subscribe(), tx.subscribe()];
    for value in 0..8 {
        tx.send(value).unwrap();
    }
    for rx in &mut receivers {
        assert_eq!(drain(rx), [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}

#[test]
fn receivers_read_at_their_own_pace() {
    let (tx, mut fast) = channel(4);
    let mut slow = tx.subscribe();
    for value in 0..4 {
        tx.send(value).unwrap();
        assert_eq!(fast.try_recv(), Ok(value));
    }
    assert_eq!(drain(&mut slow), [0, 1, 2, 3]);
}

#[test]
fn one_sender_can_serve_many_receivers() {
    let (tx, first) = channel(2);
    let mut receivers: Vec<_> = (0..99).map(|_| tx.subscribe()).chain([first]).collect();
    for value in 0..10 {
        assert_eq!(tx.send(value).unwrap(), 100);
        assert!(receivers.iter_mut().all(|rx| rx.try_recv() == Ok(value)));
    }
}

#[test]
fn clones_of_a_sender_send_to_the_same_channel() {
    let (tx, mut rx) = channel(8);
    let other = tx.clone();
    let third = other.clone();
    tx.send(1).unwrap();
    other.send(2).unwrap();
    third.send(3).unwrap();
    drop(tx);
    other.send(4).unwrap();
    assert_eq!(drain(&mut rx), [1, 2, 3, 4]);
}

#[test]
fn a_sender_can_be_shared_by_an_arc() {
    let (tx, mut rx) = channel(8);
    let tx = Arc::new(tx);
    let handles = [Arc::clone(&tx), tx];
    for (number, handle) in handles.iter().enumerate() {
        handle.send(number).unwrap();
    }
    assert_eq!(drain(&mut rx), [0, 1]);
}

#[test]
fn a_send_returns_the_number_of_subscribed_receivers() {
    let (tx, first) = channel(8);
    assert_eq!(tx.send(0).unwrap(), 1);
    let second = tx.subscribe();
    assert_eq!(tx.send(0).unwrap(), 2);
    let third = second.resubscribe();
    assert_eq!(tx.send(0).unwrap(), 3);
    drop(first);
    assert_eq!(tx.send(0).unwrap(), 2);
    drop((second, third));
    assert!(tx.send(0).is_err());
}

#[test]
fn the_number_includes_receivers_that_never_read_and_those_that_lag() {
    let (tx, _unread) = channel(1);
    let _unread = (tx.subscribe(), tx.subscribe(), _unread);
    for value in 0..10 {
        assert_eq!(tx.send(value).unwrap(), 3);
    }
}

#[test]
fn a_send_that_returned_ok_may_be_observed_by_no_receiver() {
    let (tx, rx) = channel(8);
    assert_eq!(tx.send(1).unwrap(), 1);
    drop(rx);
    let mut late = tx.subscribe();
    assert_eq!(drain(&mut late), []);
}

#[test]
fn a_send_fails_only_without_receivers_and_returns_the_value() {
    let (tx, rx) = channel(8);
    let value: Arc<str> = "mine".into();
    tx.send(Arc::clone(&value)).unwrap();
    drop(rx);
    let SendError(returned) = tx.send(Arc::clone(&value)).unwrap_err();
    assert!(Arc::ptr_eq(&returned, &value));
}

#[test]
fn a_sender_made_without_a_receiver_fails_until_one_subscribes() {
    let tx = Sender::new(4);
    assert_eq!(tx.send("early").unwrap_err().0, "early");
    let mut rx = tx.subscribe();
    assert_eq!(tx.send("in time").unwrap(), 1);
    assert_eq!(drain(&mut rx), ["in time"]);
}

#[test]
fn a_send_that_failed_may_succeed_after_a_later_subscription() {
    let (tx, mut rx) = channel(4);
    for round in 0..5 {
        assert_eq!(tx.send(round).unwrap(), 1, "round {round}");
        assert_eq!(drain(&mut rx), [round]);
        drop(rx);
        assert_eq!(tx.send(100).unwrap_err().0, 100);
        rx = tx.subscribe();
    }
}

#[test]
fn a_value_whose_send_failed_is_received_by_nobody() {
    let tx = Sender::new(4);
    for value in 0..10 {
        tx.send(value).unwrap_err();
    }
    let mut rx = tx.subscribe();
    assert_eq!((tx.len(), rx.len(), drain(&mut rx)), (0, 0, vec![]));
    tx.send(10).unwrap();
    assert_eq!(drain(&mut rx), [10]);
}

#[test]
fn the_other_receivers_do_not_notice_that_one_leaves() {
    let (tx, mut stays) = channel(8);
    let leaves = tx.subscribe();
    tx.send(1).unwrap();
    drop(leaves);
    tx.send(2).unwrap();
    assert_eq!(drain(&mut stays), [1, 2]);
}

#[test]
fn senders_of_one_channel_are_of_the_same_channel() {
    let (tx, rx) = channel::<u8>(4);
    let (stranger, _other) = channel::<u8>(4);
    let (clone, upgraded) = (tx.clone(), tx.downgrade().upgrade().unwrap());
    assert!(tx.same_channel(&tx) && tx.same_channel(&clone) && upgraded.same_channel(&clone));
    assert!(!tx.same_channel(&stranger) && !stranger.same_channel(&clone));
    assert!(!tx.same_channel(&Sender::new(4)));
    drop(rx);
    assert!(tx.same_channel(&clone));
}
