//! What is reported of subscribers' accounts while they receive, jump and leave. The thread that
//! reads the statistics is spawned last, so that loom tries all orders (`docs/algorithm.md`, what
//! the tools cannot show).

use std::collections::BTreeSet;

use loom::thread;

use crate::{explore, pair, ring};

#[test]
fn a_jump_is_not_taken_for_messages() {
    let outcomes = explore(2, || {
        let (mut publisher, mut subscriber) = ring(2);
        publisher.publish_many((0..5).map(pair));
        let ring = publisher.ring();
        let look = thread::spawn(move || {
            let received = ring.stats().subscribers[0].received;
            assert!(received <= 1, "{received} of 1");
            (received, ring)
        });
        assert!(subscriber.try_recv().is_err(), "the subscriber must be lapped");
        subscriber.try_recv().unwrap();
        let (received, ring) = look.join().unwrap();
        assert_eq!(ring.stats().totals.received, 1);
        received
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1]));
}

#[test]
fn a_subscriber_that_leaves_is_counted_once() {
    let outcomes = explore(2, || {
        let (mut publisher, mut subscriber) = ring(2);
        publisher.publish(pair(0));
        subscriber.try_recv().unwrap();
        let ring = publisher.ring();
        let look = thread::spawn(move || {
            let stats = ring.stats();
            let received = stats.totals.received;
            assert!(received <= 1, "{received} of 1");
            (received, stats.subscribers.len(), ring)
        });
        drop(subscriber);
        let (received, live, ring) = look.join().unwrap();
        assert_eq!(ring.stats().totals.received, 1);
        (received, live)
    });
    assert_eq!(outcomes, BTreeSet::from([(0, 0), (1, 0), (1, 1)]));
}
