//! What boxed rings add to inline rings: any payload, borrowed.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::eventually;
use common::testing;
use common::wakers::Counter;
use futures::task::noop_waker_ref;
use futures::{FutureExt, StreamExt};
use seqcast::{Lagged, RecvError, RecvTimeoutError, Ref, Ring, Storage, TryRecvError};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

/// Cannot be cloned.
#[derive(Debug, PartialEq)]
struct Unique(u64);

fn parked<S: Storage>(ring: &Ring<S>) {
    eventually("parked", || ring.stats().subscribers[0].parked);
}

#[test]
fn messages_are_borrowed_where_they_lie() {
    let (mut publisher, mut first) = seqcast::boxed::<String>(4);
    let mut second = first.clone();
    publisher.publish("here".to_owned());
    let (one, two) = (first.try_recv_ref().unwrap(), second.try_recv_ref().unwrap());
    assert_eq!((&*one, Ref::sequence(&one)), (&"here".to_owned(), 0));
    assert!(std::ptr::eq(&*one, &*two));
}

#[test]
fn a_held_message_outlives_its_slot() {
    let (mut publisher, mut subscriber) = seqcast::boxed::<String>(4);
    publisher.publish("first".to_owned());
    let held = subscriber.try_recv_ref().unwrap();
    for number in 1..=10_000 {
        publisher.publish(number.to_string());
    }
    assert_eq!(*held, "first");
    drop(held);
    assert_eq!(
        subscriber.try_recv_ref().unwrap_err(),
        TryRecvError::Lagged(Lagged { missed: 9_996, resumed_at: 9_997 })
    );
    assert_eq!(*subscriber.try_recv_ref().unwrap(), "9997");
}

#[test]
fn what_cannot_be_cloned_is_received_on_every_path() {
    let (mut publisher, mut subscriber) = seqcast::boxed::<Unique>(8);
    let mut cx = Context::from_waker(noop_waker_ref());
    assert_eq!(subscriber.try_recv_ref().unwrap_err(), TryRecvError::Empty);
    assert_eq!(subscriber.latest_ref().unwrap_err(), TryRecvError::Empty);
    assert_eq!(subscriber.recv_ref_timeout(Duration::ZERO).unwrap_err(), RecvTimeoutError::Timeout);
    assert_eq!(subscriber.recv_ref_timeout(Duration::from_millis(5)).unwrap_err(), RecvTimeoutError::Timeout);
    assert_eq!(subscriber.recv_ref_deadline(Instant::now()).unwrap_err(), RecvTimeoutError::Timeout);
    assert!(subscriber.recv_ref_async().now_or_never().is_none());
    assert!(subscriber.poll_recv_ref(&mut cx).is_pending());
    publisher.publish_many((0..7).map(Unique));
    assert_eq!(*subscriber.try_recv_ref().unwrap(), Unique(0));
    assert_eq!(*subscriber.recv_ref().unwrap(), Unique(1));
    assert_eq!(*subscriber.recv_ref_timeout(Duration::ZERO).unwrap(), Unique(2));
    assert_eq!(*subscriber.recv_ref_deadline(Instant::now()).unwrap(), Unique(3));
    assert_eq!(*subscriber.recv_ref_async().now_or_never().unwrap().unwrap(), Unique(4));
    let Poll::Ready(Ok(message)) = subscriber.poll_recv_ref(&mut cx) else { panic!("expected a message") };
    assert_eq!((&*message, Ref::sequence(&message)), (&Unique(5), 5));
    drop(message);
    assert_eq!((subscriber.last_sequence(), subscriber.next_sequence(), subscriber.lag()), (Some(5), 6, 1));
    assert_eq!(*subscriber.latest_ref().unwrap(), Unique(6));
}

