//! Wakers that use the channel, in their wakes and in their drops.

use super::broadcast::error::TryRecvError;
use super::broadcast::{Sender, channel};
use super::helpers::drain;
use crate::common::lock;
use crate::common::wakers::{Counter, call, owning};
use crate::poll;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

fn wait<F: Future>(future: Pin<&mut F>, waker: &Waker) {
    assert!(future.poll(&mut Context::from_waker(waker)).is_pending());
}

/// Runs `code` in the first call only.
fn once(code: impl Fn() + Send + Sync) -> impl Fn() + Send + Sync {
    let calls = AtomicUsize::new(0);
    move || {
        if calls.fetch_add(1, Ordering::Relaxed) == 0 {
            code();
        }
    }
}

/// Sends a value when it is dropped.
struct SendsAtDrop(Sender<u64>, u64);

impl Drop for SendsAtDrop {
    fn drop(&mut self) {
        self.0.send(self.1).unwrap();
    }
}

#[test]
fn a_waker_may_send_when_it_wakes() {
    let (tx, mut rx) = channel(8);
    let (mut waits, sender) = (tx.subscribe(), tx.clone());
    let waker = call(once(move || assert_eq!(sender.send(2).unwrap(), 2)));
    let mut recv = Box::pin(waits.recv());
    wait(recv.as_mut(), &waker);
    tx.send(1).unwrap();
    drop(recv);
    assert_eq!(drain(&mut rx), [1, 2]);
    assert_eq!(drain(&mut waits), [1, 2]);
}

#[test]
fn a_waker_may_receive_when_it_wakes() {
    let (tx, mut waits) = channel(8);
    let other = Arc::new(Mutex::new((tx.subscribe(), vec![])));
    let seen = Arc::clone(&other);
    let waker = call(move || {
        let (rx, received) = &mut *lock(&seen);
        received.push(rx.try_recv());
    });
    let mut recv = pin!(waits.recv());
    wait(recv.as_mut(), &waker);
    tx.send(1).unwrap();
    assert_eq!(lock(&other).1[0], Ok(1));
    assert_eq!(poll(recv, &Counter::new()), Poll::Ready(Ok(1)));
}

#[test]
fn a_waker_may_subscribe_and_drop_receivers_when_it_wakes() {
    let (tx, mut waits) = channel(8);
    let (sender, victim, new) = (tx.clone(), Mutex::new(Some(tx.subscribe())), Arc::new(Mutex::new(None)));
    let subscribed = Arc::clone(&new);
    let waker = call(once(move || {
        drop(lock(&victim).take().unwrap());
        *lock(&subscribed) = Some(sender.subscribe());
    }));
    let mut recv = Box::pin(waits.recv());
    wait(recv.as_mut(), &waker);
    tx.send(1).unwrap();
    drop(recv);
    let mut new = lock(&new).take().expect("the waker must have subscribed");
    assert_eq!(tx.receiver_count(), 2);
    assert_eq!(new.try_recv(), Err(TryRecvError::Empty), "the new receiver must only get later values");
    tx.send(2).unwrap();
    assert_eq!((drain(&mut new), drain(&mut waits)), (vec![2], vec![1, 2]));
}

