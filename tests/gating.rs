//! Gating subscribers: what publishers wait for, and what they do not.
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use seqcast::{Builder, Inline, Lagged, Publisher, Start, SubscribeError, Subscriber, TryPublishError, TryRecvError};

const LONG: Duration = Duration::from_secs(60);

fn gated(capacity: usize) -> (Publisher<Inline<u64>>, Subscriber<Inline<u64>>) {
    let (publisher, _) = Builder::new(capacity).gated().inline();
    let gating = publisher.ring().subscribe_gating().unwrap();
    (publisher, gating)
}

#[test]
fn a_full_ring_refuses_until_the_gate_has_moved() {
    let (mut publisher, mut gating) = gated(4);
    assert_eq!(publisher.publish_many(0..4), 0..4);
    for next in 4..50 {
        assert!(matches!(publisher.try_publish(next), Err(TryPublishError::Full(back)) if back == next));
        assert_eq!(gating.try_recv(), Ok(next - 4));
        assert_eq!(publisher.try_publish(next), Ok(next));
    }
    let publisher = publisher.share();
    for next in 50..100 {
        assert!(matches!(publisher.try_publish(next), Err(TryPublishError::Full(back)) if back == next));
        assert_eq!(gating.try_recv(), Ok(next - 4));
        assert_eq!(publisher.try_publish(next), Ok(next));
    }
    assert_eq!(publisher.next_sequence(), 100);
    assert_eq!((gating.missed(), gating.holes()), (0, 0));
}

#[test]
fn lossy_subscribers_of_a_gated_ring_hold_nobody() {
    let (mut publisher, mut lossy) = Builder::new(4).gated().inline::<u64>();
    assert_eq!(publisher.publish_many(0..100), 0..100);
    assert_eq!(lossy.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 96, resumed_at: 96 })));
    let gating = publisher.ring().subscribe_gating().unwrap();
    publisher.publish_many(100..104);
    assert!(publisher.try_publish(104).unwrap_err().is_full());
    drop(gating);
    assert_eq!(publisher.try_publish(104), Ok(104));
}

#[test]
fn who_waits_is_woken_by_one_message_of_room() {
    for capacity in [2, 8, 64] {
        let (mut publisher, mut gating) = gated(capacity);
        publisher.publish_many(0..capacity as u64);
        let (sender, published) = mpsc::channel();
        let waiting = thread::spawn(move || {
            sender.send(publisher.publish(7)).unwrap();
            publisher
        });
        thread::sleep(Duration::from_millis(20));
        assert!(published.try_recv().is_err(), "it has to wait");
        assert_eq!(gating.recv(), Ok(0));
        assert_eq!(published.recv_timeout(LONG), Ok(capacity as u64));
        let publisher = waiting.join().unwrap();
        assert!(publisher.ring().stats().publishers_waited > Duration::from_millis(10));
    }
}

#[test]
fn a_timeout_returns_the_value() {
    let (mut publisher, _gating) = gated(2);
    publisher.publish_many([0, 1]);
    let begun = Instant::now();
    let error = publisher.publish_timeout(2, Duration::from_millis(20)).unwrap_err();
    assert!(error.is_timeout() && error.into_inner() == 2 && begun.elapsed() >= Duration::from_millis(20));
    let publisher = publisher.share();
    assert!(publisher.publish_deadline(2, Instant::now()).unwrap_err().is_timeout());
}

#[test]
fn closing_returns_the_value_to_who_waits() {
    let (mut publisher, _gating) = gated(2);
    publisher.publish_many([0, 1]);
    let publisher = publisher.share();
    let waiting: Vec<_> = (0..4)
        .map(|id| {
            let publisher = publisher.clone();
            thread::spawn(move || publisher.publish(id).unwrap_err().into_inner())
        })
        .collect();
    thread::sleep(Duration::from_millis(20));
    publisher.close();
    assert_eq!(waiting.into_iter().map(|waiting| waiting.join().unwrap()).sum::<u64>(), 6);
}

