//! seqcast, gated: publishers wait for the slowest of these subscribers.

use seqcast::{Builder, Inline, Publisher, SharedPublisher, Storage, Subscriber};

use super::{boxed, inline};
use crate::column::Column;
use crate::peer::{Async, AsyncLossless, Blocking, Lossless, Peer, Shareable};

fn subscribe<S: Storage>(tx: &Publisher<S>, readers: usize) -> Vec<Subscriber<S>> {
    (0..readers).map(|_| tx.ring().subscribe_gating().expect("a gated ring")).collect()
}

/// Inline, by the only publisher of its ring.
pub struct Gated;

impl Peer for Gated {
    const COLUMN: Column = Column::Seqcast;
    type Tx = Publisher<Inline<u64>>;
    type Rx = Subscriber<Inline<u64>>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let tx = Builder::new(capacity).gated().inline().0;
        let rxs = subscribe(&tx, readers);
        (tx, rxs)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.publish(number);
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        inline::poll(rx)
    }
}

impl Lossless for Gated {}

impl Blocking for Gated {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.recv().expect("a message")
    }
}

/// The same; readers take up to 64 messages at a time.
pub struct GatedMany;

impl Peer for GatedMany {
    const COLUMN: Column = Column::Seqcast;
    type Tx = Publisher<Inline<u64>>;
    type Rx = (Subscriber<Inline<u64>>, Vec<u64>);

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let (tx, rxs) = Gated::ring(capacity, readers);
        (tx, rxs.into_iter().map(|rx| (rx, Vec::with_capacity(64))).collect())
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.publish(number);
    }

    #[inline]
    fn poll((rx, _): &mut Self::Rx) -> Option<u64> {
        inline::poll(rx)
    }

    #[inline]
    fn drain((rx, buffer): &mut Self::Rx, mut each: impl FnMut(u64)) {
        while inline::number(rx.try_recv_many(buffer, 64).map(|received| received as u64)).is_some() {
            buffer.drain(..).for_each(&mut each);
        }
    }
}

impl Lossless for GatedMany {}

/// Boxed, by the only publisher of its ring. Readers borrow the messages.
pub struct GatedBoxed;

impl Peer for GatedBoxed {
    const COLUMN: Column = Column::Seqcast;
    type Tx = boxed::Tx<u64>;
    type Rx = boxed::Rx<u64>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let tx = Builder::new(capacity).gated().boxed().0;
        let rxs = subscribe(&tx, readers);
        (tx, rxs)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.publish(number);
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        boxed::borrow(rx)
    }
}

impl Lossless for GatedBoxed {}

/// Inline, by one of many publishers.
pub struct GatedShared;

impl Peer for GatedShared {
    const COLUMN: Column = Column::Seqcast;
    type Tx = SharedPublisher<Inline<u64>>;
    type Rx = Subscriber<Inline<u64>>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let (tx, rxs) = Gated::ring(capacity, readers);
        (tx.share(), rxs)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.publish(number).expect("open");
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        inline::poll(rx)
    }
}

impl Shareable for GatedShared {}

impl Lossless for GatedShared {}

impl Async for GatedShared {
    async fn next(rx: &mut Self::Rx) -> u64 {
        rx.recv_async().await.expect("a message")
    }
}

impl AsyncLossless for GatedShared {
    async fn send(tx: &mut Self::Tx, number: u64) {
        tx.publish_async(number).await.expect("open");
    }
}
