//! Which tasks a send and the close wake.

use super::broadcast::error::RecvError;
use super::broadcast::{Receiver, channel};
use crate::common::wakers::Counter;
use crate::poll;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// More tasks than a channel wakes at a time.
const CROWD: usize = 200;

/// A waiting future for each receiver.
fn crowd(receivers: &mut [Receiver<u64>]) -> Vec<(impl Future<Output = Result<u64, RecvError>> + Unpin, Arc<Counter>)> {
    let mut waiting: Vec<_> = receivers.iter_mut().map(|rx| (Box::pin(rx.recv()), Counter::new())).collect();
    for (recv, woken) in &mut waiting {
        assert!(poll(recv.as_mut(), woken).is_pending());
    }
    waiting
}

#[test]
fn a_send_notifies_every_receiver() {
    let (tx, first) = channel(4);
    let mut receivers: Vec<_> = (1..CROWD).map(|_| tx.subscribe()).chain([first]).collect();
    for round in 0..3 {
        let waiting = crowd(&mut receivers);
        assert!(waiting.iter().all(|(_, woken)| woken.count() == 0));
        tx.send(round).unwrap();
        for (mut recv, woken) in waiting {
            assert!(woken.count() > 0);
            assert_eq!(poll(pin!(&mut recv), &woken), Poll::Ready(Ok(round)));
        }
    }
}

#[test]
fn the_close_notifies_every_receiver() {
    let (tx, first) = channel(4);
    let mut receivers: Vec<_> = (1..CROWD).map(|_| tx.subscribe()).chain([first]).collect();
    let mut waiting = crowd(&mut receivers);
    let last = tx.clone();
    drop(tx);
    assert!(waiting.iter_mut().all(|(recv, woken)| poll(pin!(recv), woken).is_pending()));
    let before: Vec<_> = waiting.iter().map(|(_, woken)| woken.count()).collect();
    drop(last);
    for ((mut recv, woken), before) in waiting.into_iter().zip(before) {
        assert!(woken.count() > before);
        assert_eq!(poll(pin!(&mut recv), &woken), Poll::Ready(Err(RecvError::Closed)));
    }
}

#[test]
fn every_sender_notifies() {
    let (tx, mut rx) = channel(4);
    let weak = tx.downgrade();
    for round in 0..3 {
        let woken = Counter::new();
        let mut recv = pin!(rx.recv());
        assert!(poll(recv.as_mut(), &woken).is_pending());
        let sender = if round == 1 { tx.clone() } else { weak.upgrade().unwrap() };
        sender.send(round).unwrap();
        assert!(woken.count() > 0);
        assert_eq!(poll(recv, &woken), Poll::Ready(Ok(round)));
    }
}

#[test]
fn a_task_that_was_notified_and_lags_gets_the_error() {
    let (tx, mut rx) = channel(2);
    let woken = Counter::new();
    let mut recv = pin!(rx.recv());
    assert!(poll(recv.as_mut(), &woken).is_pending());
    for value in 0..5 {
        tx.send(value).unwrap();
    }
    assert!(woken.count() > 0);
    assert_eq!(poll(recv, &woken), Poll::Ready(Err(RecvError::Lagged(3))));
}

#[test]
fn values_left_are_received_though_the_channel_was_closed_meanwhile() {
    let (tx, mut rx) = channel(2);
    let woken = Counter::new();
    let mut recv = pin!(rx.recv());
    assert!(poll(recv.as_mut(), &woken).is_pending());
    tx.send(1).unwrap();
    drop(tx);
    assert_eq!(poll(recv, &woken), Poll::Ready(Ok(1)));
}

#[test]
fn a_future_that_changes_its_task_wakes_the_last_one() {
    let (tx, mut rx) = channel(4);
    let [first, second, third] = [Counter::new(), Counter::new(), Counter::new()];
    let mut recv = pin!(rx.recv());
    for woken in [&first, &second, &third, &second] {
        assert!(poll(recv.as_mut(), woken).is_pending());
    }
    tx.send(1).unwrap();
    assert_eq!((first.count(), third.count()), (0, 0));
    assert!(second.count() > 0);
    assert_eq!(poll(recv, &second), Poll::Ready(Ok(1)));
}

#[test]
fn a_future_that_is_polled_again_waits_on() {
    let (tx, mut rx) = channel(4);
    let woken = Counter::new();
    let mut recv = pin!(rx.recv());
    for _ in 0..10 {
        assert!(poll(recv.as_mut(), &woken).is_pending());
    }
    assert_eq!(woken.count(), 0);
    tx.send(1).unwrap();
    assert!(woken.count() > 0);
    assert_eq!(poll(recv, &woken), Poll::Ready(Ok(1)));
}

#[test]
fn a_receiver_that_reads_on_does_not_keep_the_others_from_being_notified() {
    let (tx, mut fast) = channel(4);
    let mut slow = tx.subscribe();
    let woken = Counter::new();
    let mut waits = pin!(slow.recv());
    assert!(poll(waits.as_mut(), &woken).is_pending());
    tx.send(1).unwrap();
    assert_eq!(fast.try_recv(), Ok(1));
    assert!(woken.count() > 0);
    assert_eq!(poll(waits, &woken), Poll::Ready(Ok(1)));
}

#[test]
fn a_complete_future_keeps_no_waker() {
    let (tx, mut rx) = channel(4);
    let woken = Counter::new();
    let mut recv = Box::pin(rx.recv());
    assert!(poll(recv.as_mut(), &woken).is_pending());
    tx.send(1).unwrap();
    assert!(poll(recv.as_mut(), &woken).is_ready());
    drop(recv);
    assert_eq!(Arc::strong_count(&woken), 1);
}
