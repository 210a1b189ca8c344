//! Peers that lose nothing: their publisher waits, or here panics, when a reader is too far behind.

use std::cell::RefCell;

use crossbeam_channel::{Receiver, Sender};

use crate::peer::{Blocks, Peer};

/// A bounded channel for each reader.
pub struct Crossbeam;

impl Peer for Crossbeam {
    const NAME: &'static str = "crossbeam, each";
    type Tx = (usize, RefCell<Vec<Sender<u64>>>);
    type Rx = Receiver<u64>;

    fn ring(capacity: usize) -> Self::Tx {
        (capacity, RefCell::default())
    }

    fn subscribe(tx: &Self::Tx) -> Self::Rx {
        let (sender, receiver) = crossbeam_channel::bounded(tx.0);
        tx.1.borrow_mut().push(sender);
        receiver
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, value: u64) {
        for sender in tx.1.get_mut() {
            sender.try_send(value).expect("room, and a receiver");
        }
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        rx.try_recv().ok()
    }
}

impl Blocks for Crossbeam {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.recv().expect("a message")
    }
}

pub struct Bus;

impl Peer for Bus {
    const NAME: &'static str = "bus";
    type Tx = RefCell<bus::Bus<u64>>;
    type Rx = bus::BusReader<u64>;

    fn ring(capacity: usize) -> Self::Tx {
        RefCell::new(bus::Bus::new(capacity))
    }

    fn subscribe(tx: &Self::Tx) -> Self::Rx {
        tx.borrow_mut().add_rx()
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, value: u64) {
        tx.get_mut().try_broadcast(value).expect("room");
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        rx.try_recv().ok()
    }
}

impl Blocks for Bus {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.recv().expect("a message")
    }
}
