//! What does a delivery to many sleeping tasks cost? `cargo bench --bench tasks`
//!
//! Tasks on a tokio runtime with a worker for each core (at most 16). The publisher, a task as well or a thread beside the workers,
//! sleeps until all have a burst, and goes on with the next. Nothing is lost, and the time is that of one burst to all.
#![allow(missing_docs, reason = "criterion's macros")]

mod common;

use common::{Tails, cores};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use seqcast::{Inline, Publisher, Subscriber};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

/// Which tasks have all of a burst; the last one wakes the publisher.
struct Done {
    tasks: u64,
    count: AtomicU64,
    all: Notify,
}

impl Done {
    fn one(&self) {
        if (self.count.fetch_add(1, Ordering::AcqRel) + 1) % self.tasks == 0 {
            self.all.notify_one();
        }
    }
}

async fn receive_all(mut subscriber: Subscriber<Inline<u64>>, burst: u64, done: Arc<Done>) {
    let mut next = 0;
    while let Ok(number) = subscriber.recv_async().await {
        assert_eq!(number, next, "out of order");
        next += 1;
        if next % burst == 0 {
            done.one();
        }
    }
    assert!(subscriber.is_closed() && subscriber.missed() == 0, "lost something");
}

/// How a burst is published: how many messages, and by how many calls.
#[derive(Clone, Copy)]
enum How {
    OneMessage,
    Burst,
    BurstByPublishMany,
}

impl How {
    fn messages(self) -> u64 {
        if matches!(self, Self::OneMessage) { 1 } else { 16 }
    }

    fn name(self) -> &'static str {
        match self {
            Self::OneMessage => "one message at a time",
            Self::Burst => "bursts of 16",
            Self::BurstByPublishMany => "bursts of 16 by publish_many",
        }
    }
}

/// The publisher and what it notes.
struct Source {
    publisher: Publisher<Inline<u64>>,
    how: How,
    done: Arc<Done>,
    tails: Tails,
}

impl Source {
    async fn publish(mut self, bursts: u64) -> (Duration, Self) {
        self.tails.sample();
        let began = Instant::now();
        let mut before = began;
        for _ in 0..bursts {
            let next = self.publisher.next_sequence();
            let numbers = next..next + self.how.messages();
            if let How::BurstByPublishMany = self.how {
                self.publisher.publish_many(numbers);
            } else {
                for number in numbers {
                    self.publisher.publish(number);
                }
            }
            self.done.all.notified().await;
            let after = Instant::now();
            self.tails.note(after - before);
            before = after;
        }
        (before - began, self)
    }
}

fn row(c: &mut Criterion, runtime: &Runtime, tasks: u64, how: How, from_task: bool) {
    let (publisher, subscriber) = seqcast::inline::<u64>(64);
    let done = Arc::new(Done { tasks, count: AtomicU64::new(0), all: Notify::new() });
    for _ in 0..tasks {
        runtime.spawn(receive_all(subscriber.clone(), how.messages(), Arc::clone(&done)));
    }
    drop(subscriber);
    let mut source = Some(Source { publisher, how, done, tails: Tails::new() });
    let mut group = c.benchmark_group(format!("{tasks} tasks"));
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(tasks * how.messages()));
    let row = format!("{}, from a {}", how.name(), if from_task { "task" } else { "thread" });
    group.bench_function(&row, |b| {
        b.iter_custom(|bursts| {
            // Before the time begins; the tasks are there already.
            let work = source.take().expect("it came back").publish(bursts);
            let (took, back) = if from_task {
                runtime.block_on(runtime.spawn(work)).expect("no panic")
            } else {
                runtime.block_on(work)
            };
            source = Some(back);
            took
        });
    });
    group.finish();
    source.expect("it came back").tails.print(&format!("{tasks} tasks, {row}"));
}

fn tasks(c: &mut Criterion) {
    let workers = usize::try_from(cores().min(16)).expect("few");
    let runtime = Builder::new_multi_thread().worker_threads(workers).build().expect("a runtime");
    for tasks in [10, 100, 1_000] {
        for how in [How::Burst, How::BurstByPublishMany, How::OneMessage] {
            row(c, &runtime, tasks, how, false);
            row(c, &runtime, tasks, how, true);
        }
    }
}

criterion_group!(name = benches; config = common::criterion(); targets = tasks);
criterion_main!(benches);
