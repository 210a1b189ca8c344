//! Counts of events.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counts {
    ($($count:ident)*) => {
        /// The counted events.
        #[derive(Debug, Clone, Copy)]
        pub(crate) enum Count { $($count),* }
        const NAMES: &[&str] = &[$(stringify!($count)),*];
    };
}

counts! {
    Rings Published Received Missed Holes Skipped Subscribers Seeks CancelledFutures HeldRefs LeakedRefs LeakedHandles
    Suspended SuspendedForever Conversions NestedPublishes Panics GatedRings GatedPublished GatingSubscribers GatingReceived Demoted Violations
}

static COUNTS: [AtomicU64; NAMES.len()] = [const { AtomicU64::new(0) }; NAMES.len()];

pub(crate) fn add(count: Count, amount: u64) {
    COUNTS[count as usize].fetch_add(amount, Relaxed);
}

pub(crate) fn get(count: Count) -> u64 {
    COUNTS[count as usize].load(Relaxed)
}

/// The number of messages published and received.
pub(crate) fn messages() -> u64 {
    get(Count::Published) + get(Count::Received)
}

pub(crate) fn table() -> String {
    NAMES.iter().zip(&COUNTS).map(|(name, count)| format!("{name:>24} {:>16}\n", count.load(Relaxed))).collect()
}
