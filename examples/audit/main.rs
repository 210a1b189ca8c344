//! An audit log that loses nothing, beside a dashboard that may lose, on one gated ring.
//!
//! ```text
//! cargo run --release --example audit              # writes to a temporary file
//! cargo run --release --example audit -- audit.log
//! ```
//!
//! Several publishers publish as fast as they can. The log is a gating subscriber: publishers wait for it rather than overwrite
//! an entry that it has not read. The dashboard is an ordinary one: nobody waits for it. Two more gating subscribers go wrong:
//! the thread of one panics, whose unwinding frees the publishers, and the other stops reading, and is demoted when the gate
//! deadline is over.
//!
//! At the end the file is read back. It must have every entry that was published, those of each publisher in order, and every
//! reader's account must balance:
//!
//! ```text
//! received + missed + holes + skipped_by_choice == next_sequence - start_sequence
//! ```
//!
//! The process fails if anything does not balance.
//!
//! - `publishing.rs` publishes.
//! - `log.rs` writes the file, and reads it back.
//! - `dashboard.rs` shows the newest entry.
//! - `trouble.rs` has the readers that go wrong.
//! - `accounts.rs` checks.

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

const CAPACITY: usize = 1024;
/// How long a gating subscriber may hold publishers back without reading anything.
const GATE_DEADLINE: Duration = Duration::from_secs(1);

/// Writes an audit log that loses nothing, and checks it
#[derive(Debug, Parser)]
#[command(name = "audit", next_line_help = true)]
struct Options {
    /// The log, which must not exist yet; without one, a temporary file
    log: Option<PathBuf>,

    /// Publishing threads
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    publishers: u8,

    /// Entries of each publisher
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
            println!("{text}\nall accounts balance");
            if options.log.is_none() {
                // After a failure the file stays, to be looked at.
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
    // All subscribe before the first entry.
    let (log, crashing, stuck) = (ring.subscribe_gating()?, ring.subscribe_gating()?, ring.subscribe_gating()?);
    for (reader, name) in [(&dashboard, "dashboard"), (&log, "log"), (&crashing, "crashing"), (&stuck, "stuck")] {
        reader.set_name(name);
    }

    let begun = Instant::now();
    let log = thread::spawn(|| log::write(log, file));
    let dashboard = thread::spawn(|| dashboard::show(dashboard));
    let crashing = trouble::crash(crashing)?;
    let stuck = trouble::get_stuck(stuck);
    let threads = publishing::start(publisher.share(), publishers, entries);

    // The last publisher closes the ring, and each reader comes to the end.
    let counts: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("no publisher panics")).collect();
    let took = begun.elapsed();
    let log = log.join().expect("the log does not panic")?;
    let dashboard = dashboard.join().expect("the dashboard does not panic");
    let mut stuck = stuck.join().expect("the stuck one does not panic");
    let crashed = crashing.join();
    // It was demoted: it reads on as a lossy subscriber. The first item is its loss.
    stuck.iter().for_each(drop);

    let mut accounts = Accounts::default();
    let total: u64 = counts.iter().sum();
    let stats = ring.stats();
    let _ = writeln!(
        accounts.text,
        "{publishers} publishers published {total} entries in {took:.1?}, and waited {:.1?} in all",
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
