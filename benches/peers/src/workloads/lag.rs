//! Lossy, and seqcast alone: the cost of a loss, and what a reader receives that is overtaken again and
//! again.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use seqcast::{Builder, Lagged, Start, TryRecvError};

use super::size;
use crate::statistics::{Sorted, nanoseconds};

/// Nanoseconds of a receive that returns a message, and of one that reports a loss. Many subscribers
/// receive in a row, so that the time of reading the clock is negligible.
pub fn lagged(rounds: u64) -> [f64; 2] {
    let (mut tx, rx) = seqcast::inline::<u64>(1024);
    tx.publish_many(0..3072);
    let mut rxs = vec![rx; 256];
    let loss = TryRecvError::Lagged(Lagged { missed: 2048, resumed_at: 2048 });
    [(Start::Oldest, Ok(2048)), (Start::At(0), Err(loss))].map(|(start, expected)| {
        let mut took = Duration::ZERO;
        for _ in 0..rounds {
            for rx in &mut rxs {
                rx.seek(start);
            }
            let began = Instant::now();
            for rx in &mut rxs {
                assert_eq!(rx.try_recv(), expected);
            }
            took += began.elapsed();
        }
        nanoseconds(took, rounds * 256)
    })
}

/// A reader of a ring of 256 slots, with a publisher at full speed. The messages that it received per
/// million, and the 99th percentile of the microseconds between two of them.
#[allow(clippy::cast_precision_loss)]
pub fn overtaken(lag_slack: usize, messages: u64) -> [f64; 2] {
    let (mut tx, mut rx) = Builder::new(256).lag_slack(lag_slack).inline::<u64>();
    let start = Barrier::new(2);
    let mut gaps = Vec::with_capacity(size(messages));
    thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            for number in 0..messages {
                tx.publish(number);
            }
        });
        start.wait();
        let mut before = Instant::now();
        while rx.next_sequence() < messages {
            match rx.try_recv() {
                Ok(number) => {
                    assert_eq!(Some(number), rx.last_sequence());
                    let after = Instant::now();
                    gaps.push(after - before);
                    before = after;
                }
                Err(TryRecvError::Lagged(_) | TryRecvError::Empty) => {}
                Err(TryRecvError::Closed) => panic!("closed"),
            }
        }
    });
    let received = gaps.len() as u64;
    assert_eq!(received + rx.missed(), messages);
    [received as f64 / messages as f64 * 1e6, Sorted::new(gaps).all_but_one_in(100)]
}
