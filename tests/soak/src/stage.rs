//! One ring and all that is known about it.

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

/// Every so many sequences, all who see one compare.
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
    /// Time to go.
    pub(crate) over: AtomicBool,
    pub(crate) ledger: &'static Ledger,
    /// From which publishers are cloned.
    pub(crate) source: Mutex<Option<SharedPublisher<S>>>,
    pub(crate) stalls: Mutex<Stalls>,
    /// Slots that may still be held in the middle of a write.
    pub(crate) permits: AtomicU64,
    /// Publishes that returned well, and claims that count as such.
    pub(crate) published: AtomicU64,
    /// Claims of which nobody knows if they were skipped or overrun.
    pub(crate) unclear: AtomicU64,
    /// The highest sequence that a publish returned, plus 1.
    pub(crate) highest: AtomicU64,
    /// Handles that count as leaked until the ring was checked.
    pub(crate) morgue: Mutex<Vec<Box<dyn Any + Send>>>,
    publishers: AtomicU64,
    witnesses: Box<[AtomicU64]>,
}

/// What is settled about a ring before its life.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) publishers: Publishers,
    pub(crate) end: End,
    /// Publishers never wait for lossy subscribers.
    pub(crate) rude: bool,
    pub(crate) gates: Gates,
}

/// Whether there are gating subscribers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gates {
    /// The ring is not gated.
    None,
    /// There is no deadline. No publisher stalls for good, and no gating subscriber is leaked.
    Exact,
    /// Gating subscribers may be leaked. Slow ones are demoted.
    Deadline,
}

/// Who publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Publishers {
    Alone,
    /// Alone, and with another now and then.
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
        Self { publishers, end, rude: random.u32(0..16) == 0, gates }
    }

    /// Whether the ring is gated.
    pub(crate) fn gated(self) -> bool {
        self.gates != Gates::None
    }

    /// Whether gating subscribers lose nothing.
    pub(crate) fn exact(self) -> bool {
        self.gates == Gates::Exact
    }

    /// One publisher that is never shared: numbers and sequences go together.
    pub(crate) fn alone(self) -> bool {
        self.publishers == Publishers::Alone
    }

    /// So that handles may be leaked and wakers may own publishers.
    pub(crate) fn closed_by_call(self) -> bool {
        self.publishers == Publishers::Many && self.end == End::Call
    }
}

/// Publishes that were stopped in the middle.
#[derive(Debug, Default)]
pub(crate) struct Stalls {
    /// The ring is to be closed: nobody may stall for good any more.
    pub(crate) forbidden: bool,
    /// The highest sequence that will never come.
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
            morgue: Mutex::default(),
            publishers: AtomicU64::new(0),
            witnesses: (0..WITNESSES).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Relaxed) || watch::is_over()
    }

    /// A new publisher's number; `None` when there were enough.
    pub(crate) fn enrol(&self) -> Option<u64> {
        Some(self.publishers.fetch_add(1, Relaxed)).filter(|publisher| *publisher < PUBLISHERS)
    }

    /// How many publishers there were.
    pub(crate) fn enrolled(&self) -> u64 {
        self.publishers.load(Relaxed).min(PUBLISHERS)
    }

    /// Takes the right to hold a slot.
    pub(crate) fn permit(&self) -> bool {
        self.permits.fetch_update(Relaxed, Relaxed, |permits| permits.checked_sub(1)).is_ok()
    }

    /// Somebody published or received `name` under `sequence`: the same for all.
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
        // Lap above, message below.
        let entry = lap << 40 | (name.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24);
        let before = witness.fetch_max(entry, Relaxed);
        let parts = message::parts(name);
        check!(before >> 40 != lap || before == entry, "two messages under sequence {sequence}: one is {parts:?}");
    }

    /// As many messages were published; the last of them under `end - 1`, if that is known.
    pub(crate) fn published(&self, count: u64, end: u64) {
        tally::add(Count::Published, count);
        if self.manner.gated() {
            tally::add(Count::GatedPublished, count);
        }
        self.published.fetch_add(count, Relaxed);
        self.highest.fetch_max(end, Relaxed);
        hang::beat(self.lane);
    }

    /// Keeps a handle from being dropped as long as the ring lives.
    pub(crate) fn leak(&self, handle: impl Any + Send) {
        tally::add(Count::LeakedHandles, 1);
        lock(&self.morgue).push(Box::new(handle));
    }

    /// So that nobody waits for it.
    pub(crate) fn never_receives(&self, subscriber: Subscriber<S>) -> Subscriber<S> {
        subscriber.set_name(IDLE);
        subscriber
    }

    /// The ids of those that are more than `lag` messages behind, and not idle.
    pub(crate) fn behind(&self, lag: u64) -> Vec<u64> {
        let subscribers = self.ring.stats().subscribers.into_iter();
        let behind = |reader: &SubscriberStats| reader.lag > lag && reader.name.as_deref() != Some(IDLE);
        subscribers.filter(behind).map(|reader| reader.id).collect()
    }
}
