//! The same workloads on seqcast and its peers, interleaved in one process: medians over rounds, and ratios.
//!
//! `cargo run --release -p seqcast-peers -- --help` lists the options.

mod catalogue;
mod column;
mod counting;
mod facts;
mod limits;
mod message;
mod peer;
mod peers;
mod plots;
mod rows;
mod statistics;
mod table;
mod workloads;

use std::error::Error;
use std::num::NonZero;
use std::path::PathBuf;
use std::{fs, panic, process};

use clap::Parser;

use crate::facts::cores;
use crate::rows::Row;
use crate::statistics::short;

/// Runs the same workloads on seqcast and its peers, interleaved in one process, and prints ratios.
#[derive(Parser)]
struct Options {
    /// How often each workload is run on each peer.
    #[arg(long, default_value_t = NonZero::new(15).unwrap())]
    rounds: NonZero<usize>,
    /// Only workloads whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Far fewer messages: to see that it works, not to measure.
    #[arg(long)]
    quick: bool,
    /// The most readers that each have a thread of their own, which should be fewer than cores.
    #[arg(long, default_value_t = cores().max(2) - 1)]
    readers: u64,
    /// Worker threads of the runtime that tasks run on.
    #[arg(long, default_value_t = if cores() < 2 { 1 } else { 2 })]
    workers: usize,
    /// Draws pictures (SVG) into this folder.
    #[arg(long)]
    plots: Option<PathBuf>,
    /// Draws the plots of an earlier run from this CSV file, and measures nothing.
    #[arg(long, requires = "plots")]
    redraw: Option<PathBuf>,
    /// Writes every value into this file.
    #[arg(long)]
    csv: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let size = catalogue::Size { quick: options.quick, readers: options.readers, workers: options.workers };
    if let (Some(path), Some(folder)) = (&options.redraw, &options.plots) {
        let lines = fs::read_to_string(path)?;
        // The other machine may have had more cores.
        let workloads = catalogue::workloads(catalogue::Size { readers: u64::MAX, ..size });
        let rows: Vec<_> = workloads.iter().filter_map(|workload| workload.parse_csv(&lines)).collect();
        return plots::draw(folder, &rows);
    }
    // The other threads would wait for the thread that panicked.
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        report(panic);
        process::exit(1);
    }));
    facts::print();
    println!(
        "The first column is seqcast's time: the median of {} interleaved rounds. The others are the peer's time over\n\
         seqcast's, as the median of the ratios round by round. More than 1 means that seqcast is faster (or smaller).\n\
         `seqcast otherwise` and `bare machine` are ratios, too.\n\
         Peers marked † are lossless: their publishers also check their readers. The other peers are lossy. There, the\n\
         workload holds all publishers back in the same way, so nothing is lost, except in rows that say `lossy`. In rows\n\
         that say `lossless`, the rings hold publishers back: seqcast is gated, photon-ring is bounded, and\n\
         async-broadcast does not overflow.\n\
         `seqcast::broadcast` is the drop-in for tokio's channel. The second table has its times, and tokio's over them.\n\
         Tasks run on {} workers. In `contention`, they work for {} ns on each message.\n",
        options.rounds,
        options.workers,
        short(workloads::work_takes())
    );
    let workloads = catalogue::workloads(size);
    table::head();
    let mut rows = Vec::new();
    for workload in workloads.iter().filter(|workload| workload.name.contains(&options.only)) {
        let new = workload.run(options.rounds.get());
        new.iter().for_each(Row::print);
        rows.extend(new);
    }
    table::drop_in(&rows);
    println!();
    rows.iter().for_each(Row::print_bytes);
    if let Some(path) = options.csv {
        let mut lines = "workload,unit,peer,variant,round,value\n".to_owned();
        for row in &rows {
            row.csv(&mut lines);
        }
        fs::write(path, lines)?;
    }
    if let Some(folder) = options.plots {
        plots::draw(&folder, &rows)?;
    }
    Ok(())
}
