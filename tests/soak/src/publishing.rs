//! Every way to publish.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::executor::block_on;
use seqcast::{Publish, PublishTimeoutError, Publisher, SharedPublisher, TryPublishError};

use crate::common::lock;
use crate::hang::{self, Mark};
use crate::message::{self, Carry};
use crate::stage::{End, Stage};
use crate::stalling;
use crate::tally::{self, Count};
use crate::watch::{self, catch, check, throw};

/// Makes the messages of one publisher.
pub(crate) struct Pen<S: Carry> {
    pub(crate) stage: Arc<Stage<S>>,
    mark: Arc<Mark>,
    id: u64,
    number: u64,
    pub(crate) random: fastrand::Rng,
}

impl<S: Carry> Pen<S> {
    pub(crate) fn new(stage: &Arc<Stage<S>>, random: &mut fastrand::Rng) -> Option<Self> {
        let id = stage.enrol()?;
        Some(Self {
            mark: hang::mark(stage.lane, "publisher", id),
            id,
            number: 0,
            random: random.fork(),
            stage: Arc::clone(stage),
        })
    }

    pub(crate) fn doing(&self, what: &'static str) {
        self.mark.set(what);
    }

    #[inline]
    pub(crate) fn name(&mut self) -> u64 {
        self.number += 1;
        message::name(self.id, self.number - 1)
    }

    #[inline]
    pub(crate) fn message(&mut self) -> S::Item {
        let name = self.name();
        S::make(name, self.stage.ledger)
    }
}

/// The common interface of exclusive and shared publishers.
pub(crate) trait Outlet<S: Carry> {
    /// Returns `None` if the ring is closed, like the methods below.
    fn publish(&mut self, message: S::Item) -> Option<u64>;
    fn attempt(&mut self, message: S::Item) -> Result<u64, TryPublishError<S::Item>>;
    fn within(&mut self, message: S::Item, timeout: Duration) -> Result<u64, PublishTimeoutError<S::Item>>;
    fn in_task(&mut self, message: S::Item) -> Publish<'_, S>;

    /// Publishes in one of the ways. If a way gives up, one that waits follows.
    fn one(&mut self, make: &dyn Fn() -> S::Item, way: u32) -> Option<u64> {
        match way {
            0 => match self.attempt(make()) {
                Ok(sequence) => Some(sequence),
                Err(TryPublishError::Full(message)) => self.publish(message),
                Err(TryPublishError::Closed(_)) => None,
            },
            1 => {
                let mut message = make();
                loop {
                    match self.within(message, SHORT) {
                        Ok(sequence) => return Some(sequence),
                        Err(PublishTimeoutError::Timeout(back)) => message = back,
                        Err(PublishTimeoutError::Closed(_)) => return None,
                    }
                }
            }
            2 => block_on(self.in_task(make())).ok(),
            3 => match self.in_task(make()).now_or_never() {
                Some(published) => published.ok(),
                None => {
                    tally::add(Count::CancelledFutures, 1);
                    self.publish(make())
                }
            },
            _ => self.publish(make()),
        }
    }

    /// The number of published messages.
    fn many(&mut self, messages: &mut dyn Iterator<Item = S::Item>) -> u64;
    fn next(&self) -> u64;
}

impl<S: Carry> Outlet<S> for Publisher<S> {
    fn publish(&mut self, message: S::Item) -> Option<u64> {
        Some(Publisher::publish(self, message))
    }

    fn attempt(&mut self, message: S::Item) -> Result<u64, TryPublishError<S::Item>> {
        self.try_publish(message)
    }

    fn within(&mut self, message: S::Item, timeout: Duration) -> Result<u64, PublishTimeoutError<S::Item>> {
        self.publish_timeout(message, timeout)
    }

    fn in_task(&mut self, message: S::Item) -> Publish<'_, S> {
        self.publish_async(message)
    }

    fn many(&mut self, messages: &mut dyn Iterator<Item = S::Item>) -> u64 {
        let sequences = self.publish_many(messages);
        sequences.end - sequences.start
    }

    fn next(&self) -> u64 {
        self.next_sequence()
    }
}

