//! Other messages than numbers.

use std::sync::Arc;

use super::{NS_DELIVERY, NS_MESSAGE, Size, workload};
use crate::limits;
use crate::peer::Peer;
use crate::peers::{Borrowed, BorrowedShared, Cloned, DropIn, Exclusive, Photon, Ringcast, Tokio};
use crate::rows::{Figures, Picture, Run, Workload};
use crate::workloads::{publishers, same_thread, streaming};

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

fn payload<const WORDS: usize>(size: Size) -> Workload
where
    [u64; WORDS]: seqcast::Plain,
{
    let bytes = 8 * WORDS as u64;
    let messages = size.of(16_000_000 / (bytes + 64));
    let runs = runs!(
        same_thread(256, 1, messages),
        Exclusive<[u64; WORDS]>,
        Borrowed<[u64; WORDS]> as "boxed",
        Photon<[u64; WORDS]>,
        Ringcast<[u64; WORDS]>,
        DropIn<[u64; WORDS]>,
        Tokio<[u64; WORDS]>,
    );
    workload(format!("payload of {bytes} bytes, same thread"), NS_MESSAGE, runs).at(Picture::Payload, bytes)
}

fn streamed<const WORDS: usize>(size: Size) -> Workload
where
    [u64; WORDS]: seqcast::Plain,
{
    let bytes = 8 * WORDS as u64;
    let messages = size.of(64_000_000 / (bytes + 64));
    let runs = runs!(
        streaming(1, messages),
        Exclusive<[u64; WORDS]>,
        Borrowed<[u64; WORDS]> as "boxed",
        Photon<[u64; WORDS]>,
        Ringcast<[u64; WORDS]>
    );
    workload(format!("payload of {bytes} bytes, streaming, 1 to 1"), NS_MESSAGE, runs)
}

pub fn payloads(size: Size) -> Vec<Workload> {
    vec![
        payload::<1>(size),
        payload::<8>(size),
        payload::<32>(size),
        payload::<128>(size),
        payload::<512>(size),
        streamed::<8>(size),
        streamed::<128>(size),
    ]
}
