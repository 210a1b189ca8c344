//! Other messages than numbers.

use std::sync::Arc;

use super::{NS_DELIVERY, NS_MESSAGE, Size, workload};
use crate::limits;
use crate::message::Tick;
use crate::peer::Peer;
use crate::peers::{
    AsyncBroadcast, Borrowed, BorrowedShared, Bus, Cloned, Crossbeam, Disruptor, DropIn, Exclusive, Photon, Ringcast,
    Tokio, Yring,
};
use crate::rows::{Figures, Picture, Run, Workload};
use crate::workloads::{CAPACITY, publishers, same_thread, streaming, streaming_with_pauses};

/// 64 bytes in a `String`, borrowed; or cloned, by a reference count in an `Arc<str>`.
pub fn texts(size: Size) -> Vec<Workload> {
    let deliveries = size.of(1_000_000);
    let mut all: Vec<_> = [1, 8, 64]
        .map(|readers| {
            let runs = runs!(
                same_thread(1024, readers, deliveries),
                Borrowed<String>,
                Cloned<String> as "cloned",
                DropIn<String> as "String",
                Tokio<String> as "String",
                DropIn<Arc<str>> as "Arc",
                Tokio<Arc<str>> as "Arc",
            );
            workload(format!("texts, same thread, N = {readers}"), NS_DELIVERY, runs)
                .limit("", move || limits::texts(readers, deliveries))
        })
        .into();
    let messages = size.of(1_000_000);
    let runs = runs!(
        streaming(1, messages),
        Borrowed<String>,
        DropIn<String> as "String",
        Tokio<String> as "String",
        DropIn<Arc<str>> as "Arc",
        Tokio<Arc<str>> as "Arc"
    );
    all.push(workload("texts, streaming, 1 to 1", NS_MESSAGE, runs));
    let messages = size.of(200_000);
    let runs = runs!(
        publishers(2, messages),
        BorrowedShared<String>,
        DropIn<String> as "String",
        Tokio<String> as "String",
        DropIn<Arc<str>> as "Arc",
        Tokio<Arc<str>> as "Arc"
    );
    all.push(workload("texts, streaming, 2 publishers to 1", NS_MESSAGE, runs));
    all
}

/// Slots of the payloads' rings on one thread.
const SLOTS: usize = 256;

/// Fewer messages of more bytes.
fn on_one_thread(size: Size, bytes: u64) -> u64 {
    size.of(16_000_000 / (bytes + 64))
}

/// Fewer messages of more bytes, but enough that the publisher often waits for the reader.
fn between_threads(size: Size, bytes: u64) -> u64 {
    size.of((64_000_000 / (bytes + 64)).max(4 * CAPACITY))
}

fn payload<const WORDS: usize>(size: Size) -> Workload
where
    [u64; WORDS]: seqcast::Plain,
{
    let bytes = 8 * WORDS as u64;
    let messages = on_one_thread(size, bytes);
    let runs = runs!(
        same_thread(SLOTS, 1, messages),
        Exclusive<[u64; WORDS]>,
        Borrowed<[u64; WORDS]> as "boxed",
        Photon<[u64; WORDS]>,
        Ringcast<[u64; WORDS]>,
        DropIn<[u64; WORDS]>,
        Tokio<[u64; WORDS]>,
    );
    workload(format!("payload of {bytes} bytes, same thread"), NS_MESSAGE, runs)
        .limit("", move || limits::copied::<[u64; WORDS]>(SLOTS, messages))
        .at(Picture::Payload, bytes)
}

fn streamed<const WORDS: usize>(size: Size) -> Workload
where
    [u64; WORDS]: seqcast::Plain,
{
    let bytes = 8 * WORDS as u64;
    let messages = between_threads(size, bytes);
    let runs = runs!(
        streaming(1, messages),
        Exclusive<[u64; WORDS]>,
        Borrowed<[u64; WORDS]> as "boxed",
        Photon<[u64; WORDS]>,
        Ringcast<[u64; WORDS]>
    );
    workload(format!("payload of {bytes} bytes, streaming, 1 to 1"), NS_MESSAGE, runs)
        .limit("", move || limits::copied_between_threads::<[u64; WORDS]>(messages))
}

/// The same with a reader that pauses, so that it does not read right behind the publisher.
fn streamed_with_pauses<const WORDS: usize>(size: Size) -> Workload
where
    [u64; WORDS]: seqcast::Plain,
{
    let bytes = 8 * WORDS as u64;
    let runs = runs!(
        streaming_with_pauses(1, between_threads(size, bytes)),
        Exclusive<[u64; WORDS]>,
        Borrowed<[u64; WORDS]> as "boxed",
        Photon<[u64; WORDS]>,
        Ringcast<[u64; WORDS]>
    );
    workload(format!("payload of {bytes} bytes, streaming, 1 to 1, with pauses"), NS_MESSAGE, runs)
}

/// A row for each of these counts of words.
macro_rules! each {
    ($row:ident($size:ident): $($words:literal)+) => {
        [$($row::<$words>($size)),+]
    };
}

/// `$workload` with these arguments, on each of the peers that carry a [`Tick`].
///
/// photon-ring does not: its `Pod` promises that there is no padding and that every bit pattern is
/// a valid message.
macro_rules! ticks {
    ($workload:ident $arguments:tt) => {
        runs!(
            $workload $arguments,
            Exclusive<Tick>,
            Borrowed<Tick> as "boxed",
            Ringcast<Tick>,
            DropIn<Tick>,
            Tokio<Tick>,
            AsyncBroadcast<Tick>,
            Bus<Tick>,
            Disruptor<Tick>,
            Yring<Tick>,
            Crossbeam<Tick>
        )
    };
}

fn padded(size: Size) -> [Workload; 2] {
    let bytes = size_of::<Tick>() as u64;
    let (same, streamed) = (on_one_thread(size, bytes), between_threads(size, bytes));
    let row = |name, runs| workload(format!("payload of a padded struct, {name}"), NS_MESSAGE, runs);
    [
        row("same thread", ticks!(same_thread(SLOTS, 1, same))).limit("", move || limits::copied::<Tick>(SLOTS, same)),
        row("streaming, 1 to 1", ticks!(streaming(1, streamed)))
            .limit("", move || limits::copied_between_threads::<Tick>(streamed)),
    ]
}

pub fn payloads(size: Size) -> Vec<Workload> {
    let mut all: Vec<_> = each!(payload(size): 1 2 4 8 16 32 128 512 2048).into();
    all.extend(each!(streamed(size): 1 8 32 64 128 256 512 2048));
    all.extend(each!(streamed_with_pauses(size): 32 64 128 256 512));
    all.extend(padded(size));
    all
}
