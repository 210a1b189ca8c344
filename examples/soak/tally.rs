//! What happened, in numbers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Count {
    Rings,
    Published,
    Received,
    Missed,
    Holes,
    Skipped,
    Sought,
    Subscribers,
    Stalls,
    Abandoned,
    Panics,
    Leaks,
    LeakedRings,
    Conversions,
    Cancelled,
    Seeks,
    HeldRefs,
    LeakedRefs,
    NestedPublishes,
    Violations,
}

const NAMES: [&str; 20] = [
    "rings",
    "messages published",
    "deliveries received",
    "missed",
    "holes met",
    "skipped by choice",
    "jumped over by a seek",
    "subscribers",
    "stalls that ended",
    "stalls for good",
    "panics",
    "handles leaked",
    "rings leaked for good",
    "conversions",
    "futures cancelled",
    "seeks",
    "messages held",
    "borrows leaked",
    "publishes by wakers",
    "violations",
];

static COUNTS: [AtomicU64; NAMES.len()] = [const { AtomicU64::new(0) }; NAMES.len()];

pub(crate) fn add(count: Count, amount: u64) {
    COUNTS[count as usize].fetch_add(amount, Relaxed);
}

pub(crate) fn get(count: Count) -> u64 {
    COUNTS[count as usize].load(Relaxed)
}

/// Messages that went in or came out.
pub(crate) fn messages() -> u64 {
    get(Count::Published) + get(Count::Received)
}

pub(crate) fn table() -> String {
    let rows = NAMES.iter().zip(&COUNTS).map(|(name, count)| format!("{name:>24} {:>16}\n", count.load(Relaxed)));
    rows.collect()
}
