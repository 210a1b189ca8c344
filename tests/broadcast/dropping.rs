//! Each value is dropped once, and none outlives the handles of its channel.

use super::broadcast::error::RecvError;
use super::broadcast::{Sender, channel};
use crate::common::counted::{Counted, Ledger};
use std::sync::Arc;
use std::thread;

#[test]
fn a_received_clone_outlives_the_channel() {
    let ledger = Ledger::new();
    let (tx, mut rx) = channel(4);
    tx.send(ledger.make()).unwrap();
    let received = rx.try_recv().unwrap();
    drop((tx, rx));
    received.verify();
    assert_eq!(ledger.live(), 1);
    drop(received);
    ledger.settle();
}

#[test]
fn a_channel_whose_handles_are_all_gone_has_dropped_everything() {
    let ledger = Ledger::new();
    let (tx, rx) = channel(4);
    for _ in 0..7 {
        tx.send(ledger.make()).unwrap();
    }
    drop(rx);
    drop(tx);
    assert_eq!(ledger.live(), 0);
    ledger.settle();
}

#[test]
fn a_failed_send_drops_nothing_and_keeps_nothing() {
    let ledger = Ledger::new();
    let tx = Sender::new(4);
    let returned = tx.send(ledger.make()).unwrap_err().0;
    assert!(!ledger.was_dropped(0));
    drop(returned);
    assert_eq!(ledger.live(), 0);
    ledger.settle();
}

#[test]
fn values_that_cross_threads_are_dropped_once() {
    let ledger = Ledger::new();
    let (tx, first) = channel::<Counted>(8);
    let readers: Vec<_> = (1..4)
        .map(|_| tx.subscribe())
        .chain([first])
        .enumerate()
        .map(|(reader, mut rx)| {
            // The first reader ends early.
            let limit = if reader == 0 { 100 } else { u64::MAX };
            thread::spawn(move || {
                let mut seen = 0;
                while seen < limit {
                    match rx.blocking_recv() {
                        Ok(value) => {
                            value.verify();
                            seen += 1;
                        }
                        Err(RecvError::Lagged(missed)) => seen += missed,
                        Err(RecvError::Closed) => break,
                    }
                }
            })
        })
        .collect();
    let writers: Vec<_> = (0..2)
        .map(|_| {
            let (tx, ledger) = (tx.clone(), Arc::clone(&ledger));
            thread::spawn(move || {
                for number in 0..2_000 {
                    tx.send(ledger.make()).unwrap();
                    if number % 32 == 0 {
                        thread::yield_now();
                    }
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    drop(tx);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    ledger.settle();
}
