//! What boxed rings do beyond inline ones: any payload, borrowed in place.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

use seqcast::{Lagged, Ref, TryRecvError};

#[test]
fn messages_are_borrowed_where_they_lie() {
    let (mut publisher, mut first) = seqcast::boxed::<String>(4);
    let mut second = first.clone();
    publisher.publish("here".to_owned());
    let (one, two) = (first.try_recv_ref().unwrap(), second.try_recv_ref().unwrap());
    assert_eq!((&*one, Ref::sequence(&one)), (&"here".to_owned(), 0));
    assert!(std::ptr::eq(&*one, &*two));
}

#[test]
fn a_held_message_outlives_its_slot() {
    let (mut publisher, mut subscriber) = seqcast::boxed::<String>(4);
    publisher.publish("first".to_owned());
    let held = subscriber.try_recv_ref().unwrap();
    for number in 1..=10_000 {
        publisher.publish(number.to_string());
    }
    assert_eq!(*held, "first");
    drop(held);
    assert_eq!(
        subscriber.try_recv_ref().unwrap_err(),
        TryRecvError::Lagged(Lagged { missed: 9_996, resumed_at: 9_997 })
    );
    assert_eq!(*subscriber.try_recv_ref().unwrap(), "9997");
}
