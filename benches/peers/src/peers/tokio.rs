//! tokio's broadcast channel, and seqcast's drop-in for it: any `T: Clone`, lossy, for tasks and threads, with or without
//! many publishers. The same code drives both.

use std::marker::PhantomData;

use seqcast::broadcast as drop_in;
use tokio::runtime::Runtime;
use tokio::sync::broadcast as original;

use crate::column::Column;
use crate::message::Message;
use crate::peer::{Async, Blocking, Peer, Shareable};

/// `peer!(Name, column, module)` is the peer with this module's channel. More may follow for its `Async`.
macro_rules! peer {
    ($peer:ident, $column:ident, $channel:ident $(, $($more:tt)+)?) => {
        pub struct $peer<T = u64>(PhantomData<T>);

        impl<T: Message> Peer for $peer<T> {
            const COLUMN: Column = Column::$column;
            const KINDS: u64 = T::KINDS;
            const SLOWER: u64 = 8;
            type Tx = $channel::Sender<T>;
            type Rx = $channel::Receiver<T>;

            fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
                let tx = $channel::Sender::new(capacity);
                let rxs = (0..readers).map(|_| tx.subscribe()).collect();
                (tx, rxs)
            }

            #[inline]
            fn publish(tx: &mut Self::Tx, number: u64) {
                assert!(tx.send(T::of(number)).is_ok(), "it keeps nothing when there is no reader");
            }

            #[inline]
            fn poll(rx: &mut Self::Rx) -> Option<u64> {
                // By reference: a large message would be copied into `message`.
                match &rx.try_recv() {
                    Ok(message) => Some(message.number()),
                    Err($channel::error::TryRecvError::Empty) => None,
                    Err(other) => panic!("{other}"),
                }
            }
        }

        impl<T: Message> Shareable for $peer<T> {}

        impl Blocking for $peer {
            fn wait(rx: &mut Self::Rx) -> u64 {
                rx.blocking_recv().expect("a message")
            }
        }

        impl Async for $peer {
            async fn next(rx: &mut Self::Rx) -> u64 {
                rx.recv().await.expect("a message")
            }

            $($($more)+)?
        }
    };
}

peer!(Tokio, Tokio, original);
peer!(DropIn, DropIn, drop_in);
peer!(
    DropInDriven,
    DropIn,
    drop_in,
    fn prepare(tx: &Self::Tx, runtime: &Runtime) {
        runtime.spawn(tx.ring().drive_wakes());
    }
);
