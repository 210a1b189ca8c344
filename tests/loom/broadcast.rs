//! A `seqcast::broadcast` channel: its end, and the senders that wait in `closed`.

use std::collections::BTreeSet;

use loom::future::block_on;
use loom::thread;
use seqcast::broadcast;
use seqcast::broadcast::error::TryRecvError;

use crate::explore;

#[test]
fn a_closed_channel_is_never_empty_before_its_end() {
    let outcomes = explore(3, || {
        let (sender, mut receiver) = broadcast::channel(2);
        let other = sender.clone();
        let first = thread::spawn(move || {
            sender.send(1).unwrap();
        });
        drop(other);
        let closed = receiver.is_closed();
        let got = receiver.try_recv();
        if closed {
            assert_eq!(got, Ok(1));
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        }
        first.join().unwrap();
        (closed, got.is_ok())
    });
    assert_eq!(outcomes, BTreeSet::from([(false, false), (false, true), (true, true)]));
}

#[test]
fn the_last_receiver_to_leave_wakes_who_waits_for_it() {
    // A lost wake-up is a deadlock, which loom reports.
    explore(3, || {
        let (sender, receiver) = broadcast::channel::<u32>(1);
        let second = receiver.resubscribe();
        let first = thread::spawn(move || drop(receiver));
        let second = thread::spawn(move || drop(second));
        block_on(sender.closed());
        assert_eq!(sender.send(7).unwrap_err().0, 7);
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn a_channel_is_not_closed_while_a_weak_sender_is_upgraded() {
    let outcomes = explore(3, || {
        let (sender, mut receiver) = broadcast::channel(2);
        let weak = sender.downgrade();
        let other = thread::spawn(move || {
            let upgraded = weak.upgrade();
            upgraded.map(|sender| sender.send(1).unwrap()).is_some()
        });
        drop(sender);
        let upgraded = other.join().unwrap();
        assert_eq!(receiver.try_recv().is_ok(), upgraded);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        upgraded
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}
