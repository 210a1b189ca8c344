//! photon-ring: plain data, lossy, or lossless with one publisher; readers only poll.

use std::marker::PhantomData;

use photon_ring::{MpPublisher, Pod, Publisher, Subscribable, Subscriber, TryRecvError};

use crate::column::Column;
use crate::message::Message;
use crate::peer::{Batched, Lossless, Peer, Shareable};

fn subscribe<T: Pod>(ring: &Subscribable<T>, readers: usize) -> Vec<Subscriber<T>> {
    (0..readers).map(|_| ring.subscribe()).collect()
}

#[inline]
fn poll<T: Message + Pod>(rx: &mut Subscriber<T>) -> Option<u64> {
    // By reference: a large message would be copied into `message`.
    match &rx.try_recv() {
        Ok(message) => Some(message.number()),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::Lagged { .. }) => panic!("lagged"),
    }
}

/// By the only publisher.
pub struct Photon<T = u64, const BOUNDED: bool = false>(PhantomData<T>);

/// The publisher waits for the slowest reader.
pub type PhotonBounded = Photon<u64, true>;

impl Lossless for PhotonBounded {}

impl<T: Message + Pod, const BOUNDED: bool> Peer for Photon<T, BOUNDED> {
    const COLUMN: Column = Column::Photon;
    const KINDS: u64 = T::KINDS;
    type Tx = Publisher<T>;
    type Rx = Subscriber<T>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let (tx, ring) =
            if BOUNDED { photon_ring::channel_bounded(capacity, 0) } else { photon_ring::channel(capacity) };
        (tx, subscribe(&ring, readers))
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.publish(T::of(number));
    }

    #[inline]
    fn publish_batch<const N: usize>(tx: &mut Self::Tx, numbers: [u64; N]) {
        tx.publish_batch(&numbers.map(T::of));
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        poll(rx)
    }
}

impl Batched for Photon {
    #[inline]
    fn receive_batch(rx: &mut Self::Rx, buffer: &mut Vec<u64>, limit: usize, each: impl FnMut(u64)) {
        buffer.resize(limit, 0);
        let count = rx.recv_batch(buffer);
        buffer[..count].iter().copied().for_each(each);
    }
}

/// By one of many publishers.
pub struct PhotonShared;

impl Peer for PhotonShared {
    const COLUMN: Column = Column::Photon;
    type Tx = MpPublisher<u64>;
    type Rx = Subscriber<u64>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let (tx, ring) = photon_ring::channel_mpmc(capacity);
        (tx, subscribe(&ring, readers))
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.publish(number);
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        poll(rx)
    }
}

impl Shareable for PhotonShared {}
