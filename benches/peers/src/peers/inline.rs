//! seqcast, inline.

use std::marker::PhantomData;
use std::ops::Range;

use seqcast::{Inline, Plain, Publisher, SharedPublisher, Subscriber, TryRecvError};

use crate::column::Column;
use crate::message::Message;
use crate::peer::{Async, Blocking, Peer, Shareable};

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
pub(super) fn poll<T: Message + Plain>(rx: &mut Subscriber<Inline<T>>) -> Option<u64> {
    number(rx.try_recv().map(|message| message.number()))
}

/// By the only publisher of its ring. A burst is published one by one, or in one call with one wake-up.
pub struct Exclusive<T = u64, const MANY: bool = false>(PhantomData<T>);

pub type Many = Exclusive<u64, true>;

impl<T: Message + Plain, const MANY: bool> Peer for Exclusive<T, MANY> {
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

impl<const MANY: bool> Async for Exclusive<u64, MANY> {
    async fn next(rx: &mut Self::Rx) -> u64 {
        rx.recv_async().await.expect("a message")
    }

    fn burst(tx: &mut Self::Tx, numbers: Range<u64>) {
        if MANY {
            tx.publish_many(numbers);
        } else {
            numbers.for_each(|number| Self::publish(tx, number));
        }
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
