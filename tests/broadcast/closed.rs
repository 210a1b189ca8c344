//! `Sender::closed`: a future that completes once no receiver is left.

use super::broadcast::{Sender, channel};
use crate::common::wakers::{Counter, now};
use crate::poll;
use std::pin::pin;
use std::sync::Arc;

#[test]
fn it_completes_when_the_last_receiver_is_dropped() {
    let (tx, first) = channel::<u8>(4);
    let second = tx.subscribe();
    let woken = Counter::new();
    let mut closed = pin!(tx.closed());
    assert!(poll(closed.as_mut(), &woken).is_pending());
    drop(first);
    assert!(poll(closed.as_mut(), &woken).is_pending());
    woken.take();
    drop(second);
    assert!(woken.count() > 0);
    assert!(poll(closed, &woken).is_ready());
}

#[test]
fn it_is_complete_while_there_is_no_receiver() {
    let tx = Sender::<u8>::new(4);
    assert_eq!(now(tx.closed()), Some(()));
    let rx = tx.subscribe();
    assert_eq!(now(tx.closed()), None);
    drop(rx);
    assert_eq!(now(tx.closed()), Some(()));
    assert_eq!(now(tx.clone().closed()), Some(()));
}

#[test]
fn it_completes_if_the_last_receiver_leaves_before_the_first_poll() {
    let (tx, rx) = channel::<u8>(4);
    let closed = tx.closed();
    drop(rx);
    assert_eq!(now(closed), Some(()));
}

#[test]
fn values_that_nobody_reads_do_not_delay_it() {
    let (tx, mut rx) = channel(4);
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    rx.try_recv().unwrap();
    assert_eq!(now(tx.closed()), None);
    drop(rx);
    assert_eq!(now(tx.closed()), Some(()));
}

#[test]
fn a_receiver_that_subscribed_meanwhile_is_waited_for_as_well() {
    let (tx, first) = channel::<u8>(4);
    let woken = Counter::new();
    let mut closed = pin!(tx.closed());
    assert!(poll(closed.as_mut(), &woken).is_pending());
    let second = tx.subscribe();
    drop(first);
    assert!(poll(closed.as_mut(), &woken).is_pending());
    woken.take();
    drop(second);
    assert!(woken.count() > 0);
    assert!(poll(closed, &woken).is_ready());
}

#[test]
fn a_receiver_that_subscribes_before_the_poll_makes_it_wait_on() {
    let (tx, mut rx) = channel::<u8>(4);
    let woken = Counter::new();
    let mut closed = pin!(tx.closed());
    assert!(poll(closed.as_mut(), &woken).is_pending());
    for _ in 0..3 {
        woken.take();
        drop(rx);
        assert!(woken.count() > 0);
        rx = tx.subscribe();
        assert!(poll(closed.as_mut(), &woken).is_pending(), "the future must wait for the new receiver");
    }
    woken.take();
    drop(rx);
    assert!(woken.count() > 0);
    assert!(poll(closed, &woken).is_ready());
}

#[test]
fn all_futures_complete_together() {
    let (tx, rx) = channel::<u8>(4);
    let senders: Vec<_> = (0..100).map(|_| tx.clone()).collect();
    let mut waiting: Vec<_> = senders.iter().map(|tx| (Box::pin(tx.closed()), Counter::new())).collect();
    for (closed, woken) in &mut waiting {
        assert!(poll(closed.as_mut(), woken).is_pending());
    }
    drop(rx);
    for (closed, woken) in &mut waiting {
        assert!(woken.count() > 0);
        assert!(poll(closed.as_mut(), woken).is_ready());
    }
}

#[test]
fn the_future_of_one_sender_may_be_polled_beside_another() {
    let (tx, rx) = channel::<u8>(4);
    let woken = [Counter::new(), Counter::new()];
    let (mut first, mut second) = (pin!(tx.closed()), pin!(tx.closed()));
    assert!(poll(first.as_mut(), &woken[0]).is_pending());
    assert!(poll(second.as_mut(), &woken[1]).is_pending());
    drop(rx);
    assert!(woken.iter().all(|woken| woken.count() > 0));
    assert!(poll(first, &woken[0]).is_ready());
    assert!(poll(second, &woken[1]).is_ready());
}

#[test]
fn a_cancelled_future_takes_no_wake_up_from_the_others() {
    let (tx, rx) = channel::<u8>(4);
    let woken = Counter::new();
    let mut futures: Vec<_> = (0..9).map(|_| Box::pin(tx.closed())).collect();
    for closed in &mut futures {
        assert!(poll(closed.as_mut(), &woken).is_pending());
    }
    // The first, the last, and one in the middle.
    for at in [8, 4, 0] {
        drop(futures.remove(at));
    }
    let counters: Vec<_> = futures.iter().map(|_| Counter::new()).collect();
    for (closed, woken) in futures.iter_mut().zip(&counters) {
        assert!(poll(closed.as_mut(), woken).is_pending());
    }
    drop(rx);
    for (closed, woken) in futures.iter_mut().zip(&counters) {
        assert!(woken.count() > 0);
        assert!(poll(closed.as_mut(), woken).is_ready());
    }
}

#[test]
fn a_cancelled_future_keeps_no_waker() {
    let (tx, _rx) = channel::<u8>(4);
    let woken = Counter::new();
    let mut closed = Box::pin(tx.closed());
    assert!(poll(closed.as_mut(), &woken).is_pending());
    drop(closed);
    assert_eq!(Arc::strong_count(&woken), 1);
}

#[test]
fn the_waker_of_the_last_poll_is_woken() {
    let (tx, rx) = channel::<u8>(4);
    let (before, after) = (Counter::new(), Counter::new());
    let mut closed = pin!(tx.closed());
    assert!(poll(closed.as_mut(), &before).is_pending());
    assert!(poll(closed.as_mut(), &after).is_pending());
    drop(rx);
    assert_eq!(before.count(), 0);
    assert!(after.count() > 0);
    assert!(poll(closed, &after).is_ready());
}

#[test]
fn senders_that_come_and_go_do_not_complete_it() {
    let (tx, rx) = channel::<u8>(4);
    let woken = Counter::new();
    let mut closed = pin!(tx.closed());
    assert!(poll(closed.as_mut(), &woken).is_pending());
    drop((tx.clone(), tx.downgrade()));
    assert!(poll(closed.as_mut(), &woken).is_pending());
    drop(rx);
    assert!(poll(closed, &woken).is_ready());
}

#[tokio::test]
async fn a_task_can_wait_for_it() {
    let (tx, rx) = channel::<u8>(4);
    let waits = tokio::spawn(async move { tx.closed().await });
    tokio::task::yield_now().await;
    assert!(!waits.is_finished());
    drop(rx);
    waits.await.unwrap();
}

#[tokio::test]
async fn a_task_can_stop_its_work_at_it() {
    let (tx, mut rx) = channel::<u64>(4);
    let work = tokio::spawn(async move {
        let mut sent = 0;
        loop {
            tokio::select! {
                biased;
                () = tx.closed() => return sent,
                () = tokio::task::yield_now() => sent += u64::from(tx.send(sent).is_ok()),
            }
        }
    });
    assert_eq!(rx.recv().await, Ok(0));
    drop(rx);
    assert!(work.await.unwrap() >= 1);
}
