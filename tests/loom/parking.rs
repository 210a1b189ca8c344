//! Parking. A lost wake-up is a deadlock, which loom reports.

use crate::testing;
use crate::wakers::Counter;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::thread;
use seqcast::{Inline, Publisher, RecvError, Subscriber};

use crate::{Pair, explore, id, pair, parking_ring};

#[test]
fn a_parked_thread_is_woken_by_a_publish() {
    explore(3, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher
        });
        assert_eq!(subscriber.recv().map(id), Ok(0));
        writer.join().unwrap();
    });
}

#[test]
fn a_parked_thread_is_woken_each_time() {
    explore(2, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher.publish(pair(1));
            publisher
        });
        assert_eq!([subscriber.recv().map(id), subscriber.recv().map(id)], [Ok(0), Ok(1)]);
        writer.join().unwrap();
    });
}

#[test]
fn a_parked_task_is_woken_by_a_publish() {
    explore(3, || {
        let (publisher, mut subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let writer = thread::spawn(move || {
            publisher.publish(pair(0)).unwrap();
            publisher
        });
        assert_eq!(block_on(subscriber.recv_async()).map(id), Ok(0));
        writer.join().unwrap();
    });
}

#[test]
fn a_parked_thread_is_woken_by_a_batch() {
    explore(2, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let writer = thread::spawn(move || {
            publisher.publish_many([pair(0), pair(1)]);
            publisher
        });
        assert_eq!([subscriber.recv().map(id), subscriber.recv().map(id)], [Ok(0), Ok(1)]);
        writer.join().unwrap();
    });
}

/// Receives until the cursor is `end`. Returns how many messages were received, and how many were
/// reported as missed.
fn wait_until(end: u64, mut receive: impl FnMut() -> Result<Pair, RecvError>) -> (u64, u64) {
    let (mut received, mut missed) = (0, 0);
    while received + missed < end {
        match receive() {
            Ok(message) => {
                assert_eq!(id(message), received + missed);
                received += 1;
            }
            Err(RecvError::Lagged(lagged)) => missed += lagged.missed,
            Err(RecvError::Closed) => panic!("closed although a publisher exists"),
        }
    }
    (received, missed)
}

/// A subscriber that waits in `receive` is woken by a publisher that laps it. It receives
/// everything, or a report of what it missed.
fn is_woken_by_a_lap<H: Send + 'static>(
    publish: fn(Publisher<Inline<Pair>>) -> H,
    receive: fn(&mut Subscriber<Inline<Pair>>) -> Result<Pair, RecvError>,
) {
    let outcomes = explore(2, move || {
        let (publisher, mut subscriber) = parking_ring(2);
        // The thread returns the handle, which keeps the ring open.
        let writer = thread::spawn(move || publish(publisher));
        let account = wait_until(3, || receive(&mut subscriber));
        writer.join().unwrap();
        account
    });
    assert_eq!(outcomes, BTreeSet::from([(2, 1), (3, 0)]));
}

#[test]
fn a_parked_thread_is_woken_by_a_publisher_that_laps() {
    let publish = |mut publisher: Publisher<_>| {
        (0..3).for_each(|q| assert_eq!(publisher.publish(pair(q)), q));
        publisher
    };
    is_woken_by_a_lap(publish, Subscriber::recv);
}

#[test]
fn a_parked_task_is_woken_by_a_publisher_that_laps() {
    let publish = |publisher: Publisher<_>| {
        let publisher = publisher.share();
        (0..3).for_each(|q| assert_eq!(publisher.publish(pair(q)), Ok(q)));
        publisher
    };
    is_woken_by_a_lap(publish, |subscriber| block_on(subscriber.recv_async()));
}

#[test]
fn who_is_parked_is_woken_by_a_batch_that_laps() {
    let publish = |mut publisher: Publisher<_>| {
        publisher.publish_many((0..3).map(pair));
        publisher
    };
    is_woken_by_a_lap(publish, Subscriber::recv);
}

#[test]
fn a_parked_thread_is_woken_by_the_last_drop() {
    explore(3, || {
        let (publisher, mut subscriber) = parking_ring(2);
        let closer = thread::spawn(move || drop(publisher));
        assert_eq!(subscriber.recv(), Err(seqcast::RecvError::Closed));
        closer.join().unwrap();
    });
}

