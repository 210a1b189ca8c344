//! async-broadcast, told to overflow, so that it is lossy like the others here.

use async_broadcast::{InactiveReceiver, Receiver, Sender, TryRecvError};

use crate::column::Column;
use crate::peer::{Async, Blocking, Peer, Shareable};

pub struct AsyncBroadcast;

impl Peer for AsyncBroadcast {
    const COLUMN: Column = Column::AsyncBroadcast;
    const SLOWER: u64 = 8;
    /// With a receiver that keeps it open when the last of the others goes.
    type Tx = (Sender<u64>, InactiveReceiver<u64>);
    type Rx = Receiver<u64>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let (mut tx, rx) = async_broadcast::broadcast(capacity);
        tx.set_overflow(true);
        let rxs = (0..readers).map(|_| tx.new_receiver()).collect();
        ((tx, rx.deactivate()), rxs)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.0.try_broadcast(number).expect("a receiver");
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

impl Shareable for AsyncBroadcast {}

impl Blocking for AsyncBroadcast {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.recv_blocking().expect("a message")
    }
}

impl Async for AsyncBroadcast {
    async fn next(rx: &mut Self::Rx) -> u64 {
        rx.recv_direct().await.expect("a message")
    }
}
