//! An audit log that loses nothing, and a dashboard that may, on one gated ring.
//!
//! ```text
//! cargo run --release --example audit              # writes to a temporary file
//! cargo run --release --example audit -- audit.log
//! ```
//!
//! Several publishers publish as fast as they can to a ring with these readers:
//!
//! - `log` is a gating subscriber. Publishers wait for it instead of overwriting an entry that it
//!   has not read.
//! - `dashboard` is a lossy subscriber. Publishers never wait for it.
//! - `crashing` is a gating subscriber whose thread panics. Unwinding drops the subscriber, and
//!   publishers continue.
//! - `stuck` is a gating subscriber that stops receiving. After the gate deadline it is demoted: it
//!   is lossy from then on, and publishers continue.
//!
//! At the end the program reads the file back. The file must have every entry, those of each
//! publisher in order. The account of every reader must balance:
//!
//! ```text
//! received + missed + holes + skipped_by_choice == next_sequence - start_sequence
//! ```
//!
//! The exit code is 1 if anything does not balance.
//!
//! - `publishing.rs` publishes.
//! - `log.rs` writes the file, and reads it back.
//! - `dashboard.rs` shows the newest entry.
//! - `trouble.rs` has the readers that fail.
//! - `accounts.rs` checks the accounts.

mod accounts;
mod dashboard;
mod entry;
mod log;
mod publishing;
mod trouble;

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};
use std::{env, thread};

use clap::Parser;
use seqcast::Builder;

use crate::accounts::Accounts;
use crate::entry::Entry;
use crate::trouble::{READ_BEFORE_CRASH, READ_BEFORE_STUCK};

const CAPACITY: usize = 1024;
/// How long publishers wait for a gating subscriber that reads nothing.
const GATE_DEADLINE: Duration = Duration::from_secs(1);

/// Writes an audit log that loses nothing, and checks it
#[derive(Debug, Parser)]
#[command(name = "audit", next_line_help = true)]
struct Options {
    /// File to write, which must not exist yet [default: a temporary file]
    log: Option<PathBuf>,

    /// Number of publishing threads
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    publishers: u8,

    /// Number of entries that each publisher publishes
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(20_000..=100_000_000))]
    entries: u64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let temporary = || env::temp_dir().join(format!("seqcast-audit-{}.log", process::id()));
    let path = options.log.clone().unwrap_or_else(temporary);
    let done = run(&path, usize::from(options.publishers), options.entries);
    match done {
        Ok(Accounts { text, wrong }) if wrong.is_empty() => {
            println!("{text}\nAll accounts balance");
            if options.log.is_none() {
                // After a failure the file is kept for inspection.
                let _ = fs::remove_file(&path);
            }
            ExitCode::SUCCESS
        }
        Ok(Accounts { text, wrong }) => {
            println!("{text}");
            for mismatch in wrong {
                eprintln!("MISMATCH: {mismatch}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

fn run(path: &Path, publishers: usize, entries: u64) -> Result<Accounts, Box<dyn Error>> {
    let file = File::create_new(path)?;
    let (publisher, dashboard) = Builder::new(CAPACITY).gated().gate_deadline(GATE_DEADLINE).inline::<Entry>();
    let ring = publisher.ring();
    // All readers subscribe before the first entry.
    let (log, crashing, stuck) = (ring.subscribe_gating()?, ring.subscribe_gating()?, ring.subscribe_gating()?);
    for (reader, name) in [(&dashboard, "dashboard"), (&log, "log"), (&crashing, "crashing"), (&stuck, "stuck")] {
        reader.set_name(name);
    }

    println!(
        "publishers: {publishers}, capacity: {CAPACITY}, gate deadline: {GATE_DEADLINE:?}\n\
         `crashing` panics after {READ_BEFORE_CRASH} entries, and `stuck` stops receiving after {READ_BEFORE_STUCK}\n"
    );
    let begun = Instant::now();
    let log = thread::spawn(|| log::write(log, file));
    let dashboard = thread::spawn(|| dashboard::show(dashboard));
    let crashing = trouble::crash(crashing)?;
    let stuck = trouble::get_stuck(stuck);
    let threads = publishing::start(publisher.share(), publishers, entries);

    // The drop of the last publisher closes the ring. Each reader then reads to the end.
    let counts: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("no publisher panics")).collect();
    let took = begun.elapsed();
    let log = log.join().expect("the log does not panic")?;
    let dashboard = dashboard.join().expect("the dashboard does not panic");
    let mut stuck = stuck.join().expect("the stuck reader does not panic");
    let crashed = crashing.join();
    // The demoted subscriber is lossy now. Its first item is the loss, and the rest is in the ring.
    stuck.iter().for_each(drop);

    let mut accounts = Accounts::default();
    let total: u64 = counts.iter().sum();
    let stats = ring.stats();
    let _ = writeln!(
        accounts.text,
        "{total} entries were published in {took:.1?}. Publishers waited for {:.1?}, all waits added up.",
        stats.publishers_waited
    );
    let written = log::read_back(path, publishers)?;
    let _ = writeln!(accounts.text, "{}: {} entries in order", path.display(), written.iter().sum::<u64>());
    accounts.check(written == counts, || format!("published {counts:?}, written {written:?}"));
    accounts.check(stats.published == total, || format!("the ring counted {}, not {total}", stats.published));
    accounts.check(log.received() == total && log.missed() == 0, || {
        format!("the log received {} and missed {}", log.received(), log.missed())
    });
    accounts.check(crashed.is_err(), || "the crashing reader should have panicked".to_owned());
    accounts.readers(&ring, &[("log", &log), ("dashboard", &dashboard), ("stuck", &stuck)]);
    accounts.demoted(&ring);
    Ok(accounts)
}
