//! One ring, and everything recorded about it.

use std::any::Any;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use seqcast::{Ring, SharedPublisher, Storage, Subscriber, SubscriberStats};

use crate::common::lock;
use crate::hang;
use crate::message::{self, Carry, Ledger, PUBLISHERS};
use crate::options::Options;
use crate::tally::{self, Count};
use crate::watch::{self, check};

/// All publishers and subscribers compare one of this many sequences.
const SAMPLED: u64 = 32;
const WITNESSES: u64 = 2048;
/// The name of subscribers that never receive.
const IDLE: &str = "idle";

pub(crate) struct Stage<S: Storage> {
    pub(crate) lane: usize,
    pub(crate) options: Options,
    pub(crate) ring: Ring<S>,
    pub(crate) first: u64,
    pub(crate) capacity: u64,
    pub(crate) manner: Manner,
    /// Whether publishers must end.
    pub(crate) over: AtomicBool,
    pub(crate) ledger: &'static Ledger,
    /// The handle that new publishers are cloned from.
    pub(crate) source: Mutex<Option<SharedPublisher<S>>>,
    pub(crate) stalls: Mutex<Stalls>,
    /// How many more slots may be held by suspended publishers.
    pub(crate) permits: AtomicU64,
    /// The messages of successful publishes, and claims that the ring counts as published.
    pub(crate) published: AtomicU64,
    /// Claims that were skipped or overtaken, it is unknown which.
    pub(crate) unclear: AtomicU64,
    /// The highest sequence that a publish returned, plus 1.
    pub(crate) highest: AtomicU64,
    /// Leaked handles, which are dropped after the ring was checked.
    pub(crate) leaked: Mutex<Vec<Box<dyn Any + Send>>>,
    publishers: AtomicU64,
    witnesses: Box<[AtomicU64]>,
}

/// The random choices made before a ring starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) publishers: Publishers,
    pub(crate) end: End,
    /// Whether publishers never wait for lossy subscribers.
    pub(crate) never_waits: bool,
    pub(crate) gates: Gates,
}

/// Whether there are gating subscribers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gates {
    /// The ring is not gated.
    None,
    /// There is no deadline. No publisher is suspended forever, and no gating subscriber is leaked.
    Exact,
    /// There is a deadline. Gating subscribers may be leaked. Slow ones are demoted.
    Deadline,
}

/// The kind of publishers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Publishers {
    Alone,
    /// Exclusive, and from time to time shared with another.
    Converting,
    Many,
}

/// How a ring ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Call,
    LastDrop,
    Panic,
}

impl Manner {
    pub(crate) fn draw(random: &mut fastrand::Rng, options: &Options) -> Self {
        use {End::*, Publishers::*};
        let publishers = [Alone, Converting, Many, Many][random.usize(0..4)];
        let gated = options.gated || random.u32(0..3) == 0;
        let gates = if !gated {
            Gates::None
        } else if random.u32(0..4) == 0 {
            Gates::Deadline
        } else {
            Gates::Exact
        };
        let end = [Call, Call, LastDrop, Panic][random.usize(0..4)];
        Self { publishers, end, never_waits: random.u32(0..16) == 0, gates }
    }

    /// Whether the ring is gated.
    pub(crate) fn gated(self) -> bool {
        self.gates != Gates::None
    }

    /// Whether gating subscribers lose nothing.
    pub(crate) fn exact(self) -> bool {
        self.gates == Gates::Exact
    }

    /// Whether there is one publisher that is never shared: its numbers follow the sequences.
    pub(crate) fn alone(self) -> bool {
        self.publishers == Publishers::Alone
    }

    /// Whether the ring is closed by a call. Only then handles may be leaked and wakers may own
    /// publishers.
    pub(crate) fn closed_by_call(self) -> bool {
        self.publishers == Publishers::Many && self.end == End::Call
    }
}

