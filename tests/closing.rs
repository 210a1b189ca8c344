//! The end of a ring: at an exact sequence, reported to each subscriber from then on (law 4).
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::{Account, CAPACITIES, FIRSTS, eventually, read_to_end, sign, verify};
use futures::stream::FusedStream;
use futures::{FutureExt, StreamExt};
use seqcast::{Builder, Closed, RecvError, RecvTimeoutError, Start, TryPublishError, TryRecvError};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

#[test]
fn what_is_left_is_read_before_closed() {
    for capacity in CAPACITIES {
        for first in FIRSTS {
            let (mut publisher, mut subscriber) = Builder::new(capacity).first_sequence(first).inline::<u64>();
            let ring = publisher.ring();
            publisher.publish_many(0..capacity as u64);
            drop(publisher);
            assert!(subscriber.is_closed() && !subscriber.is_empty());
            assert!((0..capacity as u64).all(|message| subscriber.try_recv() == Ok(message)));
            for _ in 0..3 {
                assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
                assert_eq!(subscriber.recv(), Err(RecvError::Closed));
                assert_eq!(subscriber.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Closed));
                assert_eq!(subscriber.recv_async().now_or_never(), Some(Err(RecvError::Closed)));
                assert_eq!(subscriber.iter().next(), None);
                assert_eq!(subscriber.latest(), Err(TryRecvError::Closed));
                assert_eq!(subscriber.recv_many(&mut Vec::new(), 3), Err(RecvError::Closed));
            }
            // Late joiners.
            assert_eq!(ring.subscribe().recv(), Err(RecvError::Closed));
            assert_eq!(ring.subscribe_at(Start::Oldest).into_iter().count(), capacity);
            assert_eq!(ring.next_sequence(), first + capacity as u64);
        }
    }
}

#[test]
fn a_loss_is_told_before_closed() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    publisher.publish_many(0..9);
    publisher.close();
    let told: Vec<_> = subscriber.into_iter().map(|message| message.map_err(|lagged| lagged.missed)).collect();
    assert_eq!(told, [Err(5), Ok(5), Ok(6), Ok(7), Ok(8)]);
}

#[test]
fn streams_and_iterators_stay_ended() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    publisher.publish(1);
    assert!(!subscriber.is_terminated());
    publisher.close();
    assert!(!subscriber.is_terminated() && !subscriber.clone().skip_lagged().is_terminated());
    assert_eq!(subscriber.next().now_or_never(), Some(Some(Ok(1))));
    for _ in 0..3 {
        assert_eq!(subscriber.next().now_or_never(), Some(None));
        assert!(subscriber.is_terminated());
    }
    let mut iterator = subscriber.clone().into_iter();
    assert_eq!((iterator.next(), iterator.next()), (None, None));
    let mut plain = subscriber.skip_lagged();
    assert!(plain.is_terminated());
    assert_eq!(plain.next().now_or_never(), Some(None));
    assert_eq!(plain.iter().next(), None);
}

#[test]
fn a_closed_ring_gives_values_back() {
    let (publisher, _subscriber) = seqcast::inline::<u64>(4);
    let publisher = publisher.share();
    assert!(publisher.close());
    assert_eq!(publisher.publish(7), Err(Closed(7)));
    assert_eq!(publisher.try_publish(8), Err(TryPublishError::Closed(8)));
    assert_eq!(publisher.try_publish(8).unwrap_err().into_inner(), 8);
    assert_eq!(publisher.publish_many(0..5), 0);
    assert!(!publisher.close() && !publisher.clone().close());
    assert_eq!(publisher.next_sequence(), 0);
    assert!(publisher.try_into_exclusive().is_err());
}

#[test]
fn publish_many_ends_where_the_ring_is_closed() {
    let (publisher, mut subscriber) = seqcast::inline::<u64>(8);
    let publisher = publisher.share();
    // Its length is unknown, so each message is published before the next one is taken.
    let values = (0..10).filter(|&value| {
        if value == 3 {
            publisher.close();
        }
        true
    });
    assert_eq!(publisher.publish_many(values), 3);
    assert_eq!(subscriber.iter().map(Result::unwrap).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn only_the_last_publisher_closes_by_going() {
    let (publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let (ring, first) = (publisher.ring(), publisher.share());
    let second = first.clone();
    drop(first);
    assert!(!ring.is_closed());
    assert_eq!(second.publish(1), Ok(0));
    let exclusive = second.try_into_exclusive().unwrap();
    assert!(!ring.is_closed());
    assert_eq!(exclusive.next_sequence(), 1);
    let shared = exclusive.share();
    drop(ring.clone());
    drop(shared);
    assert!(ring.is_closed());
    assert_eq!((subscriber.try_recv(), subscriber.try_recv()), (Ok(1), Err(TryRecvError::Closed)));
}

#[test]
fn a_leaked_publisher_leaves_the_ring_open_and_harms_nobody() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    publisher.publish(1);
    std::mem::forget(publisher);
    assert_eq!((subscriber.try_recv(), subscriber.try_recv()), (Ok(1), Err(TryRecvError::Empty)));
    assert!(!subscriber.is_closed());
}

#[test]
fn of_sixteen_closers_one_wins() {
    const ROUNDS: usize = 500;
    for _ in 0..ROUNDS {
        let (publisher, subscriber) = seqcast::inline::<u64>(4);
        let publisher = publisher.share();
        let (start, winners) = (Barrier::new(16), AtomicUsize::new(0));
        thread::scope(|scope| {
            for id in 0..16 {
                let (publisher, start, winners) = (publisher.clone(), &start, &winners);
                scope.spawn(move || {
                    start.wait();
                    let _ = publisher.publish(id);
                    winners.fetch_add(usize::from(publisher.close()), Ordering::Relaxed);
                    assert_eq!(publisher.publish(id), Err(Closed(id)));
                });
            }
        });
        assert_eq!(winners.into_inner(), 1);
        let mut account = Account::new(&subscriber);
        let mut subscriber = subscriber;
        for message in subscriber.iter() {
            match message {
                Ok(_) => account.received += 1,
                Err(lagged) => account.missed += lagged.missed,
            }
        }
        assert_eq!(subscriber.next_sequence(), publisher.next_sequence());
        account.settle(&subscriber);
    }
}

#[test]
fn what_was_acknowledged_is_below_the_end_and_read_by_everybody() {
    for round in 0..50 {
        let (publisher, subscriber) = seqcast::inline(1 << 14);
        let publisher = publisher.share();
        let readers: Vec<_> = (0..4).map(|_| subscriber.clone()).collect();
        thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|id| {
                    let publisher = publisher.clone();
                    scope
                        .spawn(move || (0..2000).take_while(|&n| publisher.publish(sign(id, n)).is_ok()).count() as u64)
                })
                .collect();
            let readers: Vec<_> = readers
                .into_iter()
                .enumerate()
                .map(|(path, mut reader)| {
                    scope.spawn(move || {
                        let mut account = Account::new(&reader);
                        let mut counts = [0; 4];
                        read_to_end(&mut reader, path as u64, &mut account, |_, message| {
                            let (publisher, number) = verify(message);
                            assert_eq!(
                                number, counts[publisher as usize],
                                "messages of one publisher are out of order"
                            );
                            counts[publisher as usize] += 1;
                        });
                        assert_eq!(account.missed, 0);
                        counts
                    })
                })
                .collect();
            eventually("some are published", || publisher.next_sequence() > 20 * round);
            assert!(publisher.close());
            let published: Vec<u64> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
            for reader in readers {
                assert_eq!(reader.join().unwrap().to_vec(), published);
            }
        });
    }
}
