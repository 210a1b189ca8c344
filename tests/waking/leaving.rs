//! What futures and subscribers leave behind when they are dropped while waiting.

use crate::common::wakers::{Counter, park};
use futures::FutureExt;
use futures::task::noop_waker_ref;
use std::sync::Arc;
use std::task::Context;

#[test]
fn wakers_are_let_go() {
    let (_publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let counter = Counter::new();
    let waker = counter.waker();
    let held = || Arc::strong_count(&counter) - 2;
    // When a pending future of one or of several messages is dropped.
    for _ in 0..3 {
        let mut future = subscriber.recv_async();
        assert!(future.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(held(), 1);
        drop(future);
        assert_eq!(held(), 0);
        let mut buffer = Vec::new();
        let mut future = subscriber.recv_many_async(&mut buffer, 3);
        assert!(future.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
        drop(future);
        assert_eq!(held(), 0);
    }
    assert!(!subscriber.ring().stats().subscribers[0].parked);
    // When the subscriber is dropped.
    park(&mut subscriber, &waker);
    assert_eq!(held(), 1);
    drop(subscriber);
    assert_eq!(held(), 0);
}

#[test]
fn a_message_that_a_dropped_future_would_have_taken_stays() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let mut future = subscriber.recv_async();
    assert!(future.poll_unpin(&mut Context::from_waker(noop_waker_ref())).is_pending());
    publisher.publish(1);
    drop(future);
    assert_eq!(subscriber.try_recv(), Ok(1));
}

#[test]
fn who_comes_and_goes_wakes_others_seldom() {
    // Dropped subscribers may leave 64 entries on the list, and one per live subscriber.
    for others in [0, 1_000] {
        let (_publisher, mut subscriber) = seqcast::inline::<u64>(4);
        let _others: Vec<_> = (0..others).map(|_| subscriber.clone()).collect();
        let counter = Counter::new();
        for _ in 0..10_000 {
            park(&mut subscriber, &counter.waker());
            park(&mut subscriber.clone(), noop_waker_ref());
        }
        assert_eq!(counter.count(), 10_000 / (64 + others + 1 + 1));
    }
}