#[test]
fn a_waker_may_drop_the_last_other_sender_when_it_wakes() {
    let (tx, mut waits) = channel(8);
    let other = Mutex::new(Some(tx.clone()));
    let waker = call(move || drop(lock(&other).take()));
    let mut recv = Box::pin(waits.recv());
    wait(recv.as_mut(), &waker);
    tx.send(1).unwrap();
    assert_eq!(tx.strong_count(), 1);
    drop((recv, tx));
    assert_eq!(drain(&mut waits), [1]);
    assert_eq!(waits.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_waker_that_a_wake_up_drops_may_send() {
    let (tx, mut waits) = channel(8);
    let mut rx = tx.subscribe();
    let waker = owning(SendsAtDrop(tx.clone(), 2));
    let mut recv = Box::pin(waits.recv());
    wait(recv.as_mut(), &waker);
    drop(waker);
    tx.send(1).unwrap();
    drop(recv);
    assert_eq!((drain(&mut rx), drain(&mut waits)), (vec![1, 2], vec![1, 2]));
}

#[test]
fn a_waker_that_another_one_replaces_may_send() {
    let (tx, mut waits) = channel(8);
    let waker = owning(SendsAtDrop(tx.clone(), 1));
    let mut recv = pin!(waits.recv());
    wait(recv.as_mut(), &waker);
    drop(waker);
    let woken = Counter::new();
    // The value is sent during the poll: it is received now, or the task is woken.
    let first = poll(recv.as_mut(), &woken);
    let got = if first.is_pending() && woken.count() > 0 { poll(recv, &woken) } else { first };
    assert_eq!(got, Poll::Ready(Ok(1)));
}

#[test]
fn a_waker_that_a_cancelled_receive_drops_may_send() {
    let (tx, mut waits) = channel(8);
    let waker = owning(SendsAtDrop(tx.clone(), 1));
    let mut recv = Box::pin(waits.recv());
    wait(recv.as_mut(), &waker);
    drop(waker);
    drop(recv);
    assert_eq!(drain(&mut waits), [1]);
}

#[test]
fn a_waker_may_receive_when_it_is_dropped() {
    struct ReceivesAtDrop(super::broadcast::Receiver<u64>, Arc<Mutex<Vec<u64>>>);
    impl Drop for ReceivesAtDrop {
        fn drop(&mut self) {
            lock(&self.1).extend(drain(&mut self.0));
        }
    }
    let (tx, mut waits) = channel(8);
    let received = Arc::default();
    let waker = owning(ReceivesAtDrop(tx.subscribe(), Arc::clone(&received)));
    let mut recv = Box::pin(waits.recv());
    wait(recv.as_mut(), &waker);
    drop(waker);
    tx.send(1).unwrap();
    drop(recv);
    assert_eq!(*lock(&received), [1]);
    assert_eq!(tx.receiver_count(), 1);
    assert_eq!(drain(&mut waits), [1]);
}

#[test]
fn a_waker_may_send_when_the_close_wakes_it() {
    let (other, mut there) = channel(8);
    let (tx, mut waits) = channel::<u8>(8);
    let waker = call(move || drop(other.send(7)));
    let mut recv = Box::pin(waits.recv());
    wait(recv.as_mut(), &waker);
    drop(tx);
    assert_eq!(there.try_recv(), Ok(7));
}

#[test]
fn a_waker_of_closed_may_subscribe() {
    let (tx, rx) = channel::<u64>(8);
    let (sender, new) = (tx.clone(), Arc::new(Mutex::new(None)));
    let subscribed = Arc::clone(&new);
    let waker = call(once(move || *lock(&subscribed) = Some(sender.subscribe())));
    let mut closed = pin!(tx.closed());
    wait(closed.as_mut(), &waker);
    drop(rx);
    assert_eq!(tx.receiver_count(), 1);
    let woken = Counter::new();
    assert!(poll(closed.as_mut(), &woken).is_pending());
    drop(lock(&new).take());
    assert!(woken.count() > 0);
    assert!(poll(closed, &woken).is_ready());
}

#[test]
fn a_waker_of_closed_may_subscribe_and_send_when_it_is_dropped() {
    struct SubscribesAtDrop(Sender<u64>);
    impl Drop for SubscribesAtDrop {
        fn drop(&mut self) {
            let mut rx = self.0.subscribe();
            self.0.send(1).unwrap();
            assert_eq!(drain(&mut rx), [1]);
        }
    }
    let (tx, rx) = channel::<u64>(8);
    let waker = owning(SubscribesAtDrop(tx.clone()));
    let mut closed = Box::pin(tx.closed());
    wait(closed.as_mut(), &waker);
    drop(waker);
    drop(rx);
    drop(closed);
    assert_eq!((tx.receiver_count(), tx.strong_count()), (0, 1));
}
