//! One ring, many readers: broadcasts to blocking threads and async tasks at once, and accounts for every message.
//!
//! ```text
//! cargo run --release --example fanout
//! cargo run --release --example fanout -- --publishers 4 --readers 8 --tasks 8 --capacity 2
//! cargo run --release --example fanout -- --payload 1024 --seconds 4 | cat
//! ```
//!
//! It runs for ten seconds, in two phases of the same ring:
//!
//! 1. A real stream: the kernel's counters in `/proc`, sampled in a tight loop; each counter that changed is a message.
//!    (Where there is no `/proc`, the clock's jitter.)
//! 2. A synthetic one: every publisher publishes as fast as it can, and yields its core now and then.
//!
//! A live table shows what each subscriber receives, how far it lags and what it missed. One of them is slow on purpose:
//! it loses messages, exactly counted, and holds up nobody. In the end the publishers go, which closes the ring, everybody
//! reads what is left, and each account has to balance:
//!
//! - a subscriber's `received + missed + holes == next_sequence - start`, and it stands at the end of the ring;
//! - the ring's `published + skipped ==` sequences drawn, where `published` is the publishers' own count;
//! - no message was torn: each carries a checksum.
//!
//! The process fails if one does not. Ctrl-C ends the run early, with the accounts.
//!
//! On a terminal the table is drawn in place; elsewhere it is plain text. `--help` tells the options.
//!
//! # Where to look
//!
//! How to publish is in `publishing.rs`, how to receive in `receiving.rs`, how to read the statistics in `table.rs` and
//! `accounts.rs`.

mod accounts;
mod message;
mod options;
mod publishing;
mod receiving;
mod source;
mod table;
mod terminal;
mod text;
mod timetable;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use clap::Parser;
use seqcast::{Inline, Ring};
use tokio::runtime::Runtime;

use crate::accounts::Accounts;
use crate::message::Message;
use crate::options::{Options, Payload};
use crate::receiving::Audience;
use crate::table::Table;
use crate::terminal::Terminal;
use crate::timetable::{Phase, Timetable};

fn main() -> io::Result<ExitCode> {
    let options = Options::parse();
    let balanced = match options.payload {
        Payload::Bytes16 => run::<2>(&options),
        Payload::Bytes64 => run::<8>(&options),
        Payload::Bytes256 => run::<32>(&options),
        Payload::Bytes1024 => run::<128>(&options),
    }?;
    Ok(if balanced { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs with messages of `WORDS` words; `true` if all accounts balance.
fn run<const WORDS: usize>(options: &Options) -> io::Result<bool> {
    let runtime = Runtime::new()?;
    let files = source::readable_files();
    let mut terminal = Terminal::of_stdout();

    let (publisher, newest) = seqcast::inline::<Message<WORDS>>(options.capacity);
    let ring = publisher.ring();
    terminal.append(&introduction(options, &ring, &files));
    let audience = Audience::assemble(options, &ring, &runtime)?;
    let timetable = Arc::new(Timetable::starting_now(options.seconds));
    end_on_ctrl_c(&runtime, &timetable);
    let publishers = publishing::start(publisher, options.publishers, &files, &timetable)?;

    let mut table = Table::new(ring.clone(), newest, files.is_empty());
    show(&mut terminal, &mut table, &audience, &timetable);
    timetable.end_now();

    // The publishers return without their handles. The last of these closes the ring, and that ends the audience.
    let count = publishers.into_iter().map(publishing::finish).sum::<io::Result<u64>>()?;
    // They stay subscribed until their accounts are made: a subscriber that is gone is gone from the statistics.
    let (members, subscribers) = audience.disperse(&runtime);
    let newest = table.finish();
    let accounts = Accounts::new(&ring, count, &members, newest.member());
    terminal.append(&accounts.to_string());
    drop((subscribers, newest));
    Ok(accounts.balance())
}

/// Draws the table until the time is over, or nobody is there to read it.
fn show<const WORDS: usize>(
    terminal: &mut Terminal,
    table: &mut Table<WORDS>,
    audience: &Audience<WORDS>,
    timetable: &Timetable,
) {
    for phase in [Phase::Real, Phase::FullSpeed] {
        for tick in timetable.ticks(phase, terminal.period()) {
            timetable.sleep_until(tick);
            terminal.draw(&table.frame(phase, timetable, audience.members()));
            if timetable.is_over() || terminal.is_gone() {
                return;
            }
        }
        // The last table of a phase stays.
        terminal.keep();
    }
}

/// Ends the run at the first Ctrl-C, and the process at the second.
fn end_on_ctrl_c(runtime: &Runtime, timetable: &Arc<Timetable>) {
    let timetable = Arc::clone(timetable);
    let screen = thread::current();
    runtime.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            timetable.end_now();
            screen.unpark();
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
}

fn introduction<const WORDS: usize>(options: &Options, ring: &Ring<Inline<Message<WORDS>>>, files: &[&str]) -> String {
    let Options { publishers, readers, tasks, seconds, .. } = options;
    let kind = if *publishers == 1 { "exclusive publisher" } else { "shared publishers" };
    let (capacity, size) = (ring.capacity(), size_of::<Message<WORDS>>());
    let mut text = format!(
        "{publishers} {kind} to {readers} threads and {tasks} tasks, for {seconds} s\n\
         a ring of {capacity} messages of {size} bytes\n"
    );
    if files.is_empty() {
        text += "no /proc on this system: the jitter of the clock stands in for its counters\n";
    }
    if *publishers > 1 && capacity < 4 * publishers {
        text += "expect holes: the capacity is less than four times the number of publishers\n";
    }
    text
}