#[test]
fn losses_and_the_end_are_told_on_every_path() {
    let (mut publisher, mut subscriber) = seqcast::boxed::<Unique>(4);
    let mut cx = Context::from_waker(noop_waker_ref());
    for round in 0..6 {
        publisher.publish_many((0..6).map(Unique));
        let lagged = Lagged { missed: 2, resumed_at: 6 * round + 2 };
        match round {
            0 => assert_eq!(subscriber.try_recv_ref().unwrap_err(), TryRecvError::Lagged(lagged)),
            1 => assert_eq!(subscriber.recv_ref().unwrap_err(), RecvError::Lagged(lagged)),
            2 => assert_eq!(subscriber.recv_ref_timeout(Duration::MAX).unwrap_err(), RecvTimeoutError::Lagged(lagged)),
            3 => {
                let received = subscriber.recv_ref_deadline(Instant::now());
                assert_eq!(received.unwrap_err(), RecvTimeoutError::Lagged(lagged));
            }
            4 => {
                let received = subscriber.recv_ref_async().now_or_never().unwrap();
                assert_eq!(received.unwrap_err(), RecvError::Lagged(lagged));
            }
            _ => {
                let Poll::Ready(received) = subscriber.poll_recv_ref(&mut cx) else { panic!("pending") };
                assert_eq!(received.unwrap_err(), RecvError::Lagged(lagged));
            }
        }
        for number in 2..6 {
            assert_eq!(*subscriber.try_recv_ref().unwrap(), Unique(number));
        }
    }
    assert_eq!(subscriber.missed(), 12);
    publisher.publish(Unique(9));
    publisher.close();
    assert_eq!(*subscriber.recv_ref().unwrap(), Unique(9));
    for _ in 0..2 {
        assert_eq!(subscriber.try_recv_ref().unwrap_err(), TryRecvError::Closed);
        assert_eq!(subscriber.latest_ref().unwrap_err(), TryRecvError::Closed);
        assert_eq!(subscriber.recv_ref().unwrap_err(), RecvError::Closed);
        assert_eq!(subscriber.recv_ref_timeout(Duration::MAX).unwrap_err(), RecvTimeoutError::Closed);
        assert_eq!(subscriber.recv_ref_deadline(Instant::now()).unwrap_err(), RecvTimeoutError::Closed);
        assert_eq!(subscriber.recv_ref_async().now_or_never().unwrap().unwrap_err(), RecvError::Closed);
    }
}

#[test]
fn holes_are_gone_over_on_every_path() {
    let (publisher, mut subscriber) = seqcast::boxed::<Unique>(4);
    let publisher = publisher.share();
    let _suspended = testing::claim(&publisher).unwrap().begin().unwrap();
    let mut received = 0;
    for number in 0..400 {
        publisher.publish(Unique(number)).unwrap();
        let message = match number % 4 {
            0 => subscriber.try_recv_ref().ok(),
            1 => subscriber.recv_ref_timeout(Duration::ZERO).ok(),
            2 => subscriber.recv_ref_async().now_or_never().and_then(Result::ok),
            _ => subscriber.latest_ref().ok(),
        };
        received += u64::from(message.is_some());
        drop(message);
        let sum = received + subscriber.missed() + subscriber.holes() + subscriber.skipped_by_choice();
        assert_eq!(sum, subscriber.next_sequence(), "law 1");
    }
    assert!(received > 100 && subscriber.holes() > 0);
}

#[test]
fn a_thread_that_waits_to_borrow_is_woken() {
    let (mut publisher, mut subscriber) = seqcast::boxed::<Unique>(4);
    let ring = publisher.ring();
    let reader = thread::spawn(move || {
        assert_eq!(*subscriber.recv_ref().unwrap(), Unique(0));
        assert_eq!(*subscriber.recv_ref_timeout(Duration::MAX).unwrap(), Unique(1));
        let far = Instant::now() + Duration::from_secs(1_000);
        assert_eq!(*subscriber.recv_ref_deadline(far).unwrap(), Unique(2));
        assert_eq!(*futures::executor::block_on(subscriber.recv_ref_async()).unwrap(), Unique(3));
        assert_eq!(subscriber.recv_ref().unwrap_err(), RecvError::Closed);
    });
    for number in 0..4 {
        eventually("the subscriber has received the messages before", || {
            ring.stats().subscribers[0].next_sequence == number
        });
        parked(&ring);
        publisher.publish(Unique(number));
    }
    eventually("the subscriber is at the end", || ring.stats().subscribers[0].next_sequence == 4);
    parked(&ring);
    drop(publisher);
    reader.join().unwrap();
}

