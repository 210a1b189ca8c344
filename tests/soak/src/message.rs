//! Messages: a name (publisher and number), and words that follow from it. They show whether they
//! are torn, dropped or reused.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use seqcast::{Boxed, Builder, Inline, Publisher, Receive, Subscriber};

use crate::watch::{throw, violation};
use crate::ways::{self, Way, WayInTask};

/// The bits of a name that are the number. The publisher is above.
const NUMBER_BITS: u32 = 48;
/// The maximum of publishers of a ring.
pub(crate) const PUBLISHERS: u64 = 256;

pub(crate) fn name(publisher: u64, number: u64) -> u64 {
    publisher << NUMBER_BITS | number
}

/// Returns the publisher and the number.
#[inline]
pub(crate) fn parts(name: u64) -> (u64, u64) {
    (name >> NUMBER_BITS, name & ((1 << NUMBER_BITS) - 1))
}

/// A storage whose messages have names.
pub(crate) trait Carry: Receive<Item: Send> + Sized + Send + 'static {
    const KIND: &'static str;
    /// The ways to receive by reference, if there are any.
    const BY_REFERENCE: &'static [Way<Self>] = &[];
    const BY_REFERENCE_IN_TASK: &'static [WayInTask<Self>] = &[];

    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>);
    fn make(name: u64, ledger: &'static Ledger) -> Self::Item;
    /// The name, or `None` if the message is torn or dropped.
    fn name(message: &Self::Item) -> Option<u64>;
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain<const WORDS: usize>([u64; WORDS]);

/// A word that follows from another. Different words have different next words.
#[inline]
const fn next(word: u64) -> u64 {
    word.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1)
}

impl<const WORDS: usize> Carry for Inline<Plain<WORDS>> {
    const KIND: &'static str = "inline";

    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>) {
        builder.inline()
    }

    #[inline]
    fn make(name: u64, _: &'static Ledger) -> Plain<WORDS> {
        let mut words = [name; WORDS];
        for at in 1..WORDS {
            words[at] = next(words[at - 1]);
        }
        Plain(words)
    }

    #[inline]
    fn name(Plain(words): &Plain<WORDS>) -> Option<u64> {
        words.windows(2).all(|pair| pair[1] == next(pair[0])).then_some(words[0])
    }
}

/// Counts the messages of a ring that were made and not dropped.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Ledger(pub(crate) AtomicI64);

/// A counted message. It detects a second drop, and a read after its drop.
#[derive(Debug)]
pub(crate) struct Counted {
    name: u64,
    /// `next(name)` while it is alive.
    alive: AtomicU64,
    /// A separate allocation, in one of 16 messages.
    boxed: Option<Box<u64>>,
    ledger: &'static Ledger,
}

thread_local! {
    /// Whether the next clone on this thread panics.
    pub(crate) static CLONE_THROWS: Cell<bool> = const { Cell::new(false) };
}

impl Counted {
    fn new(name: u64, ledger: &'static Ledger) -> Self {
        ledger.0.fetch_add(1, Relaxed);
        Self { name, alive: AtomicU64::new(next(name)), boxed: (name % 16 == 0).then(|| Box::new(name)), ledger }
    }

    fn whole(&self) -> Option<u64> {
        let whole =
            self.alive.load(Relaxed) == next(self.name) && self.boxed.as_ref().is_none_or(|name| **name == self.name);
        whole.then_some(self.name)
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        if CLONE_THROWS.get() {
            CLONE_THROWS.set(false);
            throw();
        }
        if self.whole().is_none() {
            violation("a cloned message is torn or was dropped");
        }
        Self::new(self.name, self.ledger)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let was = self.alive.swap(0, Relaxed);
        if was != next(self.name) {
            violation("a dropped message is torn or was dropped before");
        }
        self.ledger.0.fetch_sub(1, Relaxed);
    }
}

impl Carry for Boxed<Counted> {
    const KIND: &'static str = "boxed";
    const BY_REFERENCE: &'static [Way<Self>] = ways::BY_REFERENCE;
    const BY_REFERENCE_IN_TASK: &'static [WayInTask<Self>] = ways::BY_REFERENCE_IN_TASK;

    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>) {
        builder.boxed()
    }

    fn make(name: u64, ledger: &'static Ledger) -> Counted {
        Counted::new(name, ledger)
    }

    fn name(message: &Counted) -> Option<u64> {
        message.whole()
    }
}
