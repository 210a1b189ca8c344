//! crossbeam-channel, a bounded channel for each reader: lossless, and the publisher sends to each in turn.

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};

use crate::column::Column;
use crate::peer::{Blocking, Lossless, Peer, Shareable};

pub struct Crossbeam;

impl Peer for Crossbeam {
    const COLUMN: Column = Column::Crossbeam;
    const SLOWER: u64 = 4;
    type Tx = Vec<Sender<u64>>;
    type Rx = Receiver<u64>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        (0..readers).map(|_| bounded(capacity)).unzip()
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        for tx in tx {
            tx.send(number).expect("a receiver");
        }
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        match rx.try_recv() {
            Ok(number) => Some(number),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => panic!("disconnected"),
        }
    }
}

impl Shareable for Crossbeam {}

impl Lossless for Crossbeam {}

impl Blocking for Crossbeam {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.recv().expect("a message")
    }
}