/// Publishers suspended in a publish.
#[derive(Debug, Default)]
pub(crate) struct Stalls {
    /// The ring is about to be closed: no publisher may be suspended forever.
    pub(crate) forbidden: bool,
    /// The highest sequence that is never committed.
    pub(crate) last: Option<u64>,
}

impl<S: Carry> Stage<S> {
    pub(crate) fn new(
        lane: usize,
        options: &Options,
        ring: Ring<S>,
        first: u64,
        manner: Manner,
        ledger: &'static Ledger,
    ) -> Self {
        let capacity = ring.capacity() as u64;
        Self {
            lane,
            options: options.clone(),
            ring,
            first,
            capacity,
            manner,
            over: AtomicBool::new(false),
            ledger,
            source: Mutex::default(),
            stalls: Mutex::default(),
            permits: AtomicU64::new((capacity / 2).min(8)),
            published: AtomicU64::new(0),
            unclear: AtomicU64::new(0),
            highest: AtomicU64::new(0),
            leaked: Mutex::default(),
            publishers: AtomicU64::new(0),
            witnesses: (0..WITNESSES).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Relaxed) || watch::is_over()
    }

    /// The number of a new publisher. `None` if there were enough.
    pub(crate) fn enrol(&self) -> Option<u64> {
        Some(self.publishers.fetch_add(1, Relaxed)).filter(|publisher| *publisher < PUBLISHERS)
    }

    /// How many publishers there were.
    pub(crate) fn enrolled(&self) -> u64 {
        self.publishers.load(Relaxed).min(PUBLISHERS)
    }

    /// Takes the permission to hold a slot.
    pub(crate) fn permit(&self) -> bool {
        self.permits.fetch_update(Relaxed, Relaxed, |permits| permits.checked_sub(1)).is_ok()
    }

    /// `name` was published or received with `sequence`. It must be the same for all.
    #[inline]
    pub(crate) fn saw(&self, sequence: u64, name: u64) {
        if sequence % SAMPLED == 0 {
            self.compare(sequence, name);
        }
    }

    fn compare(&self, sequence: u64, name: u64) {
        let offset = (sequence - self.first) / SAMPLED;
        let (lap, place) = (offset / WITNESSES + 1, offset % WITNESSES);
        let witness = &self.witnesses[usize::try_from(place).unwrap_or_default()];
        // The lap is in the upper bits, the message below.
        let entry = lap << 40 | (name.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24);
        let before = witness.fetch_max(entry, Relaxed);
        let parts = message::parts(name);
        check!(before >> 40 != lap || before == entry, "two messages with sequence {sequence}: one is {parts:?}");
    }

    /// Records `count` published messages. The last one has the sequence `end - 1`, or `end` is 0
    /// if it is unknown.
    pub(crate) fn published(&self, count: u64, end: u64) {
        tally::add(Count::Published, count);
        if self.manner.gated() {
            tally::add(Count::GatedPublished, count);
        }
        self.published.fetch_add(count, Relaxed);
        self.highest.fetch_max(end, Relaxed);
        hang::beat(self.lane);
    }

    /// Keeps a handle alive as long as the ring.
    pub(crate) fn leak(&self, handle: impl Any + Send) {
        tally::add(Count::LeakedHandles, 1);
        lock(&self.leaked).push(Box::new(handle));
    }

    /// Marks a subscriber, so that no publisher of the soak waits for it.
    pub(crate) fn never_receives(&self, subscriber: Subscriber<S>) -> Subscriber<S> {
        subscriber.set_name(IDLE);
        subscriber
    }

    /// The ids of subscribers that lag more than `lag` messages and are not idle.
    pub(crate) fn behind(&self, lag: u64) -> Vec<u64> {
        let subscribers = self.ring.stats().subscribers.into_iter();
        let behind = |reader: &SubscriberStats| reader.lag > lag && reader.name.as_deref() != Some(IDLE);
        subscribers.filter(behind).map(|reader| reader.id).collect()
    }
}