#[test]
fn a_future_that_is_dropped_loses_nothing_and_lets_go_of_its_waker() {
    let (mut publisher, mut subscriber) = seqcast::boxed::<Unique>(4);
    let counter = Counter::new();
    let waker = counter.waker();
    for number in 0..100 {
        {
            let mut future = pin!(subscriber.recv_ref_async());
            assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            assert_eq!(Arc::strong_count(&counter), 3);
            if number % 2 == 0 {
                publisher.publish(Unique(number));
                assert_eq!(counter.count() as u64, number / 2 + 1);
            }
        }
        assert_eq!(Arc::strong_count(&counter), 2, "the waker must stay registered");
        if number % 2 == 1 {
            publisher.publish(Unique(number));
        }
        assert!(!publisher.ring().stats().subscribers[0].parked);
        assert_eq!(*subscriber.try_recv_ref().unwrap(), Unique(number));
    }
    assert_eq!(subscriber.missed(), 0);
}

#[test]
fn streams_and_iterators_give_clones() {
    let (mut publisher, subscriber) = seqcast::boxed::<String>(4);
    let texts = |numbers: std::ops::Range<u32>| numbers.map(|number| number.to_string());
    let mut streaming = subscriber.clone();
    let mut skipping = subscriber.clone().skip_lagged();
    let mut iterating = subscriber.clone();
    publisher.publish_many(texts(0..6));
    assert_eq!(iterating.try_iter().next(), Some(Err(Lagged { missed: 2, resumed_at: 2 })));
    assert!(iterating.try_iter().map(Result::unwrap).eq(texts(2..6)));
    publisher.close();
    assert_eq!(iterating.iter().next(), None);
    let received: Vec<_> = futures::executor::block_on(streaming.by_ref().collect());
    assert_eq!(received[0], Err(Lagged { missed: 2, resumed_at: 2 }));
    assert!(received.into_iter().skip(1).map(Result::unwrap).eq(texts(2..6)));
    assert_eq!(streaming.next().now_or_never(), Some(None));
    assert!(futures::executor::block_on(skipping.by_ref().collect::<Vec<_>>()).into_iter().eq(texts(2..6)));
    assert_eq!(subscriber.into_iter().filter_map(Result::ok).count(), 4);
}

#[test]
fn a_message_can_be_looked_at_from_other_threads() {
    let (mut publisher, mut subscriber) = seqcast::boxed::<String>(2);
    publisher.publish("shared".to_owned());
    let message = subscriber.try_recv_ref().unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(*message, "shared"));
        }
        publisher.publish_many((0..300).map(|number| number.to_string()));
    });
    // And released in another thread.
    thread::scope(|scope| scope.spawn(move || assert_eq!(*message, "shared")).join().unwrap());
    assert_eq!(*subscriber.latest_ref().unwrap(), "299");
}

#[test]
fn a_clone_of_a_subscriber_borrows_on_its_own() {
    let (mut publisher, mut subscriber) = seqcast::boxed::<Unique>(2);
    publisher.publish(Unique(0));
    let mut clone = subscriber.clone();
    let held = subscriber.try_recv_ref().unwrap();
    assert_eq!(*clone.try_recv_ref().unwrap(), Unique(0));
    drop(clone);
    publisher.publish_many((1..500).map(Unique));
    assert_eq!(*held, Unique(0));
}

#[test]
fn messages_are_borrowed_at_large_sequences_too() {
    let (mut publisher, mut subscriber) = seqcast::Builder::new(4).first_sequence(common::FIRSTS[1]).boxed::<Unique>();
    for number in 0..500 {
        let sequence = publisher.publish(Unique(number));
        let message = subscriber.try_recv_ref().unwrap();
        assert_eq!((&*message, Ref::sequence(&message)), (&Unique(number), sequence));
    }
}