#[test]
fn a_parked_task_is_woken_by_close() {
    explore(3, || {
        let (publisher, mut subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let closer = thread::spawn(move || {
            publisher.close();
            publisher
        });
        assert_eq!(block_on(subscriber.recv_async()), Err(seqcast::RecvError::Closed));
        closer.join().unwrap();
    });
}

#[test]
fn a_thread_parked_at_a_hole_is_woken_by_the_skip() {
    // The slot of 0 stays held. The publisher of 2 skips and does not continue: the reader must
    // learn that it was lapped.
    explore(3, || {
        let (publisher, mut subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let other = publisher.clone();
        let held = testing::claim(&publisher).unwrap().begin().unwrap();
        let writer = thread::spawn(move || {
            let one = testing::claim(&other).unwrap();
            let two = testing::claim(&other).unwrap();
            std::mem::forget(one);
            assert!(two.begin().is_none());
            other
        });
        assert!(matches!(subscriber.recv(), Err(seqcast::RecvError::Lagged(_))));
        writer.join().unwrap();
        drop(held);
    });
}

#[test]
fn two_parked_threads_are_woken() {
    explore(2, || {
        let (mut publisher, mut first) = parking_ring(2);
        let mut second = first.clone();
        let reader = thread::spawn(move || first.recv().map(id));
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher
        });
        assert_eq!(second.recv().map(id), Ok(0));
        assert_eq!(reader.join().unwrap(), Ok(0));
        writer.join().unwrap();
    });
}

#[test]
fn two_publishers_wake_two_parked_threads() {
    explore(1, || {
        let (publisher, mut first) = parking_ring(4);
        let publisher = publisher.share();
        let other = publisher.clone();
        let mut second = first.clone();
        let readers = [
            thread::spawn(move || first.recv().and_then(|_| first.recv()).is_ok()),
            thread::spawn(move || second.recv().and_then(|_| second.recv()).is_ok()),
        ];
        let writer = thread::spawn(move || other.publish(pair(0)).map(|_| other).unwrap());
        publisher.publish(pair(1)).unwrap();
        for reader in readers {
            assert!(reader.join().unwrap());
        }
        writer.join().unwrap();
    });
}

#[test]
fn a_queued_subscriber_may_be_dropped() {
    explore(3, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let counter = Counter::new();
        let waker = counter.waker();
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher
        });
        let _ = subscriber.poll_recv(&mut Context::from_waker(&waker));
        drop(subscriber);
        writer.join().unwrap();
        drop(waker);
        assert_eq!(Arc::strong_count(&counter), 1, "the waker of a dropped subscriber was not dropped");
    });
}

#[test]
fn a_dropped_future_loses_nothing() {
    explore(3, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let counter = Counter::new();
        let waker = counter.waker();
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher
        });
        let mut future = Box::pin(subscriber.recv_async());
        let first = future.as_mut().poll(&mut Context::from_waker(&waker));
        drop(future);
        if first.is_pending() {
            assert_eq!(subscriber.recv().map(id), Ok(0));
        } else {
            assert_eq!(first.map_ok(id), Poll::Ready(Ok(0)));
        }
        writer.join().unwrap();
        drop(waker);
        assert_eq!(Arc::strong_count(&counter), 1, "the waker of a dropped future was not dropped");
    });
}

#[test]
fn a_pending_poll_is_woken() {
    let outcomes = explore(3, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let counter = Counter::new();
        let waker = counter.waker();
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher
        });
        let first = subscriber.poll_recv(&mut Context::from_waker(&waker));
        writer.join().unwrap();
        let woken = counter.count();
        assert!(first.is_ready() || woken == 1, "the poll was pending, and its task was not woken");
        (first.is_ready(), woken)
    });
    assert!(outcomes.contains(&(true, 0)) && outcomes.contains(&(false, 1)), "{outcomes:?}");
}

#[test]
fn two_publishers_share_the_lists_of_those_to_wake() {
    // Three tasks wait for the first message. Two more park for the second while the first three
    // are being woken.
    explore(2, || {
        let (publisher, first) = parking_ring(4);
        let publisher = publisher.share();
        let other = publisher.clone();
        let counters: Vec<_> = (0..5).map(|_| Counter::new()).collect();
        let mut subscribers: Vec<_> = (0..5).map(|_| first.clone()).collect();
        let mut park = |at: usize| {
            let waker = counters[at].waker();
            while subscribers[at].poll_recv(&mut Context::from_waker(&waker)).is_ready() {}
        };
        (0..3).for_each(&mut park);
        let writer = thread::spawn(move || other.publish(pair(0)).map(|_| other).unwrap());
        (3..5).for_each(&mut park);
        publisher.publish(pair(1)).unwrap();
        writer.join().unwrap();
        for (subscriber, counter) in subscribers.iter_mut().zip(&counters) {
            assert!(counter.count() > 0, "a parked task was not woken");
            while subscriber.try_recv().is_ok() {}
            assert_eq!(subscriber.next_sequence(), 2);
        }
    });
}

