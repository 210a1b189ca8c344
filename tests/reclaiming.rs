//! What a boxed ring keeps of messages that no subscriber can receive, when many are released at
//! once, and how deep drops nest.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

#[path = "common/testing.rs"]
mod testing;

use seqcast::{Boxed, SharedPublisher, Start};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Counts its live values.
struct Live(Arc<AtomicIsize>);

impl Live {
    fn new(count: &Arc<AtomicIsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn live(count: &Arc<AtomicIsize>) -> isize {
    count.load(Ordering::Relaxed)
}

const STAGES: usize = 40;
static STAGE: [AtomicIsize; STAGES] = [const { AtomicIsize::new(0) }; STAGES];
static PIPELINE: OnceLock<Vec<SharedPublisher<Boxed<Forwarded>>>> = OnceLock::new();

/// Its drop publishes to the next ring.
struct Forwarded(usize);

impl Forwarded {
    fn new(stage: usize) -> Self {
        STAGE[stage].fetch_add(1, Ordering::Relaxed);
        Self(stage)
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        STAGE[self.0].fetch_sub(1, Ordering::Relaxed);
        if let Some(next) = PIPELINE.get().and_then(|pipeline| pipeline.get(self.0 + 1)) {
            next.publish(Self::new(self.0 + 1)).unwrap();
        }
    }
}

#[test]
fn rings_that_feed_each_other_by_drops_each_keep_within_bounds() {
    let (publishers, _subscribers): (Vec<_>, Vec<_>) =
        (0..STAGES).map(|_| seqcast::boxed(2)).map(|(publisher, subscriber)| (publisher.share(), subscriber)).unzip();
    let pipeline = PIPELINE.get_or_init(|| publishers);
    for _ in 0..20_000 {
        pipeline[0].publish(Forwarded::new(0)).unwrap();
    }
    let most = STAGE.iter().map(|count| count.load(Ordering::Relaxed)).max().unwrap();
    assert!(most <= 2 + 66, "up to {most} messages are alive in a ring of 2");
}

#[test]
fn what_was_kept_for_many_subscribers_goes_with_them() {
    let count = Arc::new(AtomicIsize::new(0));
    let (mut publisher, subscriber) = seqcast::boxed::<Live>(4);
    let many: Vec<_> = (0..10_000).map(|_| subscriber.clone()).collect();
    publisher.publish_many((0..40_000).map(|_| Live::new(&count)));
    assert!(live(&count) <= 4 + 10_001);
    drop(many);
    publisher.publish_many((0..2_000).map(|_| Live::new(&count)));
    assert!(live(&count) <= 4 + 65, "{} alive", live(&count));
}

#[test]
fn what_comes_back_at_once_is_dropped_little_by_little() {
    let count = Arc::new(AtomicIsize::new(0));
    let (mut publisher, subscriber) = seqcast::boxed::<Live>(4);
    let mut many: Vec<_> = (0..2_000).map(|_| subscriber.clone()).collect();
    let mut borrowed = Vec::new();
    for subscriber in &mut many {
        subscriber.seek(Start::Latest);
        publisher.publish(Live::new(&count));
        borrowed.push(subscriber.try_recv_ref().unwrap());
    }
    publisher.publish_many((0..10_000).map(|_| Live::new(&count)));
    drop(borrowed);
    drop(many);
    for _ in 0..10_000 {
        let before = live(&count) + 1;
        publisher.publish(Live::new(&count));
        assert!(before - live(&count) <= 17, "one publish dropped {} messages", before - live(&count));
    }
    assert!(live(&count) <= 4 + 65, "{} alive", live(&count));
}

#[test]
fn what_was_borrowed_at_the_end_goes_with_its_subscribers() {
    let count = Arc::new(AtomicIsize::new(0));
    let (mut publisher, subscriber) = seqcast::boxed::<Live>(4);
    let mut many: Vec<_> = (0..1_000).map(|_| subscriber.clone()).collect();
    let mut borrowed = Vec::new();
    for subscriber in &mut many {
        subscriber.seek(Start::Latest);
        publisher.publish(Live::new(&count));
        borrowed.push(subscriber.try_recv_ref().unwrap());
    }
    drop(publisher);
    assert_eq!(live(&count), 1_000);
    drop(borrowed);
    drop(many);
    assert!(live(&count) <= 4 + 1, "{} messages are alive in a closed ring of 4 with an idle subscriber", live(&count));
    drop(subscriber);
    assert_eq!(live(&count), 0);
}

#[test]
fn what_one_look_borrows_and_the_next_does_not_is_bounded() {
    // Half of the readers hold a message each while the publisher publishes for some periods, then
    // the other half.
    let count = Arc::new(AtomicIsize::new(0));
    let (mut publisher, subscriber) = seqcast::boxed::<Live>(4);
    let mut readers: Vec<_> = (0..64).map(|_| subscriber.clone()).collect();
    for round in 0..200 {
        let mut borrowed = Vec::new();
        for subscriber in readers.iter_mut().skip(round % 2).step_by(2) {
            subscriber.seek(Start::Latest);
            publisher.publish(Live::new(&count));
            borrowed.push(subscriber.try_recv_ref().unwrap());
        }
        for _ in 0..200 {
            publisher.publish(Live::new(&count));
        }
        assert!(live(&count) <= 4 + 32 + 65 + 65, "{} alive", live(&count));
    }
}

#[test]
fn however_much_is_borrowed_a_publisher_looks_only_now_and_then() {
    // A publisher that scanned after each message would never keep more than one unborrowed
    // message.
    for (readers, period) in [(60, 64), (400, 401)] {
        let count = Arc::new(AtomicIsize::new(0));
        let (mut publisher, subscriber) = seqcast::boxed::<Live>(4);
        let mut readers: Vec<_> = (0..readers).map(|_| subscriber.clone()).collect();
        let mut borrowed = Vec::new();
        for subscriber in &mut readers {
            publisher.publish(Live::new(&count));
            borrowed.push(subscriber.latest_ref().unwrap());
        }
        publisher.publish_many((0..2_000).map(|_| Live::new(&count)));
        assert!(live(&count) >= 4 + borrowed.len() as isize + period, "{} alive", live(&count));
    }
}

#[test]
fn what_is_left_over_is_looked_at_now_and_then() {
    // By publishers that cannot use their pool, because their handle is in use.
    for readers in [1, 2, 10, 100] {
        let count = Arc::new(AtomicIsize::new(0));
        let (publisher, subscriber) = seqcast::boxed::<Live>(4);
        let publisher = publisher.share();
        let _readers: Vec<_> = (1..readers).map(|_| subscriber.clone()).collect();
        let mut most = 0;
        for _ in 0..1_000 {
            testing::claim(&publisher).unwrap().begin().unwrap().commit(Live::new(&count));
            most = most.max(live(&count));
        }
        // The last one is dropped as soon as it is one too many.
        assert_eq!(most, 4 + 64 + readers - 1, "with {readers} subscribers");
    }
}

#[test]
fn what_is_left_at_the_end_goes_once_it_is_more_than_can_be_borrowed() {
    let count = Arc::new(AtomicIsize::new(0));
    let (mut publisher, subscriber) = seqcast::boxed::<Live>(4);
    let mut readers: Vec<_> = (0..5).map(|_| subscriber.clone()).collect();
    let mut borrowed = Vec::new();
    for subscriber in readers.iter_mut().take(3) {
        publisher.publish(Live::new(&count));
        borrowed.push(subscriber.latest_ref().unwrap());
    }
    publisher.publish_many((0..10).map(|_| Live::new(&count)));
    drop(publisher);
    drop(borrowed);
    drop(subscriber);
    let mut alive = vec![live(&count)];
    while readers.pop().is_some() {
        alive.push(live(&count));
    }
    // Three subscribers may borrow three.
    assert_eq!(alive, [4 + 3, 4 + 3, 4 + 3, 4, 4, 0]);
}

static ECHOES: AtomicIsize = AtomicIsize::new(0);
static ECHO: OnceLock<SharedPublisher<Boxed<Echo>>> = OnceLock::new();

/// Its drop publishes a message without such a drop.
struct Echo {
    silent: bool,
}

impl Drop for Echo {
    fn drop(&mut self) {
        ECHOES.fetch_add(1, Ordering::Relaxed);
        if let (false, Some(publisher)) = (self.silent, ECHO.get()) {
            publisher.publish(Self { silent: true }).unwrap();
        }
    }
}

#[test]
fn what_comes_back_at_once_is_dropped_little_by_little_also_by_drops_that_publish() {
    let (publisher, subscriber) = seqcast::boxed::<Echo>(4);
    let publisher = ECHO.get_or_init(|| publisher.share());
    let mut many: Vec<_> = (0..4_000).map(|_| subscriber.clone()).collect();
    let mut borrowed = Vec::new();
    for subscriber in &mut many {
        subscriber.seek(Start::Latest);
        publisher.publish(Echo { silent: false }).ok().unwrap();
        borrowed.push(subscriber.try_recv_ref().unwrap());
    }
    let publish = || publisher.publish(Echo { silent: true }).ok().unwrap();
    (0..10_000).for_each(|_| _ = publish());
    drop(borrowed);
    drop(many);
    let mut most = 0;
    for _ in 0..10_000 {
        let before = ECHOES.load(Ordering::Relaxed);
        publish();
        most = most.max(ECHOES.load(Ordering::Relaxed) - before);
    }
    assert!(most <= 17 * 32, "up to {most} messages were dropped at once");
}
