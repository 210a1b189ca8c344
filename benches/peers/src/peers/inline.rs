//! seqcast, inline.

use std::marker::PhantomData;
use std::ops::Range;

use seqcast::{Inline, Plain, Publisher, SharedPublisher, Subscriber, TryRecvError};

use tokio::runtime::Runtime;

use crate::column::Column;
use crate::message::Message;
use crate::peer::{Async, Batched, Blocking, Peer, Shareable};

/// The result of a `try_recv`, on a ring that must not lose anything.
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

/// How an exclusive publisher sends bursts to tasks, and what runs beside the tasks.
pub trait Use: 'static {
    fn burst(tx: &mut Publisher<Inline<u64>>, numbers: Range<u64>) {
        for number in numbers {
            tx.publish(number);
        }
    }

    /// See [`Async::prepare`].
    fn prepare(_tx: &Publisher<Inline<u64>>, _runtime: &Runtime) {}
}

/// Each message by a call of its own.
pub struct OneByOne;

impl Use for OneByOne {}

/// A burst in one call, with one wake-up.
pub struct InOneCall;

impl Use for InOneCall {
    fn burst(tx: &mut Publisher<Inline<u64>>, numbers: Range<u64>) {
        tx.publish_many(numbers);
    }
}

/// A future on the runtime wakes the tasks.
pub struct ByDriver;

impl Use for ByDriver {
    fn prepare(tx: &Publisher<Inline<u64>>, runtime: &Runtime) {
        runtime.spawn(tx.ring().drive_wakes());
    }
}

/// By the only publisher of its ring.
pub struct Exclusive<T = u64, U = OneByOne>(PhantomData<(T, U)>);

pub type Many = Exclusive<u64, InOneCall>;
pub type Driven = Exclusive<u64, ByDriver>;

impl<T: Message + Plain, U: Use> Peer for Exclusive<T, U> {
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
    fn publish_batch<const N: usize>(tx: &mut Self::Tx, numbers: [u64; N]) {
        tx.publish_many(numbers.map(T::of));
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        poll(rx)
    }
}

impl Batched for Exclusive {
    #[inline]
    fn receive_batch(rx: &mut Self::Rx, buffer: &mut Vec<u64>, limit: usize, each: impl FnMut(u64)) {
        buffer.clear();
        match rx.try_recv_many(buffer, limit) {
            Ok(_) => buffer.iter().copied().for_each(each),
            Err(TryRecvError::Empty) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

impl Blocking for Exclusive {
    fn wait(rx: &mut Self::Rx) -> u64 {
        rx.recv().expect("a message")
    }
}

impl<U: Use> Async for Exclusive<u64, U> {
    async fn next(rx: &mut Self::Rx) -> u64 {
        rx.recv_async().await.expect("a message")
    }

    fn burst(tx: &mut Self::Tx, numbers: Range<u64>) {
        U::burst(tx, numbers);
    }

    fn prepare(tx: &Self::Tx, runtime: &Runtime) {
        U::prepare(tx, runtime);
    }
}

/// By one of many publishers. A batch is published one by one, or in one call.
pub struct Shared<const MANY: bool = false>;

pub type SharedMany = Shared<true>;

impl<const MANY: bool> Peer for Shared<MANY> {
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
    fn publish_batch<const N: usize>(tx: &mut Self::Tx, numbers: [u64; N]) {
        if MANY {
            assert_eq!(tx.publish_many(numbers), N, "open");
        } else {
            for number in numbers {
                Self::publish(tx, number);
            }
        }
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        poll(rx)
    }
}

impl Shareable for Shared {}

/// By a shared publisher that has no clones now. For each batch it becomes the exclusive one,
/// publishes one by one, and is shared again.
pub struct Phases;

impl Peer for Phases {
    const COLUMN: Column = Column::Seqcast;
    type Tx = Option<SharedPublisher<Inline<u64>>>;
    type Rx = Subscriber<Inline<u64>>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let (tx, rxs) = <Shared>::ring(capacity, readers);
        (Some(tx), rxs)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        Self::publish_batch(tx, [number]);
    }

    #[inline]
    fn publish_batch<const N: usize>(tx: &mut Self::Tx, numbers: [u64; N]) {
        let shared = tx.take().expect("it is put back after each batch");
        let mut exclusive = shared.try_into_exclusive().expect("it has no clones");
        for number in numbers {
            exclusive.publish(number);
        }
        *tx = Some(exclusive.share());
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        poll(rx)
    }
}
