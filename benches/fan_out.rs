//! What does a delivery cost if every subscriber receives each message before the next one is published,
//! on one thread and between threads? `cargo bench --bench fan_out`
//!
//! Nothing is lost. The result is the time per message, until all subscribers have it.
#![allow(missing_docs, reason = "criterion's macros")]

mod common;

use common::{Crew, Tails, label, read, readers, relax};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use crossbeam_utils::CachePadded;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

fn one_thread(c: &mut Criterion) {
    let mut group = c.benchmark_group("fan-out on one thread");
    for readers in [1, 8, 32, 1024] {
        let (mut publisher, subscriber) = seqcast::inline::<u64>(1024);
        let mut subscribers: Vec<_> = (0..readers).map(|_| subscriber.clone()).collect();
        group.throughput(Throughput::Elements(readers));
        group.bench_function(BenchmarkId::from_parameter(readers), |b| {
            b.iter(|| {
                let number = publisher.next_sequence();
                publisher.publish(number);
                for subscriber in &mut subscribers {
                    assert_eq!(subscriber.try_recv(), Ok(number));
                }
            });
        });
    }
    group.finish();

    let mut group = c.benchmark_group("poll an empty ring");
    let (_publisher, mut subscriber) = seqcast::inline::<u64>(1024);
    group.bench_function("try_recv", |b| b.iter(|| subscriber.try_recv()));
    group.finish();
}

/// Each reader increments a counter in one cache line, and the publisher waits for the last. The result
/// includes this.
fn threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("fan-out across threads, until all have counted themselves off");
    group.sampling_mode(SamplingMode::Flat);
    for readers in readers() {
        let relax = relax(readers + 1);
        let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
        let taken = Arc::new(CachePadded::new(AtomicU64::new(0)));
        let crew = Crew::new((0..readers).map(|_| {
            let (mut subscriber, taken) = (subscriber.clone(), Arc::clone(&taken));
            move |messages| {
                read(&mut subscriber, messages, relax, |_next| {
                    taken.fetch_add(1, Ordering::AcqRel);
                });
            }
        }));
        let row = label(&format!("to {readers}"), readers + 1);
        let mut tails = Tails::new();
        group.throughput(Throughput::Elements(readers));
        group.bench_function(&row, |b| {
            b.iter_custom(|messages| {
                tails.sample();
                crew.run(messages, || {
                    let first = publisher.next_sequence();
                    let mut before = Instant::now();
                    for number in first..first + messages {
                        publisher.publish(number);
                        let mut wait = relax;
                        while taken.load(Ordering::Acquire) < (number + 1) * readers {
                            wait();
                        }
                        let after = Instant::now();
                        tails.note(after - before);
                        before = after;
                    }
                })
            });
        });
        tails.print(&format!("fan-out {row}"));
    }
    group.finish();
}

criterion_group!(name = benches; config = common::criterion(); targets = one_thread, threads);
criterion_main!(benches);
