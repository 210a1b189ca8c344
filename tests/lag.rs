//! Losses are reported exactly, on every receiving path (laws 1, 2 and 4).
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::{Account, CAPACITIES, FIRSTS};
use futures::{FutureExt, StreamExt};
use seqcast::{Builder, Inline, Lagged, Publisher, RecvError, RecvTimeoutError, Start, Subscriber, TryRecvError};
use std::time::{Duration, Instant};

type Handles = (Publisher<Inline<u64>>, Subscriber<Inline<u64>>);

/// For every configuration, a ring whose subscriber has lost exactly `lost` messages.
fn lapped(lost: u64, mut check: impl FnMut(Handles, Lagged)) {
    for capacity in CAPACITIES {
        for first in FIRSTS {
            let (mut publisher, subscriber) = Builder::new(capacity).first_sequence(first).inline();
            publisher.publish_many(first..first + capacity as u64 + lost);
            check((publisher, subscriber), Lagged { missed: lost, resumed_at: first + lost });
        }
    }
}

#[test]
fn a_full_ring_loses_nothing_and_one_more_message_loses_one() {
    lapped(0, |(mut publisher, mut subscriber), _| {
        let first = subscriber.next_sequence();
        assert_eq!(subscriber.clone().try_recv(), Ok(first));
        publisher.publish(0);
        assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 1, resumed_at: first + 1 })));
        assert_eq!(subscriber.try_recv(), Ok(first + 1));
    });
}

#[test]
fn every_path_tells_the_same_loss() {
    for lost in [1, 2, 3000] {
        lapped(lost, |(_publisher, subscriber), lagged| {
            let at = lagged.resumed_at;
            let later = Instant::now() + Duration::from_secs(60);
            let mut buffer = Vec::new();

            let mut s = subscriber.clone();
            assert_eq!((s.try_recv(), s.try_recv()), (Err(TryRecvError::Lagged(lagged)), Ok(at)));
            let mut s = subscriber.clone();
            assert_eq!((s.recv(), s.recv()), (Err(RecvError::Lagged(lagged)), Ok(at)));
            let mut s = subscriber.clone();
            let told = s.recv_timeout(Duration::from_secs(60));
            assert_eq!((told, s.recv_deadline(later)), (Err(RecvTimeoutError::Lagged(lagged)), Ok(at)));
            let mut s = subscriber.clone();
            let told = s.recv_deadline(later);
            assert_eq!((told, s.recv_timeout(Duration::ZERO)), (Err(RecvTimeoutError::Lagged(lagged)), Ok(at)));
            let mut s = subscriber.clone();
            let told = s.recv_async().now_or_never();
            assert_eq!((told, s.recv_async().now_or_never()), (Some(Err(RecvError::Lagged(lagged))), Some(Ok(at))));
            let mut s = subscriber.clone();
            assert_eq!(s.next().now_or_never(), Some(Some(Err(lagged))));
            assert_eq!(s.next().now_or_never(), Some(Some(Ok(at))));
            let mut s = subscriber.clone();
            assert_eq!(s.iter().take(2).collect::<Vec<_>>(), [Err(lagged), Ok(at)]);
            let mut s = subscriber.clone();
            assert_eq!(s.try_iter().take(2).collect::<Vec<_>>(), [Err(lagged), Ok(at)]);
            assert_eq!(subscriber.clone().into_iter().take(2).collect::<Vec<_>>(), [Err(lagged), Ok(at)]);
            let mut s = subscriber.clone();
            assert_eq!(s.try_recv_many(&mut buffer, 9), Err(TryRecvError::Lagged(lagged)));
            let mut s = subscriber.clone();
            assert_eq!(s.recv_many(&mut buffer, 9), Err(RecvError::Lagged(lagged)));
            let mut s = subscriber.clone();
            let told = s.recv_many_async(&mut buffer, 9).now_or_never();
            assert_eq!(told, Some(Err(RecvError::Lagged(lagged))));
            assert_eq!(s.recv_many_async(&mut buffer, 2).now_or_never(), Some(Ok(2)));
            assert_eq!(buffer, [at, at + 1]);
            let mut s = subscriber.clone().skip_lagged();
            assert_eq!((s.iter().next(), s.missed()), (Some(at), lost));
            let mut s = subscriber.clone().skip_lagged();
            assert_eq!((s.next().now_or_never(), s.missed()), (Some(Some(at)), lost));
        });
    }
}

