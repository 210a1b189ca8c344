//! Counts the messages of a boxed ring: each must be dropped exactly once.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::watch::check;

/// One for every few threads, so that counting costs little.
const SHARDS: usize = 16;

/// What was made and not dropped: how many, and the sum of their names, which tells one message from another.
#[derive(Debug)]
pub(crate) struct Ledger([Shard; SHARDS]);

#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    live: AtomicU64,
    names: AtomicU64,
}

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SHARD: Cell<usize> = Cell::new(THREADS.fetch_add(1, Relaxed) % SHARDS);
}

impl Ledger {
    pub(crate) const fn new() -> Self {
        Self([const { Shard { live: AtomicU64::new(0), names: AtomicU64::new(0) } }; SHARDS])
    }

    #[inline]
    pub(crate) fn made(&self, name: u64) {
        self.add(1, name);
    }

    #[inline]
    pub(crate) fn dropped(&self, name: u64) {
        self.add(1_u64.wrapping_neg(), name.wrapping_neg());
    }

    /// To be asked when nobody makes or drops any.
    pub(crate) fn live(&self) -> u64 {
        self.sum(|shard| &shard.live)
    }

    /// Everything is gone.
    pub(crate) fn settle(&self) {
        let live = self.live().cast_signed();
        check(live == 0, || format!("{live} more messages were made than dropped"));
        check(self.sum(|shard| &shard.names) == 0, || "some messages were dropped twice and others never");
    }

    fn sum(&self, what: impl Fn(&Shard) -> &AtomicU64) -> u64 {
        self.0.iter().fold(0, |sum, shard| sum.wrapping_add(what(shard).load(Relaxed)))
    }

    /// Modulo 2⁶⁴.
    #[inline]
    fn add(&self, live: u64, name: u64) {
        // A thread that is ending may drop messages too.
        let shard = &self.0[SHARD.try_with(Cell::get).unwrap_or(0)];
        shard.live.fetch_add(live, Relaxed);
        shard.names.fetch_add(name, Relaxed);
    }
}
