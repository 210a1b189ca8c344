//! disruptor: lossless. Readers are known from the start. They poll, and take all available messages at
//! once.

use std::marker::PhantomData;

use disruptor::{
    BusySpin, EventPoller, MultiConsumerBarrier, MultiProducer, MultiProducerBarrier, Polling, Producer,
    SingleConsumerBarrier, SingleProducer, SingleProducerBarrier, build_multi_producer, build_single_producer,
};

use crate::column::Column;
use crate::message::Message;
use crate::peer::{Batched, Lossless, Peer, Shareable};

/// Its publishers have one type with one reader, and another type with more.
#[derive(Clone)]
pub enum Tx<One, More> {
    One(One),
    More(More),
}

macro_rules! ring {
    ($build:ident, $capacity:expr, $readers:expr) => {{
        let builder = $build($capacity, || T::of(0), BusySpin);
        if $readers == 1 {
            let (rx, builder) = builder.new_event_poller();
            return (Tx::One(builder.build()), vec![rx]);
        }
        let (mut builder, mut rxs) = (builder.with_multi_consumer(), Vec::new());
        while rxs.len() < $readers {
            let (rx, more) = builder.new_event_poller();
            rxs.push(rx);
            builder = more;
        }
        (Tx::More(builder.build()), rxs)
    }};
}

macro_rules! operations {
    () => {
        #[inline]
        fn publish(tx: &mut Self::Tx, number: u64) {
            match tx {
                Tx::One(tx) => tx.publish(|event| *event = T::of(number)),
                Tx::More(tx) => tx.publish(|event| *event = T::of(number)),
            }
        }

        #[inline]
        fn publish_batch<const N: usize>(tx: &mut Self::Tx, numbers: [u64; N]) {
            match tx {
                Tx::One(tx) => tx.batch_publish(N, |events| fill(events, numbers.map(T::of))),
                Tx::More(tx) => tx.batch_publish(N, |events| fill(events, numbers.map(T::of))),
            }
        }

        #[inline]
        fn poll(rx: &mut Self::Rx) -> Option<u64> {
            match rx.take(1) {
                Ok(mut events) => (&mut events).next().map(Message::number),
                Err(Polling::NoEvents | Polling::Shutdown) => None,
            }
        }

        #[inline]
        fn drain(rx: &mut Self::Rx, each: impl FnMut(u64)) {
            if let Ok(mut events) = rx.poll() {
                (&mut events).map(Message::number).for_each(each);
            }
        }
    };
}

#[inline]
fn fill<'a, T: 'a>(events: impl Iterator<Item = &'a mut T>, messages: impl IntoIterator<Item = T>) {
    events.zip(messages).for_each(|(event, message)| *event = message);
}

/// By the only publisher.
pub struct Disruptor<T = u64>(PhantomData<T>);

impl<T: Message> Peer for Disruptor<T> {
    const COLUMN: Column = Column::Disruptor;
    const KINDS: u64 = T::KINDS;
    type Tx = Tx<SingleProducer<T, SingleConsumerBarrier>, SingleProducer<T, MultiConsumerBarrier>>;
    type Rx = EventPoller<T, SingleProducerBarrier>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        ring!(build_single_producer, capacity, readers)
    }

    operations!();
}

impl<T: Message> Lossless for Disruptor<T> {}

impl Batched for Disruptor {
    /// Its readers borrow the messages.
    #[inline]
    fn receive_batch(rx: &mut Self::Rx, _: &mut Vec<u64>, limit: usize, each: impl FnMut(u64)) {
        if let Ok(mut events) = rx.take(limit as u64) {
            (&mut events).copied().for_each(each);
        }
    }
}

/// By one of many.
pub struct DisruptorShared<T = u64>(PhantomData<T>);

impl<T: Message> Peer for DisruptorShared<T> {
    const COLUMN: Column = Column::Disruptor;
    const KINDS: u64 = T::KINDS;
    type Tx = Tx<MultiProducer<T, SingleConsumerBarrier>, MultiProducer<T, MultiConsumerBarrier>>;
    type Rx = EventPoller<T, MultiProducerBarrier>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        ring!(build_multi_producer, capacity, readers)
    }

    operations!();
}

impl<T: Message> Shareable for DisruptorShared<T> {}

impl<T: Message> Lossless for DisruptorShared<T> {}
