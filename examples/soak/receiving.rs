//! Every way to receive on a thread.

use std::thread;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::executor::block_on;
use futures::stream::{FusedStream, StreamExt};
use seqcast::{RecvError, RecvTimeoutError, Start, TryRecvError};

use crate::message::{CLONE_THROWS, Carry};
use crate::reader::Reader;
use crate::tally::{self, Count};
use crate::wakers;
use crate::watch::{catch, check};

/// How often a polling path finds nothing before it gives way.
const IDLE: u32 = 64;

/// Receives for a while; `true` at the end of the ring.
pub(crate) fn act<S: Carry>(reader: &mut Reader<S>, random: &mut fastrand::Rng) -> bool {
    let count = 1 << random.u32(0..14);
    let ended = match random.u32(0..24) {
        0..=3 => poll(reader, count),
        4..=6 => one_by_one(reader, count, "recv", |reader| reader.subscriber.recv()),
        7 => timed(reader, random, false),
        8 => timed(reader, random, true),
        9 => iterate(reader, count),
        10 => iterate_what_is_there(reader),
        11 | 12 => in_batches(reader, count, random.usize(0..300), false),
        13 => in_batches(reader, count, random.usize(0..300), true),
        14 => one_by_one(reader, count, "recv_async", |reader| block_on(reader.subscriber.recv_async())),
        15 => one_by_one(reader, count, "stream", next),
        16 => newest(reader, count.min(64)),
        17 => without_lags(reader, count),
        18 => seek(reader, random),
        19 => cancel(reader, random),
        20 => wakers::act(reader, random),
        21 => throw_in_clone(reader),
        22 => rest(reader, random),
        _ => S::borrow(reader, random),
    };
    reader.settle();
    ended
}

/// Reads to the end.
pub(crate) fn finish<S: Carry>(reader: &mut Reader<S>, random: &mut fastrand::Rng) {
    while !act(reader, random) {}
    reader.at_end();
}

pub(crate) fn one_by_one<S: Carry>(
    reader: &mut Reader<S>,
    count: u64,
    what: &'static str,
    mut receive: impl FnMut(&mut Reader<S>) -> Result<S::Item, RecvError>,
) -> bool {
    reader.doing(what);
    for at in 1..=count {
        match receive(reader) {
            Ok(message) => reader.took(&message),
            Err(RecvError::Lagged(lagged)) => reader.lagged(lagged),
            Err(RecvError::Closed) => return true,
        }
        if at % 1024 == 0 {
            reader.settle();
        }
    }
    false
}

fn next<S: Carry>(reader: &mut Reader<S>) -> Result<S::Item, RecvError> {
    match block_on(StreamExt::next(&mut reader.subscriber)) {
        Some(Ok(message)) => Ok(message),
        Some(Err(lagged)) => Err(RecvError::Lagged(lagged)),
        None => Err(RecvError::Closed),
    }
}

fn poll<S: Carry>(reader: &mut Reader<S>, count: u64) -> bool {
    reader.doing("try_recv");
    let mut idle = 0;
    for _ in 0..count {
        match reader.subscriber.try_recv() {
            Ok(message) => reader.took(&message),
            Err(TryRecvError::Lagged(lagged)) => reader.lagged(lagged),
            Err(TryRecvError::Closed) => return true,
            Err(TryRecvError::Empty) => {
                idle += 1;
                if idle > IDLE {
                    return false;
                }
                thread::yield_now();
            }
        }
    }
    false
}

fn timed<S: Carry>(reader: &mut Reader<S>, random: &mut fastrand::Rng, deadline: bool) -> bool {
    reader.doing("recv_timeout or recv_deadline");
    for _ in 0..random.u32(1..200) {
        let timeout = Duration::from_micros(random.u64(0..500));
        let received = if deadline {
            reader.subscriber.recv_deadline(Instant::now() + timeout)
        } else {
            reader.subscriber.recv_timeout(timeout)
        };
        match received {
            Ok(message) => reader.took(&message),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Lagged(lagged)) => reader.lagged(lagged),
            Err(RecvTimeoutError::Closed) => return true,
        }
    }
    false
}

