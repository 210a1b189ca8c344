//! A soak: rings live and end while publishers and subscribers of all kinds come, go, stall, panic and are leaked, and
//! everything that must hold is checked all the time.
//!
//! ```text
//! cargo run --release --example soak -- --seconds 10
//! cargo run --release --example soak -- --seconds 3600 --stop-after-messages 1000000000
//! cargo run --release --example soak -- --seconds 10 --capacity 2 --threads 8 --seed 1
//! ```
//!
//! The process fails, and tells the seed, when anything does not hold, panics unasked, or makes no progress. (The seed begins
//! the same lives; how the threads take turns is not in its power.)
//!
//! # What is checked
//!
//! - Each subscriber's `received + missed + holes + skipped_by_choice` is how far it moved; its sequences only grow.
//! - Each message is whole, comes once to each subscriber, in its publisher's order, and under one sequence to all.
//! - `Closed` comes at the end, to everybody, in every way to receive, and stays.
//! - `published + skipped` is what was drawn, and what the publishers counted themselves.
//! - Each message of a boxed ring is dropped once; none is seen after its drop.
//!
//! # Where to look
//!
//! A ring's life is in `life.rs`, those who publish in `publishing.rs` and `stalling.rs`, those who receive in `audience.rs`,
//! `receiving.rs`, `borrowing.rs`, `tasks.rs` and `wakers.rs`, their accounts in `reader.rs`.

#![allow(clippy::pedantic, reason = "a test in the guise of an example")]
#![allow(clippy::forget_non_drop, reason = "says where a publisher is stopped for good")]

mod audience;
mod borrowing;
mod calm;
mod ledger;
mod life;
mod message;
mod options;
mod publishing;
mod reader;
mod receiving;
mod stage;
mod stalling;
mod tally;
mod tasks;
mod wakers;
mod watch;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use seqcast::{Boxed, Inline};
use tokio::runtime::{Builder, Handle};

use crate::ledger::Ledger;
use crate::message::{Counted, Plain};
use crate::options::Options;
use crate::tally::Count;

/// Between two lines about the progress.
const PERIOD: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let options = Options::parse();
    println!("seed {}, {} rings at a time, for {} s", options.seed, options.rings, options.seconds);
    watch::set_panic_hook(options.seed);
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime for the tasks");
    let lanes = usize::try_from(options.rings).unwrap_or(1);
    watch::start_watchdog(lanes, Duration::from_secs(options.patience));

    let began = Instant::now();
    let mut random = fastrand::Rng::with_seed(options.seed);
    let threads: Vec<_> = (0..lanes)
        .map(|lane| {
            let (options, tasks, random) = (options.clone(), runtime.handle().clone(), random.fork());
            thread::spawn(move || work(lane, &options, &tasks, random))
        })
        .collect();
    oversee(&options, began);
    let joined = threads.into_iter().map(thread::JoinHandle::join).filter(Result::is_err).count();
    drop(runtime);

    let (messages, seconds) = (tally::messages(), began.elapsed().as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let rate = messages as f64 / seconds / 1e6;
    println!("{}{messages} messages in and out in {seconds:.1} s: {rate:.1} million a second", tally::table());
    if joined > 0 || tally::get(Count::Violations) > 0 {
        println!("FAILED: seed {}", options.seed);
        return ExitCode::FAILURE;
    }
    println!("all accounts balance");
    ExitCode::SUCCESS
}

/// Waits for the end, and tells how things go.
fn oversee(options: &Options, began: Instant) {
    let mut told = began;
    while !watch::is_over() {
        thread::sleep(Duration::from_millis(20));
        if began.elapsed().as_secs() >= options.seconds {
            watch::end();
        }
        if told.elapsed() >= PERIOD {
            told = Instant::now();
            println!(
                "{:>6} s: {} rings, {} published, {} received, {} missed, {} violations",
                began.elapsed().as_secs(),
                tally::get(Count::Rings),
                tally::get(Count::Published),
                tally::get(Count::Received),
                tally::get(Count::Missed),
                tally::get(Count::Violations),
            );
        }
    }
}

/// One ring after the other.
fn work(lane: usize, options: &Options, tasks: &Handle, mut random: fastrand::Rng) {
    let mut ledger = Ledger::new();
    while !watch::is_over() {
        let live = match random.u32(0..5) {
            0 => life::live::<Inline<Plain<3>>>,
            1 => life::live::<Inline<Plain<16>>>,
            2 => life::live::<Inline<Plain<1>>>,
            _ => life::live::<Boxed<Counted>>,
        };
        live(lane, options, tasks, &mut ledger, &mut random);
    }
    watch::rest(lane);
}
