//! Gating subscribers that go wrong: one panics, and one stops reading.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use seqcast::{Inline, Subscriber};

use crate::entry::Entry;

/// Entries that the stuck one reads.
pub(crate) const READ_BEFORE_STUCK: usize = 5_000;
/// Entries that the crashing one reads.
pub(crate) const READ_BEFORE_CRASH: usize = 20_000;
/// How long publishers wait for the one that then crashes.
const AGONY: Duration = Duration::from_millis(200);

/// Reads some entries, holds publishers up for a moment, and panics. Unwinding drops the subscriber, which frees the ring.
pub(crate) fn crash(mut subscriber: Subscriber<Inline<Entry>>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("crashing".to_owned()).spawn(move || {
        let read = read(&mut subscriber, READ_BEFORE_CRASH);
        thread::sleep(AGONY);
        panic!("on purpose, after {read} entries");
    })
}

/// Reads some entries, and then none: the subscriber stays alive in the result of its thread. Publishers wait for it until the
/// gate deadline.
pub(crate) fn get_stuck(mut subscriber: Subscriber<Inline<Entry>>) -> JoinHandle<Subscriber<Inline<Entry>>> {
    thread::spawn(move || {
        read(&mut subscriber, READ_BEFORE_STUCK);
        subscriber
    })
}

/// Reads `count` entries, or to the end of the ring. Returns how many it read.
fn read(subscriber: &mut Subscriber<Inline<Entry>>, count: usize) -> usize {
    subscriber.iter().flatten().take(count).count()
}
