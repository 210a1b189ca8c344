//! What does it cost to be lapped, and how does a reader get on that is lapped all the time? `cargo bench --bench lag`
//!
//! Lossy, all of it: what was received and what was missed is counted, checked to add up, and printed.
#![allow(missing_docs, reason = "criterion's macros")]

mod common;

use common::{Crew, Tails, label};
use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use seqcast::{Builder, Inline, Lagged, Start, Subscriber, TryRecvError};
use std::hint::spin_loop;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// On one thread, many subscribers in a row, lest the clock count.
fn one_receive(c: &mut Criterion) {
    let (capacity, readers) = (1024, 256);
    let mut group = c.benchmark_group("one receive");
    for (row, start, slack) in [
        ("of a message", Start::Oldest, 0),
        ("that is told of a lag", Start::At(0), 0),
        ("that is told of a lag, with lag_slack", Start::At(0), 256),
    ] {
        let (mut publisher, subscriber) = Builder::new(capacity).lag_slack(slack).inline::<u64>();
        publisher.publish_many(0..3 * 1024);
        let mut subscribers: Vec<_> = (0..readers).map(|_| subscriber.clone()).collect();
        let resumed_at = 2 * 1024 + slack as u64;
        let expected = match start {
            Start::At(_) => Err(TryRecvError::Lagged(Lagged { missed: resumed_at, resumed_at })),
            _ => Ok(2 * 1024),
        };
        group.bench_function(row, |b| {
            b.iter_custom(|rounds| {
                let mut sum = Duration::ZERO;
                for _ in 0..rounds {
                    for subscriber in &mut subscribers {
                        subscriber.seek(start);
                    }
                    let began = Instant::now();
                    for subscriber in &mut subscribers {
                        assert_eq!(subscriber.try_recv(), expected);
                    }
                    sum += began.elapsed();
                }
                sum / readers
            });
        });
    }
    group.finish();
}

/// When the reader is busy for a while.
#[derive(Clone, Copy, PartialEq)]
enum Busy {
    Never,
    AfterMessages,
    AfterAll,
}

const BUSY: Duration = Duration::from_nanos(500);

#[derive(Default)]
struct Count {
    received: u64,
    missed: u64,
    lags: u64,
}

/// Reads on until the sequence `end`; every message must carry its sequence.
fn read_on(subscriber: &mut Subscriber<Inline<u64>>, end: u64, busy: Busy, count: &mut Count, gaps: &mut Tails) {
    let mut last = Instant::now();
    while subscriber.next_sequence() < end {
        let work = match subscriber.try_recv() {
            Ok(number) => {
                assert_eq!(Some(number), subscriber.last_sequence());
                count.received += 1;
                gaps.note(last.elapsed());
                last = Instant::now();
                busy != Busy::Never
            }
            Err(TryRecvError::Lagged(lagged)) => {
                count.missed += lagged.missed;
                count.lags += 1;
                busy == Busy::AfterAll
            }
            Err(TryRecvError::Empty) => false,
            Err(TryRecvError::Closed) => panic!("closed"),
        };
        let began = Instant::now();
        while work && began.elapsed() < BUSY {
            spin_loop();
        }
    }
}

/// A publisher at full speed, and a reader that needs longer for a message than the publisher does. A sample ends with what the ring
/// still holds, at most 256 messages in which nobody hurries the reader.
fn always_lapped(c: &mut Criterion) {
    let mut group = c.benchmark_group("publish beside a reader that is lapped");
    group.sampling_mode(SamplingMode::Flat);
    for (busy, how) in [
        (Busy::Never, "never busy"),
        (Busy::AfterMessages, "busy after each message"),
        (Busy::AfterAll, "busy after each message and each Lagged"),
    ] {
        for slack in [0, 192] {
            let (mut publisher, mut subscriber) = Builder::new(256).lag_slack(slack).inline::<u64>();
            let tally = Arc::new(Mutex::new((Count::default(), Tails::new())));
            let noted = Arc::clone(&tally);
            let mut received = 0;
            let crew = Crew::new([move |messages| {
                let (sum, gaps) = &mut *noted.lock().unwrap();
                if gaps.sample() {
                    *sum = Count::default();
                }
                let (mut count, end) = (Count::default(), subscriber.next_sequence() + messages);
                read_on(&mut subscriber, end, busy, &mut count, gaps);
                received += count.received;
                assert_eq!(received + subscriber.missed(), subscriber.next_sequence(), "the conservation law");
                sum.received += count.received;
                sum.missed += count.missed;
                sum.lags += count.lags;
            }]);
            let row = label(&format!("{how}, lag_slack {slack}"), 2);
            group.bench_function(&row, |b| {
                b.iter_custom(|messages| {
                    crew.run(messages, || {
                        let first = publisher.next_sequence();
                        for number in first..first + messages {
                            publisher.publish(number);
                        }
                    })
                });
            });
            let (Count { received, missed, lags }, gaps) = &*tally.lock().unwrap();
            if publisher.next_sequence() > 0 {
                gaps.print(&format!("{row}, from one message received to the next"));
                let share = 1_000_000 * received / (received + missed);
                println!("received {received} (of a million, {share}), missed {missed} in {lags} lags\n");
            }
        }
    }
    group.finish();
}

criterion_group!(name = benches; config = common::criterion(); targets = one_receive, always_lapped);
criterion_main!(benches);
