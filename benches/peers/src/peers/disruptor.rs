//! disruptor: lossless, readers are known from the start, poll, and take what is there in one go.

use disruptor::{
    BusySpin, EventPoller, MultiConsumerBarrier, MultiProducer, MultiProducerBarrier, Polling, Producer,
    SingleConsumerBarrier, SingleProducer, SingleProducerBarrier, build_multi_producer, build_single_producer,
};

use crate::column::Column;
use crate::peer::{Batched, Lossless, Peer, Shareable};

/// Its publishers are of one type beside one reader, and of another beside more.
#[derive(Clone)]
pub enum Tx<One, More> {
    One(One),
    More(More),
}

macro_rules! ring {
    ($build:ident, $capacity:expr, $readers:expr) => {{
        let builder = $build($capacity, u64::default, BusySpin);
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
                Tx::One(tx) => tx.publish(|event| *event = number),
                Tx::More(tx) => tx.publish(|event| *event = number),
            }
        }

        #[inline]
        fn publish_batch<const N: usize>(tx: &mut Self::Tx, numbers: [u64; N]) {
            match tx {
                Tx::One(tx) => tx.batch_publish(N, |events| fill(events, numbers)),
                Tx::More(tx) => tx.batch_publish(N, |events| fill(events, numbers)),
            }
        }

        #[inline]
        fn poll(rx: &mut Self::Rx) -> Option<u64> {
            match rx.take(1) {
                Ok(mut events) => (&mut events).next().copied(),
                Err(Polling::NoEvents | Polling::Shutdown) => None,
            }
        }

        #[inline]
        fn drain(rx: &mut Self::Rx, each: impl FnMut(u64)) {
            if let Ok(mut events) = rx.poll() {
                (&mut events).copied().for_each(each);
            }
        }
    };
}

#[inline]
fn fill<'a>(events: impl Iterator<Item = &'a mut u64>, numbers: impl IntoIterator<Item = u64>) {
    events.zip(numbers).for_each(|(event, number)| *event = number);
}

/// By the only publisher.
pub struct Disruptor;

impl Peer for Disruptor {
    const COLUMN: Column = Column::Disruptor;
    type Tx = Tx<SingleProducer<u64, SingleConsumerBarrier>, SingleProducer<u64, MultiConsumerBarrier>>;
    type Rx = EventPoller<u64, SingleProducerBarrier>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        ring!(build_single_producer, capacity, readers)
    }

    operations!();
}

impl Lossless for Disruptor {}

impl Batched for Disruptor {
    /// Its readers look at the messages where they lie.
    #[inline]
    fn receive_batch(rx: &mut Self::Rx, _: &mut Vec<u64>, limit: usize, each: impl FnMut(u64)) {
        if let Ok(mut events) = rx.take(limit as u64) {
            (&mut events).copied().for_each(each);
        }
    }
}

/// By one of many.
pub struct DisruptorShared;

impl Peer for DisruptorShared {
    const COLUMN: Column = Column::Disruptor;
    type Tx = Tx<MultiProducer<u64, SingleConsumerBarrier>, MultiProducer<u64, MultiConsumerBarrier>>;
    type Rx = EventPoller<u64, MultiProducerBarrier>;

    fn ring(capacity: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        ring!(build_multi_producer, capacity, readers)
    }

    operations!();
}

impl Shareable for DisruptorShared {}

impl Lossless for DisruptorShared {}
