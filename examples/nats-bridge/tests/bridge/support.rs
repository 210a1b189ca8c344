//! What the tests share.

use std::fmt::Display;
use std::future::Future;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::OrderedConfig;
use bytes::Bytes;
use futures::StreamExt;
use seqcast::{Boxed, Builder, Publisher, Ring};
use seqcast_nats_bridge::{
    Broker, Inbound, InboundSettings, Instance, Link, Outbound, OutboundSettings, StreamSettings, create_stream,
};
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::{sleep, timeout};

pub(crate) const STREAM: &str = "events";
pub(crate) const SUBJECT: &str = "events.all";
/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(180);

/// A broker that runs. None if the machine has none: the test is then skipped, and says so.
pub(crate) fn broker() -> Option<Broker> {
    if !Broker::is_installed() {
        // Not by `eprintln!`, whose output the test harness keeps to itself.
        let _ =
            std::io::stderr().write_all(b"\n!!! SKIPPED: a test of the NATS bridge: nats-server is not installed\n");
        return None;
    }
    Some(block_in_place(Broker::started).unwrap())
}

/// The seed of what is drawn at random. It is printed when the test fails.
pub(crate) fn seed() -> fastrand::Rng {
    let seed = std::env::var("SEQCAST_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("SEQCAST_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(LIMIT, future).await.expect("in time")
}

/// Waits until `holds`.
pub(crate) async fn until(what: impl Display, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(timeout(LIMIT, waiting).await.is_ok(), "not in time: {what}");
}

/// The bytes of message `number`, of different lengths.
pub(crate) fn message(number: u64) -> Bytes {
    let width = 1 + usize::try_from(number % 97).unwrap();
    format!("{number:0width$}").into()
}

pub(crate) async fn link(address: SocketAddr) -> Link {
    link_with(address, Duration::from_secs(2)).await
}

pub(crate) async fn link_with(address: SocketAddr, patience: Duration) -> Link {
    within(Link::open(address, patience)).await.unwrap()
}

pub(crate) async fn stream(link: &Link) {
    within(create_stream(link, &StreamSettings::new(STREAM, SUBJECT))).await.unwrap();
}

pub(crate) fn outbound_settings() -> OutboundSettings {
    OutboundSettings::new(STREAM, SUBJECT)
}

pub(crate) fn ring(capacity: usize) -> (Publisher<Boxed<Bytes>>, Ring<Boxed<Bytes>>) {
    let (publisher, _) = Builder::new(capacity).gated().boxed();
    let ring = publisher.ring();
    (publisher, ring)
}

pub(crate) fn outbound(ring: &Ring<Boxed<Bytes>>) -> Outbound {
    Outbound::new(ring, Instance::new(), outbound_settings()).unwrap()
}

pub(crate) fn inbound_settings() -> InboundSettings {
    InboundSettings::new(STREAM, "bridge")
}

/// Runs a bridge to the end of its ring.
pub(crate) fn forward(mut outbound: Outbound, link: Link) -> JoinHandle<Outbound> {
    tokio::spawn(async move {
        outbound.run(&link).await.unwrap();
        outbound
    })
}

/// Runs a bridge until the task is aborted.
pub(crate) fn receive(mut inbound: Inbound, link: Link) -> JoinHandle<()> {
    tokio::spawn(async move {
        let Err(error) = inbound.run(&link).await;
        panic!("{error}");
    })
}

/// The stream has exactly the messages of these numbers, in order, and nothing else.
pub(crate) async fn expect_stored(link: &Link, numbers: std::ops::Range<u64>) {
    let stream = link.context().get_stream(STREAM).await.unwrap();
    let state = &stream.cached_info().state;
    let count = numbers.end - numbers.start;
    assert_eq!((state.messages, state.last_sequence), (count, count), "in the stream");
    let reading = async {
        let consumer = stream.create_consumer(OrderedConfig::default()).await.unwrap();
        let mut messages = consumer.messages().await.unwrap();
        for number in numbers {
            let stored = messages.next().await.unwrap().unwrap();
            assert_eq!(stored.payload, message(number), "at {}", stored.info().unwrap().stream_sequence);
        }
    };
    within(reading).await;
}
