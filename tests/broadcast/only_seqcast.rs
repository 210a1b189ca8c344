//! What `seqcast::broadcast` has in addition to tokio, and what it does differently.

use super::broadcast::error::{RecvError, TryRecvError};
use super::broadcast::{Receiver, Sender, channel};
use crate::common::block_on;
use crate::common::panics::throw;
use crate::common::wakers::{Counter, call, now};
use crate::poll;
use futures::stream::FusedStream;
use futures::{Stream, StreamExt};
use seqcast::{Boxed, Ring, Start, Subscriber};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread;

/// tokio panics.
#[tokio::test]
async fn blocking_recv_waits_in_an_async_context_as_well() {
    let (tx, mut rx) = channel(4);
    tx.send(1).unwrap();
    assert_eq!(rx.blocking_recv(), Ok(1));
    drop(tx);
    assert_eq!(rx.blocking_recv(), Err(RecvError::Closed));
}

/// tokio's future only yields in tokio's runtime.
#[test]
fn recv_yields_now_and_then_in_every_executor() {
    let (tx, mut rx) = channel(1024);
    for value in 0..1024 {
        tx.send(value).unwrap();
    }
    let woken = Counter::new();
    let mut received = 0;
    while poll(pin!(rx.recv()), &woken) == Poll::Ready(Ok(received)) {
        received += 1;
    }
    assert!(received < 1024 && woken.count() > 0, "the future must yield, and wake its task");
    assert_eq!((rx.len() as u64, rx.try_recv()), (1024 - received, Ok(received)));
}

