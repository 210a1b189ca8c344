//! The closing accounts. Every sequence that was drawn has to be found in each of them exactly once.

use std::fmt;

use seqcast::{Inline, Ring, SubscriberStats};

use crate::message::Message;
use crate::receiving::Member;
use crate::text::grouped;

pub(crate) struct Accounts {
    ring: RingAccount,
    audience: Vec<Account>,
    /// The table's own, which jumps to the newest message.
    table: Account,
}

impl Accounts {
    /// To be made when everybody has reached the end, and while all are still subscribed.
    pub(crate) fn new<const WORDS: usize>(
        ring: &Ring<Inline<Message<WORDS>>>,
        published: u64,
        audience: &[Member],
        table: &Member,
    ) -> Self {
        let mut stats = ring.stats();
        let mut account = |member: &Member| {
            let at = stats.subscribers.iter().position(|subscriber| subscriber.id == member.id);
            let stats = stats.subscribers.swap_remove(at.expect("everybody is still subscribed"));
            Account { start: member.start, received: member.tally.received(), torn: member.tally.torn(), stats }
        };
        Self {
            audience: audience.iter().map(&mut account).collect(),
            table: account(table),
            ring: RingAccount { published, skipped: stats.skipped, drawn: ring.next_sequence() },
        }
    }

    pub(crate) fn balance(&self) -> bool {
        self.ring.balances() && self.all().all(|account| account.balances(self.ring.drawn)) && self.torn() == 0
    }

    fn all(&self) -> impl Iterator<Item = &Account> {
        self.audience.iter().chain([&self.table])
    }

    fn torn(&self) -> u64 {
        self.all().map(|account| account.torn).sum()
    }
}

/// The publishers' own count, and what the ring says.
struct RingAccount {
    published: u64,
    skipped: u64,
    /// Sequences; the first of the ring is 0.
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

    /// Whether the sum is the number of sequences it went over, and these are all up to the `end` of the ring.
    fn balances(&self, end: u64) -> bool {
        self.sum() == self.stats.next_sequence - self.start && self.stats.next_sequence == end
    }

    fn name(&self) -> &str {
        self.stats.name.as_deref().unwrap_or_default()
    }
}

impl fmt::Display for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ring, audience, table, .. } = self;
        writeln!(f, "\nThe ring is closed, and everybody is at its end. Do the accounts balance?\n")?;
        if !audience.is_empty() {
            let [name, received, missed, holes] = ["subscriber", "received", "missed", "holes"];
            writeln!(f, "{name:<12}{received:>14} + {missed:>14} + {holes:>6} = next - start")?;
        }
        for account in audience {
            writeln!(
                f,
                "{:<12}{:>14} + {:>14} + {:>6} = {:>14}  {}",
                account.name(),
                grouped(account.received),
                grouped(account.stats.missed),
                grouped(account.stats.holes),
                grouped(account.sum()),
                verdict(account.balances(ring.drawn)),
            )?;
            explain(f, account, ring.drawn)?;
        }
        if !audience.is_empty() {
            writeln!(f)?;
        }
        writeln!(
            f,
            "table       received {} + left out {} + holes {} = {}  {}",
            grouped(table.received),
            grouped(table.stats.skipped_by_choice),
            grouped(table.stats.holes),
            grouped(table.sum()),
            verdict(table.balances(ring.drawn)),
        )?;
        explain(f, table, ring.drawn)?;
        writeln!(
            f,
            "ring        published {} + skipped {} = {} drawn  {}",
            grouped(ring.published),
            grouped(ring.skipped),
            grouped(ring.drawn),
            verdict(ring.balances()),
        )?;
        let received = self.all().map(|account| account.received).sum();
        writeln!(
            f,
            "checksums   torn {} of {} received  {}",
            grouped(self.torn()),
            grouped(received),
            verdict(self.torn() == 0)
        )
    }
}

fn verdict(balances: bool) -> &'static str {
    if balances { "ok" } else { "MISMATCH" }
}

/// What a sum that is wrong should have been.
fn explain(f: &mut fmt::Formatter<'_>, account: &Account, end: u64) -> fmt::Result {
    if account.balances(end) {
        return Ok(());
    }
    let next = account.stats.next_sequence;
    writeln!(f, "  next {next} - start {} is {}; the ring ends at {end}", account.start, next - account.start)
}
