//! `recv` is cancel safe: a future that is dropped has received nothing.

use super::broadcast::channel;
use super::broadcast::error::{RecvError, TryRecvError};
use super::helpers::drain;
use crate::common::wakers::Counter;
use crate::poll;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

#[test]
fn a_future_that_is_dropped_while_it_waits_takes_no_value() {
    let (tx, mut rx) = channel(4);
    for value in 0..10 {
        let woken = Counter::new();
        assert!(poll(pin!(rx.recv()), &woken).is_pending());
        tx.send(value).unwrap();
        assert_eq!(drain(&mut rx), [value]);
    }
}

#[test]
fn a_future_that_is_dropped_after_its_wake_up_takes_no_value() {
    let (tx, mut rx) = channel(4);
    let woken = Counter::new();
    let mut recv = Box::pin(rx.recv());
    assert!(poll(recv.as_mut(), &woken).is_pending());
    tx.send(1).unwrap();
    assert!(woken.count() > 0);
    drop(recv);
    assert_eq!(rx.len(), 1);
    assert_eq!(drain(&mut rx), [1]);
}

#[test]
fn a_future_that_was_never_polled_takes_no_value() {
    let (tx, mut rx) = channel(4);
    tx.send(1).unwrap();
    drop(rx.recv());
    assert_eq!(drain(&mut rx), [1]);
}

#[test]
fn a_dropped_future_takes_neither_a_lag_nor_the_close() {
    let (tx, mut rx) = channel(2);
    let woken = Counter::new();
    let mut recv = Box::pin(rx.recv());
    assert!(poll(recv.as_mut(), &woken).is_pending());
    for value in 0..5 {
        tx.send(value).unwrap();
    }
    drop(tx);
    drop(recv);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(3)));
    assert_eq!(drain(&mut rx), [3, 4]);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_dropped_future_takes_no_wake_up_from_the_other_receivers() {
    let (tx, first) = channel(4);
    let mut receivers: Vec<_> = (0..8).map(|_| tx.subscribe()).chain([first]).collect();
    let mut waiting: Vec<_> = receivers.iter_mut().map(|rx| (Box::pin(rx.recv()), Counter::new())).collect();
    for (recv, woken) in &mut waiting {
        assert!(poll(recv.as_mut(), woken).is_pending());
    }
    // The first, the last, and one in the middle.
    for at in [8, 4, 0] {
        drop(waiting.remove(at));
    }
    tx.send(1).unwrap();
    for (recv, woken) in &mut waiting {
        assert!(woken.count() > 0);
        assert_eq!(poll(recv.as_mut(), woken), Poll::Ready(Ok(1)));
    }
    drop(waiting);
    let unread: usize = receivers.iter().map(|rx| rx.len()).sum();
    assert_eq!(unread, 3, "the cancelled receivers must not have received");
}

#[test]
fn a_dropped_future_keeps_no_waker() {
    let (_tx, mut rx) = channel::<u8>(4);
    let woken = Counter::new();
    assert!(poll(pin!(rx.recv()), &woken).is_pending());
    assert_eq!(Arc::strong_count(&woken), 1);
}

#[test]
fn a_receiver_can_be_dropped_after_a_cancelled_receive() {
    let (tx, mut rx) = channel::<u8>(4);
    let woken = Counter::new();
    assert!(poll(pin!(rx.recv()), &woken).is_pending());
    drop(rx);
    assert!(tx.send(1).is_err());
    assert_eq!((tx.receiver_count(), Arc::strong_count(&woken)), (0, 1));
}

#[tokio::test]
async fn no_value_is_lost_in_a_select() {
    let (tx, mut rx) = channel(4);
    let mut received = vec![];
    for round in 0..30 {
        tokio::select! {
            biased;
            () = std::future::ready(()), if round % 3 != 2 => {}
            value = rx.recv() => received.push(value.unwrap()),
        }
        if round % 3 == 0 {
            tx.send(round).unwrap();
        }
        tokio::select! {
            biased;
            () = tokio::task::yield_now(), if round % 3 == 2 => {}
            () = std::future::ready(()) => {}
        }
    }
    received.extend(drain(&mut rx));
    assert_eq!(received, [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]);
}

#[tokio::test]
async fn two_channels_can_be_read_in_one_select() {
    let (left_tx, mut left) = channel(64);
    let (right_tx, mut right) = channel(64);
    let writer = tokio::spawn(async move {
        for value in 0..60 {
            if value % 3 == 0 { left_tx.send(value) } else { right_tx.send(value) }.unwrap();
            tokio::task::yield_now().await;
        }
    });
    let (mut odd, mut even) = (vec![], vec![]);
    let (mut left_open, mut right_open) = (true, true);
    while left_open || right_open {
        tokio::select! {
            value = left.recv(), if left_open => match value {
                Ok(value) => odd.push(value),
                Err(error) => left_open = error != RecvError::Closed,
            },
            value = right.recv(), if right_open => match value {
                Ok(value) => even.push(value),
                Err(error) => right_open = error != RecvError::Closed,
            },
        }
    }
    writer.await.unwrap();
    assert!(odd.into_iter().eq((0..60).filter(|value| value % 3 == 0)));
    assert!(even.into_iter().eq((0..60).filter(|value| value % 3 != 0)));
}

#[tokio::test]
async fn a_timeout_loses_no_value() {
    let (tx, mut rx) = channel(4);
    for value in 0..5 {
        assert!(tokio::time::timeout(Duration::ZERO, rx.recv()).await.is_err());
        tx.send(value).unwrap();
        assert_eq!(rx.recv().await, Ok(value));
    }
}
