//! Gating subscribers that the deadline must spare, and publishers that it must free.

use std::future::Future;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use seqcast::{Builder, Inline, Lagged, SharedPublisher, Start, Subscriber, TryRecvError};

use crate::common::{eventually, testing};
use crate::{full, in_time, returned, start};

/// Much longer than a busy machine needs for a few calls.
const DEADLINE: Duration = Duration::from_millis(300);

/// A full ring with a deadline.
fn timed(capacity: usize) -> (SharedPublisher<Inline<u64>>, Subscriber<Inline<u64>>) {
    let (mut publisher, _) = Builder::new(capacity).gated().gate_deadline(DEADLINE).inline();
    let gating = publisher.ring().subscribe_gating().unwrap();
    publisher.publish_many(0..capacity as u64);
    (publisher.share(), gating)
}

#[test]
fn a_slack_for_lagged_subscribers_takes_nothing_from_a_gate() {
    let (mut publisher, _) = Builder::new(4).gated().lag_slack(3).inline::<u64>();
    publisher.publish_many(0..6);
    let mut gating = publisher.ring().subscribe_gating_at(Start::At(2)).unwrap();
    publisher.publish_many(6..8);
    assert_eq!(gating.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 2, resumed_at: 4 })));
    assert!(gating.try_iter().map(Result::unwrap).eq(4..8));
}

/// A publisher whose iterator blocks has committed messages and not woken. A parked reader does not
/// receive them until another publisher finds the ring full.
#[test]
fn a_publisher_that_finds_the_ring_full_wakes_readers_that_others_left_asleep() {
    in_time(|| {
        let (publisher, _) = Builder::new(4).gated().inline::<u64>();
        let publisher = publisher.share();
        let mut gating = publisher.ring().subscribe_gating().unwrap();
        let ring = publisher.ring();
        let reading = start(move || gating.iter().map(Result::unwrap).collect::<Vec<_>>());
        eventually("the reader is parked", || ring.stats().subscribers[0].parked);
        let (resume, wait) = mpsc::channel::<()>();
        let other = publisher.clone();
        let blocked = start(move || {
            other.publish_many((0..5).inspect(|&message| {
                if message == 4 {
                    let _ = wait.recv();
                }
            }))
        });
        eventually("the ring is full", || publisher.next_sequence() == 4);
        assert_eq!(publisher.publish(9), Ok(4));
        resume.send(()).unwrap();
        assert_eq!(returned(blocked), 5);
        publisher.close();
        assert_eq!(returned(reading), [0, 1, 2, 3, 9, 4]);
    });
}

/// The deadline starts again if a gating subscriber that could have received more waits for a
/// publisher later, at the same sequence.
#[test]
fn the_deadline_ends_when_blame_ends_and_begins() {
    in_time(|| {
        let (publisher, _) = Builder::new(8).gated().gate_deadline(Duration::from_millis(30)).inline::<u64>();
        let publisher = publisher.share();
        let mut gating = publisher.ring().subscribe_gating().unwrap();
        for _ in 0..2 {
            // This claim is never committed.
            let _ = testing::claim(&publisher).unwrap();
        }
        for message in 2..8 {
            publisher.publish(message).unwrap();
        }
        assert_eq!(publisher.publish(8), Ok(8));
        // The reader is lapped now, so its lag counts against it.
        assert!(publisher.publish_timeout(9, Duration::from_millis(1)).is_err());
        assert_eq!(gating.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 1, resumed_at: 1 })));
        // It waits for a publisher.
        assert_eq!(gating.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(publisher.publish(9), Ok(9));
        assert!(gating.is_gating());
    });
}

#[test]
fn the_clock_of_others_does_not_count_for_a_gate_that_joins_late() {
    let (publisher, mut gating) = timed(4);
    assert!(publisher.try_publish(4).is_err());
    assert_eq!(gating.try_iter().count(), 4);
    thread::sleep(DEADLINE + Duration::from_millis(20));
    let late = publisher.ring().subscribe_gating_at(Start::Oldest).unwrap();
    assert!(publisher.try_publish(4).is_err());
    assert!(late.is_gating());
}

#[test]
fn a_gate_that_seeks_back_has_the_whole_deadline() {
    let (publisher, mut gating) = timed(4);
    assert!(publisher.try_publish(4).is_err());
    assert_eq!(gating.try_iter().count(), 4);
    thread::sleep(DEADLINE + Duration::from_millis(20));
    gating.seek(Start::Oldest);
    assert!(publisher.try_publish(4).is_err());
    assert!(gating.is_gating());
}

/// Room that was found stays, even if a gating subscriber seeks back.
#[test]
fn a_publisher_that_is_ready_has_room() {
    let (publisher, mut gating) = full(4);
    let mut publisher = publisher.try_into_exclusive().unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(publisher.poll_ready(&mut cx).is_pending());
    assert_eq!(gating.try_recv(), Ok(0));
    assert_eq!(publisher.poll_ready(&mut cx), Poll::Ready(Ok(())));
    gating.seek(Start::Oldest);
    assert_eq!(publisher.try_publish(4), Ok(4));
}

/// A publisher that was ready, has published, and no longer waits demotes no subscriber.
#[test]
fn who_waits_no_more_demotes_nobody() {
    let (mut publisher, mut gating) = timed(2);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(publisher.poll_ready(&mut cx).is_pending());
    assert_eq!(gating.try_recv(), Ok(0));
    assert_eq!(publisher.try_publish(2), Ok(2));
    thread::sleep(2 * DEADLINE);
    assert!(gating.is_gating());
}

/// A seek to the current cursor is not progress.
#[test]
fn a_seek_that_goes_nowhere_does_not_stop_the_clock() {
    in_time(|| {
        let (publisher, mut gating) = timed(2);
        let publishing = start(move || publisher.publish(2));
        while gating.is_gating() {
            gating.seek(Start::At(0));
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(returned(publishing), Ok(2));
    });
}

/// A dropped `publish_async` future needs no room.
#[test]
fn a_cancelled_publish_demotes_nobody() {
    let (publisher, gating) = timed(2);
    let mut future = Box::pin(publisher.publish_async(2));
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(future);
    thread::sleep(2 * DEADLINE);
    assert!(gating.is_gating());
}

/// A publisher whose iterator blocks has woken the readers of its messages, if other publishers
/// wait for those readers.
#[test]
fn a_batch_that_blocks_keeps_no_reader_asleep_while_others_wait() {
    in_time(|| {
        let (publisher, _) = Builder::new(2).gated().inline::<u64>();
        let publisher = publisher.share();
        let mut gating = publisher.ring().subscribe_gating().unwrap();
        let ring = publisher.ring();
        // The first claim is not committed while others fill the ring and wait.
        let (go_on, wait) = mpsc::channel::<()>();
        let other = publisher.clone();
        let batch = start(move || {
            other.publish_many((0..3).inspect(|&message| {
                if message == 1 {
                    let _ = wait.recv();
                }
            }))
        });
        eventually("the batch has begun", || publisher.next_sequence() == 1);
        publisher.publish(10).unwrap();
        let other = publisher.clone();
        let waiting = start(move || other.publish(11));
        let reading = start(move || (0..3).map(|_| gating.recv().unwrap()).collect::<Vec<_>>());
        assert_eq!(returned(waiting), Ok(2));
        assert_eq!(returned(reading), [0, 10, 11]);
        go_on.send(()).unwrap();
        assert!(returned(batch) >= 1);
        drop(ring);
    });
}
