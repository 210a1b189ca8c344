//! What the ring keeps for a leaked borrow or a leaked subscriber.

use crate::common::counted::Ledger;
use crate::make;
use seqcast::TryRecvError;

#[test]
fn a_leaked_borrow_keeps_its_message_until_the_subscriber_goes_on() {
    let ledger = Ledger::new();
    let (mut publisher, mut subscriber) = seqcast::boxed(4);
    publisher.publish(ledger.make());
    std::mem::forget(subscriber.try_recv_ref().unwrap());
    publisher.publish_many(make(&ledger, 1_000));
    assert!(!ledger.was_dropped(0));
    assert!(ledger.was_dropped(500));
    assert!(matches!(subscriber.try_recv_ref(), Err(TryRecvError::Lagged(_))));
    let at = {
        let message = subscriber.try_recv_ref().unwrap();
        let at = message.verify();
        std::mem::forget(message);
        at
    };
    publisher.publish_many(make(&ledger, 1_000));
    assert!(ledger.was_dropped(0) && !ledger.was_dropped(at));
    drop(subscriber);
    publisher.publish_many(make(&ledger, 1_000));
    assert!(ledger.was_dropped(at));
    drop(publisher);
    ledger.settle();
}

#[test]
fn a_leaked_borrow_outlives_the_publisher() {
    let ledger = Ledger::new();
    let (mut publisher, mut subscriber) = seqcast::boxed(4);
    publisher.publish(ledger.make());
    std::mem::forget(subscriber.try_recv_ref().unwrap());
    publisher.publish_many(make(&ledger, 200));
    drop(publisher);
    assert!(!ledger.was_dropped(0));
    assert_eq!(ledger.live(), 5);
    drop(subscriber);
    ledger.settle();
}

#[test]
fn a_leaked_subscriber_keeps_one_message_for_ever() {
    let ledger = Ledger::new();
    let (mut publisher, mut subscriber) = seqcast::boxed(4);
    publisher.publish(ledger.make());
    let mut leaked = subscriber.clone();
    std::mem::forget(leaked.try_recv_ref().unwrap());
    std::mem::forget(leaked);
    for number in 1..10_000 {
        publisher.publish(ledger.make());
        assert_eq!(subscriber.latest_ref().unwrap().verify(), number);
    }
    assert!(!ledger.was_dropped(0));
    assert!(ledger.most() <= 4 + 1 + 2 * 64);
    drop((publisher, subscriber));
    // The ring is leaked with it: the messages in its slots, and the borrowed one.
    assert_eq!(ledger.live(), 5);
}
