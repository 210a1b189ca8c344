//! How long does a message take to another thread and back? `cargo bench --bench round_trip`
//!
//! Two threads and two rings. A message is sent when the previous one is back. Where percentiles are
//! printed, each trip includes reading the clock.
#![allow(missing_docs, reason = "criterion's macros")]

mod common;

use common::{Crew, Tails, label, relax};
use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use seqcast::{Inline, Subscriber, TryRecvError};
use std::time::Instant;

type Reader = Subscriber<Inline<u64>>;

/// How a thread waits for the next message.
trait Wait: Fn(&mut Reader) -> u64 + Copy + Send + 'static {}
impl<F: Fn(&mut Reader) -> u64 + Copy + Send + 'static> Wait for F {}

/// Polls until there is a message.
fn poll() -> impl Wait {
    let relax = relax(2);
    move |subscriber: &mut Reader| {
        let mut wait = relax;
        loop {
            match subscriber.try_recv() {
                Ok(number) => return number,
                Err(TryRecvError::Empty) => wait(),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Polls for a while, then sleeps.
fn block(subscriber: &mut Reader) -> u64 {
    subscriber.recv().expect("neither lost nor closed")
}

fn row(c: &mut Criterion, how: &str, receive: impl Wait, timed: bool) {
    let ((mut there, mut far), (mut back, mut near)) = (seqcast::inline::<u64>(64), seqcast::inline::<u64>(64));
    let crew = Crew::new([move |trips| {
        for _ in 0..trips {
            let expected = far.next_sequence();
            assert_eq!(receive(&mut far), expected);
            back.publish(expected);
        }
    }]);
    let mut tails = Tails::new();
    let mut group = c.benchmark_group("round trip");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function(label(how, 2), |b| {
        b.iter_custom(|trips| {
            tails.sample();
            crew.run(trips, || {
                let mut before = Instant::now();
                for _ in 0..trips {
                    let number = there.next_sequence();
                    there.publish(number);
                    assert_eq!(receive(&mut near), number);
                    if timed {
                        let after = Instant::now();
                        tails.note(after - before);
                        before = after;
                    }
                }
            })
        });
    });
    group.finish();
    tails.print(how);
}

fn round_trip(c: &mut Criterion) {
    row(c, "polling", poll(), false);
    row(c, "polling, each trip timed", poll(), true);
    row(c, "recv, which polls and then parks", block, false);
    row(c, "recv, each trip timed", block, true);
}

criterion_group!(name = benches; config = common::criterion(); targets = round_trip);
criterion_main!(benches);
