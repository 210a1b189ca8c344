//! What does a delivery cost when one thread publishes and has every subscriber take the message? `cargo bench --bench fan_out`
#![allow(missing_docs, reason = "criterion's macros")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn fan_out(c: &mut Criterion) {
    let mut group = c.benchmark_group("publish and receive on one thread");
    for readers in [1, 8, 32, 1024] {
        let (mut publisher, subscriber) = seqcast::inline::<u64>(1024);
        let mut subscribers: Vec<_> = (0..readers).map(|_| subscriber.clone()).collect();
        group.throughput(Throughput::Elements(readers));
        group.bench_function(BenchmarkId::from_parameter(readers), |b| {
            b.iter(|| {
                let sequence = publisher.publish(3);
                for subscriber in &mut subscribers {
                    assert_eq!(subscriber.try_recv(), Ok(3));
                }
                sequence
            });
        });
    }
    group.finish();

    let mut group = c.benchmark_group("poll an empty ring");
    let (_publisher, mut subscriber) = seqcast::inline::<u64>(1024);
    group.bench_function("try_recv", |b| b.iter(|| subscriber.try_recv()));
    group.finish();
}

criterion_group!(benches, fan_out);
criterion_main!(benches);