#[test]
fn a_stuck_gate_is_demoted_and_told() {
    let builder = Builder::new(2).gated().gate_deadline(Duration::from_millis(10));
    let (mut publisher, _) = builder.inline::<u64>();
    let mut stuck = publisher.ring().subscribe_gating().unwrap();
    publisher.publish_many(0..9);
    let stats = publisher.ring().stats();
    assert!(stats.subscribers[0].demoted && !stats.subscribers[0].gating);
    assert_eq!(stuck.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 7, resumed_at: 7 })));
    assert_eq!((stuck.try_recv(), stuck.try_recv()), (Ok(7), Ok(8)));
    assert!(!stuck.is_gating() && !stuck.clone().is_gating());
    publisher.publish_many(9..20);
}

#[test]
fn a_stuck_gate_is_demoted_for_tasks() {
    let builder = Builder::new(2).gated().gate_deadline(Duration::from_millis(20));
    let (publisher, _) = builder.inline::<u64>();
    let publisher = publisher.share();
    for round in 0..3 {
        let stuck = publisher.ring().subscribe_gating().unwrap();
        let begun = Instant::now();
        futures::executor::block_on(async {
            for next in 0..4 {
                publisher.publish_async(next).await.unwrap();
            }
        });
        assert!(begun.elapsed() >= Duration::from_millis(20), "round {round}");
        assert!(!stuck.is_gating());
    }
}

#[test]
fn a_task_waits_and_is_woken() {
    let (publisher, mut gating) = gated(2);
    let publisher = publisher.share();
    let writing = thread::spawn(move || {
        futures::executor::block_on(async {
            for next in 0..1000 {
                assert_eq!(publisher.publish_async(next).await, Ok(next));
            }
        });
    });
    assert!(gating.iter().map(Result::unwrap).eq(0..1000));
    writing.join().unwrap();
}

#[test]
fn a_gate_joins_where_it_says() {
    let (mut publisher, _) = Builder::new(4).gated().inline::<u64>();
    publisher.publish_many(0..6);
    let ring = publisher.ring();
    assert_eq!(ring.subscribe_gating_at(Start::At(1)).unwrap_err(), SubscribeError::Evicted { oldest: 2 });
    assert_eq!(ring.subscribe_gating_at(Start::Oldest).unwrap().next_sequence(), 2);
    assert_eq!(ring.subscribe_gating_at(Start::At(4)).unwrap().next_sequence(), 4);
    assert_eq!(ring.subscribe_gating_at(Start::At(99)).unwrap().next_sequence(), 6);
    let (ordinary, _) = seqcast::inline::<u64>(4);
    let error = ordinary.ring().subscribe_gating().unwrap_err();
    assert!(error.is_not_gated() && error.to_string() == "the ring is not gated");
}

#[test]
fn a_gate_leaves_no_slack() {
    let (mut publisher, _) = Builder::new(4).gated().lag_slack(3).inline::<u64>();
    publisher.publish_many(0..5);
    let mut gating = publisher.ring().subscribe_gating_at(Start::At(1)).unwrap();
    // There was room up to 8 when it joined.
    publisher.publish_many(5..8);
    assert!(publisher.try_publish(8).unwrap_err().is_full());
    assert_eq!(gating.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 3, resumed_at: 4 })));
    assert!(gating.try_iter().map(Result::unwrap).eq(4..8));
}

#[test]
fn a_clone_of_a_gate_gates() {
    let (mut publisher, mut gating) = gated(2);
    publisher.publish_many([0, 1]);
    let mut clone = gating.clone();
    assert_eq!(gating.try_recv(), Ok(0));
    assert!(clone.is_gating() && publisher.try_publish(2).is_err());
    assert_eq!(clone.try_recv(), Ok(0));
    assert_eq!(publisher.try_publish(2), Ok(2));
}

#[test]
#[should_panic = "`gate_deadline` must not be zero"]
fn a_deadline_of_zero_is_refused() {
    let _ = Builder::new(2).gated().gate_deadline(Duration::ZERO);
}

#[test]
#[should_panic = "`gate_deadline` is for gated rings"]
fn a_deadline_of_an_ordinary_ring_is_refused() {
    let _ = Builder::new(2).gate_deadline(LONG);
}
