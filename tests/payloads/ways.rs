//! Every way to publish to an inline ring, and every way to receive from it.

use crate::common::block_on;
use futures::{StreamExt, stream};
use seqcast::{Builder, Inline, Plain, Publisher, SharedPublisher, Start, Subscriber, TryRecvError};
use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(60);

/// Publishes all of these messages.
type Publish<T> = fn(&mut Publisher<Inline<T>>, &[T]);
type PublishShared<T> = fn(&SharedPublisher<Inline<T>>, &[T]);
/// Receives this many messages, and skips losses.
type Receive<T> = fn(Subscriber<Inline<T>>, usize) -> Vec<T>;
/// Receives the newest message.
type Newest<T> = fn(Subscriber<Inline<T>>) -> T;

/// Publishes one message after another.
macro_rules! one_by_one {
    (|$publisher:ident, $message:ident| $publish:expr) => {
        |$publisher, messages| {
            for &$message in messages {
                $publish;
            }
        }
    };
}

fn exclusive<T: Plain>() -> [Publish<T>; 6] {
    [
        one_by_one!(|publisher, message| publisher.publish(message)),
        |publisher, messages| {
            publisher.publish_many(messages.iter().copied());
        },
        one_by_one!(|publisher, message| publisher.try_publish(message).ok().unwrap()),
        |publisher, messages| {
            let mut batch = publisher.batch();
            for message in messages {
                batch.publish(*message);
            }
        },
        one_by_one!(|publisher, message| publisher.publish_timeout(message, LONG).ok().unwrap()),
        one_by_one!(|publisher, message| block_on(publisher.publish_async(message)).ok().unwrap()),
    ]
}

fn shared<T: Plain>() -> [PublishShared<T>; 6] {
    [
        one_by_one!(|publisher, message| publisher.publish(message).ok().unwrap()),
        |publisher, messages| assert_eq!(publisher.publish_many(messages.iter().copied()), messages.len()),
        one_by_one!(|publisher, message| publisher.try_publish(message).ok().unwrap()),
        |publisher, messages| {
            let mut batch = publisher.batch();
            for message in messages {
                batch.publish(*message).ok().unwrap();
            }
        },
        one_by_one!(|publisher, message| publisher.publish_timeout(message, LONG).ok().unwrap()),
        one_by_one!(|publisher, message| block_on(publisher.publish_async(message)).ok().unwrap()),
    ]
}

fn receiving<T: Plain>() -> [Receive<T>; 16] {
    [
        |subscriber, count| each(subscriber, count, |subscriber| subscriber.try_recv().ok()),
        |subscriber, count| each(subscriber, count, |subscriber| subscriber.recv().ok()),
        |subscriber, count| each(subscriber, count, |subscriber| subscriber.recv_timeout(Duration::ZERO).ok()),
        |subscriber, count| each(subscriber, count, |subscriber| subscriber.recv_deadline(Instant::now()).ok()),
        |subscriber, count| each(subscriber, count, |subscriber| block_on(subscriber.recv_async()).ok()),
        |subscriber, count| each(subscriber, count, |subscriber| subscriber.iter().next().unwrap().ok()),
        |subscriber, count| each(subscriber, count, |subscriber| subscriber.try_iter().next().unwrap().ok()),
        |subscriber, count| each(subscriber, count, |subscriber| block_on(subscriber.next()).unwrap().ok()),
        |subscriber, count| {
            several(subscriber, count, |subscriber, buffer| subscriber.try_recv_many(buffer, 3).is_ok())
        },
        |subscriber, count| several(subscriber, count, |subscriber, buffer| subscriber.recv_many(buffer, 3).is_ok()),
        |subscriber, count| {
            several(subscriber, count, |subscriber, buffer| block_on(subscriber.recv_many_async(buffer, 3)).is_ok())
        },
        // These consume the subscriber.
        |subscriber, count| subscriber.into_iter().flatten().take(count).collect(),
        |subscriber, count| subscriber.skip_lagged().iter().take(count).collect(),
        |subscriber, count| subscriber.skip_lagged().into_iter().take(count).collect(),
        |subscriber, count| block_on(subscriber.skip_lagged().take(count).collect()),
        |subscriber, count| block_on(subscriber.flat_map(stream::iter).take(count).collect()),
    ]
}

fn newest<T: Plain>() -> [Newest<T>; 3] {
    [
        |mut subscriber| subscriber.latest().unwrap(),
        |mut subscriber| subscriber.recv_latest().unwrap(),
        |mut subscriber| block_on(subscriber.recv_latest_async()).unwrap(),
    ]
}

fn each<T: Plain>(
    mut subscriber: Subscriber<Inline<T>>,
    count: usize,
    receive: fn(&mut Subscriber<Inline<T>>) -> Option<T>,
) -> Vec<T> {
    // One more receive than messages, because one may return a loss.
    (0..=count).filter_map(|_| receive(&mut subscriber)).take(count).collect()
}

fn several<T: Plain>(
    mut subscriber: Subscriber<Inline<T>>,
    count: usize,
    receive: fn(&mut Subscriber<Inline<T>>, &mut Vec<T>) -> bool,
) -> Vec<T> {
    let mut buffer = Vec::new();
    let mut lost = false;
    while buffer.len() < count && (receive(&mut subscriber, &mut buffer) || !std::mem::replace(&mut lost, true)) {}
    buffer
}

