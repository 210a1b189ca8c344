//! Which subscribers a publish wakes, and how often.

use crate::common::eventually;
use crate::common::wakers::{Counter, park};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

#[test]
fn messages_reach_threads_and_tasks_back_and_forth() {
    // Each side waits for every message. A lost wake-up would hang the test.
    const ROUNDS: u64 = 20_000;
    let (mut there, mut far) = seqcast::inline::<u64>(4);
    let (back, mut near) = seqcast::inline::<u64>(4);
    let back = back.share();
    thread::scope(|scope| {
        scope.spawn(move || {
            for expected in 0..ROUNDS {
                let got = if expected % 2 == 0 { far.recv() } else { futures::executor::block_on(far.recv_async()) };
                assert_eq!(got, Ok(expected));
                back.publish(expected).unwrap();
            }
        });
        for round in 0..ROUNDS {
            there.publish(round);
            let got = if round % 3 == 0 { futures::executor::block_on(near.recv_async()) } else { near.recv() };
            assert_eq!(got, Ok(round));
        }
    });
}

#[test]
fn each_parked_task_is_woken_once_a_message() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    let mut subscribers: Vec<_> = (0..100).map(|_| (subscriber.clone(), Counter::new())).collect();
    for round in 1..=5 {
        for (subscriber, counter) in &mut subscribers {
            park(subscriber, &counter.waker());
        }
        assert!(publisher.ring().stats().subscribers.iter().skip(1).all(|subscriber| subscriber.parked));
        publisher.publish(round);
        publisher.publish_many([round, round]);
        for (subscriber, counter) in &mut subscribers {
            assert_eq!(counter.count(), usize::try_from(round).unwrap());
            assert_eq!(subscriber.try_iter().count(), 3);
        }
    }
}

#[test]
fn only_the_waker_of_the_last_poll_is_woken() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let (first, second) = (Counter::new(), Counter::new());
    park(&mut subscriber, &first.waker());
    park(&mut subscriber, &second.waker());
    assert!(publisher.ring().stats().subscribers[0].parked);
    publisher.publish(1);
    assert_eq!((first.count(), second.count()), (0, 1));
    assert!(!publisher.ring().stats().subscribers[0].parked, "a woken subscriber is reported as parked");
}

#[test]
fn a_batch_wakes_once_even_when_its_iterator_panics() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(16);
    let counter = Counter::new();
    park(&mut subscriber, &counter.waker());
    let bad = (0..10).inspect(|&n| assert!(n < 3, "the iterator panics"));
    assert!(catch_unwind(AssertUnwindSafe(|| publisher.publish_many(bad))).is_err());
    assert_eq!(counter.count(), 1);
    assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(publisher.publish(3), 3);

    let publisher = publisher.share();
    assert_eq!(subscriber.try_recv(), Ok(3));
    park(&mut subscriber, &counter.waker());
    let bad = (4..10).inspect(|&n| assert!(n < 6, "the iterator panics"));
    assert!(catch_unwind(AssertUnwindSafe(|| publisher.publish_many(bad))).is_err());
    assert_eq!(counter.count(), 2);
    assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn the_end_wakes_everybody() {
    let (publisher, subscriber) = seqcast::inline::<u64>(4);
    let publisher = publisher.share();
    let ring = publisher.ring();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..8)
            .map(|at| {
                let mut subscriber = subscriber.clone();
                scope.spawn(move || match at % 2 {
                    0 => subscriber.recv().is_err(),
                    _ => futures::executor::block_on(subscriber.recv_async()).is_err(),
                })
            })
            .collect();
        eventually("all subscribers are parked", || {
            ring.stats().subscribers.iter().filter(|subscriber| subscriber.parked).count() == 8
        });
        drop(publisher);
        assert!(readers.into_iter().all(|reader| reader.join().unwrap()));
    });
}
