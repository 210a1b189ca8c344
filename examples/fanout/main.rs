//! One ring, and many readers: publishers broadcast to threads and async tasks, and every message
//! is accounted for.
//!
//! ```text
//! cargo run --release --example fanout
//! cargo run --release --example fanout -- --publishers 4 --readers 8 --tasks 8 --capacity 2
//! ```
//!
//! A table shows what each subscriber has received, missed and not yet read. One subscriber is slow
//! on purpose. It loses messages, counts each of them, and delays no other thread. At the end the
//! publishers are dropped, which closes the ring. Every subscriber then reads what is left, and its
//! account must balance:
//!
//! ```text
//! received + missed + holes == next_sequence - start_sequence
//! ```
//!
//! The exit code is 1 if an account does not balance.
//!
//! - `publishing.rs` publishes, through one exclusive publisher or several shared ones.
//! - `receiving.rs` receives, on a thread or in a task.
//! - `table.rs` reads the ring's statistics, and checks the accounts.

mod message;
mod publishing;
mod receiving;
mod table;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use tokio::runtime::Runtime;

use crate::message::Message;
use crate::receiving::Reader;
use crate::table::Table;

/// Broadcasts to threads and async tasks, and accounts for every message
#[derive(Debug, Parser)]
#[command(name = "fanout", next_line_help = true)]
struct Options {
    /// Number of publishing threads: one has an exclusive publisher, several have shared ones
    #[arg(long, default_value_t = 1, value_parser = between::<usize>(1, 64))]
    publishers: usize,

    /// Number of subscribers on threads, of which the first is slow
    #[arg(long, default_value_t = 3, value_parser = between::<u64>(0, 256))]
    readers: u64,

    /// Number of subscribers in tasks; the first is slow if there are none on threads
    #[arg(long, default_value_t = 3, value_parser = between::<u64>(0, 1024))]
    tasks: u64,

    /// Capacity of the ring, rounded up to a power of two
    #[arg(long, default_value_t = 1024, value_parser = between::<usize>(1, 1 << 20))]
    capacity: usize,

    /// How long to publish, in seconds
    #[arg(long, default_value_t = 10, value_parser = between::<u64>(1, 86_400))]
    seconds: u64,
}

fn between<T: TryFrom<u64> + Clone + Send + Sync>(least: u64, most: u64) -> RangedU64ValueParser<T> {
    RangedU64ValueParser::new().range(least..=most)
}

fn main() -> io::Result<ExitCode> {
    let options = Options::parse();
    let runtime = Runtime::new()?;
    let (publisher, _) = seqcast::inline::<Message>(options.capacity);
    let ring = publisher.ring();

    // All readers subscribe before the first message, and so read from the first sequence.
    let threads: Vec<_> = (1..=options.readers)
        .map(|nth| Reader::new(&ring, "thread", nth, nth == 1))
        .map(|reader| thread::spawn(|| reader.read()))
        .collect();
    let tasks: Vec<_> = (1..=options.tasks)
        .map(|nth| Reader::new(&ring, "task", nth, nth == 1 && options.readers == 0))
        .map(|reader| runtime.spawn(reader.read_async()))
        .collect();
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let publishers = publishing::start(publisher, options.publishers, end);

    let mut table = Table::new(ring.clone());
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        thread::sleep(left.min(table.period()));
        table.draw()?;
    }

    let count = publishers.into_iter().map(|thread| thread.join().expect("no publisher panics")).sum();
    let threads = threads.into_iter().map(|thread| thread.join().expect("no reader panics"));
    let tasks = tasks.into_iter().map(|task| runtime.block_on(task).expect("no task panics"));
    let readers: Vec<_> = threads.chain(tasks).collect();
    let (text, balanced) = table::accounts(&ring, count, &readers);
    io::stdout().write_all(text.as_bytes())?;
    Ok(if balanced { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
