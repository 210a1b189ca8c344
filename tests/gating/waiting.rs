//! Threads that wait for room are woken, time out, and get their value back if the ring is closed.

use std::thread;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::executor::block_on;
use futures::task::{Context, noop_waker_ref};
use seqcast::{Inline, SharedPublisher, Subscriber};

use crate::common::eventually;
use crate::common::wakers::Counter;
use crate::{LIMIT, full, gated, in_time, returned, start};

/// Usually long enough for a thread to park. No test depends on that.
const A_WHILE: Duration = Duration::from_millis(20);

#[test]
fn one_message_of_room_wakes_a_waiting_publisher() {
    for capacity in [2, 8, 64] {
        let (mut publisher, mut gating) = gated(capacity);
        publisher.publish_many(0..capacity as u64);
        let waiting = start(move || (publisher.publish(7), publisher));
        thread::sleep(A_WHILE);
        assert!(waiting.try_recv().is_err(), "the publisher must wait");
        assert_eq!(gating.recv(), Ok(0));
        let (sequence, _publisher) = returned(waiting);
        assert_eq!(sequence, capacity as u64);
    }
}

#[test]
fn a_timeout_returns_the_value() {
    let (mut publisher, _gating) = gated(2);
    publisher.publish_many([0, 1]);
    let begun = Instant::now();
    let error = publisher.publish_timeout(2, A_WHILE).unwrap_err();
    assert!(error.is_timeout() && error.into_inner() == 2 && begun.elapsed() >= A_WHILE);
    assert!(publisher.ring().stats().publishers_waited > A_WHILE / 2);
    let publisher = publisher.share();
    assert!(publisher.publish_deadline(2, Instant::now()).unwrap_err().is_timeout());
}

/// Some publishers time out while others wait. The others still publish once there is room.
#[test]
fn a_timeout_takes_no_wake_up_from_others() {
    in_time(|| {
        for round in 0..20 {
            let (publisher, mut gating) = full(4);
            let patient: Vec<_> = (0..4)
                .map(|id| {
                    let publisher = publisher.clone();
                    start(move || match id % 2 {
                        0 => publisher.publish(id).unwrap(),
                        _ => publisher.publish_timeout(id, LIMIT).unwrap(),
                    })
                })
                .collect();
            let hasty: Vec<_> = (0..4)
                .map(|id| {
                    let publisher = publisher.clone();
                    let timeout = Duration::from_micros(100 * (1 + (id * round) % 20));
                    start(move || publisher.publish_timeout(id, timeout))
                })
                .collect();
            // Some publishers time out while the reader makes room.
            thread::sleep(Duration::from_micros(100 * (round % 20)));
            let mut wanted = 4 + 4;
            for _ in 0..4 {
                gating.recv().unwrap();
            }
            // Other publishers found room in time. The reader must also receive their messages.
            for hasty in hasty {
                wanted += u64::from(returned(hasty).is_ok());
            }
            while gating.next_sequence() < wanted {
                gating.recv_timeout(LIMIT).unwrap();
            }
            for patient in patient {
                returned(patient);
            }
            assert_eq!((gating.missed(), gating.holes()), (0, 0));
        }
    });
}

/// Publishes in one of the ways until the ring is closed. Returns the value of the refused publish.
type Refused = fn(SharedPublisher<Inline<u64>>, u64) -> u64;

/// Closing returns the value to every waiting publisher, in every way of publishing.
#[test]
fn closing_returns_the_value_to_all_waiting_publishers() {
    in_time(|| {
        for round in 0..30 {
            let (publisher, _gating) = full(2);
            let mut waiting = Vec::new();
            for id in 0..3 {
                let ways: [Refused; 4] = [
                    |publisher, id| publisher.publish(id).unwrap_err().into_inner(),
                    |publisher, id| {
                        let error = publisher.publish_timeout(id, LIMIT).unwrap_err();
                        assert!(error.is_closed());
                        error.into_inner()
                    },
                    |publisher, id| block_on(publisher.publish_async(id)).unwrap_err().into_inner(),
                    |publisher, id| {
                        assert_eq!(publisher.publish_many([id, id, id]), 0);
                        id
                    },
                ];
                for way in ways {
                    let publisher = publisher.clone();
                    waiting.push(start(move || way(publisher, id)));
                }
            }
            // A task that polls for room.
            let (mut polling, counter) = (publisher.clone(), Counter::new());
            let waker = counter.waker();
            assert!(polling.poll_ready(&mut Context::from_waker(&waker)).is_pending());
            // Depending on the round, they spin, arm the ring, or are parked now.
            thread::sleep(Duration::from_micros(100 * (round % 10)));
            assert!(publisher.close());
            assert_eq!(waiting.into_iter().map(returned).sum::<u64>(), 4 * (1 + 2));
            assert!(counter.count() > 0);
            assert!(polling.poll_ready(&mut Context::from_waker(&waker)).map(|polled| polled.is_err()).is_ready());
            assert_eq!(publisher.next_sequence(), 2);
        }
    });
}

/// A batch that is larger than the ring wakes a parked reader before it waits for that reader.
#[test]
fn a_batch_that_waits_wakes_its_readers_first() {
    in_time(|| {
        for capacity in [2, 4, 64] {
            let parked = |gating: Subscriber<Inline<u64>>| {
                let ring = gating.ring();
                let mut gating = gating;
                let reading = start(move || gating.iter().map(Result::unwrap).collect::<Vec<_>>());
                eventually("the reader is parked", || ring.stats().subscribers[0].parked);
                reading
            };
            let (mut publisher, gating) = gated(capacity);
            let reading = parked(gating);
            assert_eq!(publisher.publish_many(0..1000), 0..1000);
            drop(publisher);
            assert!(returned(reading).into_iter().eq(0..1000));

            let (publisher, gating) = gated(capacity);
            let publisher = publisher.share();
            let reading = parked(gating);
            assert_eq!(publisher.publish_many(0..1000), 1000);
            drop(publisher);
            assert!(returned(reading).into_iter().eq(0..1000));
        }
    });
}

/// The same, with a task as the reader.
#[test]
fn a_batch_that_waits_wakes_tasks_first() {
    let (publisher, mut gating) = gated(2);
    let publisher = publisher.share();
    let counter = Counter::new();
    let waker = counter.waker();
    assert!(gating.recv_async().poll_unpin(&mut Context::from_waker(noop_waker_ref())).is_pending());
    assert!(gating.poll_recv(&mut Context::from_waker(&waker)).is_pending());
    let publishing = start(move || publisher.publish_many(0..10));
    eventually("the task is woken", || counter.count() > 0);
    assert!(gating.into_iter().map(Result::unwrap).eq(0..10));
    assert_eq!(returned(publishing), 10);
}
