//! A slow drop delays no message, no wake-up and no end.

use crate::common::counted::Ledger;
use crate::common::eventually;
use crate::{S, make, warm};
use seqcast::{RecvError, Subscriber};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Blocks in a drop until another thread has received the message `goal` from `subscriber`.
fn outlasts(
    ledger: &Arc<Ledger>,
    mut subscriber: Subscriber<S>,
    goal: impl FnOnce(&mut Subscriber<S>) + Send + 'static,
) -> thread::JoinHandle<bool> {
    let got = Arc::new(AtomicBool::new(false));
    let waited = Arc::new(AtomicBool::new(false));
    ledger.on_drop({
        let (got, waited) = (Arc::clone(&got), Arc::clone(&waited));
        move |_| {
            // A panic here is caught by the ring. It shows because `waited` is not set.
            eventually("the reader has received the message", || got.load(Ordering::SeqCst));
            waited.store(true, Ordering::SeqCst);
        }
    });
    thread::spawn(move || {
        goal(&mut subscriber);
        got.store(true, Ordering::SeqCst);
        eventually("the drop has seen the receive", || waited.load(Ordering::SeqCst));
        drop(subscriber);
        true
    })
}

#[test]
fn a_slow_drop_delays_no_message_and_no_wake_up() {
    for shared in [false, true] {
        let ledger = Ledger::new();
        let (mut publisher, subscriber) = seqcast::boxed(4);
        publisher.publish_many(make(&ledger, warm(4)));
        let (ring, goal) = (publisher.ring(), ledger.made());
        let subscriber = {
            drop(subscriber);
            ring.subscribe()
        };
        let reader = outlasts(&ledger, subscriber, move |subscriber| {
            assert_eq!(subscriber.recv_ref().unwrap().verify(), goal);
        });
        eventually("parked", || ring.stats().subscribers[0].parked);
        let shared = if shared {
            let publisher = publisher.share();
            publisher.publish(ledger.make()).unwrap();
            Ok(publisher)
        } else {
            publisher.publish(ledger.make());
            Err(publisher)
        };
        assert!(reader.join().unwrap());
        ledger.unhook();
        drop(shared);
        drop(ring);
        ledger.settle();
    }
}

#[test]
fn a_slow_drop_does_not_delay_the_end() {
    let ledger = Ledger::new();
    let (mut publisher, subscriber) = seqcast::boxed(4);
    publisher.publish_many(make(&ledger, warm(4)));
    let ring = publisher.ring();
    drop(subscriber);
    let reader = outlasts(&ledger, ring.subscribe(), |subscriber| {
        assert_eq!(subscriber.recv_ref().unwrap_err(), RecvError::Closed);
    });
    eventually("parked", || ring.stats().subscribers[0].parked);
    // The publisher drops the messages that it kept, after all subscribers have been woken.
    drop(publisher);
    assert!(reader.join().unwrap());
    drop(ring);
    ledger.settle();
}
