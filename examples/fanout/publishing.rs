//! How to publish: from one exclusive publisher, or from many shared ones.

use std::array;
use std::iter::repeat_n;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use seqcast::{Inline, Publisher};

use crate::message::Message;

/// Messages that are published in one call. It wakes sleeping subscribers once.
const BURST: usize = 64;
/// How long a publisher sleeps after each burst. Ordinary subscribers keep up with that; the slow one does not.
const PAUSE: Duration = Duration::from_micros(200);

/// Starts threads that publish until `end`. Each returns how many messages it published, and drops its publisher. The last
/// publisher dropped closes the ring.
pub(crate) fn start(mut publisher: Publisher<Inline<Message>>, count: usize, end: Instant) -> Vec<JoinHandle<u64>> {
    if count == 1 {
        let publish = move |burst| {
            let sequences = publisher.publish_many(burst);
            sequences.end - sequences.start
        };
        return vec![thread::spawn(move || publish_until(end, 0, publish))];
    }
    repeat_n(publisher.share(), count)
        .zip(0..)
        .map(|(publisher, id)| {
            let publish = move |burst| publisher.publish_many(burst) as u64;
            thread::spawn(move || publish_until(end, id, publish))
        })
        .collect()
}

/// Never waits for a subscriber: a message that was not read in time is overwritten.
fn publish_until(end: Instant, id: u64, mut publish: impl FnMut([Message; BURST]) -> u64) -> u64 {
    let mut published = 0;
    while Instant::now() < end {
        published += publish(array::from_fn(|at| Message::new(id, published + at as u64)));
        thread::sleep(PAUSE);
    }
    published
}