/// A value is received after those of senders that began before. If such a sender is suspended,
/// receivers wait for its value. They are woken when it is committed.
#[test]
fn a_receiver_that_waits_gets_what_its_own_thread_has_sent() {
    let (tx, _unread) = channel(1 << 16);
    let threads: Vec<_> = (0..4)
        .map(|id| {
            let (tx, mut rx) = (tx.clone(), tx.subscribe());
            thread::spawn(move || {
                for number in 0..10_000 {
                    tx.send([id, number]).unwrap();
                    while block_on(rx.recv()).unwrap() != [id, number] {}
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// For tokio, tokio-stream has a wrapper.
#[test]
fn a_receiver_is_a_stream_of_results() {
    fn is_stream<T>(_: &(impl Stream<Item = Result<T, RecvError>> + Unpin)) {}
    let (tx, mut rx) = channel(2);
    is_stream::<u64>(&rx);
    for value in 0..4 {
        tx.send(value).unwrap();
    }
    // The methods of receivers and of streams use one cursor.
    assert_eq!(block_on(rx.next()), Some(Err(RecvError::Lagged(2))));
    assert_eq!((rx.len(), rx.try_recv()), (2, Ok(2)));
    assert_eq!(block_on(rx.next()), Some(Ok(3)));
    assert_eq!(now(rx.next()), None);
    tx.send(4).unwrap();
    drop(tx);
    assert_eq!(now(rx.recv()), Some(Ok(4)));
    for _ in 0..3 {
        assert_eq!(block_on(rx.next()), None);
        assert_eq!(now(rx.recv()), Some(Err(RecvError::Closed)));
    }
}

#[test]
fn a_receiver_that_ended_as_a_stream_says_so() {
    let (tx, mut rx) = channel::<u64>(4);
    tx.send(1).unwrap();
    drop(tx);
    assert!(!rx.is_terminated());
    assert_eq!(block_on(rx.next()), Some(Ok(1)));
    assert!(!rx.is_terminated());
    assert_eq!(block_on(rx.next()), None);
    assert!(rx.is_terminated());
}

#[test]
fn a_receiver_can_be_left_to_its_subscriber() {
    let (tx, mut rx) = channel::<u64>(4);
    for value in 0..3 {
        tx.send(value).unwrap();
    }
    assert_eq!(rx.try_recv(), Ok(0));
    let mut subscriber: Subscriber<Boxed<u64>> = rx.into_inner();
    assert_eq!((tx.receiver_count(), tx.len()), (1, 2));
    assert_eq!(subscriber.try_recv_ref().map(|value| *value), Ok(1));
    assert_eq!(tx.len(), 1);
    drop(tx);
    assert_eq!(subscriber.recv_ref().map(|value| *value), Ok(2));
    assert!(subscriber.is_closed());
}

#[test]
fn the_ring_of_a_sender_shows_the_channel() {
    let (tx, mut rx) = channel::<u64>(3);
    let ring: Ring<Boxed<u64>> = tx.ring();
    assert_eq!(ring.capacity(), 4);
    for value in 0..6 {
        tx.send(value).unwrap();
    }
    assert_eq!(ring.stats().published, 6);
    let mut oldest = ring.subscribe_at(Start::Oldest);
    assert_eq!(tx.receiver_count(), 2);
    assert_eq!(oldest.try_recv_ref().map(|value| *value), Ok(2));
    drop(tx);
    assert!(rx.is_closed() && ring.stats().closed, "a `Ring` must not keep the channel open");
    assert_eq!(now(rx.recv()), Some(Err(RecvError::Lagged(2))));
}

/// In tokio such a panic propagates out of the send, and the receivers after it are not woken.
#[test]
fn a_waker_that_panics_harms_neither_the_send_nor_other_receivers() {
    let (tx, mut first) = channel(4);
    let (mut second, woken) = (tx.subscribe(), Counter::new());
    let mut waits = [pin!(first.recv()), pin!(second.recv())];
    assert!(waits[0].as_mut().poll(&mut Context::from_waker(&call(|| throw()))).is_pending());
    assert!(poll(waits[1].as_mut(), &woken).is_pending());
    assert_eq!(tx.send(1).unwrap(), 2);
    assert!(woken.count() > 0);
    assert!(waits.into_iter().all(|recv| poll(recv, &woken) == Poll::Ready(Ok(1))));
}

/// In tokio such a drop waits for a lock that its own send holds.
#[test]
fn the_drop_of_an_overwritten_value_may_use_the_channel() {
    #[derive(Clone)]
    struct Sends(Option<Sender<Sends>>);
    impl Drop for Sends {
        fn drop(&mut self) {
            if let Some(tx) = self.0.take() {
                tx.send(Sends(None)).ok();
                assert!(tx.len() <= 1);
            }
        }
    }
    let (tx, rx): (_, Receiver<Sends>) = channel(1);
    for _ in 0..200 {
        tx.send(Sends(Some(tx.clone()))).ok().unwrap();
    }
    drop(rx);
    assert_eq!(tx.receiver_count(), 0);
}

/// In tokio such a drop also waits for a lock.
#[test]
fn the_drop_of_a_value_at_its_last_receive_may_use_the_channel() {
    struct Reports(Option<(Sender<Reports>, Arc<AtomicUsize>)>);
    impl Clone for Reports {
        fn clone(&self) -> Self {
            Self(None)
        }
    }
    impl Drop for Reports {
        fn drop(&mut self) {
            if let Some((tx, dropped)) = self.0.take() {
                dropped.fetch_add(1, Ordering::Relaxed);
                assert_eq!((tx.len(), tx.receiver_count()), (0, 1));
                let mut own = tx.subscribe();
                assert_eq!(tx.send(Reports(None)).ok(), Some(2));
                assert!(own.try_recv().is_ok());
            }
        }
    }
    let (tx, mut rx) = channel(2);
    let dropped = Arc::new(AtomicUsize::new(0));
    for round in 1..50 {
        tx.send(Reports(Some((tx.clone(), Arc::clone(&dropped))))).ok().unwrap();
        assert!(rx.try_recv().is_ok());
        assert_eq!(dropped.load(Ordering::Relaxed), round);
        assert!(rx.try_recv().is_ok(), "the drop must have sent a value");
    }
    assert!(tx.is_empty());
}

/// In tokio such a panic propagates out of the receive or the send that drops the value.
#[test]
fn a_drop_that_panics_harms_nobody() {
    struct Bomb(bool);
    impl Clone for Bomb {
        fn clone(&self) -> Self {
            Self(false)
        }
    }
    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0 {
                throw();
            }
        }
    }
    let (tx, mut first) = channel(2);
    let mut second = tx.subscribe();
    for _ in 0..20 {
        // One value is dropped by its last receive, one by a send, and one by the drop of a
        // receiver.
        tx.send(Bomb(true)).ok().unwrap();
        assert!(first.try_recv().is_ok() && second.try_recv().is_ok());
        for _ in 0..3 {
            tx.send(Bomb(true)).ok().unwrap();
        }
        assert_eq!(first.try_recv().err(), Some(TryRecvError::Lagged(1)));
        assert!(first.try_recv().is_ok() && first.try_recv().is_ok());
        drop(second);
        assert!(tx.is_empty());
        second = tx.subscribe();
    }
}

/// In tokio a value is cloned under a lock. A send that reaches its slot waits for the lock.
#[test]
fn a_clone_may_overwrite_its_value() {
    struct Laps(Sender<Laps>, u64);
    impl Clone for Laps {
        fn clone(&self) -> Self {
            for number in 1..=5 {
                self.0.send(Laps(self.0.clone(), self.1 + number)).ok().unwrap();
            }
            Self(self.0.clone(), self.1)
        }
    }
    let (tx, mut rx) = channel(2);
    tx.send(Laps(tx.clone(), 0)).ok().unwrap();
    let received = rx.try_recv().ok().unwrap();
    assert_eq!((received.1, rx.len()), (0, 5));
    assert_eq!(rx.try_recv().err(), Some(TryRecvError::Lagged(3)));
    drop((rx, received));
    assert!(tx.is_empty());
}
