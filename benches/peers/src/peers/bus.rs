//! bus: lossless, one publisher; readers poll or block.

use std::marker::PhantomData;
use std::sync::mpsc::TryRecvError;

use crate::column::Column;
use crate::message::Message;
use crate::peer::{Blocking, Lossless, Peer};

pub struct Bus<T = u64>(PhantomData<T>);

impl<T: Message> Peer for Bus<T> {
    const COLUMN: Column = Column::Bus;
    const KINDS: u64 = T::KINDS;
    const SLOWER: u64 = 8;
    type Tx = bus::Bus<T>;
    type Rx = bus::BusReader<T>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let mut tx = bus::Bus::new(capacity);
        let rxs = (0..readers).map(|_| tx.add_rx()).collect();
        (tx, rxs)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.broadcast(T::of(number));
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

impl<T: Message> Lossless for Bus<T> {}

impl Blocking for Bus {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.recv().expect("a message")
    }
}