impl<S: Carry> Outlet<S> for SharedPublisher<S> {
    fn publish(&mut self, message: S::Item) -> Option<u64> {
        SharedPublisher::publish(self, message).ok()
    }

    fn attempt(&mut self, message: S::Item) -> Result<u64, TryPublishError<S::Item>> {
        self.try_publish(message)
    }

    fn within(&mut self, message: S::Item, timeout: Duration) -> Result<u64, PublishTimeoutError<S::Item>> {
        self.publish_timeout(message, timeout)
    }

    fn in_task(&mut self, message: S::Item) -> Publish<'_, S> {
        self.publish_async(message)
    }

    fn many(&mut self, messages: &mut dyn Iterator<Item = S::Item>) -> u64 {
        self.publish_many(messages) as u64
    }

    fn next(&self) -> u64 {
        self.next_sequence()
    }
}

/// Publishes `count` messages in one of the ways. Returns `false` if the ring was closed meanwhile.
pub(crate) fn burst<S: Carry>(outlet: &mut impl Outlet<S>, pen: &mut Pen<S>, count: u64) -> bool {
    let stage = Arc::clone(&pen.stage);
    pen.doing("publishes");
    let (published, end) = match pen.random.u32(0..16) {
        0..8 => one_by_one(outlet, pen, count),
        8..15 => (outlet.many(&mut (0..count).map(|_| pen.message())), 0),
        _ => {
            // The messages before the iterator's panic stay published.
            let survivors = pen.random.u64(0..count);
            let mut messages = (0..count).map(|at| if at == survivors { throw() } else { pen.message() });
            (catch(|| outlet.many(&mut messages)).unwrap_or_else(|| survived(&stage, survivors)), 0)
        }
    };
    stage.published(published, end);
    if stage.manner.alone() {
        let (counted, tail) = (stage.published.load(Relaxed), outlet.next());
        check!(tail - stage.first == counted, "{counted} published, but the tail is {tail}");
    }
    published == count
}

/// How many of the messages before the iterator's panic are certainly published. If the ring was
/// closed meanwhile, it refuses the last run.
fn survived<S: Carry>(stage: &Stage<S>, given: u64) -> u64 {
    let unclear = if stage.ring.is_closed() { given.min(LONGEST_RUN) } else { 0 };
    stage.unclear.fetch_add(unclear, Relaxed);
    given - unclear
}

/// The maximum of messages per claim.
const LONGEST_RUN: u64 = 16;

/// The number of published messages, and the sequence after the last one.
fn one_by_one<S: Carry>(outlet: &mut impl Outlet<S>, pen: &mut Pen<S>, count: u64) -> (u64, u64) {
    let (mut end, way) = (0, pen.random.u32(0..8));
    for published in 0..count {
        let name = pen.name();
        let ledger = pen.stage.ledger;
        let Some(sequence) = outlet.one(&|| S::make(name, ledger), way) else { return (published, end) };
        check!(sequence >= end, "a publish returned {sequence} after {}", end - 1);
        pen.stage.saw(sequence, name);
        end = sequence + 1;
    }
    (count, end)
}

/// The timeout of a publish with a timeout.
const SHORT: Duration = Duration::from_micros(100);

/// The maximum that a publisher waits for subscribers before a burst.
const COURTESY: Duration = Duration::from_millis(2);

