//! yring: any payload, lossless, one publisher and one reader. Both move their cursors once per batch.

use yring::{Consumer, Producer};

use crate::column::Column;
use crate::peer::{Batched, Lossless, Peer};

pub struct Yring;

impl Peer for Yring {
    const COLUMN: Column = Column::Yring;
    type Tx = Producer<u64>;
    type Rx = Consumer<u64>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        assert_eq!(readers, 1, "it has one reader");
        let (tx, rx) = yring::spsc(capacity);
        (tx, vec![rx])
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        push(tx, number);
        tx.flush();
    }

    #[inline]
    fn publish_batch<const N: usize>(tx: &mut Self::Tx, numbers: [u64; N]) {
        for number in numbers {
            push(tx, number);
        }
        tx.flush();
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        rx.prefetch_and_pop()
    }

    /// Everything that is there, as its manual shows.
    #[inline]
    fn drain(rx: &mut Self::Rx, mut each: impl FnMut(u64)) {
        rx.prefetch();
        while let Some(number) = rx.pop() {
            each(number);
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

impl Lossless for Yring {}

/// Waits for room, for which the reader has to release what it has read.
#[inline]
fn push(tx: &mut Producer<u64>, mut number: u64) {
    while let Err(back) = tx.push(number) {
        // Without this, the reader would never see what fills the ring.
        tx.flush();
        number = back;
        std::hint::spin_loop();
    }
}
