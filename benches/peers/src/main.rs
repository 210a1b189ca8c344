//! The same workloads on seqcast and its peers, interleaved in one process: medians over rounds, and ratios.
//!
//! `cargo run --release -p seqcast-peers [ROUNDS] [ONLY] [--plots FOLDER]`: `ONLY` runs the workloads whose name has that in it, `texts` for example.

mod crowds;
mod limits;
mod peer;
mod per;
mod plots;
mod queues;
mod sizes;
mod texts;
mod waiting;
mod workloads;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Parser;

use crowds::{beside_idle, throughput, worst_batch};
use peer::{AsyncBroadcast, Exclusive, Many, Peer, Photon, PhotonShared, Shared, Tokio};
use plots::{Axis, Lines};
use queues::{Bus, Crossbeam};
use texts::{Borrowed, BorrowedShared, Cloned, TokioArc, TokioString};
use waiting::{parked, tasks};
use workloads::{fan_out, publishers, round_trip, streaming};

/// A workload, and what to run it on; the first is what the others are compared with.
struct Question {
    name: &'static str,
    rows: Vec<Row>,
    /// Where it stands in which picture.
    point: Option<(Axis, f64)>,
}

impl Question {
    fn at(mut self, axis: Axis, place: f64) -> Self {
        self.point = Some((axis, place));
        self
    }
}

/// Runs the same workloads on seqcast and its peers, interleaved, and prints medians and ratios.
#[derive(Parser)]
struct Options {
    /// How often each is run.
    #[arg(default_value_t = 15)]
    rounds: u32,
    /// Only workloads whose name has this in it.
    #[arg(default_value = "")]
    only: String,
    /// A folder for pictures (SVG) of cost against readers, publishers and payload.
    #[arg(long)]
    plots: Option<PathBuf>,
}

