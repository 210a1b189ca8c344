//! A soak: rings live and end while publishers and subscribers of all kinds come, go, stall, panic
//! and are leaked, and everything that must hold is checked all the time.
//!
//! ```text
//! cargo run --release -p seqcast-soak -- --seconds 3600 --threads 8
//! cargo run --release -p seqcast-soak -- --seconds 10 --seed 1          # a seed that was printed
//! cargo run --release -p seqcast-soak -- --gated --messages 100000000   # 10⁸ messages through gated rings
//! ```
//!
//! A seed begins the same lives, of which each takes its turns as the machine has it: give a rare
//! failure some runs of its seed, with the same options.
//!
//! | exit status | |
//! |---|---|
//! | 0 | all is well |
//! | 1 | a violation, or a panic that was not planned |
//! | 2 | the options are wrong |
//! | 3 | a hang: no progress for `--patience` seconds; what each thread was doing is printed |
//!
//! What is checked:
//! - each subscriber's `received + missed + holes + skipped_by_choice` is how far it moved, and its sequences grow
//!   (`reader.rs`, `tests/common/account.rs`);
//! - each message is whole, comes once to each subscriber, in its publisher's order, and under one sequence to all
//!   (`reader.rs`, `stage.rs`);
//! - a gating subscriber loses no message from where it joined, if its ring has no deadline (`reader.rs`);
//! - `Closed` comes at the end, to everybody, in every way to receive, and stays (`ways.rs`);
//! - when nobody publishes any more, everybody gets what there is: no wake-up was lost (`calm.rs`);
//! - `published + skipped` is what was drawn, and what the publishers counted themselves (`life.rs`);
//! - each message of a boxed ring is dropped once, none is seen after its drop, and few are kept (`message.rs`).
//!
//! A ring's life is in `life.rs`; who publishes, in `publishing.rs` and `stalling.rs`; who
//! receives, in `audience.rs`, `receiving.rs`, `tasks.rs` and `wakers.rs`. Handles that are leaked
//! are dropped once their ring was checked, so that leak detectors have the last word.

#![allow(clippy::forget_non_drop, reason = "says where a publisher is stopped for good")]

mod audience;
mod calm;
#[path = "../../common/mod.rs"]
mod common;
mod hang;
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
mod ways;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use seqcast::{Boxed, Inline};
use tokio::runtime::{Builder, Handle};

use crate::message::{Counted, Plain};
use crate::options::Options;
use crate::tally::Count;

/// Between two lines about the progress.
const PERIOD: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let options = Options::parse();
    println!("seed {}, {} rings at a time, for {}", options.seed, options.rings, options.duration());
    watch::begin(options.seed);
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime for the tasks");
    let lanes = usize::try_from(options.rings).unwrap_or(1);
    hang::start_watchdog(Duration::from_secs(options.patience));

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
        println!("FAILED: seed {}: {}", options.seed, watch::first_violation().unwrap_or_default());
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
        let is_over = match options.messages {
            Some(messages) => tally::get(Count::Published) >= messages,
            None => began.elapsed().as_secs() >= options.seconds,
        };
        if is_over {
            watch::end();
        }
        if told.elapsed() >= PERIOD {
            told = Instant::now();
            let (rings, messages) = (tally::get(Count::Rings), tally::messages());
            println!("{:>6} s: {rings} rings, {messages} messages in and out", began.elapsed().as_secs());
        }
    }
}

/// One ring after the other.
fn work(lane: usize, options: &Options, tasks: &Handle, mut random: fastrand::Rng) {
    while !watch::is_over() {
        let live = match random.u32(0..6) {
            0 => life::live::<Inline<Plain<3>>>,
            1 => life::live::<Inline<Plain<16>>>,
            2 => life::live::<Inline<Plain<1>>>,
            3 => life::live::<Inline<Plain<70>>>,
            _ => life::live::<Boxed<Counted>>,
        };
        live(lane, options, tasks, &mut random);
    }
    hang::rest(lane);
}
