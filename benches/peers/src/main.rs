//! The same workloads on seqcast and its peers, interleaved in one process: medians over rounds, and ratios.
//!
//! `cargo run --release -p seqcast-peers [ROUNDS] [ONLY]`: `ONLY` runs the workloads whose name has that in it, `texts` for example.

mod crowds;
mod limits;
mod peer;
mod per;
mod texts;
mod waiting;
mod workloads;

use crowds::{beside_idle, throughput, worst_batch};
use peer::{AsyncBroadcast, Exclusive, Many, Peer, Photon, PhotonShared, Shared, Tokio};
use texts::{Borrowed, BorrowedShared, Cloned, TokioArc, TokioString};
use waiting::{parked, tasks};
use workloads::{fan_out, publishers, round_trip, streaming};

/// A workload, and what to run it on; the first is what the others are compared with.
struct Question {
    name: &'static str,
    rows: Vec<Row>,
}

/// A peer's name, and one run.
type Row = (&'static str, fn() -> f64);

macro_rules! question {
    ($name:literal, $workload:ident $arguments:tt, $($peer:ident),+ $(; $limit:literal $limits:expr)?) => {
        Question { name: $name, rows: vec![$(($peer::NAME, || $workload::<$peer> $arguments)),+ $(, ($limit, || $limits))?] }
    };
}

fn main() {
    let rounds = std::env::args().nth(1).map_or(15, |rounds| rounds.parse().expect("ROUNDS is a number"));
    let only = std::env::args().nth(2).unwrap_or_default();
    let mut questions = vec![
        question!("exclusive 1 -> 1 streaming, ns a message", streaming(1, 2_000_000), Exclusive, Photon; "(the bare words)" limits::streaming(2_000_000)),
        question!("  the same, against a slow one", streaming(1, 200_000), Exclusive, Tokio),
        question!("shared 1 -> 1 streaming, ns a message", streaming(1, 1_000_000), Shared, PhotonShared),
        question!("shared 2 -> 1, ns a message", publishers(2, 400_000), Shared, PhotonShared, Tokio),
        question!("shared 4 -> 1", publishers(4, 400_000), Shared, PhotonShared, Tokio),
        question!("shared 8 -> 1", publishers(8, 400_000), Shared, PhotonShared, Tokio),
        question!("shared 16 -> 1", publishers(16, 400_000), Shared, PhotonShared, Tokio),
        question!("same thread, N = 1, ns a delivery", fan_out(1, 1_000_000), Exclusive, Photon, Tokio),
        question!("same thread, N = 32", fan_out(32, 1_000_000), Exclusive, Photon, Tokio),
        question!("same thread, N = 1024", fan_out(1024, 1_000_000), Exclusive, Photon, Tokio),
        question!("round trip, polled, ns", round_trip(100_000), Exclusive, Photon, Tokio; "(the bare lines)" limits::round_trip(100_000)),
        question!("16 publishers, unpaced, ns a message", throughput(16, 400), Shared, PhotonShared, Tokio),
        question!("  the slowest batch of 64, us", worst_batch(16, 400), Shared, PhotonShared, Tokio),
        question!("10 tasks, bursts of 16, ns a delivery", tasks(10, 16), Exclusive, Many, Tokio, AsyncBroadcast),
        question!("100 tasks, bursts of 16", tasks(100, 16), Exclusive, Many, Tokio, AsyncBroadcast),
        question!("1000 tasks, bursts of 16", tasks(1000, 16), Exclusive, Many, Tokio, AsyncBroadcast),
        question!("1000 tasks, one message at a time", tasks(1000, 1), Exclusive, Tokio, AsyncBroadcast),
        question!("16 parked threads, us until all have it", parked(16, 100), Exclusive, Tokio, AsyncBroadcast),
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
    ];
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    macro_rules! readers {
        ($($count:literal $name:literal),+) => {$(
            // A reader without a core of its own would be measured by the scheduler's clock.
            if cores > $count {
                questions.push(question!($name, streaming($count, 300_000), Exclusive, Photon, Tokio));
            }
        )+};
    }
    readers!(2 "exclusive 1 -> 2, ns a message", 4 "exclusive 1 -> 4", 8 "exclusive 1 -> 8", 15 "exclusive 1 -> 15");
    println!(
        "median of {rounds} interleaved rounds (min to max), and the median of the ratios to the first, round by round\n"
    );
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
        }
    }
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
