//! Publishers as fast as the ring lets them. They wait only for gating subscribers.

use std::iter::repeat_n;
use std::thread::{self, JoinHandle};

use seqcast::{Inline, SharedPublisher};

use crate::entry::Entry;

/// Starts threads that publish `entries` each, and return how many of them were published. The last publisher dropped closes
/// the ring.
pub(crate) fn start(publisher: SharedPublisher<Inline<Entry>>, count: usize, entries: u64) -> Vec<JoinHandle<u64>> {
    repeat_n(publisher, count)
        .zip(0..)
        .map(|(publisher, id)| thread::spawn(move || publish(&publisher, id, entries)))
        .collect()
}

fn publish(publisher: &SharedPublisher<Inline<Entry>>, id: u8, entries: u64) -> u64 {
    for number in 0..entries {
        // Waits while a gating subscriber is a full lap behind.
        if publisher.publish(Entry::new(id, number)).is_err() {
            return number; // closed
        }
    }
    entries
}