fn iterate<S: Carry>(reader: &mut Reader<S>, count: u64) -> bool {
    reader.doing("iter");
    let got: Vec<_> = reader.subscriber.iter().take(usize::try_from(count.min(256)).unwrap_or(1)).collect();
    let ended = (got.len() as u64) < count.min(256);
    account(reader, got);
    ended
}

fn iterate_what_is_there<S: Carry>(reader: &mut Reader<S>) -> bool {
    reader.doing("try_iter");
    let got: Vec<_> = reader.subscriber.try_iter().take(4096).collect();
    account(reader, got);
    false
}

fn account<S: Carry>(reader: &mut Reader<S>, got: Vec<Result<S::Item, seqcast::Lagged>>) {
    let mut messages = 0;
    for one in got {
        match one {
            Ok(message) => {
                reader.look(&message);
                messages += 1;
            }
            Err(lagged) => reader.lagged_before(lagged),
        }
    }
    reader.took_unseen(messages);
}

fn in_batches<S: Carry>(reader: &mut Reader<S>, count: u64, limit: usize, asynchronously: bool) -> bool {
    reader.doing("recv_many");
    let mut buffer = Vec::with_capacity(limit);
    for _ in 0..=count / (limit as u64 + 1) {
        let received = match (limit % 2, asynchronously) {
            (_, true) => block_on(reader.subscriber.recv_many_async(&mut buffer, limit)),
            (0, false) => reader.subscriber.recv_many(&mut buffer, limit),
            (_, false) => match reader.subscriber.try_recv_many(&mut buffer, limit) {
                Ok(count) => Ok(count),
                Err(TryRecvError::Empty) => {
                    thread::yield_now();
                    Ok(0)
                }
                Err(TryRecvError::Lagged(lagged)) => Err(RecvError::Lagged(lagged)),
                Err(TryRecvError::Closed) => Err(RecvError::Closed),
            },
        };
        match received {
            Ok(received) => {
                check(received == buffer.len() && received <= limit, || format!("{received} of {limit}"));
                reader.took_many(&buffer);
                buffer.clear();
            }
            Err(RecvError::Lagged(lagged)) => reader.lagged(lagged),
            Err(RecvError::Closed) => return true,
        }
    }
    false
}

fn newest<S: Carry>(reader: &mut Reader<S>, count: u64) -> bool {
    reader.doing("latest");
    for _ in 0..count {
        match reader.subscriber.latest() {
            Ok(message) => reader.took(&message),
            Err(TryRecvError::Empty) => thread::yield_now(),
            Err(TryRecvError::Closed) => return true,
            Err(TryRecvError::Lagged(lagged)) => check(false, || format!("the newest: {lagged:?}")),
        }
        reader.settle();
    }
    false
}

fn without_lags<S: Carry>(reader: &mut Reader<S>, count: u64) -> bool {
    reader.doing("skip_lagged");
    let subscriber = std::mem::replace(&mut reader.subscriber, reader.stage.idle_subscriber());
    let mut adapter = subscriber.skip_lagged();
    let wanted = usize::try_from(count.min(256)).unwrap_or(1);
    let messages: Vec<_> = if count % 4 == 0 {
        block_on(StreamExt::collect(StreamExt::take(&mut adapter, wanted)))
    } else {
        adapter.iter().take(wanted).collect()
    };
    reader.subscriber = adapter.into_inner();
    reader.swallow_lags();
    reader.took_many(&messages);
    messages.len() < wanted
}

fn seek<S: Carry>(reader: &mut Reader<S>, random: &mut fastrand::Rng) -> bool {
    reader.doing("seek");
    let start = start(reader.subscriber.next_sequence(), reader.stage.capacity, random);
    reader.seek(start);
    false
}

/// Somewhere near `sequence`.
pub(crate) fn start(sequence: u64, capacity: u64, random: &mut fastrand::Rng) -> Start {
    match random.u32(0..4) {
        0 => Start::Latest,
        1 => Start::Oldest,
        2 => Start::At(sequence.saturating_sub(random.u64(0..3 * capacity))),
        _ => Start::At(sequence.saturating_add(random.u64(0..3 * capacity))),
    }
}

