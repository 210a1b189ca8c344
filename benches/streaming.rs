//! How fast does one publisher stream to readers on threads of their own? `cargo bench --bench streaming`
//!
//! Nothing is lost: the publisher stays within half a ring of the slowest reader, and readers check
//! every number. The result is the time per message, until all readers have it.
#![allow(missing_docs, reason = "criterion's macros")]

mod common;

use common::{Crew, Marks, Pace, SLOTS, label, read, readers, relax};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use seqcast::{Inline, Publisher};
use std::ops::Range;

const BATCH: u64 = 64;

/// A function that publishes `numbers`. The caller makes sure that there is room.
trait Publish: FnMut(Range<u64>) {}
impl<F: FnMut(Range<u64>)> Publish for F {}

fn exclusive(mut publisher: Publisher<Inline<u64>>) -> impl Publish {
    move |numbers| {
        for number in numbers {
            publisher.publish(number);
        }
    }
}

fn batches(mut publisher: Publisher<Inline<u64>>) -> impl Publish {
    move |numbers| {
        publisher.publish_many(numbers);
    }
}

fn shared(publisher: Publisher<Inline<u64>>) -> impl Publish {
    let publisher = publisher.share();
    move |numbers| {
        for number in numbers {
            publisher.publish(number).expect("it is open");
        }
    }
}

fn row<P: Publish>(c: &mut Criterion, how: &str, batch: u64, readers: u64, publish: fn(Publisher<Inline<u64>>) -> P) {
    let relax = relax(readers + 1);
    let (publisher, subscriber) = seqcast::inline::<u64>(SLOTS);
    let mut publish = publish(publisher);
    let marks = Marks::new(readers);
    let crew = Crew::new((0..readers).map(|reader| {
        let (mut subscriber, marks) = (subscriber.clone(), marks.clone());
        move |messages| read(&mut subscriber, messages, relax, |next| marks.set(reader, next))
    }));
    let (mut pace, mut next) = (Pace::new(&marks), 0);
    let mut group = c.benchmark_group("streaming, nothing lost");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::new(how, label(&format!("1 to {readers}"), readers + 1)), |b| {
        b.iter_custom(|messages| {
            crew.run(messages, || {
                let end = next + messages;
                while next < end {
                    let stop = end.min(next + batch);
                    pace.wait(stop - 1, relax);
                    publish(next..stop);
                    next = stop;
                }
            })
        });
    });
    group.finish();
}

fn streaming(c: &mut Criterion) {
    for readers in readers() {
        row(c, "exclusive", 1, readers, exclusive);
        row(c, "exclusive, publish_many of 64", BATCH, readers, batches);
        row(c, "shared", 1, readers, shared);
    }
}

criterion_group!(name = benches; config = common::criterion(); targets = streaming);
criterion_main!(benches);
