//! The accounts at the end. Each must balance.

use std::fmt::Write as _;

use seqcast::{Inline, Ring, Subscriber, Totals};

use crate::entry::Entry;
use crate::trouble::READ_BEFORE_CRASH;

/// The report to print, and a line for each mismatch.
#[derive(Default)]
pub(crate) struct Accounts {
    pub(crate) text: String,
    pub(crate) wrong: Vec<String>,
}

impl Accounts {
    /// Records `what` as a mismatch unless `ok`.
    pub(crate) fn check(&mut self, ok: bool, what: impl FnOnce() -> String) {
        if !ok {
            self.wrong.push(what());
        }
    }

    /// The account of each reader. The crashed reader has no subscriber any more, so its account
    /// comes from the totals of the ring.
    pub(crate) fn readers(&mut self, ring: &Ring<Inline<Entry>>, readers: &[(&str, &Subscriber<Inline<Entry>>)]) {
        let _ = writeln!(
            self.text,
            "\n{:<10}{:>9} + {:>8} + {:>6} + {:>9} = next - start",
            "reader", "received", "missed", "holes", "skipped"
        );
        // The totals include readers that are gone. What is left after subtracting the others
        // belongs to the crashed reader.
        let mut gone = ring.stats().totals;
        for (name, reader) in readers {
            let counts = [reader.received(), reader.missed(), reader.holes(), reader.skipped_by_choice()];
            self.row(name, counts, reader.next_sequence() - reader.start_sequence());
            let end = ring.next_sequence();
            self.check(reader.next_sequence() == end, || {
                format!("{name} is at {}, and the end is {end}", reader.next_sequence())
            });
            subtract(&mut gone, counts);
        }
        // The crashed reader received a fixed number of entries, perhaps with holes between them.
        let Totals { received, missed, holes, skipped_by_choice, .. } = gone;
        self.row("crashed", [received, missed, holes, skipped_by_choice], READ_BEFORE_CRASH as u64 + holes);
    }

    fn row(&mut self, name: &str, counts: [u64; 4], sequences: u64) {
        let [received, missed, holes, skipped] = counts;
        let _ =
            writeln!(self.text, "{name:<10}{received:>9} + {missed:>8} + {holes:>6} + {skipped:>9} = {sequences:>12}");
        self.check(counts.iter().sum::<u64>() == sequences, || format!("the account of {name} does not balance"));
    }

    /// The demoted readers: the stuck one, and no other.
    pub(crate) fn demoted(&mut self, ring: &Ring<Inline<Entry>>) {
        let subscribers = ring.stats().subscribers;
        let demoted = subscribers.iter().filter(|subscriber| subscriber.demoted);
        let names: Vec<_> = demoted.filter_map(|subscriber| subscriber.name.as_deref()).collect();
        let _ = writeln!(self.text, "\ndemoted: {}", names.join(", "));
        self.check(names == ["stuck"], || format!("`stuck` alone should have been demoted, not {names:?}"));
    }
}

fn subtract(totals: &mut Totals, [received, missed, holes, skipped_by_choice]: [u64; 4]) {
    totals.received -= received;
    totals.missed -= missed;
    totals.holes -= holes;
    totals.skipped_by_choice -= skipped_by_choice;
}
