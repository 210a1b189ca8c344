//! seqcast, inline.

use std::marker::PhantomData;
use std::ops::Range;

use seqcast::{Inline, Plain, Publisher, SharedPublisher, Subscriber, TryRecvError};

use crate::message::Message;
use crate::peer::{Async, Blocking, Peer, Shareable};
use crate::table::Column;

/// What a try brought, in a ring that is not to lose anything.
#[inline]
pub(super) fn number(received: Result<u64, TryRecvError>) -> Option<u64> {
    match received {
        Ok(number) => Some(number),
        Err(TryRecvError::Empty) => None,
        Err(other) => panic!("{other}"),
    }
}

#[inline]
fn poll<T: Message + Plain>(rx: &mut Subscriber<Inline<T>>) -> Option<u64> {
    number(rx.try_recv().map(|message| message.number()))
}

/// By the only publisher of its ring.
pub struct Exclusive<T = u64>(PhantomData<T>);

impl<T: Message + Plain> Peer for Exclusive<T> {
    const COLUMN: Column = Column::Seqcast;
    const KINDS: u64 = T::KINDS;
    type Tx = Publisher<Inline<T>>;
    type Rx = Subscriber<Inline<T>>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let tx = seqcast::inline(capacity).0;
        let rxs = (0..readers).map(|_| tx.subscribe()).collect();
        (tx, rxs)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.publish(T::of(number));
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        poll(rx)
    }
}

impl Blocking for Exclusive {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.recv().expect("a message")
    }
}

impl Async for Exclusive {
    async fn next(rx: &mut Self::Rx) -> u64 {
        rx.recv_async().await.expect("a message")
    }
}

/// As `Exclusive`, with a burst published in one call: one wake-up for all of it.
pub struct Many;

impl Peer for Many {
    const COLUMN: Column = Column::Seqcast;
    type Tx = <Exclusive as Peer>::Tx;
    type Rx = <Exclusive as Peer>::Rx;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        <Exclusive>::ring(capacity, readers)
    }

    fn publish(tx: &mut Self::Tx, number: u64) {
        <Exclusive>::publish(tx, number);
    }

    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        poll(rx)
    }
}

impl Async for Many {
    fn next(rx: &mut Self::Rx) -> impl Future<Output = u64> + Send {
        <Exclusive as Async>::next(rx)
    }

    fn burst(tx: &mut Self::Tx, numbers: Range<u64>) {
        tx.publish_many(numbers);
    }
}

/// By one of many publishers.
pub struct Shared;

impl Peer for Shared {
    const COLUMN: Column = Column::Seqcast;
    type Tx = SharedPublisher<Inline<u64>>;
    type Rx = Subscriber<Inline<u64>>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let (tx, rxs) = <Exclusive>::ring(capacity, readers);
        (tx.share(), rxs)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.publish(number).expect("open");
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        poll(rx)
    }
}

impl Shareable for Shared {}