/// A peer's name, and one run.
type Row = (&'static str, fn() -> f64);

macro_rules! question {
    ($name:literal, $workload:ident $arguments:tt, $($peer:ident),+ $(; $limit:literal $limits:expr)?) => {
        Question {
            name: $name,
            rows: vec![$(($peer::NAME, || $workload::<$peer> $arguments)),+ $(, ($limit, || $limits))?],
            point: None,
        }
    };
}

macro_rules! payload {
    ($name:literal, $words:literal) => {
        Question {
            name: $name,
            rows: vec![
                ("seqcast, inline", sizes::inline::<$words>),
                ("seqcast, borrowed", sizes::borrowed::<$words>),
                ("photon-ring", sizes::photon::<$words>),
                ("tokio broadcast", sizes::tokio::<$words>),
            ],
            point: Some((Axis::Bytes, 8.0 * f64::from($words))),
        }
    };
}

fn main() {
    let Options { rounds, only, plots } = Options::parse();
    let mut questions = vec![
        question!("exclusive 1 -> 1 streaming, ns a message", streaming(1, 2_000_000), Exclusive, Photon, Crossbeam, Bus; "(the bare words)" limits::streaming(2_000_000)).at(Axis::Readers, 1.0),
        question!("  the same, against a slow one", streaming(1, 200_000), Exclusive, Tokio, AsyncBroadcast),
        question!("shared 1 -> 1 streaming, ns a message", streaming(1, 1_000_000), Shared, PhotonShared).at(Axis::Publishers, 1.0),
        question!("shared 2 -> 1, ns a message", publishers(2, 400_000), Shared, PhotonShared, Tokio).at(Axis::Publishers, 2.0),
        question!("shared 4 -> 1", publishers(4, 400_000), Shared, PhotonShared, Tokio).at(Axis::Publishers, 4.0),
        question!("shared 8 -> 1", publishers(8, 400_000), Shared, PhotonShared, Tokio).at(Axis::Publishers, 8.0),
        question!("shared 16 -> 1", publishers(16, 400_000), Shared, PhotonShared, Tokio).at(Axis::Publishers, 16.0),
        question!("same thread, N = 1, ns a delivery", fan_out(1, 1_000_000), Exclusive, Photon, Tokio),
        question!("same thread, N = 32", fan_out(32, 1_000_000), Exclusive, Photon, Tokio, Crossbeam, Bus),
        question!("same thread, N = 1024", fan_out(1024, 1_000_000), Exclusive, Photon, Tokio),
        question!("round trip, polled, ns", round_trip(100_000), Exclusive, Photon, Tokio; "(the bare lines)" limits::round_trip(100_000)),
        question!("16 publishers, unpaced, ns a message", throughput(16, 400), Shared, PhotonShared, Tokio),
        question!("  the slowest batch of 64, us", worst_batch(16, 400), Shared, PhotonShared, Tokio),
        question!("10 tasks, bursts of 16, ns a delivery", tasks(10, 16), Exclusive, Many, Tokio, AsyncBroadcast),
        question!("100 tasks, bursts of 16", tasks(100, 16), Exclusive, Many, Tokio, AsyncBroadcast),
        question!("1000 tasks, bursts of 16", tasks(1000, 16), Exclusive, Many, Tokio, AsyncBroadcast),
        question!("1000 tasks, one message at a time", tasks(1000, 1), Exclusive, Tokio, AsyncBroadcast),
        question!("16 parked threads, us until all have it", parked(16, 100), Exclusive, Tokio, AsyncBroadcast, Crossbeam, Bus),
        question!("publish beside 1 idle subscriber, ns", beside_idle(1, 1_000_000), Exclusive, Photon, Tokio),
        question!("publish beside 1000", beside_idle(1000, 1_000_000), Exclusive, Photon, Tokio),
        question!("publish beside 10000", beside_idle(10_000, 1_000_000), Exclusive, Photon, Tokio),
        question!(
            "texts, same thread, N = 1, ns a delivery",
            fan_out(1, 500_000),
            Borrowed,
            Cloned,
            TokioString,
            TokioArc
        ),
        question!("texts, same thread, N = 8", fan_out(8, 1_000_000), Borrowed, Cloned, TokioString, TokioArc),
        question!("texts, same thread, N = 64", fan_out(64, 1_000_000), Borrowed, Cloned, TokioString, TokioArc),
        question!("texts, 1 -> 1 streaming, ns a message", streaming(1, 300_000), Borrowed, TokioString, TokioArc),
        question!("texts, two publishers, ns a message", publishers(2, 200_000), BorrowedShared, TokioString, TokioArc),
        payload!("payload of 8 bytes, same thread, ns a message", 1),
        payload!("payload of 64 bytes", 8),
        payload!("payload of 512 bytes", 64),
        payload!("payload of 4096 bytes", 512),
    ];
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    macro_rules! readers {
        ($($count:literal $name:literal),+) => {$(
            // A reader without a core of its own would be measured by the scheduler's clock.
            if cores > $count {
                questions.push(question!($name, streaming($count, 300_000), Exclusive, Photon, Tokio).at(Axis::Readers, f64::from($count)));
            }
        )+};
    }
    readers!(2 "exclusive 1 -> 2, ns a message", 4 "exclusive 1 -> 4", 8 "exclusive 1 -> 8", 15 "exclusive 1 -> 15");
    println!(
        "median of {rounds} interleaved rounds (min to max), and the median of the ratios to the first, round by round\n"
    );
    let mut pictures: BTreeMap<Axis, Lines> = BTreeMap::new();
    for question in questions.iter().filter(|question| question.name.contains(&only)) {
        println!("{}", question.name);
        let mut times = vec![Vec::new(); question.rows.len()];
        for _ in 0..rounds {
            for (times, (_, run)) in times.iter_mut().zip(&question.rows) {
                times.push(run());
            }
        }
        let all = times;
        for (times, (name, _)) in all.iter().zip(&question.rows) {
            let (low, high) = times.iter().fold((f64::MAX, 0.0), |(low, high), t| (t.min(low), t.max(high)));
            let ratios: Vec<_> = times.iter().zip(&all[0]).map(|(time, first)| time / first).collect();
            println!("  {name:<18} {:>9.2}  ({low:.2} to {high:.2})  {:>7.2} x", median(times), median(&ratios));
            if let Some((axis, place)) = question.point {
                pictures.entry(axis).or_default().entry(name).or_default().push((place, median(times)));
            }
        }
    }
    if let Some(folder) = plots {
        for (axis, lines) in pictures {
            plots::draw(&folder, axis, &lines).unwrap_or_else(|wrong| panic!("{}: {wrong}", folder.display()));
        }
    }
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
