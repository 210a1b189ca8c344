//! The same face for messages that own memory: each number is sent as a new text of 64 bytes, of which the reader sees one byte.

use std::array;
use std::sync::{Arc, LazyLock};

use crate::peer::{Peer, Shareable};

const KINDS: usize = 128;

static TEXTS: LazyLock<[String; KINDS]> = LazyLock::new(|| {
    array::from_fn(|kind| {
        let text = format!("{}{:063}", char::from(u8::try_from(kind).unwrap()), 0);
        assert_eq!(text.len(), 64);
        text
    })
});

#[allow(clippy::cast_possible_truncation)]
fn text(value: u64) -> &'static str {
    &TEXTS[value as usize % KINDS]
}

fn kind(text: &str) -> u64 {
    u64::from(text.as_bytes()[0])
}

type Rx<T> = seqcast::Subscriber<seqcast::Boxed<T>>;

fn borrow(rx: &mut Rx<String>) -> Option<u64> {
    match rx.try_recv_ref() {
        Ok(message) => Some(kind(&message)),
        Err(seqcast::TryRecvError::Empty) => None,
        Err(other) => panic!("{other}"),
    }
}

macro_rules! peer {
    ($peer:ident, $name:literal, $tx:ty, $rx:ty, $ring:expr, $publish:expr, $poll:expr) => {
        pub struct $peer;

        impl Peer for $peer {
            const NAME: &'static str = $name;
            type Tx = $tx;
            type Rx = $rx;

            fn ring(capacity: usize) -> Self::Tx {
                $ring(capacity)
            }

            fn subscribe(tx: &Self::Tx) -> Self::Rx {
                tx.subscribe()
            }

            #[inline]
            fn publish(tx: &mut Self::Tx, value: u64) {
                $publish(tx, text(value));
            }

            #[inline]
            fn poll(rx: &mut Self::Rx) -> Option<u64> {
                $poll(rx)
            }

            #[inline]
            fn seen(value: u64) -> u64 {
                value % KINDS as u64
            }
        }
    };
}

peer!(
    Borrowed,
    "seqcast, borrowed",
    seqcast::Publisher<seqcast::Boxed<String>>,
    Rx<String>,
    |capacity| seqcast::boxed::<String>(capacity).0,
    |tx: &mut Self::Tx, text: &str| tx.publish(text.to_owned()),
    borrow
);

peer!(
    BorrowedShared,
    "seqcast, shared",
    seqcast::SharedPublisher<seqcast::Boxed<String>>,
    Rx<String>,
    |capacity| seqcast::boxed::<String>(capacity).0.share(),
    |tx: &mut Self::Tx, text: &str| tx.publish(text.to_owned()).unwrap(),
    borrow
);

peer!(
    Cloned,
    "seqcast, cloned",
    seqcast::Publisher<seqcast::Boxed<String>>,
    Rx<String>,
    |capacity| seqcast::boxed::<String>(capacity).0,
    |tx: &mut Self::Tx, text: &str| tx.publish(text.to_owned()),
    |rx: &mut Self::Rx| rx.try_recv().ok().map(|message| kind(&message))
);

peer!(
    TokioString,
    "tokio, String",
    Arc<tokio::sync::broadcast::Sender<String>>,
    tokio::sync::broadcast::Receiver<String>,
    |capacity| Arc::new(tokio::sync::broadcast::channel(capacity).0),
    |tx: &mut Self::Tx, text: &str| tx.send(text.to_owned()).expect("a receiver"),
    |rx: &mut Self::Rx| receive(rx)
);

peer!(
    TokioArc,
    "tokio, Arc<str>",
    Arc<tokio::sync::broadcast::Sender<Arc<str>>>,
    tokio::sync::broadcast::Receiver<Arc<str>>,
    |capacity| Arc::new(tokio::sync::broadcast::channel(capacity).0),
    |tx: &mut Self::Tx, text: &str| tx.send(Arc::from(text)).expect("a receiver"),
    |rx: &mut Self::Rx| receive(rx)
);

fn receive<T: AsRef<str> + Clone>(rx: &mut tokio::sync::broadcast::Receiver<T>) -> Option<u64> {
    match rx.try_recv() {
        Ok(message) => Some(kind(message.as_ref())),
        Err(tokio::sync::broadcast::error::TryRecvError::Empty) => None,
        Err(other) => panic!("{other}"),
    }
}

impl Shareable for BorrowedShared {}
impl Shareable for TokioString {}
impl Shareable for TokioArc {}
