//! Every way of receiving, once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use seqcast::{
    Boxed, Inline, Lagged, Publisher, Receive, RecvError, RecvTimeoutError, Storage, Subscriber, TryRecvError,
};

use crate::common::block_on;

/// What a receive had to say: a message, or a loss.
pub(crate) type Received = Result<u64, Lagged>;

fn tried(received: Result<u64, TryRecvError>) -> Received {
    received.map_err(|error| match error {
        TryRecvError::Lagged(lagged) => lagged,
        other => panic!("{other}"),
    })
}

fn waited(received: Result<u64, RecvError>) -> Received {
    tried(received.map_err(Into::into))
}

fn timed(received: Result<u64, RecvTimeoutError>) -> Received {
    received.map_err(|error| match error {
        RecvTimeoutError::Lagged(lagged) => lagged,
        other => panic!("{other}"),
    })
}

/// One message in a buffer.
fn one(buffer: &[u64]) -> u64 {
    assert_eq!(buffer.len(), 1);
    buffer[0]
}

pub(crate) type Way<S> = fn(&mut Subscriber<S>) -> Received;

pub(crate) fn ways<S: Receive<Item = u64>>() -> Vec<Way<S>> {
    vec![
        |subscriber| tried(subscriber.try_recv()),
        |subscriber| waited(subscriber.recv()),
        |subscriber| timed(subscriber.recv_timeout(Duration::from_secs(60))),
        |subscriber| timed(subscriber.recv_deadline(Instant::now())),
        |subscriber| {
            let mut buffer = Vec::new();
            tried(subscriber.try_recv_many(&mut buffer, 1).map(|_| one(&buffer)))
        },
        |subscriber| {
            let mut buffer = Vec::new();
            waited(subscriber.recv_many(&mut buffer, 1).map(|_| one(&buffer)))
        },
        |subscriber| waited(block_on(subscriber.recv_async())),
        |subscriber| {
            let mut buffer = Vec::new();
            waited(block_on(subscriber.recv_many_async(&mut buffer, 1)).map(|_| one(&buffer)))
        },
        |subscriber| block_on(subscriber.next()).unwrap(),
        |subscriber| subscriber.iter().next().unwrap(),
        |subscriber| subscriber.try_iter().next().unwrap(),
    ]
}

pub(crate) fn borrowing_ways() -> Vec<Way<Boxed<u64>>> {
    vec![
        |subscriber| tried(subscriber.try_recv_ref().map(|message| *message)),
        |subscriber| waited(subscriber.recv_ref().map(|message| *message)),
        |subscriber| timed(subscriber.recv_ref_timeout(Duration::from_secs(60)).map(|message| *message)),
        |subscriber| waited(block_on(subscriber.recv_ref_async()).map(|message| *message)),
        |subscriber| subscriber.next_ref().unwrap().map(|message| *message),
        |subscriber| block_on(subscriber.next_ref_async()).unwrap().map(|message| *message),
    ]
}

/// Rings of every kind, each with every way of receiving from it. The lossy subscriber is new.
pub(crate) fn each(mut body: impl FnMut(&mut dyn Reading)) {
    fn all<S: Receive<Item = u64>>(
        make: impl Fn() -> (Publisher<S>, Subscriber<S>),
        ways: Vec<Way<S>>,
        body: &mut impl FnMut(&mut dyn Reading),
    ) {
        for way in ways {
            let (publisher, subscriber) = make();
            body(&mut Reader { publisher, subscriber, way });
        }
    }
    let gating = |publisher: &Publisher<Inline<u64>>| publisher.ring().subscribe_gating().unwrap();
    all(|| seqcast::inline(4), ways(), &mut body);
    all(|| seqcast::boxed(4), ways(), &mut body);
    all(|| seqcast::boxed(4), borrowing_ways(), &mut body);
    all(|| seqcast::Builder::new(4).eager_drop().boxed(), ways(), &mut body);
    // A gating subscriber that was demoted.
    let demoted = || {
        let builder = seqcast::Builder::new(4).gated().gate_deadline(Duration::from_millis(1));
        let (mut publisher, _) = builder.inline::<u64>();
        let subscriber = gating(&publisher);
        publisher.publish_many([0; 5]);
        (publisher, subscriber)
    };
    all(demoted, ways(), &mut body);
}

struct Reader<S: Storage> {
    publisher: Publisher<S>,
    subscriber: Subscriber<S>,
    way: Way<S>,
}

/// A ring, a subscriber, and a way to receive.
pub(crate) trait Reading {
    fn publish(&mut self, messages: std::ops::Range<u64>);
    fn receive(&mut self) -> Received;
    fn set_name(&self, name: &str);
    /// Whether law 1 holds, and the last sequence is there.
    fn check(&self);
    /// What an onlooker sees of the subscriber: the next sequence, and how many were missed.
    fn onlooker(&self) -> Arc<dyn Fn() -> (u64, u64) + Send + Sync>;
    fn missed(&self) -> u64;
    fn lag(&self) -> u64;
}

impl<S: Receive<Item = u64>> Reading for Reader<S> {
    fn publish(&mut self, messages: std::ops::Range<u64>) {
        self.publisher.publish_many(messages);
    }

    fn receive(&mut self) -> Received {
        (self.way)(&mut self.subscriber)
    }

    fn set_name(&self, name: &str) {
        self.subscriber.set_name(name);
    }

    #[track_caller]
    fn check(&self) {
        let subscriber = &self.subscriber;
        let counted = subscriber.received() + subscriber.missed() + subscriber.holes() + subscriber.skipped_by_choice();
        assert_eq!(counted, subscriber.next_sequence() - subscriber.start_sequence());
    }

    fn onlooker(&self) -> Arc<dyn Fn() -> (u64, u64) + Send + Sync> {
        let (ring, id) = (self.publisher.ring(), self.subscriber.id());
        Arc::new(move || {
            let stats = ring.stats();
            let seen = stats.subscribers.iter().find(|subscriber| subscriber.id == id).unwrap();
            (seen.next_sequence, seen.missed)
        })
    }

    fn missed(&self) -> u64 {
        self.subscriber.missed()
    }

    fn lag(&self) -> u64 {
        self.subscriber.lag()
    }
}
