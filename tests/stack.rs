//! How large a message may be on a thread's default stack. Builds without optimization copy a
//! message most often.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]
#![allow(clippy::large_stack_arrays, clippy::large_stack_frames, reason = "the test is about large frames")]

use futures::StreamExt;
use futures::executor::block_on;
use seqcast::{
    Builder, Inline, PublishTimeoutError, Publisher, Receive, SharedPublisher, Subscriber, TryPublishError, broadcast,
};
use std::time::{Duration, Instant};

/// More than fitted through `recv`, `recv_timeout` and the iterator when each nested call moved the
/// message.
type Large = [u8; 120 << 10];

/// Runs code in a thread. glibc may reuse the stack of a thread that has ended, of up to four times
/// the size.
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

/// The number of bytes that a message may have on a thread's default stack.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Room {
    Much = 64 << 10,
    /// In a boxed ring, nested calls each move the message.
    Little = 48 << 10,
}

use Room::{Little, Much};

/// Longer than any of these calls.
const LONG: Duration = Duration::from_secs(60);

/// Runs `code` on a default stack. With `--nocapture`, the last printed line names the call that
/// overflowed.
fn fits(what: &str, code: impl FnOnce() + Send + 'static) {
    println!("{what}");
    on_a_stack_of(2 << 20, code);
}

fn message<const N: usize>() -> [u8; N] {
    [7; N]
}

fn is_whole<const N: usize>(message: &[u8; N]) -> bool {
    message[0] == 7 && message[N - 1] == 7
}

