//! What the benches share: settings, threads that outlive every measurement, pacing, and tails.
#![allow(dead_code, unused_imports, reason = "each bench uses a part of it")]

mod crew;
mod pace;
mod tails;

pub(crate) use crew::Crew;
pub(crate) use pace::{Marks, Pace, SLOTS};
pub(crate) use tails::Tails;

use criterion::Criterion;
use seqcast::{Inline, Subscriber, TryRecvError};
use std::hint::spin_loop;
use std::time::Duration;
use std::{panic, process, thread};

const WARM_UP: Duration = Duration::from_millis(300);

/// Short enough for all benches to be done in a few minutes.
pub(crate) fn criterion() -> Criterion {
    // Other threads would wait for a thread that panicked, so a panic ends the process.
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |what| {
        report(what);
        process::exit(101);
    }));
    Criterion::default()
        .sample_size(20)
        .warm_up_time(WARM_UP)
        .measurement_time(Duration::from_millis(1500))
        .without_plots()
}

pub(crate) fn cores() -> u64 {
    thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

/// The numbers of readers: as many as have a core of their own, and one row with twice as many readers as
/// cores.
pub(crate) fn readers() -> Vec<u64> {
    let (fit, crowd) = ((cores() - 1).max(1), 2 * cores());
    let mut readers: Vec<_> = [1, 2, 4, 8].into_iter().filter(|readers| *readers < fit).collect();
    readers.extend([fit, crowd]);
    readers
}

/// `what`, with a note if its threads do not have a core each.
pub(crate) fn label(what: &str, threads: u64) -> String {
    if threads > cores() { format!("{what}, more threads than cores") } else { what.to_owned() }
}

/// How a polling thread waits. Each wait uses a copy. With more threads than cores, a thread yields
/// immediately. Otherwise it yields after a long time, so that two threads do not stay on one core.
pub(crate) fn relax(threads: u64) -> impl FnMut() + Copy + Send + 'static {
    let (crowded, mut polls) = (threads > cores(), 0_u32);
    move || {
        polls = polls.wrapping_add(1);
        if crowded || polls % 4096 == 0 { thread::yield_now() } else { spin_loop() }
    }
}

/// Receives the next `count` messages by polling. Each must carry its sequence. Calls the function with
/// the next sequence after each one.
#[inline]
pub(crate) fn read(
    subscriber: &mut Subscriber<Inline<u64>>,
    count: u64,
    relax: impl FnMut() + Copy,
    mut each: impl FnMut(u64),
) {
    let mut next = subscriber.next_sequence();
    let end = next + count;
    let mut wait = relax;
    while next < end {
        match subscriber.try_recv() {
            Ok(number) => {
                assert_eq!(number, next, "out of order");
                next += 1;
                wait = relax;
                each(next);
            }
            Err(TryRecvError::Empty) => wait(),
            Err(error) => panic!("{error}"),
        }
    }
}
