//! bus: lossless, one publisher; readers poll or block.

use std::sync::mpsc::TryRecvError;

use crate::column::Column;
use crate::peer::{Blocking, Lossless, Peer};

pub struct Bus;

impl Peer for Bus {
    const COLUMN: Column = Column::Bus;
    const SLOWER: u64 = 8;
    type Tx = bus::Bus<u64>;
    type Rx = bus::BusReader<u64>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let mut tx = bus::Bus::new(capacity);
        let rxs = (0..readers).map(|_| tx.add_rx()).collect();
        (tx, rxs)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.broadcast(number);
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

impl Lossless for Bus {}

impl Blocking for Bus {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.recv().expect("a message")
    }
}