#[test]
fn a_batch_is_cut_at_a_loss_which_the_next_call_tells() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let mut account = Account::new(&subscriber);
    publisher.publish_many(0..3);
    assert_eq!(subscriber.try_recv(), Ok(0));
    account.received(&subscriber, 1);
    // One thread cannot overwrite 1 between two reads of a batch. So the batch ends at the tail,
    // and the next receive reports the loss after it.
    let mut buffer = Vec::new();
    assert_eq!(subscriber.try_recv_many(&mut buffer, 10), Ok(2));
    account.received(&subscriber, 2);
    publisher.publish_many(3..10);
    let Err(TryRecvError::Lagged(lagged)) = subscriber.try_recv_many(&mut buffer, 10) else {
        panic!("expected a loss")
    };
    assert_eq!(lagged, Lagged { missed: 3, resumed_at: 6 });
    account.lagged(&subscriber, lagged);
    account.settle(&subscriber);
    assert_eq!(subscriber.try_recv_many(&mut buffer, 0), Ok(0));
}

#[test]
fn empty_hides_no_loss_while_a_publisher_is_in_the_middle_of_a_write() {
    // Slot 0 belongs to sequence 4 now, which is not committed. The reader at 0 has lost it
    // already, and 1 can be read.
    let (publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let publisher = publisher.share();
    publisher.publish_many(0..4);
    let write = common::testing::claim(&publisher).unwrap().begin().unwrap();
    assert!(!subscriber.is_empty());
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 1, resumed_at: 1 })));
    assert_eq!(subscriber.try_recv(), Ok(1));
    write.commit(4);
}

#[test]
fn slack_is_room_in_front_of_the_reader() {
    let (mut publisher, mut subscriber) = Builder::new(8).lag_slack(7).inline::<u64>();
    publisher.publish_many(0..20);
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 19, resumed_at: 19 })));
    publisher.publish_many(20..27);
    assert_eq!(subscriber.try_recv(), Ok(19));
    assert_eq!(subscriber.missed(), 19);
}

#[test]
fn starts() {
    let (mut publisher, first) = seqcast::inline::<u64>(4);
    publisher.publish_many(0..10);
    let at = |start| publisher.subscribe_at(start).try_recv();
    let lagged = |missed| Err(TryRecvError::Lagged(Lagged { missed, resumed_at: 6 }));
    assert_eq!(at(Start::Latest), Err(TryRecvError::Empty));
    assert_eq!(at(Start::Oldest), Ok(6));
    assert_eq!(
        (at(Start::At(9)), at(Start::At(10)), at(Start::At(u64::MAX))),
        (Ok(9), Err(TryRecvError::Empty), Err(TryRecvError::Empty))
    );
    assert_eq!((at(Start::At(6)), at(Start::At(5)), at(Start::At(0))), (Ok(6), lagged(1), lagged(6)));
    assert_eq!(publisher.subscribe_at(Start::At(99)).next_sequence(), 10);
    assert_eq!(first.clone().next_sequence(), 0);
}

#[test]
fn seeking_is_not_losing() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    publisher.publish_many(0..10);
    subscriber.seek(Start::At(8));
    assert_eq!((subscriber.try_recv(), subscriber.missed(), subscriber.skipped_by_choice()), (Ok(8), 0, 0));
    subscriber.seek(Start::Oldest);
    assert_eq!((subscriber.try_recv(), subscriber.missed()), (Ok(6), 0));
    publisher.close();
    subscriber.seek(Start::Latest);
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
    subscriber.seek(Start::At(9));
    assert_eq!((subscriber.try_recv(), subscriber.try_recv()), (Ok(9), Err(TryRecvError::Closed)));
}

