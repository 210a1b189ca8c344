//! ringcast: `Copy` data, lossy, one publisher; readers only poll.

use std::marker::PhantomData;

use ringcast::{Receiver, RecvError, Sender};

use crate::column::Column;
use crate::message::Message;
use crate::peer::{Batched, Peer};

pub struct Ringcast<T = u64>(PhantomData<T>);

impl<T: Message + Copy> Peer for Ringcast<T> {
    const COLUMN: Column = Column::Ringcast;
    const KINDS: u64 = T::KINDS;
    type Tx = Sender<T>;
    type Rx = Receiver<T>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let tx = ringcast::bounded(capacity).0;
        let rxs = (0..readers).map(|_| tx.subscribe()).collect();
        (tx, rxs)
    }

    #[inline]
    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.send(T::of(number));
    }

    #[inline]
    fn publish_batch<const N: usize>(tx: &mut Self::Tx, numbers: [u64; N]) {
        tx.send_batch(&numbers.map(T::of));
    }

    #[inline]
    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        received(rx.try_recv()).map(|message| message.number())
    }
}

impl Batched for Ringcast {
    #[inline]
    fn receive_batch(rx: &mut Self::Rx, buffer: &mut Vec<u64>, limit: usize, each: impl FnMut(u64)) {
        buffer.resize(limit, 0);
        let count = received(rx.try_recv_batch(buffer)).unwrap_or(0);
        buffer[..count].iter().copied().for_each(each);
    }
}

#[inline]
fn received<R>(received: Result<R, RecvError>) -> Option<R> {
    match received {
        Ok(received) => Some(received),
        Err(RecvError::Empty) => None,
        Err(other) => panic!("{other:?}"),
    }
}
