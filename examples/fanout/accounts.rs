//! The closing accounts. Every sequence that was drawn has to be found in each of them exactly once.

use std::fmt;

use seqcast::{Inline, Ring, SubscriberStats};

use crate::message::Message;
use crate::receiving::Member;
use crate::table::Newest;
use crate::text::grouped;

pub(crate) struct Accounts {
    ring: RingAccount,
    audience: Vec<Account>,
    table: Account,
}

/// The publishers' own count, and what the ring says.
struct RingAccount {
    published: u64,
    skipped: u64,
    drawn: u64,
}

impl RingAccount {
    fn sum(&self) -> u64 {
        self.published + self.skipped
    }

    fn balances(&self) -> bool {
        self.sum() == self.drawn
    }
}

/// A subscriber's own count, and what the ring says.
struct Account {
    start: u64,
    received: u64,
    torn: u64,
    stats: SubscriberStats,
}

impl Account {
    fn sum(&self) -> u64 {
        let SubscriberStats { missed, holes, skipped_by_choice, .. } = self.stats;
        self.received + missed + holes + skipped_by_choice
    }

    fn gone_over(&self) -> u64 {
        self.stats.next_sequence - self.start
    }

    /// Whether every sequence up to the end of the ring is accounted for.
    fn balances(&self, end: u64) -> bool {
        self.sum() == self.gone_over() && self.stats.next_sequence == end
    }
}
