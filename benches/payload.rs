//! From which size on is a boxed ring the faster one? `cargo bench --bench payload`
//!
//! Arrays of words: inline rings copy them in and out, boxed rings in, and lend them. Nothing is lost.
#![allow(missing_docs, reason = "criterion's macros")]

mod common;

use common::{Crew, Marks, Pace, SLOTS, label, relax};
use criterion::{Bencher, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use seqcast::{Boxed, Inline, Publisher, Storage, Subscriber, TryRecvError};
use std::hint::black_box;

/// Which number came.
type Take<S> = fn(&mut Subscriber<S>) -> Result<u64, TryRecvError>;

fn message<const WORDS: usize>(number: u64) -> [u64; WORDS] {
    black_box([number; WORDS])
}

/// All of it has to be there, though only two words are looked at.
fn number<const WORDS: usize>(message: &[u64; WORDS]) -> u64 {
    let words = black_box(message);
    assert_eq!(words[0], words[WORDS - 1], "torn");
    words[0]
}

fn inline<const WORDS: usize>(subscriber: &mut Subscriber<Inline<[u64; WORDS]>>) -> Result<u64, TryRecvError> {
    subscriber.try_recv().map(|message| number(&message))
}

fn boxed<const WORDS: usize>(subscriber: &mut Subscriber<Boxed<[u64; WORDS]>>) -> Result<u64, TryRecvError> {
    subscriber.try_recv_ref().map(|message| number(&message))
}

fn one_thread<S: Storage<Item = [u64; WORDS]>, const WORDS: usize>(
    b: &mut Bencher<'_>,
    (mut publisher, mut subscriber): (Publisher<S>, Subscriber<S>),
    take: Take<S>,
) {
    b.iter(|| {
        let number = publisher.next_sequence();
        publisher.publish(message(number));
        assert_eq!(take(&mut subscriber), Ok(number));
    });
}

fn two_threads<S: Storage<Item = [u64; WORDS]>, const WORDS: usize>(
    b: &mut Bencher<'_>,
    (mut publisher, mut subscriber): (Publisher<S>, Subscriber<S>),
    take: Take<S>,
) {
    let (relax, marks) = (relax(2), Marks::new(1));
    let mut pace = Pace::new(&marks);
    let crew = Crew::new([move |messages| {
        let first = subscriber.next_sequence();
        for expected in first..first + messages {
            let mut wait = relax;
            loop {
                match take(&mut subscriber) {
                    Ok(number) => break assert_eq!(number, expected, "out of order"),
                    Err(TryRecvError::Empty) => wait(),
                    Err(error) => panic!("{error}"),
                }
            }
            marks.set(0, expected + 1);
        }
    }]);
    b.iter_custom(|messages| {
        crew.run(messages, || {
            let first = publisher.next_sequence();
            for number in first..first + messages {
                pace.wait(number, relax);
                publisher.publish(message(number));
            }
        })
    });
}

fn size<const WORDS: usize>(c: &mut Criterion) {
    let bytes = 8 * WORDS as u64;
    let mut group = c.benchmark_group("payload, nothing lost, one thread");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function(BenchmarkId::new("inline", bytes), |b| one_thread(b, seqcast::inline(1024), inline::<WORDS>));
    group.bench_function(BenchmarkId::new("boxed", bytes), |b| one_thread(b, seqcast::boxed(1024), boxed::<WORDS>));
    group.finish();

    let mut group = c.benchmark_group(label("payload, nothing lost, two threads", 2));
    group.throughput(Throughput::Bytes(bytes)).sampling_mode(SamplingMode::Flat);
    group.bench_function(BenchmarkId::new("inline", bytes), |b| {
        two_threads(b, seqcast::inline(SLOTS), inline::<WORDS>);
    });
    group.bench_function(BenchmarkId::new("boxed", bytes), |b| {
        two_threads(b, seqcast::boxed(SLOTS), boxed::<WORDS>);
    });
    group.finish();
}

fn payload(c: &mut Criterion) {
    size::<1>(c);
    size::<8>(c);
    size::<32>(c);
    size::<128>(c);
    size::<512>(c);
}

criterion_group!(name = benches; config = common::criterion(); targets = payload);
criterion_main!(benches);
