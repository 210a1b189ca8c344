//! Receivers that lag: when they do, what the error counts, and where they resume.

use super::broadcast::error::{RecvError, TryRecvError};
use super::broadcast::{Receiver, Sender, channel};
use super::helpers::drain;
use crate::common::wakers::now;

/// A channel to which the values `0..count` were sent.
fn sent(capacity: usize, count: u64) -> (Sender<u64>, Receiver<u64>) {
    let (tx, rx) = channel(capacity);
    for value in 0..count {
        tx.send(value).unwrap();
    }
    (tx, rx)
}

const CAPACITIES: [usize; 12] = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 100];

#[test]
fn the_capacity_is_rounded_up_to_a_power_of_two() {
    for capacity in CAPACITIES {
        let rounded = capacity.next_power_of_two() as u64;
        let (_tx, mut rx) = sent(capacity, rounded);
        assert!(drain(&mut rx).into_iter().eq(0..rounded), "capacity {capacity}");
        let (_tx, mut rx) = sent(capacity, rounded + 1);
        assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(1)), "capacity {capacity}");
        assert!(drain(&mut rx).into_iter().eq(1..=rounded), "capacity {capacity}");
    }
}

#[test]
fn a_sender_made_alone_rounds_the_capacity_up_as_well() {
    for capacity in CAPACITIES {
        let tx = Sender::new(capacity);
        let mut rx = tx.subscribe();
        let rounded = capacity.next_power_of_two() as u64;
        for value in 0..rounded + 3 {
            tx.send(value).unwrap();
        }
        assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(3)), "capacity {capacity}");
        assert!(drain(&mut rx).into_iter().eq(3..rounded + 3), "capacity {capacity}");
    }
}

#[test]
fn a_capacity_of_three_is_four() {
    let (tx, mut rx) = sent(3, 4);
    assert_eq!(rx.len(), 4);
    tx.send(4).unwrap();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(1)));
    assert_eq!(drain(&mut rx), [1, 2, 3, 4]);
}

#[test]
fn a_capacity_of_one_keeps_the_newest_value_alone() {
    let (tx, mut rx) = sent(1, 1);
    assert_eq!(rx.try_recv(), Ok(0));
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(1)));
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    for value in 3..9 {
        tx.send(value).unwrap();
    }
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(5)));
    assert_eq!(drain(&mut rx), [8]);
}

#[test]
fn a_receiver_that_is_a_whole_capacity_behind_misses_nothing() {
    let (tx, mut rx) = sent(4, 4);
    for value in 4..100 {
        assert_eq!(rx.try_recv(), Ok(value - 4));
        tx.send(value).unwrap();
    }
    assert_eq!(drain(&mut rx), [96, 97, 98, 99]);
}

#[test]
fn a_send_to_a_full_channel_overwrites_the_oldest_value() {
    let (tx, mut rx) = sent(4, 4);
    for newest in 4..20 {
        tx.send(newest).unwrap();
        assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(1)), "only the oldest value must be lost");
        assert_eq!((rx.len(), tx.len()), (4, 4));
    }
    assert_eq!(drain(&mut rx), [16, 17, 18, 19]);
}

#[test]
fn the_error_counts_what_was_overwritten_before_the_receiver_read_it() {
    for read in 0..4 {
        for over in 1..10 {
            let (tx, mut rx) = sent(4, 4);
            for value in 0..read {
                assert_eq!(rx.try_recv(), Ok(value));
            }
            for value in 4..4 + read + over {
                tx.send(value).unwrap();
            }
            assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(over)), "{read} read, {over} over");
        }
    }
}

#[test]
fn the_error_counts_over_many_laps() {
    let (_tx, mut rx) = sent(4, 10_003);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(9_999)));
    assert_eq!(drain(&mut rx), [9_999, 10_000, 10_001, 10_002]);
}

#[test]
fn every_way_of_receiving_reports_the_same_lag() {
    assert_eq!(sent(4, 11).1.try_recv(), Err(TryRecvError::Lagged(7)));
    assert_eq!(now(sent(4, 11).1.recv()), Some(Err(RecvError::Lagged(7))));
    assert_eq!(sent(4, 11).1.blocking_recv(), Err(RecvError::Lagged(7)));
}

#[test]
fn a_lag_is_reported_once_and_then_the_oldest_retained_value() {
    let (_tx, mut rx) = sent(2, 5);
    assert_eq!(now(rx.recv()), Some(Err(RecvError::Lagged(3))));
    assert_eq!(now(rx.recv()), Some(Ok(3)));
    assert_eq!(now(rx.recv()), Some(Ok(4)));
    assert_eq!(now(rx.recv()), None);
}

#[test]
fn a_value_that_is_overwritten_after_the_error_is_a_new_lag() {
    let (tx, mut rx) = sent(2, 3);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(1)));
    tx.send(3).unwrap();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(1)));
    tx.send(4).unwrap();
    tx.send(5).unwrap();
    assert_eq!(now(rx.recv()), Some(Err(RecvError::Lagged(2))));
    assert_eq!(drain(&mut rx), [4, 5]);
}

#[test]
fn a_lag_neither_closes_nor_disconnects_the_receiver() {
    let (tx, mut rx) = sent(2, 100);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(98)));
    assert!(!rx.is_closed());
    assert_eq!((tx.receiver_count(), drain(&mut rx)), (1, vec![98, 99]));
    assert_eq!(tx.send(100).unwrap(), 1);
    assert_eq!(drain(&mut rx), [100]);
}

#[test]
fn a_receiver_that_lags_costs_the_others_nothing() {
    let (tx, mut slow) = channel(2);
    let mut fast = tx.subscribe();
    for value in 0..50 {
        tx.send(value).unwrap();
        assert_eq!(fast.try_recv(), Ok(value));
    }
    assert_eq!(slow.try_recv(), Err(TryRecvError::Lagged(48)));
    assert_eq!(drain(&mut slow), [48, 49]);
    assert_eq!(fast.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn a_receiver_that_subscribed_late_counts_from_its_subscription() {
    let (tx, _first) = sent(4, 7);
    let mut late = tx.subscribe();
    for value in 7..13 {
        tx.send(value).unwrap();
    }
    assert_eq!(late.try_recv(), Err(TryRecvError::Lagged(2)));
    assert_eq!(drain(&mut late), [9, 10, 11, 12]);
}

#[test]
fn a_lag_is_reported_after_the_close_as_well() {
    let (tx, mut rx) = sent(4, 9);
    drop(tx);
    assert_eq!(now(rx.recv()), Some(Err(RecvError::Lagged(5))));
    for value in 5..9 {
        assert_eq!(now(rx.recv()), Some(Ok(value)));
    }
    assert_eq!(now(rx.recv()), Some(Err(RecvError::Closed)));
}

#[test]
fn received_and_missed_add_up_to_what_was_sent() {
    let (tx, mut rx) = channel(8);
    let (mut sent, mut next) = (0, 0);
    for burst in [0, 3, 8, 9, 1, 16, 17, 40, 2] {
        for _ in 0..burst {
            tx.send(sent).unwrap();
            sent += 1;
        }
        for _ in 0..5 {
            match rx.try_recv() {
                Ok(value) => {
                    assert_eq!(value, next);
                    next += 1;
                }
                Err(TryRecvError::Lagged(missed)) => {
                    assert_eq!(missed, sent - 8 - next);
                    next += missed;
                }
                Err(TryRecvError::Empty) => assert_eq!(next, sent),
                Err(TryRecvError::Closed) => unreachable!(),
            }
        }
    }
}
