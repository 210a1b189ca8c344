//! crossbeam-channel, a bounded channel for each reader: lossless, and the publisher sends to each in turn.

use std::marker::PhantomData;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};

use crate::column::Column;
use crate::message::Message;
use crate::peer::{Blocking, Lossless, Peer, Shareable};

pub struct Crossbeam<T = u64>(PhantomData<T>);

impl<T: Message> Peer for Crossbeam<T> {
    const COLUMN: Column = Column::Crossbeam;
    const KINDS: u64 = T::KINDS;
    const SLOWER: u64 = 4;
    type Tx = Vec<Sender<T>>;
    type Rx = Receiver<T>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        (0..readers).map(|_| bounded(capacity)).unzip()
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        for tx in tx {
            tx.send(T::of(number)).expect("a receiver");
        }
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        match rx.try_recv() {
            Ok(message) => Some(message.number()),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => panic!("disconnected"),
        }
    }
}

impl<T: Message> Shareable for Crossbeam<T> {}

impl<T: Message> Lossless for Crossbeam<T> {}

impl Blocking for Crossbeam {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.recv().expect("a message")
    }
}
