//! A soak test. Rings are made and closed while publishers and subscribers of all kinds are made,
//! dropped, suspended and leaked, and panic. All invariants are checked throughout.
//!
//! ```text
//! cargo run --release -p seqcast-soak -- --seconds 3600 --threads 8
//! cargo run --release -p seqcast-soak -- --seconds 10 --seed 1      # a printed seed
//! # 10⁸ messages through gated rings
//! cargo run --release -p seqcast-soak -- --gated --messages 100000000
//! ```
//!
//! A seed repeats the same rings, but not the interleaving of threads. To repeat a rare failure,
//! run its seed several times with the same options.
//!
//! | exit status | |
//! |---|---|
//! | 0 | no failure |
//! | 1 | a violation, or an unexpected panic |
//! | 2 | wrong options |
//! | 3 | a hang: no progress for `--patience` seconds; the activity of each thread is printed |
//!
//! What is checked:
//! - each subscriber's `received + missed + holes + skipped_by_choice` is the distance that its
//!   cursor moved, and its sequences increase (`reader.rs`, `tests/common/account.rs`);
//! - no message is torn; each subscriber receives it at most once, in its publisher's order, and
//!   all with the same sequence (`reader.rs`, `stage.rs`);
//! - a gating subscriber loses no message from its start on, if its ring has no deadline
//!   (`reader.rs`);
//! - every subscriber finds `Closed` at the end, in every way to receive, from then on (`ways.rs`);
//! - when no publisher publishes, every subscriber receives all messages: no wake-up was lost
//!   (`calm.rs`);
//! - `published + skipped` is the number of claimed sequences, and agrees with the counts of the
//!   publishers (`life.rs`);
//! - each message of a boxed ring is dropped once, none is read after its drop, and few are kept
//!   (`message.rs`).
//!
//! `life.rs` runs a ring. The publishers are in `publishing.rs` and `stalling.rs`, the subscribers
//! in `audience.rs`, `receiving.rs`, `tasks.rs` and `wakers.rs`. Leaked handles are dropped after
//! their ring was checked, so leak detectors find only real leaks.

#![allow(clippy::forget_non_drop, reason = "marks where a publisher is suspended forever")]

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

/// The time between two lines of progress.
const PERIOD: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let options = Options::parse();
    println!("seed {}, {} rings in parallel, for {}", options.seed, options.rings, options.duration());
    watch::begin(options.seed);
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the runtime of the tasks must start");
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
    #[expect(clippy::cast_precision_loss, reason = "printed with one digit")]
    let rate = messages as f64 / seconds / 1e6;
    println!("{}{messages} messages published and received in {seconds:.1} s: {rate:.1} million/s", tally::table());
    if joined > 0 || tally::get(Count::Violations) > 0 {
        println!("FAILED: seed {}: {}", options.seed, watch::first_violation().unwrap_or_default());
        return ExitCode::FAILURE;
    }
    println!("no violation");
    ExitCode::SUCCESS
}

/// Waits for the end, and prints the progress.
fn oversee(options: &Options, began: Instant) {
    let mut printed = began;
    while !watch::is_over() {
        thread::sleep(Duration::from_millis(20));
        let is_over = match options.messages {
            Some(messages) => tally::get(Count::Published) >= messages,
            None => began.elapsed().as_secs() >= options.seconds,
        };
        if is_over {
            watch::end();
        }
        if printed.elapsed() >= PERIOD {
            printed = Instant::now();
            let (rings, messages) = (tally::get(Count::Rings), tally::messages());
            println!("{:>6} s: {rings} rings, {messages} messages published and received", began.elapsed().as_secs());
        }
    }
}

/// Runs one ring after another.
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