/// Publishes. Most publishers wait first until the subscribers have little lag.
fn publish<S: Carry>(outlet: &mut impl Outlet<S>, pen: &mut Pen<S>) {
    let capacity = pen.stage.capacity;
    let most = if pen.stage.manner.never_waits {
        8192
    } else if pen.stage.manner.gated() {
        // The ring itself waits for gating subscribers.
        4 * capacity
    } else if pen.random.u32(0..32) == 0 {
        // Lap the subscribers sometimes, so that some lag.
        4 * capacity
    } else {
        pen.doing("waits for subscribers");
        let (stage, began) = (&pen.stage, Instant::now());
        while !stage.is_over() && began.elapsed() < COURTESY && !stage.behind(capacity / 2).is_empty() {
            thread::yield_now();
        }
        (capacity / 8).max(1)
    };
    let count = pen.random.u64(1..=most);
    burst(outlet, pen, count);
    match pen.random.u32(0..64) {
        0 => thread::sleep(Duration::from_micros(pen.random.u64(0..1000))),
        1..16 => thread::yield_now(),
        _ => {}
    }
}

/// Publishes as one of several publishers until the end. Sometimes it panics, and continues with a
/// new handle.
pub(crate) fn take_part<S: Carry>(stage: &Arc<Stage<S>>, mut random: fastrand::Rng) {
    loop {
        let Some(publisher) = lock(&stage.source).clone() else { return };
        let Some(pen) = Pen::new(stage, &mut random) else { return };
        // Passed by value, so a panic drops it.
        if catch(|| publish_until_over(publisher, pen)) == Some(true) || stage.is_over() {
            return;
        }
    }
}

/// Returns `true` if there is nothing more to do.
fn publish_until_over<S: Carry>(mut publisher: SharedPublisher<S>, mut pen: Pen<S>) -> bool {
    let stage = Arc::clone(&pen.stage);
    while !stage.is_over() {
        publish(&mut publisher, &mut pen);
        if publisher.is_closed() {
            let before = publisher.next_sequence();
            check!(publisher.publish(pen.message()).is_err(), "a publish into a closed ring succeeded");
            check!(publisher.next_sequence() == before, "the end of a closed ring moved");
            return true;
        }
        match pen.random.u32(0..400) {
            0..12 => stalling::stall(&publisher, &mut pen),
            12 => throw(),
            13 => return false,
            14 if stage.manner.closed_by_call() && pen.random.u32(0..4) == 0 => {
                stage.leak(publisher);
                return false;
            }
            15 => check!(
                publisher.clone().try_into_exclusive().is_err(),
                "a publisher became exclusive although another exists"
            ),
            _ => {}
        }
    }
    if stage.manner.end == End::Panic {
        throw();
    }
    true
}

/// Publishes exclusively until the deadline. With `converts`, it sometimes becomes shared, and
/// exclusive again.
pub(crate) fn alone<S: Carry>(
    mut publisher: Publisher<S>,
    pen: &mut Pen<S>,
    deadline: Instant,
    converts: bool,
) -> Publisher<S> {
    while Instant::now() < deadline && !watch::is_over() {
        publish(&mut publisher, pen);
        if converts && pen.random.u32(0..50) == 0 {
            publisher = convert(publisher, pen);
        }
    }
    publisher
}

/// Shares the publisher with another thread for some time.
fn convert<S: Carry>(publisher: Publisher<S>, pen: &mut Pen<S>) -> Publisher<S> {
    tally::add(Count::Conversions, 1);
    let mut shared = publisher.share();
    let (mut other, helper) = (shared.clone(), Pen::new(&pen.stage, &mut pen.random));
    shared = shared.try_into_exclusive().expect_err("a publisher must not become exclusive while another exists");
    let work = |shared: &mut SharedPublisher<S>, pen: &mut Pen<S>| {
        for _ in 0..pen.random.u32(0..8) {
            let count = pen.random.u64(1..2000);
            burst(shared, pen, count);
            stalling::stall(shared, pen);
        }
    };
    thread::scope(|scope| {
        scope.spawn(move || {
            catch(move || {
                let Some(mut pen) = helper else { return };
                work(&mut other, &mut pen);
                if pen.random.bool() {
                    throw();
                }
            })
        });
        work(&mut shared, pen);
    });
    shared.try_into_exclusive().expect("the last publisher must become exclusive")
}
