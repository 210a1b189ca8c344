//! How large a message may be on the stack that threads have by default. Without optimisation a message is copied most often.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]
#![allow(clippy::large_stack_arrays, clippy::large_stack_frames, reason = "that is the question")]

use seqcast::{Inline, Publisher, Subscriber};
use std::time::Duration;

/// More than fitted through `recv`, `recv_timeout` and the iterator when each call on the way handed the message on.
type Large = [u8; 120 << 10];

fn on_a_stack_of(size: usize, code: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(size).spawn(code).unwrap().join().unwrap();
}

/// A ring with a large message in it.
fn ring() -> (Publisher<Inline<Large>>, Subscriber<Inline<Large>>) {
    let (mut publisher, subscriber) = seqcast::inline(2);
    let (send, receive) = std::sync::mpsc::channel();
    on_a_stack_of(16 << 20, move || {
        publisher.publish([7; 120 << 10]);
        send.send(publisher).unwrap();
    });
    (receive.recv().unwrap(), subscriber)
}

#[test]
fn a_large_message_is_received_on_an_ordinary_stack() {
    type Receive = fn(&mut Subscriber<Inline<Large>>) -> u8;
    let ways: [Receive; 5] = [
        |subscriber| subscriber.try_recv().map_or(0, |message| message[9]),
        |subscriber| subscriber.recv().map_or(0, |message| message[9]),
        |subscriber| subscriber.recv_timeout(Duration::ZERO).map_or(0, |message| message[9]),
        |subscriber| subscriber.iter().next().map_or(0, |message| message.map_or(0, |message| message[9])),
        |subscriber| subscriber.latest().map_or(0, |message| message[9]),
    ];
    for receive in ways {
        let (_publisher, mut subscriber) = ring();
        on_a_stack_of(2 << 20, move || assert_eq!(receive(&mut subscriber), 7));
    }
}

#[test]
fn a_large_message_is_published_on_an_ordinary_stack() {
    on_a_stack_of(2 << 20, || {
        let (mut publisher, mut subscriber) = seqcast::inline::<[u8; 64 << 10]>(2);
        publisher.publish([1; 64 << 10]);
        let publisher = publisher.share();
        assert!(publisher.publish([2; 64 << 10]).is_ok());
        assert!([1, 2].into_iter().all(|byte| subscriber.recv().is_ok_and(|message| message[0] == byte)));
    });
    on_a_stack_of(2 << 20, || {
        // Warm: a message that was overwritten is dropped with each publish.
        let (mut publisher, mut subscriber) = seqcast::boxed::<[u8; 64 << 10]>(2);
        (0..100).for_each(|byte| {
            publisher.publish([byte; 64 << 10]);
        });
        assert!(subscriber.latest_ref().is_ok_and(|message| message[0] == 99));
    });
}
