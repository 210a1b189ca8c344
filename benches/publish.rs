//! What does a publish cost, alone and with subscribers that do nothing? `cargo bench --bench publish`
#![allow(missing_docs, reason = "criterion's macros")]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

fn publish(c: &mut Criterion) {
    let mut group = c.benchmark_group("publish");
    for idle in [0, 1, 1_000, 10_000] {
        let (mut publisher, subscriber) = seqcast::inline::<u64>(1024);
        let _idle: Vec<_> = (0..idle).map(|_| subscriber.clone()).collect();
        drop(subscriber);
        group.bench_function(BenchmarkId::new("exclusive, idle subscribers", idle), |b| {
            b.iter(|| publisher.publish(black_box(7)));
        });
        let publisher = publisher.share();
        group.bench_function(BenchmarkId::new("shared, idle subscribers", idle), |b| {
            b.iter(|| publisher.publish(black_box(7)));
        });
    }
    // Once somebody has parked, every publish pays a fence.
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(1024);
    let _ = subscriber.recv_timeout(std::time::Duration::from_millis(1));
    group.bench_function("exclusive, after somebody parked", |b| b.iter(|| publisher.publish(black_box(7))));
    group.finish();

    let mut group = c.benchmark_group("publish_many");
    group.throughput(Throughput::Elements(64));
    let (mut publisher, _subscriber) = seqcast::inline::<u64>(1024);
    group.bench_function("exclusive, 64", |b| {
        b.iter_batched(|| 0..64, |values| publisher.publish_many(values), BatchSize::SmallInput);
    });
    group.finish();
}

criterion_group!(benches, publish);
criterion_main!(benches);
