//! One interface for all broadcast rings and channels, by polling. Messages carry numbers, which readers
//! check.

use std::future::Future;
use std::ops::Range;

use tokio::runtime::Runtime;

use crate::column::Column;
use crate::message::KINDS;

pub trait Peer {
    /// Its column in the table.
    const COLUMN: Column;
    /// The number of distinct numbers, a power of two.
    const KINDS: u64 = KINDS;
    /// The factor by which workloads between threads are shortened for a slow peer.
    const SLOWER: u64 = 1;
    type Tx: Send;
    type Rx: Send;

    /// A ring and its readers. Some peers need all readers before the first message.
    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>);

    fn publish(tx: &mut Self::Tx, number: u64);

    /// Publishes these numbers, in one call if the peer has such a call.
    #[inline]
    fn publish_batch<const N: usize>(tx: &mut Self::Tx, numbers: [u64; N]) {
        for number in numbers {
            Self::publish(tx, number);
        }
    }

    /// The number of the next message; `None` when there is none.
    ///
    /// # Panics
    ///
    /// If messages were lost. A workload that reads is paced so that nothing is lost, or requires a
    /// [`Lossless`] peer.
    fn poll(rx: &mut Self::Rx) -> Option<u64>;

    /// Everything that is there.
    #[inline]
    fn drain(rx: &mut Self::Rx, mut each: impl FnMut(u64)) {
        while let Some(number) = Self::poll(rx) {
            each(number);
        }
    }

    /// What a reader should receive for a number.
    #[inline]
    fn seen(number: u64) -> u64 {
        number % Self::KINDS
    }
}

/// A peer with calls that publish and receive several messages.
pub trait Batched: Peer {
    /// Receives up to `limit` messages in one call, into a buffer that is the same in all calls of
    /// a reader.
    fn receive_batch(rx: &mut Self::Rx, buffer: &mut Vec<u64>, limit: usize, each: impl FnMut(u64));
}

/// A peer whose publisher can be cloned.
pub trait Shareable: Peer<Tx: Clone> {}

/// A peer whose publisher waits for the slowest reader, so that none loses a message.
pub trait Lossless: Peer {}

/// A peer with a blocking receive.
pub trait Blocking: Peer<Rx: 'static> {
    fn wait(rx: &mut Self::Rx) -> u64;
}

/// A peer with an async receive.
pub trait Async: Peer<Tx: 'static, Rx: 'static> {
    fn next(rx: &mut Self::Rx) -> impl Future<Output = u64> + Send;

    /// Spawns what the peer needs beside its readers, before the first of them is spawned.
    fn prepare(_tx: &Self::Tx, _runtime: &Runtime) {}

    /// Publishes a few numbers in a row.
    fn burst(tx: &mut Self::Tx, numbers: Range<u64>) {
        for number in numbers {
            Self::publish(tx, number);
        }
    }
}

/// A lossless peer with many publishers, which can be tasks.
pub trait AsyncLossless: Async + Shareable + Lossless {
    /// Publishes once there is room.
    fn send(tx: &mut Self::Tx, number: u64) -> impl Future<Output = ()> + Send;
}
