//! Gating subscribers that fail: one panics, and one stops receiving.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use seqcast::{Inline, Subscriber};

use crate::entry::Entry;

/// How many entries the stuck reader receives.
pub(crate) const READ_BEFORE_STUCK: usize = 5_000;
/// How many entries the crashing reader receives.
pub(crate) const READ_BEFORE_CRASH: usize = 20_000;
/// How long the crashing reader holds publishers back before it panics.
const HESITATION: Duration = Duration::from_millis(200);

/// Receives some entries, holds publishers back for a moment, and panics. Unwinding drops the
/// subscriber, and publishers continue.
pub(crate) fn crash(mut subscriber: Subscriber<Inline<Entry>>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("crashing".to_owned()).spawn(move || {
        let read = read(&mut subscriber, READ_BEFORE_CRASH);
        thread::sleep(HESITATION);
        panic!("this reader panics on purpose, after {read} entries");
    })
}

/// Receives some entries, and then no more. The subscriber stays alive in the result of its thread,
/// and publishers wait for it until the gate deadline.
pub(crate) fn get_stuck(mut subscriber: Subscriber<Inline<Entry>>) -> JoinHandle<Subscriber<Inline<Entry>>> {
    thread::spawn(move || {
        read(&mut subscriber, READ_BEFORE_STUCK);
        subscriber
    })
}

/// Receives `count` entries, or fewer if the ring ends. Returns how many it received.
fn read(subscriber: &mut Subscriber<Inline<Entry>>, count: usize) -> usize {
    subscriber.iter().flatten().take(count).count()
}
