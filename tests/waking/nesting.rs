//! Wakers that publish, which wakes others. The depth of such calls is bounded, and fits a default
//! stack.

use crate::common::wakers::{call, owning, park};
use std::thread;

#[test]
fn wakers_that_publish_do_not_nest_without_bound() {
    const PARKED: u64 = 20_000;
    let (publisher, subscriber) = seqcast::inline::<u64>(4);
    let publisher = publisher.share();
    let mut subscribers: Vec<_> = (0..PARKED).map(|_| subscriber.clone()).collect();
    for (subscriber, id) in subscribers.iter_mut().zip(0..) {
        let publisher = publisher.clone();
        park(
            subscriber,
            &call(move || {
                publisher.publish(id).unwrap();
            }),
        );
    }
    publisher.publish(0).unwrap();
    assert_eq!(publisher.next_sequence(), PARKED + 1, "each waker must have published once");
}

#[test]
fn wakers_of_two_rings_do_not_nest_without_bound() {
    const PARKED: u64 = 10_000;
    let rings = [(); 2].map(|()| seqcast::inline::<u64>(4).0.share());
    let mut subscribers = Vec::new();
    for _ in 0..PARKED {
        for (ring, other) in [(&rings[0], &rings[1]), (&rings[1], &rings[0])] {
            let mut subscriber = ring.subscribe();
            let other = other.clone();
            park(
                &mut subscriber,
                &call(move || {
                    other.publish(0).unwrap();
                }),
            );
            subscribers.push(subscriber);
        }
    }
    rings[0].publish(0).unwrap();
    assert_eq!([rings[0].next_sequence(), rings[1].next_sequence()], [PARKED + 1, PARKED]);
}

/// Runs `code` on a thread with the default stack size.
fn on_an_ordinary_stack(code: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(2 << 20).spawn(code).unwrap().join().unwrap();
}

#[test]
fn wakers_that_publish_along_many_rings_do_not_nest_without_bound() {
    const RINGS: usize = 30_000;
    on_an_ordinary_stack(|| {
        let rings: Vec<_> = (0..RINGS).map(|_| seqcast::inline::<u64>(2).0.share()).collect();
        let mut subscribers = Vec::new();
        for (ring, next) in rings.iter().zip(&rings[1..]) {
            let (mut subscriber, next) = (ring.subscribe(), next.clone());
            park(
                &mut subscriber,
                &call(move || {
                    next.publish(0).unwrap();
                }),
            );
            subscribers.push(subscriber);
        }
        rings[0].publish(0).unwrap();
        assert!(rings.iter().all(|ring| ring.next_sequence() == 1), "each waker must have published once");
    });
}

#[test]
fn wakers_that_own_what_others_wait_on_are_dropped_one_by_one() {
    // Each waker owns a subscriber, which keeps the next waker.
    on_an_ordinary_stack(|| {
        let (publisher, subscriber) = seqcast::inline::<u64>(2);
        let mut inner = subscriber;
        for _ in 0..30_000 {
            let mut outer = publisher.subscribe();
            park(&mut outer, &owning(inner));
            inner = outer;
        }
        drop(inner);
        assert_eq!(publisher.subscriber_count(), 0);
    });
}
