//! One face for every broadcast ring, polled. Messages are numbers; in `texts.rs` each is sent as a text of 64 bytes.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;

pub trait Peer {
    const NAME: &'static str;
    type Tx: Send;
    type Rx: Send;

    fn ring(capacity: usize) -> Self::Tx;
    fn subscribe(tx: &Self::Tx) -> Self::Rx;
    fn publish(tx: &mut Self::Tx, value: u64);
    /// What a reader sees of a number; `None` when there is nothing.
    ///
    /// # Panics
    ///
    /// When messages were lost: every workload here is paced so that none is.
    fn poll(rx: &mut Self::Rx) -> Option<u64>;

    /// What a reader should see of a number.
    #[inline]
    fn seen(value: u64) -> u64 {
        value
    }
}

/// A peer whose publisher can be cloned.
pub trait Shareable: Peer<Tx: Clone> {}

pub struct Exclusive;

impl Peer for Exclusive {
    const NAME: &'static str = "seqcast";
    type Tx = seqcast::Publisher<seqcast::Inline<u64>>;
    type Rx = seqcast::Subscriber<seqcast::Inline<u64>>;

    fn ring(capacity: usize) -> Self::Tx {
        seqcast::inline(capacity).0
    }

    fn subscribe(tx: &Self::Tx) -> Self::Rx {
        tx.subscribe()
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, value: u64) {
        tx.publish(value);
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        match rx.try_recv() {
            Ok(value) => Some(value),
            Err(seqcast::TryRecvError::Empty) => None,
            Err(other) => panic!("{other}"),
        }
    }
}

pub struct Shared;

impl Peer for Shared {
    const NAME: &'static str = "seqcast shared";
    type Tx = seqcast::SharedPublisher<seqcast::Inline<u64>>;
    type Rx = seqcast::Subscriber<seqcast::Inline<u64>>;

    fn ring(capacity: usize) -> Self::Tx {
        seqcast::inline(capacity).0.share()
    }

    fn subscribe(tx: &Self::Tx) -> Self::Rx {
        tx.subscribe()
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, value: u64) {
        let _ = tx.publish(value);
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        Exclusive::poll(rx)
    }
}

impl Shareable for Shared {}

pub struct Photon;

impl Peer for Photon {
    const NAME: &'static str = "photon-ring";
    type Tx = (photon_ring::Publisher<u64>, photon_ring::Subscribable<u64>);
    type Rx = photon_ring::Subscriber<u64>;

    fn ring(capacity: usize) -> Self::Tx {
        photon_ring::channel(capacity)
    }

    fn subscribe(tx: &Self::Tx) -> Self::Rx {
        tx.1.subscribe()
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, value: u64) {
        tx.0.publish(value);
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        match rx.try_recv() {
            Ok(value) => Some(value),
            Err(photon_ring::TryRecvError::Empty) => None,
            Err(photon_ring::TryRecvError::Lagged { .. }) => panic!("lagged"),
        }
    }
}

pub struct PhotonShared;

impl Peer for PhotonShared {
    const NAME: &'static str = "photon-ring mpmc";
    type Tx = (photon_ring::MpPublisher<u64>, photon_ring::Subscribable<u64>);
    type Rx = photon_ring::Subscriber<u64>;

    fn ring(capacity: usize) -> Self::Tx {
        photon_ring::channel_mpmc(capacity)
    }

    fn subscribe(tx: &Self::Tx) -> Self::Rx {
        tx.1.subscribe()
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, value: u64) {
        tx.0.publish(value);
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        Photon::poll(rx)
    }
}

impl Shareable for PhotonShared {}

pub struct Tokio;

impl Peer for Tokio {
    const NAME: &'static str = "tokio broadcast";
    type Tx = Arc<tokio::sync::broadcast::Sender<u64>>;
    type Rx = tokio::sync::broadcast::Receiver<u64>;

    fn ring(capacity: usize) -> Self::Tx {
        Arc::new(tokio::sync::broadcast::channel(capacity).0)
    }

    fn subscribe(tx: &Self::Tx) -> Self::Rx {
        tx.subscribe()
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, value: u64) {
        tx.send(value).expect("a receiver");
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        match rx.try_recv() {
            Ok(value) => Some(value),
            Err(tokio::sync::broadcast::error::TryRecvError::Empty) => None,
            Err(other) => panic!("{other}"),
        }
    }
}

impl Shareable for Tokio {}

/// A peer that a thread can wait for.
pub trait Blocks: Peer<Rx: 'static> {
    fn wait(rx: &mut Self::Rx) -> u64;
}

/// A peer that a task can wait for.
pub trait Awaits: Peer<Rx: 'static> {
    fn next(rx: &mut Self::Rx) -> impl Future<Output = u64> + Send;

    /// Publishes a few numbers in a row.
    fn burst(tx: &mut Self::Tx, values: Range<u64>) {
        for value in values {
            Self::publish(tx, value);
        }
    }
}

impl Blocks for Exclusive {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.recv().expect("a message")
    }
}

impl Awaits for Exclusive {
    async fn next(rx: &mut Self::Rx) -> u64 {
        rx.recv_async().await.expect("a message")
    }
}

/// As `Exclusive`, with a burst published in one call: one wake-up for all of it.
pub struct Many;

impl Peer for Many {
    const NAME: &'static str = "publish_many";
    type Tx = <Exclusive as Peer>::Tx;
    type Rx = <Exclusive as Peer>::Rx;

    fn ring(capacity: usize) -> Self::Tx {
        Exclusive::ring(capacity)
    }

    fn subscribe(tx: &Self::Tx) -> Self::Rx {
        tx.subscribe()
    }

    fn publish(tx: &mut Self::Tx, value: u64) {
        tx.publish(value);
    }

    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        Exclusive::poll(rx)
    }
}

impl Awaits for Many {
    fn next(rx: &mut Self::Rx) -> impl Future<Output = u64> + Send {
        Exclusive::next(rx)
    }

    fn burst(tx: &mut Self::Tx, values: Range<u64>) {
        tx.publish_many(values);
    }
}

impl Blocks for Tokio {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.blocking_recv().expect("a message")
    }
}

impl Awaits for Tokio {
    async fn next(rx: &mut Self::Rx) -> u64 {
        rx.recv().await.expect("a message")
    }
}

pub struct AsyncBroadcast;

impl Peer for AsyncBroadcast {
    const NAME: &'static str = "async-broadcast";
    type Tx = (async_broadcast::Sender<u64>, async_broadcast::InactiveReceiver<u64>);
    type Rx = async_broadcast::Receiver<u64>;

    fn ring(capacity: usize) -> Self::Tx {
        let (tx, rx) = async_broadcast::broadcast(capacity);
        (tx, rx.deactivate())
    }

    fn subscribe(tx: &Self::Tx) -> Self::Rx {
        tx.0.new_receiver()
    }

    fn publish(tx: &mut Self::Tx, value: u64) {
        tx.0.try_broadcast(value).expect("room, and a receiver");
    }

    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        match rx.try_recv() {
            Ok(value) => Some(value),
            Err(async_broadcast::TryRecvError::Empty) => None,
            Err(other) => panic!("{other}"),
        }
    }
}

impl Blocks for AsyncBroadcast {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.recv_blocking().expect("a message")
    }
}

impl Awaits for AsyncBroadcast {
    async fn next(rx: &mut Self::Rx) -> u64 {
        rx.recv_direct().await.expect("a message")
    }
}
