//! What a ring reports about itself and its subscribers.
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
    // Ids are never reused.
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

/// The totals of a ring: received, missed, skipped by choice, holes.
fn all_totals(ring: &Ring<Inline<u64>>) -> [u64; 4] {
    let totals = ring.stats().totals;
    [totals.received, totals.missed, totals.skipped_by_choice, totals.holes]
}

/// The same of a ring with one publisher, which leaves no holes.
fn totals(ring: &Ring<Inline<u64>>) -> (u64, u64, u64) {
    let [received, missed, skipped, holes] = all_totals(ring);
    assert_eq!(holes, 0);
    (received, missed, skipped)
}

#[test]
fn the_totals_keep_those_that_are_gone_or_leaked() {
    let (mut publisher, mut first) = seqcast::inline::<u64>(8);
    let ring = publisher.ring();
    publisher.publish_many(0..10);
    assert!(first.try_recv().is_err());
    assert_eq!(first.try_recv(), Ok(2));
    assert_eq!(totals(&ring), (1, 2, 0));
    drop(first);
    assert_eq!(totals(&ring), (1, 2, 0));
    let mut second = ring.subscribe_at(Start::Oldest);
    assert_eq!(second.latest(), Ok(9));
    assert_eq!(totals(&ring), (2, 2, 7));
    // A seek begins a new account for the subscriber. The ring's account continues.
    second.seek(Start::Oldest);
    assert_eq!((second.received(), second.start_sequence(), second.skipped_by_choice()), (0, 2, 7));
    assert_eq!(second.try_iter().count(), 8);
    assert_eq!((second.received(), ring.stats().subscribers[0].received), (8, 9));
    assert_eq!(totals(&ring), (10, 2, 7));
    let leaked = second.clone();
    std::mem::forget(leaked);
    drop((publisher, second));
    assert_eq!(totals(&ring), (10, 2, 7));
}

fn add(some: [u64; 4], more: [u64; 4]) -> [u64; 4] {
    std::array::from_fn(|kind| some[kind] + more[kind])
}

#[test]
fn no_total_ever_decreases_and_all_are_exact_in_the_end() {
    let (publisher, subscriber) = seqcast::inline::<u64>(4);
    let (publisher, ring) = (publisher.share(), subscriber.ring());
    drop(subscriber);
    let sums = thread::scope(|scope| {
        // Subscribers come and go, lag, jump and seek back, while a publisher laps them. They
        // publish more than the ring holds themselves, so each case certainly occurs.
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let (ring, publisher) = (ring.clone(), publisher.clone());
                scope.spawn(move || {
                    let mut sums = [0; 4];
                    for round in 0..400_u64 {
                        let mut subscriber = ring.subscribe_at(Start::Oldest);
                        let mut before_seek = 0;
                        for step in 0..20_u64 {
                            if step % 10 == 0 {
                                publisher.publish_many(0..6);
                            }
                            let _ = subscriber.try_recv();
                            match (round + step) % 7 {
                                0 => drop(subscriber.latest()),
                                1 => {
                                    before_seek += subscriber.received();
                                    subscriber.seek(Start::Oldest);
                                }
                                _ => {}
                            }
                        }
                        let received = before_seek + subscriber.received();
                        let [missed, skipped] = [subscriber.missed(), subscriber.skipped_by_choice()];
                        sums = add(sums, [received, missed, skipped, subscriber.holes()]);
                    }
                    sums
                })
            })
            .collect();
        let mut before = [0; 4];
        while readers.iter().any(|reader| !reader.is_finished()) {
            publisher.publish_many(0..3);
            let now = all_totals(&ring);
            assert!((0..4).all(|kind| before[kind] <= now[kind]), "a total decreased from {before:?} to {now:?}");
            before = now;
        }
        readers.into_iter().fold([0; 4], |sums, reader| add(sums, reader.join().unwrap()))
    });
    // Holes only where one of the publishers was suspended in the middle of a write.
    assert!(sums[..3].iter().all(|sum| *sum > 0), "{sums:?}");
    assert_eq!(all_totals(&ring), sums);
}

#[test]
fn joining_and_leaving_at_the_same_time_beside_a_thousand_loses_no_seat() {
    // The registry gets a second table when 1 024 subscribers are live. All threads reach that
    // number at about the same time, several times.
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
        // Some of the first table leave, and some of the second. The others stay.
        drop(idle);
        expected = kept.iter().chain([&subscriber]).map(|s| s.id()).collect();
        expected.sort_unstable();
        assert_eq!(listed(), expected);
        drop(kept);
        assert_eq!(listed(), [subscriber.id()]);
    }
}
