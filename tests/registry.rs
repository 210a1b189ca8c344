//! What a ring tells of itself and its subscribers.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use seqcast::{Inline, Ring, Start};
use std::sync::Barrier;
use std::thread;

#[test]
fn stats_tell_the_truth() {
    let (mut publisher, mut first) = seqcast::inline::<u64>(8);
    let ring = publisher.ring();
    first.set_name("first");
    publisher.publish_many(0..20);
    let mut second = ring.subscribe_at(Start::Oldest);
    second.set_name(String::from("a"));
    second.set_name("b");
    let _ = first.try_recv();
    let _ = second.latest();
    let third = second.clone();
    let stats = ring.stats();
    assert_eq!((stats.published, stats.skipped, stats.capacity, stats.closed), (20, 0, 8, false));
    let told: Vec<_> = stats
        .subscribers
        .iter()
        .map(|s| (s.id, s.name.as_deref(), s.next_sequence, s.lag, s.missed, s.skipped_by_choice))
        .collect();
    assert_eq!(
        told,
        [
            (first.id(), Some("first"), 12, 8, 12, 0),
            (second.id(), Some("b"), 20, 0, 0, 7),
            (third.id(), None, 20, 0, 0, 0),
        ]
    );
    assert!(stats.subscribers.iter().all(|s| !s.parked && !s.gating && s.holes == 0));
    let (first_id, second_id) = (first.id(), second.id());
    drop((publisher, first, second));
    let stats = ring.stats();
    assert!(stats.closed);
    assert_eq!(stats.subscribers.len(), 1);
    // Ids are never used again.
    let fourth = ring.subscribe();
    assert!(fourth.id() > third.id() && ![first_id, second_id].contains(&fourth.id()));
}

#[test]
fn a_publisher_tells_which_sequence_is_next() {
    let (mut publisher, _subscriber) = seqcast::inline::<u64>(8);
    for number in 0..3 {
        assert_eq!(publisher.next_sequence(), number);
        assert_eq!(publisher.try_publish(7), Ok(number));
    }
    assert_eq!((publisher.next_sequence(), publisher.ring().next_sequence()), (3, 3));
}

#[test]
fn ten_thousand_join_and_leave() {
    let (publisher, _subscriber) = seqcast::inline::<u64>(8);
    let mut many: Vec<_> = (0..10_000).map(|_| publisher.subscribe()).collect();
    assert_eq!((publisher.subscriber_count(), publisher.ring().stats().subscribers.len()), (10_001, 10_001));
    many.truncate(100);
    assert_eq!(publisher.ring().subscriber_count(), 101);
    drop(many);
    assert_eq!(publisher.subscriber_count(), 1);
}

#[test]
fn joining_and_leaving_from_many_threads_loses_no_seat() {
    let (_publisher, subscriber) = seqcast::inline::<u64>(8);
    let ring: Ring<Inline<u64>> = subscriber.ring();
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                let mut kept = Vec::new();
                for round in 0..60 {
                    kept.push(ring.subscribe());
                    if round % 3 == 0 {
                        kept.swap_remove(0);
                    }
                    let ids: Vec<_> = ring.stats().subscribers.iter().map(|s| s.id).collect();
                    assert!(ids.is_sorted());
                    assert!(kept.iter().all(|s| ids.binary_search(&s.id()).is_ok()));
                }
            });
        }
    });
    assert_eq!(ring.subscriber_count(), 1);
}

#[test]
fn joining_and_leaving_at_the_same_time_beside_a_thousand_loses_no_seat() {
    // The registry gets a second table once 1 024 are live. All threads reach that number at about the same time, several times.
    const THREADS: usize = 8;
    for count in [1_000, 1_015, 1_023, 1_024, 1_030] {
        let (_publisher, subscriber) = seqcast::boxed::<u64>(8);
        let ring = subscriber.ring();
        let idle: Vec<_> = (1..count).map(|_| subscriber.clone()).collect();
        let start = Barrier::new(THREADS);
        let kept: Vec<_> = thread::scope(|scope| {
            let join = || {
                start.wait();
                let mut kept = Vec::new();
                for round in 0..24 {
                    kept.push(ring.subscribe());
                    if round % 3 == 0 {
                        kept.swap_remove(0);
                    }
                    if round % 8 == 0 {
                        let ids: Vec<_> = ring.stats().subscribers.iter().map(|s| s.id).collect();
                        assert!(ids.is_sorted());
                        assert!(kept.iter().chain(&idle).all(|s| ids.binary_search(&s.id()).is_ok()));
                    }
                }
                kept
            };
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(join)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let mut expected: Vec<_> = idle.iter().chain(&kept).chain([&subscriber]).map(|s| s.id()).collect();
        expected.sort_unstable();
        let listed = || ring.stats().subscribers.iter().map(|s| s.id).collect::<Vec<_>>();
        assert_eq!(listed(), expected);
        // Those of the first table go, and those of the second; the others stay.
        drop(idle);
        expected = kept.iter().chain([&subscriber]).map(|s| s.id()).collect();
        expected.sort_unstable();
        assert_eq!(listed(), expected);
        drop(kept);
        assert_eq!(listed(), [subscriber.id()]);
    }
}
