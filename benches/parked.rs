//! How long until all of some sleeping threads have a message? `cargo bench --bench parked`
//!
//! From before the publish until the last of them has received, by that one's clock. Each publish waits until all sleep again.
#![allow(missing_docs, reason = "criterion's macros")]

mod common;

use common::{Tails, label};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use seqcast::{Inline, Ring};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// For those that said they sleep to be asleep indeed.
const FALL_ASLEEP: Duration = Duration::from_micros(200);

fn wait_until_all_sleep(ring: &Ring<Inline<u64>>) {
    while !ring.stats().subscribers.iter().all(|reader| reader.parked && reader.lag == 0) {
        thread::sleep(FALL_ASLEEP);
    }
    thread::sleep(FALL_ASLEEP);
}

fn parked(c: &mut Criterion) {
    let mut group = c.benchmark_group("wake parked threads");
    group.sampling_mode(SamplingMode::Flat);
    for threads in [1, 4, 16] {
        let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
        let received = Arc::new(AtomicU64::new(0));
        let (tell, all) = mpsc::channel();
        let readers: Vec<_> = (0..threads)
            .map(|_| {
                let (mut subscriber, received, tell) = (subscriber.clone(), Arc::clone(&received), tell.clone());
                thread::spawn(move || {
                    for (number, message) in (0..).zip(subscriber.iter()) {
                        assert_eq!(message, Ok(number));
                        if (received.fetch_add(1, Ordering::AcqRel) + 1) % threads == 0 {
                            tell.send(Instant::now()).expect("the publisher sleeps");
                        }
                    }
                })
            })
            .collect();
        drop(subscriber);
        let ring = publisher.ring();
        let row = label(&format!("{threads} threads"), threads);
        let mut tails = Tails::new();
        group.throughput(Throughput::Elements(threads));
        group.bench_function(&row, |b| {
            b.iter_custom(|publishes| {
                tails.sample();
                let mut sum = Duration::ZERO;
                for _ in 0..publishes {
                    wait_until_all_sleep(&ring);
                    let number = publisher.next_sequence();
                    let began = Instant::now();
                    publisher.publish(number);
                    let took = all.recv().expect("the last one tells") - began;
                    tails.note(took);
                    sum += took;
                }
                sum
            });
        });
        tails.print(&format!("waking {row}"));
        publisher.close();
        for reader in readers {
            reader.join().expect("all in order");
        }
    }
    group.finish();
}

criterion_group!(name = benches; config = common::criterion(); targets = parked);
criterion_main!(benches);
