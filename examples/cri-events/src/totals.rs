//! Totals of all streams, including those that have ended.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client disconnected.
    Client,
    /// The client missed events, and the policy is to end its stream.
    Lagged,
    /// The ring is closed and read to its end.
    Closed,
}

impl End {
    /// All reasons, with their labels.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Client, "client"), (Self::Lagged, "lagged"), (Self::Closed, "closed")];
}

/// Counters. Each is exact, and they are read one after the other.
#[derive(Debug, Default)]
pub struct Totals {
    opened: AtomicU64,
    sent: AtomicU64,
    missed: AtomicU64,
    ended: [AtomicU64; 3],
}

// Relaxed: the counters order nothing.
impl Totals {
    pub(crate) fn open(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn send(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn miss(&self, events: u64) {
        self.missed.fetch_add(events, Ordering::Relaxed);
    }

    pub(crate) fn end(&self, end: End) {
        self.ended[end as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Streams opened.
    pub fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// Events passed to connections.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Events that clients missed.
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Streams that ended for this reason.
    pub fn ended(&self, end: End) -> u64 {
        self.ended[end as usize].load(Ordering::Relaxed)
    }
}
