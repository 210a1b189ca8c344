//! async-broadcast: lossy when it is told to overflow, lossless otherwise.

use async_broadcast::{InactiveReceiver, Receiver, Sender, TryRecvError};

use crate::column::Column;
use crate::peer::{Async, AsyncLossless, Blocking, Lossless, Peer, Shareable};

pub struct AsyncBroadcast<const OVERFLOW: bool = true>;

/// A publisher waits while the channel is full.
pub type AsyncBroadcastLossless = AsyncBroadcast<false>;

impl<const OVERFLOW: bool> Peer for AsyncBroadcast<OVERFLOW> {
    const COLUMN: Column = Column::AsyncBroadcast;
    const SLOWER: u64 = 8;
    /// With a receiver that keeps it open when the last of the others goes.
    type Tx = (Sender<u64>, InactiveReceiver<u64>);
    type Rx = Receiver<u64>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let (mut tx, rx) = async_broadcast::broadcast(capacity);
        tx.set_overflow(OVERFLOW);
        let rxs = (0..readers).map(|_| tx.new_receiver()).collect();
        ((tx, rx.deactivate()), rxs)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        if OVERFLOW {
            tx.0.try_broadcast(number).expect("a receiver");
        } else {
            tx.0.broadcast_blocking(number).expect("a receiver");
        }
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        match rx.try_recv() {
            Ok(number) => Some(number),
            Err(TryRecvError::Empty) => None,
            Err(other) => panic!("{other}"),
        }
    }
}

impl<const OVERFLOW: bool> Shareable for AsyncBroadcast<OVERFLOW> {}

impl Lossless for AsyncBroadcastLossless {}

impl<const OVERFLOW: bool> Blocking for AsyncBroadcast<OVERFLOW> {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.recv_blocking().expect("a message")
    }
}

impl<const OVERFLOW: bool> Async for AsyncBroadcast<OVERFLOW> {
    async fn next(rx: &mut Self::Rx) -> u64 {
        rx.recv_direct().await.expect("a message")
    }
}

impl AsyncLossless for AsyncBroadcastLossless {
    async fn send(tx: &mut Self::Tx, number: u64) {
        tx.0.broadcast_direct(number).await.expect("a receiver");
    }
}
