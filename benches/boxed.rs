//! What do messages cost that own memory: to publish, to borrow, to clone? `cargo bench --bench boxed`
#![allow(missing_docs, reason = "criterion's macros")]

mod common;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

const TEXT: &str = "a text of sixty-four bytes, as long as one line of cache is wide";

fn publish(c: &mut Criterion) {
    let mut group = c.benchmark_group("publish a String of 64 bytes");
    assert_eq!(TEXT.len(), 64);
    for idle in [0, 1, 1_000, 10_000] {
        let (mut publisher, subscriber) = seqcast::boxed::<String>(1024);
        let _idle: Vec<_> = (0..idle).map(|_| subscriber.clone()).collect();
        drop(subscriber);
        group.bench_function(BenchmarkId::new("exclusive, idle subscribers", idle), |b| {
            b.iter(|| publisher.publish(black_box(TEXT).to_owned()));
        });
        let publisher = publisher.share();
        group.bench_function(BenchmarkId::new("shared, idle subscribers", idle), |b| {
            b.iter(|| publisher.publish(black_box(TEXT).to_owned()));
        });
    }
    group.bench_function("(making and dropping one)", |b| b.iter(|| black_box(TEXT).to_owned()));
    group.finish();

    let mut group = c.benchmark_group("publish a [u64; 8]");
    let (mut publisher, _subscriber) = seqcast::inline::<[u64; 8]>(1024);
    group.bench_function("inline", |b| b.iter(|| publisher.publish(black_box([7; 8]))));
    let (mut publisher, _subscriber) = seqcast::boxed::<[u64; 8]>(1024);
    group.bench_function("boxed", |b| b.iter(|| publisher.publish(black_box([7; 8]))));
    group.finish();
}

fn fan_out(c: &mut Criterion) {
    let mut group = c.benchmark_group("publish and receive Strings on one thread");
    for readers in [1, 8, 64] {
        let (mut publisher, subscriber) = seqcast::boxed::<String>(1024);
        let mut subscribers: Vec<_> = (0..readers).map(|_| subscriber.clone()).collect();
        group.throughput(Throughput::Elements(readers));
        group.bench_function(BenchmarkId::new("borrowed", readers), |b| {
            b.iter(|| {
                publisher.publish(black_box(TEXT).to_owned());
                for subscriber in &mut subscribers {
                    assert_eq!(subscriber.try_recv_ref().unwrap().len(), 64);
                }
            });
        });
        group.bench_function(BenchmarkId::new("cloned", readers), |b| {
            b.iter(|| {
                publisher.publish(black_box(TEXT).to_owned());
                for subscriber in &mut subscribers {
                    assert_eq!(subscriber.try_recv().unwrap().len(), 64);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(name = benches; config = common::criterion(); targets = publish, fan_out);
criterion_main!(benches);
