//! The gate deadline demotes a subscriber that does not read. It does not demote a subscriber that
//! waits for a suspended publisher.

use std::thread;
use std::time::{Duration, Instant};

use seqcast::{Builder, Inline, Lagged, SharedPublisher, Subscriber, TryRecvError};

use crate::common::{eventually, testing};
use crate::{in_time, returned, start};

#[test]
fn a_stuck_gate_is_demoted_and_told() {
    let builder = Builder::new(2).gated().gate_deadline(Duration::from_millis(10));
    let (mut publisher, _) = builder.inline::<u64>();
    let mut stuck = publisher.ring().subscribe_gating().unwrap();
    publisher.publish_many(0..9);
    let stats = publisher.ring().stats();
    assert!(stats.subscribers[0].demoted && !stats.subscribers[0].gating);
    assert_eq!(stuck.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 7, resumed_at: 7 })));
    assert_eq!((stuck.try_recv(), stuck.try_recv()), (Ok(7), Ok(8)));
    assert!(!stuck.is_gating() && !stuck.clone().is_gating());
    publisher.publish_many(9..20);
}

#[test]
fn a_stuck_gate_is_demoted_for_tasks() {
    let builder = Builder::new(2).gated().gate_deadline(Duration::from_millis(20));
    let (publisher, _) = builder.inline::<u64>();
    let publisher = publisher.share();
    for round in 0..3 {
        let stuck = publisher.ring().subscribe_gating().unwrap();
        let begun = Instant::now();
        futures::executor::block_on(async {
            for next in 0..4 {
                publisher.publish_async(next).await.unwrap();
            }
        });
        assert!(begun.elapsed() >= Duration::from_millis(20), "round {round}");
        assert!(!stuck.is_gating());
    }
}

/// A deadline that a reader meets even on a busy machine.
const GENEROUS: Duration = Duration::from_secs(1);

/// A ring of capacity 4, a gating subscriber that has read every message, and the next sequence.
fn suspended(deadline: Option<Duration>) -> (SharedPublisher<Inline<u64>>, Subscriber<Inline<u64>>, u64) {
    let builder = Builder::new(4).gated();
    let builder = deadline.into_iter().fold(builder, Builder::gate_deadline);
    let (publisher, _) = builder.inline::<u64>();
    let publisher = publisher.share();
    let mut innocent = publisher.ring().subscribe_gating().unwrap();
    for message in 0..6 {
        publisher.publish(message).unwrap();
        assert_eq!(innocent.recv(), Ok(message));
    }
    (publisher, innocent, 6)
}

/// The subscriber loses the message at `claimed`, receives those after it, and stays gating.
fn loses_one(innocent: &mut Subscriber<Inline<u64>>, claimed: u64, then: impl IntoIterator<Item = u64>) {
    let lagged = Lagged { missed: 1, resumed_at: claimed + 1 };
    assert_eq!(innocent.try_recv(), Err(TryRecvError::Lagged(lagged)));
    for message in then {
        assert_eq!(innocent.try_recv(), Ok(message));
    }
    assert_eq!(innocent.missed(), 1);
    let stats = innocent.ring().stats();
    assert!(innocent.is_gating() && stats.subscribers.iter().all(|subscriber| !subscriber.demoted));
}

#[test]
fn a_publisher_suspended_before_its_write_gets_no_reader_demoted() {
    in_time(|| {
        let deadline = Duration::from_millis(20);
        let (publisher, mut innocent, at) = suspended(Some(deadline));
        let claim = testing::claim(&publisher).unwrap();
        assert_eq!(claim.sequence(), at);
        for message in 1..4 {
            publisher.publish(at + message).unwrap();
        }
        assert_eq!(innocent.try_recv(), Err(TryRecvError::Empty));
        let begun = Instant::now();
        publisher.publish(at + 4).unwrap();
        assert!(begun.elapsed() >= deadline);
        loses_one(&mut innocent, at, at + 1..=at + 4);
        // The suspended publisher resumes, a lap too late.
        assert!(claim.begin().is_none());
        publisher.publish(at + 5).unwrap();
        assert_eq!(innocent.try_recv(), Ok(at + 5));
        assert_eq!(innocent.holes(), 0);
    });
}

