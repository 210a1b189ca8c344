//! What a subscriber does on a thread. `Break` is the end of the ring.

use std::ops::ControlFlow::{self, Continue};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use futures::executor::block_on;
use futures::stream::StreamExt;
use seqcast::{Start, TryRecvError};

use crate::message::{CLONE_THROWS, Carry};
use crate::reader::Reader;
use crate::stage::Gates;
use crate::tally::{self, Count};
use crate::wakers;
use crate::watch::{catch, check};
use crate::ways::{self, Look, Manner, Received};

/// The number of empty receives after which it does something else.
const IDLE: u32 = 64;

/// Receives for some time.
pub(crate) fn act<S: Carry>(reader: &mut Reader<S>) -> ControlFlow<()> {
    let count = 1 << reader.random.u32(0..14);
    let outcome = match reader.random.u32(0..18) {
        0..9 => by_calls(reader, count),
        9..12 => by_futures(reader, count),
        12 | 13 => in_batches(reader, count),
        14 | 15 => without_lags(reader, count),
        16 => wakers::act(reader),
        _ if reader.random.bool() => seek(reader),
        _ => rest(reader),
    };
    reader.settle();
    outcome
}

/// Receives one message after another. `receive` returns `None` if it panicked without receiving a
/// message.
fn repeat<S: Carry>(
    reader: &mut Reader<S>,
    count: u64,
    mut receive: impl FnMut(&mut Reader<S>) -> Option<Received>,
) -> ControlFlow<()> {
    let mut idle = 0;
    for at in 1..=count {
        let Some(received) = receive(reader) else { continue };
        if !reader.note(received)? {
            idle += 1;
            if idle == IDLE {
                break;
            }
            thread::yield_now();
        }
        if at % 1024 == 0 {
            reader.settle();
        }
    }
    Continue(())
}

fn by_calls<S: Carry>(reader: &mut Reader<S>, count: u64) -> ControlFlow<()> {
    let values = ways::by_value();
    let ways: Vec<_> = values.into_iter().chain(S::BY_REFERENCE.iter().copied()).collect();
    let mut way = reader.random.usize(..ways.len());
    if reader.thorough && ways[way].0.starts_with("latest") {
        way = 0;
    }
    let (name, receive) = ways[way];
    reader.doing(name);
    let stage = Arc::clone(&reader.stage);
    repeat(reader, count, |reader| {
        let look = Look { manner: Manner::draw(&mut reader.random), stage: &stage };
        CLONE_THROWS.set(look.manner == Manner::Panic);
        let received = catch(|| receive(&mut reader.subscriber, &look));
        CLONE_THROWS.set(false);
        if received.is_none() && way >= values.len() {
            // The panic dropped a received message.
            reader.took_unseen(1);
        }
        received
    })
}

/// Futures that are awaited, or polled once and dropped.
fn by_futures<S: Carry>(reader: &mut Reader<S>, count: u64) -> ControlFlow<()> {
    let ways = ways::in_task::<S>();
    let ((name, receive), waits) = (ways[reader.random.usize(..ways.len())], reader.random.bool());
    reader.doing(name);
    repeat(reader, count, |reader| {
        let future = receive(&mut reader.subscriber);
        Some(if waits { block_on(future) } else { future.now_or_never().unwrap_or_else(cancelled) })
    })
}

pub(crate) fn cancelled<R>() -> Result<R, TryRecvError> {
    tally::add(Count::CancelledFutures, 1);
    Err(TryRecvError::Empty)
}

fn in_batches<S: Carry>(reader: &mut Reader<S>, count: u64) -> ControlFlow<()> {
    reader.doing("recv_many");
    let (limit, way) = (reader.random.usize(0..300), reader.random.u32(0..4));
    let mut batch = Vec::with_capacity(limit);
    for _ in 0..=count / (limit as u64 + 1) {
        let subscriber = &mut reader.subscriber;
        let received = match way {
            0 => subscriber.recv_many(&mut batch, limit).map_err(TryRecvError::from),
            1 => subscriber.try_recv_many(&mut batch, limit),
            2 => block_on(subscriber.recv_many_async(&mut batch, limit)).map_err(TryRecvError::from),
            _ => match subscriber.recv_many_async(&mut batch, limit).now_or_never() {
                Some(received) => received.map_err(TryRecvError::from),
                None => cancelled(),
            },
        };
        reader.took_batch(&mut batch, limit, received)?;
    }
    Continue(())
}

/// An adapter that hides losses, as an iterator and as a stream.
fn without_lags<S: Carry>(reader: &mut Reader<S>, count: u64) -> ControlFlow<()> {
    reader.doing("skip_lagged");
    let before = reader.subscriber.next_sequence();
    let subscriber =
        std::mem::replace(&mut reader.subscriber, reader.stage.never_receives(reader.stage.ring.subscribe()));
    let mut adapter = subscriber.skip_lagged();
    let wanted = usize::try_from(count.min(256)).unwrap_or(1);
    let mut messages: Vec<_> = adapter.iter().take(wanted).collect();
    messages.extend(block_on(StreamExt::collect::<Vec<_>>(StreamExt::take(&mut adapter, wanted))));
    reader.subscriber = adapter.into_inner();
    reader.swallow_lags(before);
    let count = messages.len();
    reader.took_batch(&mut messages, 2 * wanted, Ok(count))?;
    if count < 2 * wanted { ControlFlow::Break(()) } else { Continue(()) }
}

fn seek<S: Carry>(reader: &mut Reader<S>) -> ControlFlow<()> {
    reader.doing("seek");
    let start = start(reader.subscriber.next_sequence(), reader.stage.capacity, &mut reader.random);
    reader.seek(start);
    Continue(())
}

/// A start near `sequence`.
pub(crate) fn start(sequence: u64, capacity: u64, random: &mut fastrand::Rng) -> Start {
    match random.u32(0..4) {
        0 => Start::Latest,
        1 => Start::Oldest,
        2 => Start::At(sequence.saturating_sub(random.u64(0..3 * capacity))),
        _ => Start::At(sequence.saturating_add(random.u64(0..3 * capacity))),
    }
}

/// Pauses, so that the subscriber lags, and checks the statistics afterwards.
fn rest<S: Carry>(reader: &mut Reader<S>) -> ControlFlow<()> {
    reader.doing("pauses");
    thread::sleep(Duration::from_micros(reader.random.u64(0..3000)));
    let subscriber = &reader.subscriber;
    let stats = reader.stage.ring.stats();
    let own = stats.subscribers.iter().find(|own| own.id == subscriber.id());
    let counted = own.map(|own| (own.next_sequence, own.missed, own.holes, own.skipped_by_choice));
    let expected =
        (subscriber.next_sequence(), subscriber.missed(), subscriber.holes(), subscriber.skipped_by_choice());
    check!(counted == Some(expected), "the statistics report {counted:?}, but the subscriber {expected:?}");
    let gating = own.map(|own| (own.gating, own.demoted));
    // With a deadline it may have changed since.
    let expected = (subscriber.is_gating(), false);
    check!(
        reader.stage.manner.gates == Gates::Deadline || gating == Some(expected),
        "the statistics report {gating:?}, but the subscriber {expected:?}"
    );
    Continue(())
}
