//! What does a message cost when many publish at once, and how long may a publisher be held up? `cargo bench --bench publishers`
#![allow(missing_docs, reason = "criterion's macros")]

mod common;

use common::{Crew, Marks, Pace, SLOTS, Tails, label, relax};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use seqcast::TryRecvError;
use std::sync::{Arc, Mutex};
use std::time::Instant;

const PUBLISHERS: [u64; 3] = [2, 4, 16];
const BATCH: u64 = 64;

/// One reader; publishers keep within half a ring of it, and in step with each other.
fn paced(c: &mut Criterion) {
    let mut group = c.benchmark_group("publishers to one reader, nothing lost");
    group.sampling_mode(SamplingMode::Flat);
    for publishers in PUBLISHERS {
        let relax = relax(publishers + 1);
        let (publisher, mut subscriber) = seqcast::inline::<u64>(SLOTS);
        let (publisher, marks) = (publisher.share(), Marks::new(1));
        let crew = Crew::new((0..publishers).map(|id| {
            let (publisher, mut pace, mut turn) = (publisher.clone(), Pace::new(&marks), 0);
            move |turns| {
                for _ in 0..turns {
                    let number = turn * publishers + id;
                    pace.wait(number, relax);
                    publisher.publish(number).expect("it is open");
                    turn += 1;
                }
            }
        }));
        // What each publisher sends next.
        let mut expected: Vec<_> = (0..publishers).collect();
        let mut received = 0;
        group.throughput(Throughput::Elements(publishers));
        group.bench_function(label(&format!("a message from each of {publishers}"), publishers + 1), |b| {
            b.iter_custom(|turns| {
                crew.run(turns, || {
                    let end = received + turns * publishers;
                    let mut wait = relax;
                    while received < end {
                        match subscriber.try_recv() {
                            Ok(number) => {
                                let expected = &mut expected[usize::try_from(number % publishers).unwrap()];
                                assert_eq!(number, *expected, "out of its publisher's order");
                                *expected += publishers;
                                received += 1;
                                marks.set(0, received);
                            }
                            Err(TryRecvError::Empty) => wait(),
                            Err(error) => panic!("{error}"),
                        }
                    }
                })
            });
        });
    }
    group.finish();
}

/// Nobody reads and nobody waits.
fn unpaced(c: &mut Criterion) {
    let mut group = c.benchmark_group("publishers, unpaced, lossy");
    group.sampling_mode(SamplingMode::Flat);
    for publishers in PUBLISHERS {
        let (publisher, mut idle) = seqcast::inline::<u64>(SLOTS);
        let publisher = publisher.share();
        let tails: Vec<_> = (0..publishers).map(|_| Arc::new(Mutex::new(Tails::new()))).collect();
        let crew = Crew::new(tails.iter().map(|tails| {
            let (publisher, tails) = (publisher.clone(), Arc::clone(tails));
            move |batches| {
                let mut tails = tails.lock().unwrap();
                tails.sample();
                let mut before = Instant::now();
                for _ in 0..batches {
                    for number in 0..BATCH {
                        publisher.publish(number).expect("it is open");
                    }
                    let after = Instant::now();
                    tails.note(after - before);
                    before = after;
                }
            }
        }));
        let mut messages = 0;
        let row = label(&format!("a batch of {BATCH} from each of {publishers}"), publishers);
        group.throughput(Throughput::Elements(BATCH * publishers));
        group.bench_function(&row, |b| {
            b.iter_custom(|batches| {
                messages += batches * BATCH * publishers;
                crew.run(batches, || ())
            });
        });
        let mut all = Tails::new();
        for tails in &tails {
            all.add(&tails.lock().unwrap());
        }
        all.print(&row);

        // Every publish has its place: read, missed, or given up for one beside a publisher that was stopped.
        let skipped = idle.ring().stats().skipped;
        let read = idle.try_iter().flatten().count() as u64;
        assert_eq!(read + idle.missed() + idle.holes(), messages + skipped);
        if messages > 0 {
            println!("holes: {skipped} for {messages} messages\n");
        }
    }
    group.finish();
}

criterion_group!(name = benches; config = common::criterion(); targets = paced, unpaced);
criterion_main!(benches);