/// Futures that are dropped, or forgotten, half way.
fn cancel<S: Carry>(reader: &mut Reader<S>, random: &mut fastrand::Rng) -> bool {
    reader.doing("drops futures");
    for _ in 0..random.u32(1..64) {
        let mut buffer = Vec::new();
        let received = if random.bool() {
            let mut receive = reader.subscriber.recv_async();
            let received = (&mut receive).now_or_never();
            if random.u32(0..8) == 0 {
                std::mem::forget(receive);
            }
            received.map(|received| received.map(|message| buffer.push(message)))
        } else {
            reader.subscriber.recv_many_async(&mut buffer, 8).now_or_never().map(|received| received.map(|_| ()))
        };
        match received {
            None => {
                tally::add(Count::Cancelled, 1);
                check(buffer.is_empty(), || "a cancelled future took messages");
            }
            Some(Ok(())) => reader.took_many(&buffer),
            Some(Err(RecvError::Lagged(lagged))) => reader.lagged(lagged),
            Some(Err(RecvError::Closed)) => return true,
        }
    }
    false
}

/// A clone that panics takes no message away.
fn throw_in_clone<S: Carry>(reader: &mut Reader<S>) -> bool {
    reader.doing("a clone that panics");
    CLONE_THROWS.set(true);
    let before = reader.subscriber.next_sequence();
    let received = catch(|| reader.subscriber.try_recv());
    CLONE_THROWS.set(false);
    match received {
        None => check(reader.subscriber.next_sequence() >= before, || "a clone that panicked moved the cursor back"),
        Some(Ok(message)) => reader.took(&message),
        Some(Err(TryRecvError::Lagged(lagged))) => reader.lagged(lagged),
        Some(Err(TryRecvError::Empty)) => {}
        Some(Err(TryRecvError::Closed)) => return true,
    }
    false
}

/// Falls behind, and looks at the statistics meanwhile.
fn rest<S: Carry>(reader: &mut Reader<S>, random: &mut fastrand::Rng) -> bool {
    reader.doing("rests");
    reader.subscriber.set_name("resting");
    thread::sleep(Duration::from_micros(random.u64(0..3000)));
    let subscriber = &reader.subscriber;
    let stats = reader.stage.ring.stats();
    let own = stats.subscribers.iter().find(|own| own.id == subscriber.id());
    let counted = own.map(|own| (own.next_sequence, own.missed, own.holes, own.skipped_by_choice));
    let expected =
        (subscriber.next_sequence(), subscriber.missed(), subscriber.holes(), subscriber.skipped_by_choice());
    check(counted == Some(expected), || format!("the statistics say {counted:?} of {expected:?}"));
    subscriber.set_name("");
    false
}

/// Every way to receive says `Closed`.
pub(crate) fn expect_closed<S: Carry>(reader: &mut Reader<S>) {
    let subscriber = &mut reader.subscriber;
    let mut buffer = Vec::new();
    let closed = [
        matches!(subscriber.try_recv(), Err(TryRecvError::Closed)),
        matches!(subscriber.latest(), Err(TryRecvError::Closed)),
        matches!(subscriber.recv(), Err(RecvError::Closed)),
        matches!(subscriber.recv_timeout(Duration::MAX), Err(RecvTimeoutError::Closed)),
        matches!(subscriber.recv_many(&mut buffer, 1), Err(RecvError::Closed)),
        matches!(subscriber.recv_async().now_or_never(), Some(Err(RecvError::Closed))),
        matches!(StreamExt::next(subscriber).now_or_never(), Some(None)),
        subscriber.is_terminated() && subscriber.is_closed() && subscriber.is_empty() && subscriber.lag() == 0,
        subscriber.iter().next().is_none() && subscriber.try_iter().next().is_none(),
        S::borrow_says_closed(subscriber),
    ];
    check(closed.iter().all(|closed| *closed), || format!("closed, but not in each way: {closed:?}"));
}
