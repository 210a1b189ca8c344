//! How to publish: through one exclusive publisher, or several shared ones.

use std::array;
use std::iter::repeat_n;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use seqcast::{Inline, Publisher};

use crate::message::Message;

/// How many messages are published in one call, which wakes parked subscribers once.
const BURST: usize = 64;
/// How long a publisher sleeps after each burst. All subscribers keep up with that, except the slow
/// one.
const PAUSE: Duration = Duration::from_micros(200);

/// Starts threads that publish until `end`. Each returns how many messages it published, and drops
/// its publisher. The drop of the last publisher closes the ring.
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

/// Never waits for a subscriber: it overwrites messages that were not read in time.
fn publish_until(end: Instant, id: u64, mut publish: impl FnMut([Message; BURST]) -> u64) -> u64 {
    let mut published = 0;
    while Instant::now() < end {
        published += publish(array::from_fn(|at| Message::new(id, published + at as u64)));
        thread::sleep(PAUSE);
    }
    published
}
