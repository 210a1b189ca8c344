//! yring: any payload, lossless, one publisher and one reader. Both move their cursors once per batch.

use std::marker::PhantomData;

use yring::{Consumer, Producer};

use crate::column::Column;
use crate::message::Message;
use crate::peer::{Batched, Lossless, Peer};

pub struct Yring<T = u64>(PhantomData<T>);

impl<T: Message> Peer for Yring<T> {
    const COLUMN: Column = Column::Yring;
    const KINDS: u64 = T::KINDS;
    type Tx = Producer<T>;
    type Rx = Consumer<T>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        assert_eq!(readers, 1, "it has one reader");
        let (tx, rx) = yring::spsc(capacity);
        (tx, vec![rx])
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        push(tx, T::of(number));
        tx.flush();
    }

    #[inline]
    fn publish_batch<const N: usize>(tx: &mut Self::Tx, numbers: [u64; N]) {
        for number in numbers {
            push(tx, T::of(number));
        }
        tx.flush();
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        rx.prefetch_and_pop().map(|message| message.number())
    }

    /// Receives all available messages, as its documentation shows.
    #[inline]
    fn drain(rx: &mut Self::Rx, mut each: impl FnMut(u64)) {
        rx.prefetch();
        while let Some(message) = rx.pop() {
            each(message.number());
        }
        rx.release();
    }
}

impl Batched for Yring {
    #[inline]
    fn receive_batch(rx: &mut Self::Rx, buffer: &mut Vec<u64>, limit: usize, each: impl FnMut(u64)) {
        buffer.clear();
        rx.prefetch();
        rx.pop_into(buffer, limit);
        rx.release();
        buffer.iter().copied().for_each(each);
    }
}

impl<T: Message> Lossless for Yring<T> {}

/// Waits for room. The reader must release what it has read.
#[inline]
fn push<T>(tx: &mut Producer<T>, mut message: T) {
    while let Err(back) = tx.push(message) {
        // Without this, the reader would never see the messages that fill the ring.
        tx.flush();
        message = back;
        std::hint::spin_loop();
    }
}
