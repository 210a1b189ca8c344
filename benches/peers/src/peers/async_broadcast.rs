//! async-broadcast: lossy if it overflows, else lossless.

use std::marker::PhantomData;

use async_broadcast::{InactiveReceiver, Receiver, Sender, TryRecvError};

use crate::column::Column;
use crate::message::Message;
use crate::peer::{Async, AsyncLossless, Blocking, Lossless, Peer, Shareable};

pub struct AsyncBroadcast<T = u64, const OVERFLOW: bool = true>(PhantomData<T>);

/// A publisher waits while the channel is full.
pub type AsyncBroadcastLossless = AsyncBroadcast<u64, false>;

impl<T: Message, const OVERFLOW: bool> Peer for AsyncBroadcast<T, OVERFLOW> {
    const COLUMN: Column = Column::AsyncBroadcast;
    const KINDS: u64 = T::KINDS;
    const SLOWER: u64 = 8;
    /// With a receiver that keeps the channel open when the last of the others is dropped.
    type Tx = (Sender<T>, InactiveReceiver<T>);
    type Rx = Receiver<T>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let (mut tx, rx) = async_broadcast::broadcast(capacity);
        tx.set_overflow(OVERFLOW);
        let rxs = (0..readers).map(|_| tx.new_receiver()).collect();
        ((tx, rx.deactivate()), rxs)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        if OVERFLOW {
            tx.0.try_broadcast(T::of(number)).expect("a receiver");
        } else {
            tx.0.broadcast_blocking(T::of(number)).expect("a receiver");
        }
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        match rx.try_recv() {
            Ok(message) => Some(message.number()),
            Err(TryRecvError::Empty) => None,
            Err(other) => panic!("{other}"),
        }
    }
}

impl<T: Message, const OVERFLOW: bool> Shareable for AsyncBroadcast<T, OVERFLOW> {}

impl Lossless for AsyncBroadcastLossless {}

impl<const OVERFLOW: bool> Blocking for AsyncBroadcast<u64, OVERFLOW> {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.recv_blocking().expect("a message")
    }
}

impl<const OVERFLOW: bool> Async for AsyncBroadcast<u64, OVERFLOW> {
    async fn next(rx: &mut Self::Rx) -> u64 {
        rx.recv_direct().await.expect("a message")
    }
}

impl AsyncLossless for AsyncBroadcastLossless {
    async fn send(tx: &mut Self::Tx, number: u64) {
        tx.0.broadcast_direct(number).await.expect("a receiver");
    }
}