#[test]
fn a_publisher_suspended_in_its_write_gets_no_reader_demoted() {
    in_time(|| {
        let (publisher, mut innocent, at) = suspended(Some(GENEROUS));
        let write = testing::claim(&publisher).unwrap().begin().unwrap();
        for message in 1..4 {
            publisher.publish(at + message).unwrap();
        }
        assert_eq!(innocent.try_recv(), Err(TryRecvError::Empty));
        // The slot is held, so the claim a lap later becomes a hole. The message needs the next
        // sequence, which has no room until the reader moves.
        let other = publisher.clone();
        let publishing = start(move || other.publish(at + 5).unwrap());
        eventually("the reader has a report of the loss", || !innocent.is_empty());
        loses_one(&mut innocent, at, at + 1..=at + 3);
        assert_eq!(returned(publishing), at + 5);
        assert_eq!((innocent.recv(), innocent.holes()), (Ok(at + 5), 1));
        write.commit(at);
        publisher.publish(at + 6).unwrap();
        assert_eq!((innocent.recv(), innocent.missed()), (Ok(at + 6), 1));
        assert!(innocent.is_gating());
    });
}

/// Readers that are parked at the claimed sequence are woken, lose that message only, and stay
/// gating.
#[test]
fn innocent_readers_sleep_through_the_deadline() {
    in_time(|| {
        let (publisher, innocent, at) = suspended(Some(GENEROUS));
        let readers = [innocent.clone(), innocent];
        let reading = readers.map(|mut reader| {
            start(move || {
                let (mut read, mut lost) = (Vec::new(), Vec::new());
                for message in reader.iter() {
                    match message {
                        Ok(message) => read.push(message),
                        Err(lagged) => lost.push(lagged),
                    }
                }
                (read, lost, reader.is_gating())
            })
        });
        let claim = testing::claim(&publisher).unwrap();
        for message in 1..100 {
            publisher.publish(at + message).unwrap();
        }
        assert!(claim.begin().is_none());
        publisher.close();
        for reading in reading {
            let (read, lost, gating) = returned(reading);
            assert!(gating && read.into_iter().eq(at + 1..at + 100));
            assert_eq!(lost, [Lagged { missed: 1, resumed_at: at + 1 }]);
        }
    });
}

/// A waiting task has no clock of its own: the ring's thread checks the deadline.
#[test]
fn a_task_passes_a_suspended_publisher() {
    in_time(|| {
        let (publisher, mut innocent, at) = suspended(Some(Duration::from_millis(20)));
        let claim = testing::claim(&publisher).unwrap();
        futures::executor::block_on(async {
            for message in 1..=4 {
                publisher.publish_async(at + message).await.unwrap();
            }
        });
        assert!(claim.begin().is_none());
        loses_one(&mut innocent, at, at + 1..=at + 4);
    });
}

/// Without a deadline, readers and publishers wait until the suspended publisher resumes.
#[test]
fn without_a_deadline_a_suspended_publisher_is_waited_for() {
    in_time(|| {
        let (publisher, innocent, at) = suspended(None);
        let claim = testing::claim(&publisher).unwrap();
        let reading = start(move || {
            let mut innocent = innocent;
            let read: Vec<_> = innocent.iter().map(Result::unwrap).collect();
            (read, innocent.missed())
        });
        let other = publisher.clone();
        let publishing = start(move || (1..20).all(|message| other.publish(at + message).is_ok()));
        eventually("the ring is full", || publisher.next_sequence() == at + 4);
        thread::sleep(Duration::from_millis(20));
        assert!(publishing.try_recv().is_err() && publisher.next_sequence() == at + 4);
        claim.begin().unwrap().commit(at);
        assert!(returned(publishing));
        publisher.close();
        let (read, missed) = returned(reading);
        assert!(read.into_iter().eq(at..at + 20) && missed == 0);
    });
}

/// Only the reader that could have received more is demoted.
#[test]
fn of_two_readers_the_stuck_one_is_demoted() {
    in_time(|| {
        let (publisher, mut innocent, at) = suspended(Some(Duration::from_millis(20)));
        let mut stuck = innocent.clone();
        for message in 0..4 {
            publisher.publish(at + message).unwrap();
        }
        while innocent.try_recv().is_ok() {}
        let claim = innocent.next_sequence();
        publisher.publish(at + 4).unwrap();
        assert!(!stuck.is_gating() && innocent.is_gating());
        assert_eq!(innocent.try_recv(), Ok(claim));
        assert_eq!(stuck.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 1, resumed_at: at + 1 })));
    });
}
