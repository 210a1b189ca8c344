//! What does a publish cost: alone, beside idle subscribers, and after a reader has parked?
//! `cargo bench --bench publish`
//!
//! No subscriber reads, so messages are lost.
#![allow(missing_docs, reason = "criterion's macros")]

mod common;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use seqcast::{Inline, Publisher, Subscriber};
use std::hint::black_box;
use std::time::Duration;

const BATCH: u64 = 64;

/// Publishes through both handles, singly and in batches.
fn rows(group: &mut BenchmarkGroup<WallTime>, beside: &str, mut publisher: Publisher<Inline<u64>>) {
    let batch = || black_box(0)..black_box(BATCH);
    let ring = publisher.ring();
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("exclusive/{beside}"), |b| b.iter(|| publisher.publish(black_box(7))));
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function(format!("exclusive, batch of {BATCH}/{beside}"), |b| {
        b.iter(|| publisher.publish_many(batch()));
    });
    let publisher = publisher.share();
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("shared/{beside}"), |b| b.iter(|| publisher.publish(black_box(7))));
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function(format!("shared, batch of {BATCH}/{beside}"), |b| b.iter(|| publisher.publish_many(batch())));

    // The messages were really published: the ring is full of them.
    let ended = publisher.close();
    let left = ring.subscribe_at(seqcast::Start::Oldest).into_iter().map(|message| message.expect("not lapped"));
    assert!(ended && left.count() as u64 == ring.next_sequence().min(ring.capacity() as u64));
}

fn publish(c: &mut Criterion) {
    let mut group = c.benchmark_group("publish, lossy");
    for idle in [0, 1, 1_000, 10_000] {
        let (publisher, subscriber) = seqcast::inline::<u64>(1024);
        let subscribers: Vec<Subscriber<_>> = (0..idle).map(|_| subscriber.clone()).collect();
        drop(subscriber);
        rows(&mut group, &format!("beside {idle} idle"), publisher);
        drop(subscribers);
    }
    // From now on, every publish pays a fence.
    let (publisher, mut subscriber) = seqcast::inline::<u64>(1024);
    let _ = subscriber.recv_timeout(Duration::from_millis(1));
    rows(&mut group, "after a reader parked", publisher);
    group.finish();
}

criterion_group!(name = benches; config = common::criterion(); targets = publish);
criterion_main!(benches);
