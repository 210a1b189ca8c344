//! Pacing, so that nothing is lost.

use crossbeam_utils::CachePadded;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Slots of the rings between threads.
pub(crate) const SLOTS: usize = 1 << 13;
const CAPACITY: u64 = SLOTS as u64;

/// The position of each reader. Publishers stay within half a ring of the slowest, so nothing is lost.
pub(crate) struct Marks(Vec<CachePadded<AtomicU64>>);

impl Marks {
    pub(crate) fn new(readers: u64) -> Arc<Self> {
        Arc::new(Self((0..readers).map(|_| CachePadded::default()).collect()))
    }

    /// The reader has received everything before `next`. It stores this from time to time.
    #[inline]
    pub(crate) fn set(&self, reader: u64, next: u64) {
        if next % (CAPACITY / 8) == 0 {
            self.0[usize::try_from(reader).expect("few")].store(next, Ordering::Release);
        }
    }
}

/// Holds one publisher back.
pub(crate) struct Pace {
    marks: Arc<Marks>,
    limit: u64,
}

impl Pace {
    pub(crate) fn new(marks: &Arc<Marks>) -> Self {
        Self { marks: Arc::clone(marks), limit: 0 }
    }

    /// Waits until there is room for message `number`.
    #[inline]
    pub(crate) fn wait(&mut self, number: u64, mut relax: impl FnMut()) {
        while number >= self.limit {
            let slowest = self.marks.0.iter().map(|mark| mark.load(Ordering::Acquire)).min();
            self.limit = slowest.expect("a reader") + CAPACITY / 2;
            relax();
        }
    }
}
