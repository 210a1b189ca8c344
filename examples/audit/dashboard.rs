//! The dashboard: a lossy subscriber of the same ring. It shows the newest entry, and no publisher
//! waits for it.

use std::thread;
use std::time::{Duration, Instant};

use seqcast::{Inline, Subscriber};

use crate::entry::Entry;

/// How long it takes to show an entry.
const REFRESH: Duration = Duration::from_millis(1);
/// How often a line is printed.
const PERIOD: Duration = Duration::from_millis(500);

/// Shows the newest entry until the ring ends. Returns the subscriber, for its account.
pub(crate) fn show(mut subscriber: Subscriber<Inline<Entry>>) -> Subscriber<Inline<Entry>> {
    let mut next_line = Instant::now();
    // `recv_latest` fails only at the end of the ring: it skips entries, and never lags.
    while let Ok(entry) = subscriber.recv_latest() {
        if Instant::now() >= next_line {
            let Entry { publisher, number, action } = entry;
            let sequence = subscriber.next_sequence() - 1;
            println!("dashboard: sequence {sequence:>7}, entry {number} of publisher {publisher}: {action}");
            next_line = Instant::now() + PERIOD;
        }
        thread::sleep(REFRESH);
    }
    subscriber
}
