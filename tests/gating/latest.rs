//! Lossy and gating subscribers that wait for the newest message.

use std::thread;
use std::time::Duration;

use futures::FutureExt;
use futures::executor::block_on;
use futures::task::Context;
use seqcast::{Builder, RecvError};

use crate::common::wakers::Counter;
use crate::common::{eventually, testing};
use crate::{full, gated, in_time, returned, start};

#[test]
fn the_newest_message_is_waited_for() {
    in_time(|| {
        let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
        publisher.publish_many(0..100);
        assert_eq!((subscriber.recv_latest(), subscriber.skipped_by_choice()), (Ok(99), 99));
        let ring = publisher.ring();
        let waiting = start(move || (subscriber.recv_latest(), subscriber));
        eventually("the reader is parked", || ring.stats().subscribers[0].parked);
        assert_eq!(publisher.publish(7), 100);
        let (newest, mut subscriber) = returned(waiting);
        assert_eq!((newest, subscriber.missed()), (Ok(7), 0));
        // The newest message of a closed ring is returned before `Closed`.
        publisher.publish_many([8, 9]);
        drop(publisher);
        assert_eq!(subscriber.recv_latest(), Ok(9));
        assert_eq!([subscriber.recv_latest(), block_on(subscriber.recv_latest_async())], [Err(RecvError::Closed); 2]);
        let counted = subscriber.received() + subscriber.skipped_by_choice();
        assert_eq!(counted, subscriber.next_sequence() - subscriber.start_sequence());
    });
}

#[test]
fn the_end_wakes_subscribers_that_wait_for_the_newest_message() {
    in_time(|| {
        let (publisher, mut subscriber) = seqcast::boxed::<String>(4);
        let mut other = subscriber.clone();
        let waiting = start(move || subscriber.recv_latest());
        let task = start(move || block_on(other.recv_latest_async()));
        thread::sleep(Duration::from_millis(5));
        drop(publisher);
        assert_eq!((returned(waiting), returned(task)), (Err(RecvError::Closed), Err(RecvError::Closed)));
    });
}

#[test]
fn a_task_waits_for_the_newest_message() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let counter = Counter::new();
    let waker = counter.waker();
    let cx = &mut Context::from_waker(&waker);
    let mut future = subscriber.recv_latest_async();
    assert!(future.poll_unpin(cx).is_pending());
    publisher.publish_many(0..9);
    assert_eq!(counter.count(), 1);
    // A dropped future receives nothing and releases its waker.
    drop(future);
    assert_eq!(subscriber.recv_latest_async().now_or_never(), Some(Ok(8)));
    assert!(subscriber.recv_latest_async().poll_unpin(cx).is_pending());
    assert_eq!(std::sync::Arc::strong_count(&counter), 2);
    assert_eq!((subscriber.skipped_by_choice(), subscriber.missed(), subscriber.received()), (8, 0, 1));
}

/// Skipping messages makes room, like receiving them.
#[test]
fn a_gate_that_takes_the_newest_message_makes_room() {
    in_time(|| {
        let (publisher, mut gating) = full(8);
        let other = publisher.clone();
        let waiting = start(move || (8..16).map(|message| other.publish(message).unwrap()).max());
        thread::sleep(Duration::from_millis(5));
        assert_eq!(gating.recv_latest(), Ok(7));
        assert_eq!(returned(waiting), Some(15));
        assert_eq!(gating.recv_latest(), Ok(15));
        assert_eq!((gating.missed(), gating.received() + gating.skipped_by_choice()), (0, 16));
        assert!(gating.is_gating());
    });
}

/// Sequences increase while publishers run, and the last message is received.
#[test]
fn the_newest_message_never_goes_back() {
    in_time(|| {
        for capacity in [2, 64] {
            let (mut publisher, gating) = gated(capacity);
            let lossy = publisher.subscribe();
            let reading: Vec<_> = [gating, lossy]
                .into_iter()
                .enumerate()
                .map(|(at, mut subscriber)| {
                    start(move || {
                        let mut last = None;
                        for turn in 0.. {
                            let newest = match (turn + at) % 2 {
                                0 => subscriber.recv_latest(),
                                _ => block_on(subscriber.recv_latest_async()),
                            };
                            let Ok(newest) = newest else { break };
                            assert_eq!(subscriber.last_sequence(), Some(newest));
                            assert!(last.replace(newest) < Some(newest), "{newest} was received after {last:?}");
                        }
                        (last, subscriber.missed(), subscriber.received() + subscriber.skipped_by_choice())
                    })
                })
                .collect();
            for message in 0..20_000 {
                assert_eq!(publisher.publish(message), message);
            }
            drop(publisher);
            for reading in reading {
                assert_eq!(returned(reading), (Some(19_999), 0, 20_000));
            }
        }
    });
}

/// A claimed message that is not committed does not hide newer ones.
#[test]
fn the_newest_message_lies_beyond_a_suspended_publisher() {
    let (publisher, _) = Builder::new(4).gated().inline::<u64>();
    let publisher = publisher.share();
    let mut gating = publisher.ring().subscribe_gating().unwrap();
    let claim = testing::claim(&publisher).unwrap();
    publisher.publish(1).unwrap();
    publisher.publish(2).unwrap();
    assert_eq!(gating.recv_latest(), Ok(2));
    assert_eq!(gating.recv_latest_async().now_or_never(), None);
    claim.begin().unwrap().commit(0);
    for message in 3..7 {
        assert_eq!(publisher.try_publish(message), Ok(message));
    }
    assert!(publisher.try_publish(7).is_err());
    assert_eq!((gating.recv_latest(), gating.missed(), gating.holes()), (Ok(6), 0, 0));
}