/// Publishes one message. The result of a call is not moved: it may be a message.
type Publish<P> = (Room, &'static str, fn(&mut P) -> bool);

fn exclusive<const N: usize, S: Receive<Item = [u8; N]>>() -> [Publish<Publisher<S>>; 7] {
    [
        (Much, "publish", |publisher| publisher.publish(message()) == 0),
        (Much, "batch", |publisher| publisher.batch().publish(message()) == 0),
        (Much, "publish_many", |publisher| publisher.publish_many((0..1).map(|_| message())) == (0..1)),
        (Much, "try_publish", |publisher| publisher.try_publish(message()).is_ok()),
        (Much, "publish_timeout", |publisher| publisher.publish_timeout(message(), Duration::ZERO).is_ok()),
        (Much, "publish_deadline", |publisher| publisher.publish_deadline(message(), Instant::now()).is_ok()),
        (Little, "publish_async", |publisher| block_on(publisher.publish_async(message())).is_ok()),
    ]
}

fn shared<const N: usize, S: Receive<Item = [u8; N]>>() -> [Publish<SharedPublisher<S>>; 7] {
    [
        (Much, "publish", |publisher| publisher.publish(message()).is_ok()),
        (Much, "batch", |publisher| publisher.batch().publish(message()).is_ok()),
        (Much, "publish_many", |publisher| publisher.publish_many((0..1).map(|_| message())) == 1),
        (Much, "try_publish", |publisher| publisher.try_publish(message()).is_ok()),
        (Little, "publish_timeout", |publisher| publisher.publish_timeout(message(), Duration::ZERO).is_ok()),
        (Little, "publish_deadline", |publisher| publisher.publish_deadline(message(), Instant::now()).is_ok()),
        (Little, "publish_async", |publisher| block_on(publisher.publish_async(message())).is_ok()),
    ]
}

fn publishes<const N: usize, S: Receive<Item = [u8; N]>>(
    kind: &str,
    make: fn(Builder) -> (Publisher<S>, Subscriber<S>),
) {
    let has_room = |room: Room| kind == "inline" || room as usize >= N;
    for (_, name, publish) in exclusive().into_iter().filter(|(room, ..)| has_room(*room)) {
        fits(&format!("{kind}: {name}"), move || {
            let (mut publisher, mut subscriber) = make(Builder::new(2));
            assert!(publish(&mut publisher));
            assert!(subscriber.try_recv().is_ok_and(|message| is_whole(&message)));
        });
    }
    for (_, name, publish) in shared().into_iter().filter(|(room, ..)| has_room(*room)) {
        fits(&format!("{kind}: {name}, shared"), move || {
            let (publisher, mut subscriber) = make(Builder::new(2));
            assert!(publish(&mut publisher.share()));
            assert!(subscriber.try_recv().is_ok_and(|message| is_whole(&message)));
        });
    }
    // In both directions.
    fits(&format!("{kind}: into a full ring"), move || {
        let (mut publisher, _lossy) = make(Builder::new(1).gated());
        let _gating = publisher.ring().subscribe_gating().unwrap();
        publisher.publish(message());
        assert!(matches!(&publisher.try_publish(message()), Err(TryPublishError::Full(back)) if is_whole(back)));
        let late = publisher.publish_timeout(message(), Duration::from_millis(1));
        assert!(matches!(&late, Err(PublishTimeoutError::Timeout(back)) if is_whole(back)));
    });
    fits(&format!("{kind}: into a full ring, shared"), move || {
        let (mut publisher, _lossy) = make(Builder::new(1).gated());
        let _gating = publisher.ring().subscribe_gating().unwrap();
        publisher.publish(message());
        let publisher = publisher.share();
        assert!(matches!(&publisher.try_publish(message()), Err(TryPublishError::Full(back)) if is_whole(back)));
        let late = publisher.publish_timeout(message(), Duration::from_millis(1));
        assert!(matches!(&late, Err(PublishTimeoutError::Timeout(back)) if is_whole(back)));
    });
}

#[test]
fn every_publish_of_a_large_message_fits_on_an_ordinary_stack() {
    publishes("inline", Builder::inline::<[u8; Much as usize]>);
    publishes("boxed", Builder::boxed::<[u8; Much as usize]>);
    publishes("boxed", Builder::boxed::<[u8; Little as usize]>);
}

/// Receives one message.
type Receiving<S> = (&'static str, fn(&mut Subscriber<S>) -> bool);

fn is_one<const N: usize>(buffer: &[[u8; N]]) -> bool {
    buffer.len() == 1 && is_whole(&buffer[0])
}

fn receiving<const N: usize, S: Receive<Item = [u8; N]>>() -> [Receiving<S>; 17] {
    [
        ("try_recv", |subscriber| subscriber.try_recv().as_ref().is_ok_and(is_whole)),
        ("recv", |subscriber| subscriber.recv().as_ref().is_ok_and(is_whole)),
        ("recv_timeout", |subscriber| subscriber.recv_timeout(LONG).as_ref().is_ok_and(is_whole)),
        ("recv_deadline", |subscriber| subscriber.recv_deadline(Instant::now() + LONG).as_ref().is_ok_and(is_whole)),
        ("latest", |subscriber| subscriber.latest().as_ref().is_ok_and(is_whole)),
        ("recv_latest", |subscriber| subscriber.recv_latest().as_ref().is_ok_and(is_whole)),
        ("iter", |subscriber| matches!(&subscriber.iter().next(), Some(Ok(message)) if is_whole(message))),
        ("try_iter", |subscriber| matches!(&subscriber.try_iter().next(), Some(Ok(message)) if is_whole(message))),
        (
            "into_iter",
            |subscriber| matches!(&subscriber.clone().into_iter().next(), Some(Ok(message)) if is_whole(message)),
        ),
        ("skip_lagged", |subscriber| subscriber.clone().skip_lagged().iter().next().as_ref().is_some_and(is_whole)),
        ("try_recv_many", |subscriber| {
            let mut buffer = Vec::new();
            subscriber.try_recv_many(&mut buffer, 3) == Ok(1) && is_one(&buffer)
        }),
        ("recv_many", |subscriber| {
            let mut buffer = Vec::new();
            subscriber.recv_many(&mut buffer, 3) == Ok(1) && is_one(&buffer)
        }),
        ("recv_many_async", |subscriber| {
            let mut buffer = Vec::new();
            block_on(subscriber.recv_many_async(&mut buffer, 3)) == Ok(1) && is_one(&buffer)
        }),
        ("recv_async", |subscriber| block_on(subscriber.recv_async()).as_ref().is_ok_and(is_whole)),
        ("recv_latest_async", |subscriber| block_on(subscriber.recv_latest_async()).as_ref().is_ok_and(is_whole)),
        ("a stream", |subscriber| matches!(&block_on(subscriber.next()), Some(Ok(message)) if is_whole(message))),
        ("a stream that skips", |subscriber| {
            block_on(subscriber.clone().skip_lagged().next()).as_ref().is_some_and(is_whole)
        }),
    ]
}

fn receives<const N: usize, S: Receive<Item = [u8; N]>>(
    kind: &str,
    make: fn(Builder) -> (Publisher<S>, Subscriber<S>),
) {
    for (name, receive) in receiving() {
        fits(&format!("{kind}: {name}"), move || {
            let (mut publisher, mut subscriber) = make(Builder::new(2));
            publisher.publish(message());
            assert!(receive(&mut subscriber));
        });
    }
}

#[test]
fn every_receive_of_a_large_message_fits_on_an_ordinary_stack() {
    receives("inline", Builder::inline::<[u8; Much as usize]>);
    receives("boxed", Builder::boxed::<[u8; Much as usize]>);
}

#[test]
fn every_receive_of_the_drop_in_fits_on_an_ordinary_stack() {
    type Receive = fn(&mut broadcast::Receiver<[u8; Much as usize]>) -> bool;
    let ways: [(&str, Receive); 4] = [
        ("broadcast: try_recv", |receiver| receiver.try_recv().as_ref().is_ok_and(is_whole)),
        ("broadcast: blocking_recv", |receiver| receiver.blocking_recv().as_ref().is_ok_and(is_whole)),
        ("broadcast: recv", |receiver| block_on(receiver.recv()).as_ref().is_ok_and(is_whole)),
        (
            "broadcast: a stream",
            |receiver| matches!(&block_on(receiver.next()), Some(Ok(message)) if is_whole(message)),
        ),
    ];
    for (name, receive) in ways {
        fits(name, move || {
            let (sender, mut receiver) = broadcast::channel(4);
            assert!(sender.send(message()).is_ok());
            assert!(receive(&mut receiver));
        });
    }
}

#[test]
fn a_boxed_ring_drops_large_messages_on_an_ordinary_stack() {
    fits("boxed: a warm publish", || {
        // After a lap, each publish drops an overwritten message.
        let (mut publisher, mut subscriber) = seqcast::boxed::<[u8; Much as usize]>(2);
        (0..100).for_each(|byte| {
            publisher.publish([byte; Much as usize]);
        });
        assert!(subscriber.latest_ref().is_ok_and(|message| message[0] == 99));
    });
}
