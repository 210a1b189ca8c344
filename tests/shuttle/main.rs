//! Runs the crate under shuttle: random interleavings, of more threads and longer runs than loom
//! can exhaust. Every load returns the last store here. Orderings are checked by loom
//! (`tests/loom`).
//!
//! `RUSTFLAGS="--cfg shuttle" cargo test --release --features _models --test shuttle`
//!
//! | variable | |
//! |---|---|
//! | `SEQCAST_ITERATIONS` | interleavings of each program, for each of the two schedulers |
//! | `SEQCAST_SEED` | the seed of the schedulers, printed by every test |
//! | `SEQCAST_SCHEDULE` | the failing schedule, as shuttle printed it: a test that runs with it prints that interleaving |
//!
//! A schedule belongs to one program. In a test that runs two programs, remove the other one. If a
//! test crashes, `--nocapture` shows its seed.

#![cfg(shuttle)]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

#[path = "../common/mod.rs"]
mod common;
mod crowds;
mod endings;
mod gating;
mod stalls;

use std::collections::BTreeSet;
use std::env;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use seqcast::{Boxed, Inline};
use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, Runner};
use tracing_subscriber::util::SubscriberInitExt;

type Plain = Inline<common::Signed>;
type Owning = Boxed<Box<common::Signed>>;

/// The maximum of thread switches that PCT adds to an interleaving.
const DEPTH: usize = 4;

/// Runs `program` in `iterations` interleavings with a random thread at each step, and in as many
/// with few thread switches. Returns the outcomes.
fn explore<O: Ord + Send + 'static>(iterations: usize, program: impl Fn() -> O + Send + Sync + 'static) -> BTreeSet<O> {
    let iterations = env::var("SEQCAST_ITERATIONS")
        .map_or(iterations, |iterations| iterations.parse().expect("SEQCAST_ITERATIONS must be a number"));
    let outcomes = Arc::new(Mutex::new(BTreeSet::new()));
    let runs = Arc::new(AtomicUsize::new(0));
    let (seen, count) = (Arc::clone(&outcomes), Arc::clone(&runs));
    let program = Arc::new(move || {
        let outcome = program();
        count.fetch_add(1, Ordering::Relaxed);
        seen.lock().unwrap().insert(outcome);
    });
    if let Ok(schedule) = env::var("SEQCAST_SCHEDULE") {
        let shown = tracing_subscriber::fmt().with_env_filter("seqcast=trace,shuttle_engine=error").with_test_writer();
        let _shown = shown.with_ansi(false).without_time().with_level(false).with_target(false).finish().set_default();
        run(ReplayScheduler::new_from_encoded(schedule.trim()), &program);
    } else {
        let seed = common::seed();
        run(RandomScheduler::new_from_seed(seed, iterations), &program);
        run(PctScheduler::new_from_seed(seed, DEPTH, iterations), &program);
        assert_eq!(runs.load(Ordering::Relaxed), 2 * iterations);
    }
    std::mem::take(&mut outcomes.lock().unwrap())
}

fn run(scheduler: impl Scheduler + 'static, program: &Arc<impl Fn() + Send + Sync + 'static>) {
    let mut config = Config::new();
    config.stack_size = 1 << 17;
    // shuttle warns about orderings weaker than `SeqCst`.
    config.silence_warnings = true;
    let program = Arc::clone(program);
    Runner::new(scheduler, config).run(move || program());
}
