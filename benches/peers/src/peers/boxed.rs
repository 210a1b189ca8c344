//! seqcast, boxed: any payload, borrowed where it lies or cloned.

use std::marker::PhantomData;

use seqcast::{Publisher, SharedPublisher, Subscriber, TryRecvError};

use crate::message::Message;
use crate::peer::{Peer, Shareable};
use crate::table::Column;

type Tx<T> = Publisher<seqcast::Boxed<T>>;
type Rx<T> = Subscriber<seqcast::Boxed<T>>;

fn ring<T: Message>(capacity: usize, readers: usize) -> (Tx<T>, Vec<Rx<T>>) {
    let tx = seqcast::boxed(capacity).0;
    let rxs = (0..readers).map(|_| tx.subscribe()).collect();
    (tx, rxs)
}

#[inline]
fn borrow<T: Message>(rx: &mut Rx<T>) -> Option<u64> {
    match rx.try_recv_ref() {
        Ok(message) => Some(message.number()),
        Err(TryRecvError::Empty) => None,
        Err(other) => panic!("{other}"),
    }
}

/// Readers look at the message where it lies.
pub struct Borrowed<T>(PhantomData<T>);

impl<T: Message> Peer for Borrowed<T> {
    const COLUMN: Column = Column::Seqcast;
    const KINDS: u64 = T::KINDS;
    type Tx = Tx<T>;
    type Rx = Rx<T>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        ring(capacity, readers)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.publish(T::of(number));
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        borrow(rx)
    }
}

/// Readers take a clone.
pub struct Cloned<T>(PhantomData<T>);

impl<T: Message> Peer for Cloned<T> {
    const COLUMN: Column = Column::Seqcast;
    const KINDS: u64 = T::KINDS;
    type Tx = Tx<T>;
    type Rx = Rx<T>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        ring(capacity, readers)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.publish(T::of(number));
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

/// As `Borrowed`, by one of many publishers.
pub struct BorrowedShared<T>(PhantomData<T>);

impl<T: Message> Peer for BorrowedShared<T> {
    const COLUMN: Column = Column::Seqcast;
    const KINDS: u64 = T::KINDS;
    type Tx = SharedPublisher<seqcast::Boxed<T>>;
    type Rx = Rx<T>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let (tx, rxs) = ring(capacity, readers);
        (tx.share(), rxs)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        assert!(tx.publish(T::of(number)).is_ok(), "open");
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        borrow(rx)
    }
}

impl<T: Message> Shareable for BorrowedShared<T> {}
