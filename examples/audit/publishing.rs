//! Publishers that publish as fast as they can. They wait only for gating subscribers.

use std::iter::repeat_n;
use std::thread::{self, JoinHandle};

use seqcast::{Inline, SharedPublisher};

use crate::entry::Entry;

/// Starts `count` threads. Each publishes `entries` entries, and returns how many it published. The
/// drop of the last publisher closes the ring.
pub(crate) fn start(publisher: SharedPublisher<Inline<Entry>>, count: usize, entries: u64) -> Vec<JoinHandle<u64>> {
    repeat_n(publisher, count)
        .zip(0..)
        .map(|(publisher, id)| thread::spawn(move || publish(&publisher, id, entries)))
        .collect()
}

fn publish(publisher: &SharedPublisher<Inline<Entry>>, id: u8, entries: u64) -> u64 {
    for number in 0..entries {
        // Waits while a gating subscriber is one lap behind.
        if publisher.publish(Entry::new(id, number)).is_err() {
            return number; // the ring is closed
        }
    }
    entries
}
