//! Values are stored once and cloned on demand.

use super::broadcast::error::TryRecvError;
use super::broadcast::{Sender, channel};
use super::helpers::drain;
use crate::common::counted::Ledger;
use crate::common::panics::{throw, throws};
use crate::common::wakers::now;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_send_clones_nothing_and_each_receive_clones_once() {
    let ledger = Ledger::new();
    let clones = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&clones);
    ledger.on_clone(move |_| {
        counts.fetch_add(1, Ordering::Relaxed);
    });
    let (tx, first) = channel(4);
    let mut receivers = [first, tx.subscribe(), tx.subscribe()];
    tx.send(ledger.make()).unwrap();
    assert_eq!((clones.load(Ordering::Relaxed), ledger.live()), (0, 1), "the value must be stored once");
    for (before, rx) in receivers.iter_mut().enumerate() {
        rx.try_recv().unwrap();
        assert_eq!(clones.load(Ordering::Relaxed), before + 1);
    }
    drop((tx, receivers));
    ledger.settle();
}

#[test]
fn what_no_receiver_reads_is_never_cloned() {
    let ledger = Ledger::new();
    ledger.on_clone(|_| unreachable!("cloned"));
    let (tx, rx) = channel(2);
    for _ in 0..5 {
        tx.send(ledger.make()).unwrap();
    }
    assert!(matches!({ rx }.try_recv(), Err(TryRecvError::Lagged(3))));
    drop(tx);
    ledger.settle();
}

#[test]
fn a_value_without_clone_can_be_sent_and_counted() {
    struct Unclonable;
    let tx = Sender::<Unclonable>::new(4);
    assert!(tx.send(Unclonable).is_err());
    let rx = tx.subscribe();
    assert_eq!(tx.send(Unclonable).ok(), Some(1));
    assert_eq!((tx.len(), rx.len(), rx.is_closed(), tx.receiver_count()), (1, 1, false, 1));
    assert!(rx.same_channel(&tx.subscribe()) && tx.same_channel(&tx.downgrade().upgrade().unwrap()));
    drop(rx);
    assert_eq!(now(tx.closed()), Some(()));
}

#[derive(Debug, PartialEq)]
struct Fragile(u32);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        if self.0 % 10 == 3 { throw() } else { Self(self.0) }
    }
}

#[test]
fn a_clone_that_panics_skips_its_value() {
    for path in 0..3 {
        let (tx, mut rx) = channel(8);
        for number in 2..6 {
            tx.send(Fragile(number)).unwrap();
        }
        assert_eq!(rx.try_recv(), Ok(Fragile(2)));
        assert!(match path {
            0 => throws(|| rx.try_recv()),
            1 => throws(|| now(rx.recv())),
            _ => throws(|| rx.blocking_recv()),
        });
        assert_eq!((rx.len(), tx.len()), (2, 2), "the value must count as received");
        assert_eq!(drain(&mut rx), [Fragile(4), Fragile(5)]);
        assert!(tx.is_empty());
    }
}

#[test]
fn a_clone_that_panics_leaves_the_value_to_the_other_receivers() {
    let ledger = Ledger::new();
    let (tx, mut first) = channel(8);
    let mut second = tx.subscribe();
    tx.send(ledger.make()).unwrap();
    let panicked = AtomicUsize::new(0);
    ledger.on_clone(move |_| {
        if panicked.fetch_add(1, Ordering::Relaxed) == 0 {
            throw();
        }
    });
    assert!(throws(|| first.try_recv()));
    assert!(matches!(first.try_recv(), Err(TryRecvError::Empty)));
    assert_eq!(tx.len(), 1);
    second.try_recv().unwrap().verify();
    assert!(tx.is_empty());
    drop((tx, first, second));
    ledger.settle();
}

#[test]
fn a_channel_works_on_after_a_clone_that_panicked() {
    let (tx, mut rx) = channel(2);
    for round in 0..20 {
        tx.send(Fragile(round * 10 + 3)).unwrap();
        assert!(throws(|| rx.try_recv()));
        tx.send(Fragile(round * 10 + 4)).unwrap();
        assert_eq!(drain(&mut rx), [Fragile(round * 10 + 4)]);
    }
    drop(tx);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}
