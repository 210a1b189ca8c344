//! tokio's broadcast channel: any `T: Clone`, lossy, for tasks and threads, with or without many publishers.

use std::marker::PhantomData;

use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::broadcast::{Receiver, Sender};

use crate::column::Column;
use crate::message::Message;
use crate::peer::{Async, Blocking, Peer, Shareable};

pub struct Tokio<T = u64>(PhantomData<T>);

impl<T: Message> Peer for Tokio<T> {
    const COLUMN: Column = Column::Tokio;
    const KINDS: u64 = T::KINDS;
    const SLOWER: u64 = 8;
    type Tx = Sender<T>;
    type Rx = Receiver<T>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let tx = Sender::new(capacity);
        let rxs = (0..readers).map(|_| tx.subscribe()).collect();
        (tx, rxs)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        assert!(tx.send(T::of(number)).is_ok(), "it keeps nothing when there is no reader");
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

impl<T: Message> Shareable for Tokio<T> {}

impl Blocking for Tokio {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.blocking_recv().expect("a message")
    }
}

impl Async for Tokio {
    async fn next(rx: &mut Self::Rx) -> u64 {
        rx.recv().await.expect("a message")
    }
}
