//! Counts the messages of a boxed ring: each must be dropped exactly once.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::watch::check;

/// One for every few threads, so that counting costs little.
const SHARDS: usize = 16;

/// What was made and what was dropped: how many, and the sum of their names, which tells one message from another.
#[derive(Debug, Default)]
pub(crate) struct Ledger([Shard; SHARDS]);

#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard {
    made: AtomicU64,
    made_sum: AtomicU64,
    dropped: AtomicU64,
    dropped_sum: AtomicU64,
}

/// All ledgers there ever were, so that what leaked messages point to stays reachable.
static LEDGERS: Mutex<Vec<&'static Ledger>> = Mutex::new(Vec::new());
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SHARD: Cell<usize> = Cell::new(THREADS.fetch_add(1, Relaxed) % SHARDS);
}

impl Ledger {
    pub(crate) fn new() -> &'static Self {
        let ledger = Box::leak(Box::<Self>::default());
        LEDGERS.lock().unwrap_or_else(PoisonError::into_inner).push(ledger);
        ledger
    }

    #[inline]
    pub(crate) fn made(&self, name: u64) {
        let shard = self.shard();
        shard.made.fetch_add(1, Relaxed);
        shard.made_sum.fetch_add(name, Relaxed);
    }

    #[inline]
    pub(crate) fn dropped(&self, name: u64) {
        let shard = self.shard();
        shard.dropped.fetch_add(1, Relaxed);
        shard.dropped_sum.fetch_add(name, Relaxed);
    }

    /// Made and not dropped.
    pub(crate) fn live(&self) -> u64 {
        // In this order: whatever was dropped was made before.
        let dropped = self.sum(|shard| &shard.dropped);
        self.sum(|shard| &shard.made).wrapping_sub(dropped)
    }

    /// Everything is gone.
    pub(crate) fn settle(&self) {
        let (made, dropped) = (self.sum(|shard| &shard.made), self.sum(|shard| &shard.dropped));
        check(made == dropped, || format!("{made} messages were made and {dropped} dropped"));
        let sums = (self.sum(|shard| &shard.made_sum), self.sum(|shard| &shard.dropped_sum));
        check(sums.0 == sums.1, || "some messages were dropped twice and others never");
    }

    fn sum(&self, what: impl Fn(&Shard) -> &AtomicU64) -> u64 {
        self.0.iter().fold(0, |sum, shard| sum.wrapping_add(what(shard).load(Relaxed)))
    }

    #[inline]
    fn shard(&self) -> &Shard {
        // A thread that is ending may drop messages too.
        &self.0[SHARD.try_with(Cell::get).unwrap_or(0)]
    }
}