#[test]
fn latest_counts_what_it_jumps_over() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let mut account = Account::new(&subscriber);
    for (publish, skipped) in [(1, 0), (3, 2), (4, 5), (100, 104)] {
        publisher.publish_many((0..publish).rev());
        assert_eq!(subscriber.latest(), Ok(0));
        assert_eq!(subscriber.latest(), Err(TryRecvError::Empty));
        account.received(&subscriber, 1);
        assert_eq!((subscriber.skipped_by_choice(), subscriber.missed()), (skipped, 0));
        account.settle(&subscriber);
    }
    publisher.publish_many([1, 2]);
    publisher.close();
    assert_eq!((subscriber.latest(), subscriber.latest()), (Ok(2), Err(TryRecvError::Closed)));
}

#[test]
fn try_iter_ends_under_a_running_publisher() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(8);
    publisher.publish_many(0..3);
    let mut seen = 0;
    for message in subscriber.try_iter() {
        assert_eq!(message, Ok(seen));
        seen += 1;
        publisher.publish(seen + 2);
    }
    assert_eq!(seen, 3);
}

#[test]
fn the_sequences_of_a_ring_can_be_used_up() {
    const LAST: u64 = (1 << 63) - (1 << 32) - 1;
    let (mut publisher, mut subscriber) = Builder::new(4).first_sequence(LAST - 1).inline::<u64>();
    assert_eq!(publisher.publish_many([1, 2]), LAST - 1..LAST + 1);
    assert_eq!((subscriber.try_recv(), subscriber.try_recv()), (Ok(1), Ok(2)));
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
    let used_up = std::panic::catch_unwind(move || publisher.publish(3)).unwrap_err();
    assert!(used_up.downcast_ref::<&str>().unwrap().contains("used up"));
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));

    let (publisher, mut subscriber) = Builder::new(4).first_sequence(LAST).inline::<u64>();
    let publisher = publisher.share();
    assert_eq!(publisher.publish(1), Ok(LAST));
    for _ in 0..9 {
        assert!(publisher.publish(2).is_err());
    }
    assert!(!publisher.close());
    assert_eq!(publisher.next_sequence(), LAST + 1);
    assert_eq!((subscriber.try_recv(), subscriber.recv()), (Ok(1), Err(RecvError::Closed)));
    assert_eq!(publisher.ring().stats().published, 1);

    // Closed at the very end.
    let (publisher, mut subscriber) = Builder::new(4).first_sequence(LAST).inline::<u64>();
    let publisher = publisher.share();
    assert_eq!((publisher.publish(1), publisher.close()), (Ok(LAST), true));
    assert!((0..9).all(|_| publisher.publish(2).is_err() && !publisher.close()));
    assert_eq!((subscriber.try_recv(), subscriber.recv()), (Ok(1), Err(RecvError::Closed)));
}

#[test]
fn who_is_parked_learns_that_the_sequences_are_used_up() {
    const LAST: u64 = (1 << 63) - (1 << 32) - 1;
    let (publisher, mut subscriber) = Builder::new(4).first_sequence(LAST).inline::<u64>();
    let publisher = publisher.share();
    let patience = Duration::from_secs(30);
    let reader = std::thread::spawn(move || (subscriber.recv_timeout(patience), subscriber.recv_timeout(patience)));
    common::eventually("parked", || publisher.ring().stats().subscribers[0].parked);
    publisher.publish(1).unwrap();
    common::eventually("the reader is parked again", || {
        let subscribers = publisher.ring().stats().subscribers;
        subscribers.iter().any(|subscriber| subscriber.parked && subscriber.lag == 0)
    });
    assert!(publisher.publish(2).is_err());
    assert_eq!(reader.join().unwrap(), (Ok(1), Err(RecvTimeoutError::Closed)));
}
