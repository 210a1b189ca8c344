//! How to use a ring's statistics: a table while the program runs, and the accounts at the end.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use seqcast::{Inline, Ring, RingStats};

use crate::message::Message;
use crate::receiving::Reader;

/// The most subscribers in the table. More would not fit on a terminal.
const ROWS: usize = 14;

/// On a terminal, each table replaces the one before.
pub(crate) struct Table {
    ring: Ring<Inline<Message>>,
    in_place: bool,
    /// Number of lines of the last table.
    height: usize,
}

impl Table {
    pub(crate) fn new(ring: Ring<Inline<Message>>) -> Self {
        Self { ring, in_place: io::stdout().is_terminal(), height: 0 }
    }

    /// How often to draw.
    pub(crate) fn period(&self) -> Duration {
        Duration::from_millis(if self.in_place { 250 } else { 1000 })
    }

    pub(crate) fn draw(&mut self) -> io::Result<()> {
        let mut text = String::new();
        if self.in_place && self.height > 0 {
            // Moves to the first line of the last table, and clears the screen from there.
            let _ = write!(text, "\x1b[{}A\x1b[J", self.height);
        }
        let rows = rows(&self.ring.stats());
        self.height = rows.lines().count();
        io::stdout().write_all((text + &rows).as_bytes())
    }
}

fn rows(stats: &RingStats) -> String {
    let mut text = format!("\npublished {}, holes {}\n", stats.published, stats.skipped);
    let _ = writeln!(text, "{:<12}{:>14}{:>14}{:>14}  now", "subscriber", "received", "missed", "lag");
    for subscriber in stats.subscribers.iter().take(ROWS) {
        let _ = writeln!(
            text,
            "{:<12}{:>14}{:>14}{:>14}  {}",
            subscriber.name.as_deref().unwrap_or_default(),
            subscriber.received,
            subscriber.missed,
            subscriber.lag,
            if subscriber.parked { "parked" } else { "awake" },
        );
    }
    if let more @ 1.. = stats.subscribers.len().saturating_sub(ROWS) {
        let _ = writeln!(text, "and {more} more");
    }
    text
}

/// The accounts at the end, and whether all of them balance. `published` is what the publishers
/// counted.
pub(crate) fn accounts(ring: &Ring<Inline<Message>>, published: u64, readers: &[Reader]) -> (String, bool) {
    let mut text = "\nThe ring is closed, and all subscribers have read to its end.\n\n".to_owned();
    let _ = writeln!(text, "{:<12}{:>14} + {:>14} + {:>6} = next - start", "subscriber", "received", "missed", "holes");
    let (end, skipped) = (ring.next_sequence(), ring.stats().skipped);
    let mut all_ok = true;
    let mut verdict = |balances| {
        all_ok &= balances;
        if balances { "ok" } else { "MISMATCH" }
    };
    for Reader { name, subscriber, received, torn, .. } in readers {
        let (missed, holes) = (subscriber.missed(), subscriber.holes());
        let (start, next) = (subscriber.start_sequence(), subscriber.next_sequence());
        let balances = received + missed + holes == next - start && next == end && *torn == 0;
        let _ = writeln!(
            text,
            "{name:<12}{received:>14} + {missed:>14} + {holes:>6} = {:>12}  {}",
            next - start,
            verdict(balances),
        );
        if !balances {
            let _ = writeln!(text, "    from {start} to {next}, the ring ends at {end}; {torn} messages torn");
        }
    }
    let ring_balances = verdict(published + skipped == end);
    let _ = writeln!(text, "\nring: published {published} + holes {skipped} = {end} sequences  {ring_balances}");
    (text, all_ok)
}