/// The number of different messages. It is coprime to each capacity, so each slot gets all of them
/// in turn.
const DIFFERENT: usize = 11;

/// Messages, and a key to compare them by.
struct Messages<T, K> {
    all: Vec<T>,
    key: fn(&T) -> K,
    /// The number of published messages.
    sent: usize,
}

impl<T: Plain, K: PartialEq + Debug> Messages<T, K> {
    fn new(make: fn(u64) -> T, key: fn(&T) -> K) -> Self {
        Self { all: (0..DIFFERENT as u64).map(make).collect(), key, sent: 0 }
    }

    fn next(&mut self, count: usize) -> Vec<T> {
        self.sent += count;
        (self.sent - count..self.sent).map(|number| self.all[number % DIFFERENT]).collect()
    }

    /// Checks that these are the last published messages.
    #[track_caller]
    fn check(&self, received: &[T]) {
        for (number, message) in (self.sent - received.len()..).zip(received) {
            assert_eq!((self.key)(message), (self.key)(&self.all[number % DIFFERENT]), "message {number}");
        }
    }
}

/// Publishes messages in every way, and receives the messages of each in every way.
pub(crate) fn goes_every_way<T: Plain, K: PartialEq + Debug>(make: fn(u64) -> T, key: fn(&T) -> K) {
    let capacities: &[usize] = if cfg!(miri) { &[2] } else { &[1, 2, 4, 64] };
    for &capacity in capacities {
        let (mut publisher, subscriber) = Builder::new(capacity).inline::<T>();
        let mut messages = Messages::new(make, key);
        for (at, publish) in exclusive().into_iter().enumerate() {
            every_receive(capacity, at, &subscriber, &mut messages, |messages| publish(&mut publisher, messages));
        }
        let publisher = publisher.share();
        for (at, publish) in shared().into_iter().enumerate() {
            every_receive(capacity, at, &subscriber, &mut messages, |messages| publish(&publisher, messages));
        }
        assert!(publisher.close());
        let again = messages.next(1)[0];
        messages.check(&[publisher.publish(again).unwrap_err().into_inner()]);
        messages.check(&[publisher.try_publish(again).unwrap_err().into_inner()]);
    }
    gating(make, key);
}

/// `publish` is the way with index `at`.
fn every_receive<T: Plain, K: PartialEq + Debug>(
    capacity: usize,
    at: usize,
    subscriber: &Subscriber<Inline<T>>,
    messages: &mut Messages<T, K>,
    mut publish: impl FnMut(&[T]),
) {
    let mut subscriber = subscriber.clone();
    // Not all combinations in a large ring, which is there for ways that receive several messages
    // per call, and not with large messages. Under Miri, a millisecond of work takes a minute.
    let each_with_each = capacity < 64 && size_of::<T>() < 1024 && !cfg!(miri);
    let chosen = |way: usize| each_with_each || way % 6 == at;
    for (_, receive) in receiving().into_iter().enumerate().filter(|(way, _)| chosen(*way)) {
        // A lap, and then more than one.
        for count in [capacity, 2 * capacity + 1] {
            subscriber.seek(Start::Latest);
            publish(&messages.next(count));
            let received = receive(subscriber.clone(), capacity);
            assert_eq!(received.len(), capacity);
            messages.check(&received);
        }
    }
    for newest in newest() {
        subscriber.seek(Start::Latest);
        publish(&messages.next(capacity + 1));
        messages.check(&[newest(subscriber.clone())]);
    }
}

/// A gating subscriber receives everything, and a full ring returns the message.
fn gating<T: Plain, K: PartialEq + Debug>(make: fn(u64) -> T, key: fn(&T) -> K) {
    for capacity in [1, 2, 4] {
        let (mut publisher, lossy) = Builder::new(capacity).gated().inline::<T>();
        drop(lossy);
        let mut gating = publisher.ring().subscribe_gating().unwrap();
        let mut messages = Messages::new(make, key);
        for publish in exclusive() {
            publish(&mut publisher, &messages.next(capacity));
            let refused = messages.all[3];
            let full = publisher.try_publish(refused).unwrap_err().into_inner();
            let late = publisher.publish_timeout(refused, Duration::ZERO).unwrap_err().into_inner();
            assert_eq!([key(&full), key(&late)], [key(&refused), key(&refused)]);
            receive_all(&mut gating, capacity, &messages);
        }
        let publisher = publisher.share();
        for publish in shared() {
            publish(&publisher, &messages.next(capacity));
            let refused = messages.all[3];
            let full = publisher.try_publish(refused).unwrap_err().into_inner();
            let late = publisher.publish_timeout(refused, Duration::ZERO).unwrap_err().into_inner();
            assert_eq!([key(&full), key(&late)], [key(&refused), key(&refused)]);
            receive_all(&mut gating, capacity, &messages);
        }
        assert_eq!((gating.received() as usize, gating.missed()), (messages.sent, 0));
    }
}

fn receive_all<T: Plain, K: PartialEq + Debug>(
    subscriber: &mut Subscriber<Inline<T>>,
    count: usize,
    messages: &Messages<T, K>,
) {
    let received: Vec<_> = (0..count).map(|_| subscriber.try_recv().ok().unwrap()).collect();
    messages.check(&received);
    assert!(matches!(subscriber.try_recv(), Err(TryRecvError::Empty)));
}
