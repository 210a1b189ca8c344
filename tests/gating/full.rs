//! When a ring is full, and where a gating subscriber starts.

use std::time::Duration;

use seqcast::{Builder, Lagged, Start, SubscribeError, TryPublishError, TryRecvError};

use crate::gated;

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
    let _ = Builder::new(2).gate_deadline(Duration::from_secs(60));
}
