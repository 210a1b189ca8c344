//! Every way to publish.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use seqcast::{Publisher, SharedPublisher};

use crate::message::{self, Carry};
use crate::stage::{Stage, lock};
use crate::stalling;
use crate::tally::{self, Count};
use crate::watch::{self, Mark, catch, check, throw};

/// Makes the messages of one publisher.
pub(crate) struct Pen<S: Carry> {
    pub(crate) stage: Arc<Stage<S>>,
    mark: Arc<Mark>,
    id: u64,
    number: u64,
}

impl<S: Carry> Pen<S> {
    pub(crate) fn new(stage: &Arc<Stage<S>>) -> Option<Self> {
        let id = stage.enrol()?;
        Some(Self { mark: stage.mark("publisher", id), id, number: 0, stage: Arc::clone(stage) })
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

/// What the two kinds of publishers have in common.
pub(crate) trait Outlet<S: Carry> {
    /// `None` once the ring is closed.
    fn one(&mut self, message: S::Item) -> Option<u64>;
    fn attempt(&mut self, message: S::Item) -> Option<u64>;
    /// How many were published.
    fn many(&mut self, messages: impl Iterator<Item = S::Item>) -> u64;
    fn next(&self) -> u64;
}

impl<S: Carry> Outlet<S> for Publisher<S> {
    #[inline]
    fn one(&mut self, message: S::Item) -> Option<u64> {
        Some(self.publish(message))
    }

    #[inline]
    fn attempt(&mut self, message: S::Item) -> Option<u64> {
        self.try_publish(message).ok()
    }

    fn many(&mut self, messages: impl Iterator<Item = S::Item>) -> u64 {
        let sequences = self.publish_many(messages);
        sequences.end - sequences.start
    }

    fn next(&self) -> u64 {
        self.next_sequence()
    }
}

impl<S: Carry> Outlet<S> for SharedPublisher<S> {
    #[inline]
    fn one(&mut self, message: S::Item) -> Option<u64> {
        self.publish(message).ok()
    }

    #[inline]
    fn attempt(&mut self, message: S::Item) -> Option<u64> {
        self.try_publish(message).ok()
    }

    fn many(&mut self, messages: impl Iterator<Item = S::Item>) -> u64 {
        self.publish_many(messages) as u64
    }

    fn next(&self) -> u64 {
        self.next_sequence()
    }
}

/// Publishes `count` messages in one of the ways; `false` once the ring is closed.
pub(crate) fn burst<S: Carry>(
    outlet: &mut impl Outlet<S>,
    pen: &mut Pen<S>,
    count: u64,
    random: &mut fastrand::Rng,
) -> bool {
    let stage = Arc::clone(&pen.stage);
    pen.doing("publishes");
    let (mut published, mut end) = (0, 0);
    match random.u32(0..16) {
        0..8 => {
            let mut open = true;
            while open && published < count {
                let name = pen.name();
                let message = S::make(name, stage.ledger);
                let sequence = if count % 4 == 0 { outlet.attempt(message) } else { outlet.one(message) };
                if let Some(sequence) = sequence {
                    if sequence < end {
                        watch::violation(format!("published under {sequence} after {}", end - 1));
                    }
                    stage.saw(sequence, name);
                    (published, end) = (published + 1, sequence + 1);
                } else {
                    open = false;
                }
            }
        }
        8..15 => published = outlet.many((0..count).map(|_| pen.message())),
        _ => {
            let survivors = random.u64(0..count);
            let mut given = 0;
            let messages = std::iter::from_fn(|| {
                if given == survivors {
                    throw();
                }
                given += 1;
                Some(pen.message())
            });
            match catch(|| outlet.many(messages)) {
                // What was given before stays published.
                None => published = survivors,
                // The one that was refused was given too.
                Some(few) => published = few,
            }
            done(&stage, published, outlet.next(), 0);
            return published == survivors;
        }
    }
    done(&stage, published, outlet.next(), end);
    published == count
}

/// Accounts for messages; the last of them under `end - 1`, if that is known.
fn done<S: Carry>(stage: &Stage<S>, published: u64, tail: u64, end: u64) {
    tally::add(Count::Published, published);
    stage.published(published, end);
    if stage.manner.alone {
        let counted = stage.published.load(Relaxed);
        check(tail - stage.first == counted, || format!("{counted} published, but the tail is {tail}"));
    }
}

/// How long a polite publisher waits for subscribers before a burst.
const COURTESY: Duration = Duration::from_millis(2);

/// Waits until the subscribers are near, or not, and publishes; `false` as `burst`.
fn publish<S: Carry>(outlet: &mut impl Outlet<S>, pen: &mut Pen<S>, random: &mut fastrand::Rng) -> bool {
    let capacity = pen.stage.capacity;
    let most = if pen.stage.manner.rude {
        8192
    } else if random.u32(0..32) == 0 {
        // Lap them, lest nobody ever lags.
        4 * capacity
    } else {
        wait_for_subscribers(pen);
        (capacity / 8).max(1)
    };
    let count = random.u64(1..=most);
    let open = burst(outlet, pen, count, random);
    match random.u32(0..64) {
        0 => thread::sleep(Duration::from_micros(random.u64(0..1000))),
        1..16 => thread::yield_now(),
        _ => {}
    }
    open
}

fn wait_for_subscribers<S: Carry>(pen: &Pen<S>) {
    pen.doing("waits for subscribers");
    let (stage, began) = (&pen.stage, Instant::now());
    while !stage.is_over() && began.elapsed() < COURTESY && !stage.behind(stage.capacity / 2).is_empty() {
        thread::yield_now();
    }
}

/// Publishes as one of many until it is time to go or the ring is closed; panics now and then, and comes back.
pub(crate) fn take_part<S: Carry>(stage: &Arc<Stage<S>>, mut random: fastrand::Rng, panics_in_the_end: bool) {
    loop {
        let Some(publisher) = lock(&stage.source).clone() else { return };
        let Some(pen) = Pen::new(stage) else { return };
        let mut random = random.fork();
        // By value: a panic drops it.
        let ended = catch(|| career(publisher, pen, &mut random, panics_in_the_end));
        if ended == Some(true) || stage.is_over() {
            return;
        }
    }
}

/// `true` once there is nothing more to do.
fn career<S: Carry>(
    mut publisher: SharedPublisher<S>,
    mut pen: Pen<S>,
    random: &mut fastrand::Rng,
    panics_in_the_end: bool,
) -> bool {
    let stage = Arc::clone(&pen.stage);
    while !stage.is_over() {
        if !publish(&mut publisher, &mut pen, random) && publisher.is_closed() {
            let before = publisher.next_sequence();
            check(publisher.publish(pen.message()).is_err(), || "published into a closed ring");
            check(publisher.next_sequence() == before, || "the end of a closed ring moved");
            return true;
        }
        match random.u32(0..400) {
            0..12 => stalling::stall(&publisher, &mut pen, random),
            12..16 => {
                stalling::adopt(&publisher, &stage);
            }
            16 => throw(),
            17 => return false,
            18 if stage.manner.closed_by_call && random.u32(0..4) == 0 => {
                stage.leak(publisher);
                return false;
            }
            19 => check(publisher.clone().try_into_exclusive().is_err(), || "exclusive beside another"),
            _ => {}
        }
    }
    if panics_in_the_end {
        throw();
    }
    true
}

/// Publishes alone; with `converts` it shares now and then, and takes back.
pub(crate) fn alone<S: Carry>(
    mut publisher: Publisher<S>,
    pen: &mut Pen<S>,
    converts: bool,
    random: &mut fastrand::Rng,
) -> Publisher<S> {
    let stage = Arc::clone(&pen.stage);
    while !stage.is_over() {
        check(publish(&mut publisher, pen, random), || "an exclusive publisher cannot publish");
        if converts && random.u32(0..50) == 0 {
            publisher = convert(publisher, pen, random);
        }
    }
    publisher
}

/// Shares with another thread for a while.
fn convert<S: Carry>(publisher: Publisher<S>, pen: &mut Pen<S>, random: &mut fastrand::Rng) -> Publisher<S> {
    tally::add(Count::Conversions, 1);
    let stage = Arc::clone(&pen.stage);
    let mut shared = publisher.share();
    let other = shared.clone();
    shared = match shared.try_into_exclusive() {
        Err(shared) => shared,
        Ok(_) => return fail("exclusive beside another"),
    };
    let mut fork = random.fork();
    let helper = Pen::new(&stage).map(|mut pen| {
        let mut other = other;
        thread::spawn(move || {
            catch(|| {
                for _ in 0..fork.u32(1..8) {
                    let count = fork.u64(1..2000);
                    burst(&mut other, &mut pen, count, &mut fork);
                    stalling::stall(&other, &mut pen, &mut fork);
                }
                if fork.bool() {
                    throw();
                }
                drop(other);
            });
        })
    });
    for _ in 0..random.u32(0..8) {
        let count = random.u64(1..2000);
        burst(&mut shared, pen, count, random);
        stalling::stall(&shared, pen, random);
    }
    if let Some(Err(_)) = helper.map(thread::JoinHandle::join) {
        watch::violation("a helper panicked");
    }
    while !stalling::adopt(&shared, &stage) {}
    match shared.try_into_exclusive() {
        Ok(publisher) => publisher,
        Err(shared) => {
            let publishers = format!("the last one does not become exclusive: {shared:?}");
            fail(&publishers)
        }
    }
}

fn fail<R>(what: &str) -> R {
    watch::violation(what);
    throw()
}
