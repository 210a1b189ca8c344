//! seqcast, boxed: any payload, borrowed or cloned.

use std::marker::PhantomData;

use seqcast::{Publisher, SharedPublisher, Subscriber};

use super::inline::number;
use crate::column::Column;
use crate::message::Message;
use crate::peer::{Peer, Shareable};

pub(super) type Tx<T> = Publisher<seqcast::Boxed<T>>;
pub(super) type Rx<T> = Subscriber<seqcast::Boxed<T>>;

fn ring<T: Message>(capacity: usize, readers: usize) -> (Tx<T>, Vec<Rx<T>>) {
    let tx = seqcast::boxed(capacity).0;
    let rxs = (0..readers).map(|_| tx.subscribe()).collect();
    (tx, rxs)
}

#[inline]
pub(super) fn borrow<T: Message>(rx: &mut Rx<T>) -> Option<u64> {
    number(rx.try_recv_ref().map(|message| message.number()))
}

/// By the only publisher of its ring. Readers borrow the message, or clone it.
pub struct Alone<T, const CLONE: bool>(PhantomData<T>);

pub type Borrowed<T> = Alone<T, false>;
pub type Cloned<T> = Alone<T, true>;

impl<T: Message, const CLONE: bool> Peer for Alone<T, CLONE> {
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
        if CLONE { number(rx.try_recv().map(|message| message.number())) } else { borrow(rx) }
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
