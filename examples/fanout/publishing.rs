//! The publishing threads.

use std::io;
use std::iter::repeat_n;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use seqcast::{Inline, Publisher, SharedPublisher};

use crate::message::Message;
use crate::source::Source;
use crate::timetable::{Phase, Timetable};

/// Messages published in a row at full speed, before a look at the clock.
const BURST: u64 = 64;
/// Bursts before the core is offered to others: the table has to be drawn, on two cores too.
const BURSTS_PER_YIELD: u64 = 64;

/// A publishing thread; it returns how many messages it published.
pub(crate) type Publishing = JoinHandle<io::Result<u64>>;

/// The two ways to publish.
enum Outlet<const WORDS: usize> {
    /// The only publisher of the ring: the fast way.
    Exclusive(Publisher<Inline<Message<WORDS>>>),
    /// One of many.
    Shared(SharedPublisher<Inline<Message<WORDS>>>),
}

impl<const WORDS: usize> Outlet<WORDS> {
    fn split(publisher: Publisher<Inline<Message<WORDS>>>, count: usize) -> Vec<Self> {
        if count == 1 {
            vec![Self::Exclusive(publisher)]
        } else {
            repeat_n(publisher.share(), count).map(Self::Shared).collect()
        }
    }

    /// Publishes in a row, and returns how many. Never waits for a subscriber; wakes the parked ones once, at the end.
    fn publish_many(&mut self, messages: impl Iterator<Item = Message<WORDS>>) -> u64 {
        match self {
            Self::Exclusive(publisher) => {
                let sequences = publisher.publish_many(messages);
                sequences.end - sequences.start
            }
            Self::Shared(publisher) => publisher.publish_many(messages) as u64,
        }
    }
}

pub(crate) fn start<const WORDS: usize>(
    publisher: Publisher<Inline<Message<WORDS>>>,
    count: usize,
    files: &[&'static str],
    timetable: &Arc<Timetable>,
) -> io::Result<Vec<Publishing>> {
    let outlets = Outlet::split(publisher, count).into_iter().enumerate();
    outlets
        .map(|(id, outlet)| {
            let (files, timetable) = (files.to_vec(), Arc::clone(timetable));
            let publish = move || {
                let source = Source::share(&files, id, count)?;
                publish_both_streams(outlet, id as u64, source, &timetable)
            };
            thread::Builder::new().name(format!("publisher {id}")).spawn(publish)
        })
        .collect()
}

/// How many messages the thread published.
pub(crate) fn finish(publishing: Publishing) -> io::Result<u64> {
    publishing.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Owns the outlet, and so drops it when the time is over.
fn publish_both_streams<const WORDS: usize>(
    mut outlet: Outlet<WORDS>,
    id: u64,
    mut source: Source,
    timetable: &Timetable,
) -> io::Result<u64> {
    let mut published = 0;
    let mut changes = Vec::new();
    while timetable.phase() == Phase::Real {
        source.sample(&mut changes)?;
        published += outlet.publish_many(changes.drain(..));
    }
    let mut next = 0;
    while timetable.phase() == Phase::FullSpeed {
        published += outlet.publish_many((next..next + BURST).map(|number| Message::numbered(id, number)));
        next += BURST;
        if next % (BURST * BURSTS_PER_YIELD) == 0 {
            thread::yield_now();
        }
    }
    Ok(published)
}
