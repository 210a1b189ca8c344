//! `Sender::subscribe` and `Receiver::resubscribe`: where a new receiver starts.

use super::broadcast::error::{RecvError, TryRecvError};
use super::broadcast::{Sender, channel};
use super::helpers::drain;
use crate::common::wakers::now;

#[test]
fn a_receiver_gets_what_is_sent_after_its_subscription() {
    let (tx, mut early) = channel(8);
    tx.send(1).unwrap();
    let mut late = tx.subscribe();
    tx.send(2).unwrap();
    assert_eq!(drain(&mut late), [2]);
    assert_eq!(drain(&mut early), [1, 2]);
}

#[test]
fn the_receiver_of_a_new_channel_gets_everything() {
    let (tx, mut rx) = channel(8);
    tx.send(0).unwrap();
    assert_eq!(drain(&mut rx), [0]);
}

#[test]
fn a_new_receiver_begins_empty_even_in_a_full_channel() {
    let (tx, _full) = channel(4);
    for value in 0..11 {
        tx.send(value).unwrap();
    }
    let mut rx = tx.subscribe();
    assert!(rx.is_empty());
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    tx.send(11).unwrap();
    assert_eq!(rx.try_recv(), Ok(11));
}

#[test]
fn the_first_subscription_of_a_sender_alone_begins_with_the_next_value() {
    let tx = Sender::new(4);
    let mut rx = tx.subscribe();
    tx.send(1).unwrap();
    assert_eq!(drain(&mut rx), [1]);
}

#[test]
fn a_resubscription_leaves_out_what_its_receiver_has_yet_to_read() {
    let (tx, mut rx) = channel(4);
    tx.send('a').unwrap();
    tx.send('b').unwrap();
    let mut again = rx.resubscribe();
    assert!(again.is_empty());
    tx.send('c').unwrap();
    assert_eq!(drain(&mut again), ['c']);
    assert_eq!(drain(&mut rx), ['a', 'b', 'c']);
}

#[test]
fn a_resubscription_of_a_receiver_that_lags_does_not_lag() {
    let (tx, mut rx) = channel(2);
    for value in 0..5 {
        tx.send(value).unwrap();
    }
    let mut again = rx.resubscribe();
    tx.send(5).unwrap();
    assert_eq!(drain(&mut again), [5]);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(4)));
}

#[test]
fn a_resubscription_outlives_its_receiver() {
    let (tx, rx) = channel(4);
    let mut again = rx.resubscribe();
    drop(rx);
    assert_eq!(tx.send(1).unwrap(), 1);
    assert_eq!(drain(&mut again), [1]);
}

#[test]
fn a_resubscription_to_a_closed_channel_finds_it_closed() {
    let (tx, rx) = channel(4);
    tx.send(1).unwrap();
    drop(tx);
    let mut again = rx.resubscribe();
    assert!(again.is_closed());
    assert_eq!(again.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(now(again.recv()), Some(Err(RecvError::Closed)));
    // The receiver itself still receives the value.
    let mut rx = rx;
    assert_eq!(now(rx.recv()), Some(Ok(1)));
}

#[test]
fn receivers_of_one_channel_are_of_the_same_channel() {
    let (tx, rx) = channel::<u8>(4);
    let (_stranger, other) = channel::<u8>(4);
    let (second, third) = (tx.subscribe(), rx.resubscribe());
    assert!(rx.same_channel(&rx) && rx.same_channel(&second) && second.same_channel(&third));
    assert!(!rx.same_channel(&other) && !other.same_channel(&third));
    drop(tx);
    assert!(rx.same_channel(&second));
}
