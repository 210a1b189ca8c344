//! The tail of a gated ring, whose claims stop at a limit.

use std::ops::Range;

use crate::seq;
use crate::sync::{AtomicU64, Ordering, unsync_load};

/// The tail of a gated ring, and its limit. Publishers use both in each claim, so they share a
/// cache line.
#[derive(Debug)]
pub(crate) struct Bounded {
    /// As the tail of an ordinary ring.
    pub(super) tail: AtomicU64,
    /// Sequences below the limit may be claimed, because no gating subscriber is a lap behind them.
    /// It only grows.
    limit: AtomicU64,
}

/// The next sequence of the only publisher, and the tail that it moves.
#[derive(Clone, Copy)]
pub(crate) struct Next<'a> {
    pub(crate) sequence: u64,
    pub(super) tail: &'a AtomicU64,
}

/// Why nothing was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimError {
    /// Every sequence below this limit is claimed.
    Full { limit: u64 },
    /// The ring is closed, or its sequences are used up.
    Closed,
}

impl Bounded {
    pub(super) fn new(first: u64) -> Self {
        Self { tail: AtomicU64::new(first), limit: AtomicU64::new(first) }
    }

    /// Claims the next `count` sequences, at least 1, or as many as there is room for. For one of
    /// many publishers.
    ///
    /// Lock-free: an attempt fails only when another publisher has claimed.
    #[inline]
    pub(crate) fn claim(&self, count: u64) -> Result<Range<u64>, ClaimError> {
        // [bounded.guess] Relaxed: a guess, which the exchange checks.
        let mut tail = self.tail.load(Ordering::Relaxed);
        loop {
            let end = self.end_of_room(tail)?;
            // The branch makes the end a constant where `count` is the constant 1.
            let end = if count == 1 { tail + 1 } else { end.min(seq::LAST + 1).min(tail + count) };
            // [bounded.claim] Relaxed: as `tail.claim`. The limit was loaded before, and stays
            // valid because it only grows. Relaxed on failure: the value is only the next guess.
            match self.tail.compare_exchange_weak(tail, end, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(tail..end),
                Err(now) => tail = now,
            }
        }
    }

    /// Returns where the only publisher writes next. Only that publisher calls it.
    #[inline]
    pub(crate) fn next_exclusive(&self) -> Result<Next<'_>, ClaimError> {
        let sequence = unsync_load(&self.tail);
        self.end_of_room(sequence).map(|_| Next { sequence, tail: &self.tail })
    }

    /// Returns the limit for claims that begin at `tail`, if `tail` can be claimed.
    #[inline]
    fn end_of_room(&self, tail: u64) -> Result<u64, ClaimError> {
        if tail > seq::LAST {
            return Err(ClaimError::Closed);
        }
        let limit = self.limit();
        if tail < limit { Ok(limit) } else { Err(ClaimError::Full { limit }) }
    }

    /// Returns how many sequences can be claimed now.
    pub(crate) fn room(&self) -> Result<u64, ClaimError> {
        if self.is_over() {
            return Err(ClaimError::Closed);
        }
        // The tail comes first, so that the limit that it is compared with is not older.
        let tail = self.claimed();
        let limit = self.limit();
        if tail < limit { Ok(limit - tail) } else { Err(ClaimError::Full { limit }) }
    }

    fn limit(&self) -> u64 {
        // [limit.load] Acquire: pairs with the Release of `limit.raise`. The reads that subscribers
        // made before the scan come before the write that the limit allows.
        self.limit.load(Ordering::Acquire)
    }

    /// Allows claims below `found`. Returns whether claims beyond `limit`, an earlier limit, are
    /// possible now.
    pub(crate) fn raise(&self, found: u64, limit: u64) -> bool {
        // [limit.raise] AcqRel: Release pairs with the Acquire of `limit.load`. Acquire pairs with
        // earlier raises, so that the Release passes on what came before them.
        self.limit.fetch_max(found, Ordering::AcqRel).max(found) > limit
    }

    /// Returns the tail, for a scan that is about to read cursors.
    pub(crate) fn claimed(&self) -> u64 {
        // [bounded.tail] Relaxed: an older tail makes a lower limit. The fence of the scan orders
        // it before the cursors.
        let tail = self.tail.load(Ordering::Relaxed) & !seq::CLOSED_BIT;
        tail.min(seq::LAST + 1)
    }

    /// Returns whether the ring is closed, or its sequences are used up.
    pub(crate) fn is_over(&self) -> bool {
        // [bounded.end] Relaxed: the claim that follows decides
        self.tail.load(Ordering::Relaxed) > seq::LAST
    }
}