#[test]
fn who_parks_while_it_is_woken_is_woken_again() {
    // The publisher of 0 is waking the subscriber, which parks for 1 with another waker meanwhile.
    let outcomes = explore(3, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let counters = [(); 3].map(|()| Counter::new());
        let wakers = counters.clone().map(Waker::from);
        let poll = |subscriber: &mut seqcast::Subscriber<_>, at: usize| {
            subscriber.poll_recv(&mut Context::from_waker(&wakers[at])).map(|received| received.map(id))
        };
        assert!(poll(&mut subscriber, 0).is_pending());
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher.publish(pair(1));
            publisher
        });
        let mut last = 0;
        let mut got = 0;
        for at in [1, 2] {
            match poll(&mut subscriber, at) {
                Poll::Ready(received) => {
                    assert_eq!(received, Ok(got));
                    got += 1;
                }
                Poll::Pending => last = at,
            }
            // The task waits for a second message only after the first.
            if got == 0 {
                break;
            }
        }
        writer.join().unwrap();
        let woken = counters[last].count();
        assert!(got == 2 || woken > 0, "the task was not woken for message {got}");
        (got, last, woken)
    });
    assert!(outcomes.contains(&(1, 2, 1)) && outcomes.iter().any(|outcome| outcome.0 == 2), "{outcomes:?}");
}

#[test]
fn who_is_given_back_is_found() {
    // Three tasks park, one after the other. One publisher takes their list, and splices the rest
    // back before it wakes the first. Another publisher wakes for a skip at a later sequence. It
    // takes the spliced list, and is synchronized with the tasks only by that.
    let outcomes = explore(2, || {
        let (publisher, subscriber) = parking_ring(4);
        let publisher = publisher.share();
        let other = publisher.clone();
        let late = publisher.clone();
        std::mem::forget(testing::claim(&publisher).unwrap());
        let held = testing::claim(&publisher).unwrap().begin().unwrap();
        for _ in 2..5 {
            std::mem::forget(testing::claim(&publisher).unwrap());
        }
        let counters = [(); 3].map(|()| Counter::new());
        let wakers = counters.clone().map(Waker::from);
        let mut subscribers = [subscriber.clone(), subscriber.clone(), subscriber];
        let theirs = wakers.clone();
        let parking = thread::spawn(move || {
            let mut slept = 0;
            for (subscriber, waker) in subscribers.iter_mut().zip(&theirs) {
                slept += usize::from(subscriber.poll_recv(&mut Context::from_waker(waker)).is_pending());
            }
            (slept, subscribers)
        });
        let first = thread::spawn(move || testing::resume(&late, 0).begin().unwrap().commit(pair(0)));
        assert!(testing::claim(&other).unwrap().begin().is_none());
        let (slept, mut subscribers) = parking.join().unwrap();
        first.join().unwrap();
        // A task that is marked as listed, but is on no list, would never be woken.
        for (subscriber, waker) in subscribers.iter_mut().zip(&wakers) {
            while subscriber.poll_recv(&mut Context::from_waker(waker)).is_ready() {}
        }
        let before = counters.each_ref().map(|counter| counter.count());
        testing::resume(&publisher, 2).begin().unwrap().commit(pair(2));
        for (counter, before) in counters.iter().zip(before) {
            assert!(counter.count() > before, "a parked task was not woken");
        }
        drop(held);
        slept
    });
    assert!(outcomes.contains(&0) && outcomes.contains(&3), "{outcomes:?}");
}

#[test]
fn who_was_woken_in_the_middle_of_its_poll_is_not_said_to_be_parked() {
    let outcomes = explore(3, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let ring = publisher.ring();
        let counter = Arc::new(Counter::default());
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher
        });
        let waker = Waker::from(Arc::clone(&counter));
        let pending = subscriber.poll_recv(&mut Context::from_waker(&waker)).is_pending();
        let publisher = writer.join().unwrap();
        let parked = ring.stats().subscribers[0].parked;
        drop(publisher);
        assert!(!parked, "a woken task is reported as parked (pending: {pending})");
        pending
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}
