//! What does it cost to subscribe and to leave with many subscribers, and to drop a large ring with few
//! messages?
//! `cargo bench --bench joining`
#![allow(missing_docs, reason = "criterion's macros")]

mod common;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use seqcast::{Publisher, Subscriber};

fn joining(c: &mut Criterion) {
    let mut group = c.benchmark_group("join and leave");
    for live in [100, 1_000, 4_000, 10_000, 100_000] {
        let (publisher, subscriber) = seqcast::inline::<u64>(1024);
        let subscribers: Vec<Subscriber<_>> = (1..live).map(|_| subscriber.clone()).collect();
        group.bench_function(format!("beside {live} live"), |b| b.iter(|| drop(publisher.subscribe())));
        assert_eq!(publisher.subscriber_count(), live);
        drop(subscribers);
    }
    group.finish();
}

/// A boxed ring of 2²⁴ slots with three messages.
fn nearly_empty() -> Publisher<seqcast::Boxed<u64>> {
    let (mut publisher, _) = seqcast::boxed::<u64>(1 << 24);
    publisher.publish_many(0..3);
    publisher
}

fn dropping(c: &mut Criterion) {
    let mut group = c.benchmark_group("drop");
    group.bench_function("boxed ring of 16 777 216 slots, 3 messages", |b| {
        b.iter_batched(nearly_empty, drop, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(name = benches; config = common::criterion(); targets = joining, dropping);
criterion_main!(benches);
