//! The same workloads on seqcast and its peers, interleaved in one process: medians over rounds, and ratios.
//!
//! `cargo run --release -p seqcast-peers [ROUNDS] [ONLY]`: `ONLY` runs the workloads whose name has that in it, `texts` for example.

mod peer;
mod texts;
mod workloads;

use peer::{Exclusive, Peer, Photon, PhotonShared, Shared, Tokio};
use texts::{Borrowed, BorrowedShared, Cloned, TokioArc, TokioString};
use workloads::{fan_out, publishers, round_trip, streaming};

/// A workload, and what to run it on; the first is what the others are compared with.
struct Question {
    name: &'static str,
    rows: Vec<Row>,
}

/// A peer's name, and one run.
type Row = (&'static str, fn() -> f64);

macro_rules! question {
    ($name:literal, $workload:ident $arguments:tt, $($peer:ident),+) => {
        Question { name: $name, rows: vec![$(($peer::NAME, || $workload::<$peer> $arguments)),+] }
    };
}

fn main() {
    let rounds = std::env::args().nth(1).map_or(15, |rounds| rounds.parse().expect("ROUNDS is a number"));
    let only = std::env::args().nth(2).unwrap_or_default();
    let questions = [
        question!("exclusive 1 -> 1 streaming, ns a message", streaming(2_000_000), Exclusive, Photon),
        question!("  the same, against a slow one", streaming(200_000), Exclusive, Tokio),
        question!("shared 1 -> 1 streaming, ns a message", streaming(1_000_000), Shared, PhotonShared),
        question!("shared 2 -> 1, ns a message", publishers(2, 400_000), Shared, PhotonShared, Tokio),
        question!("shared 4 -> 1", publishers(4, 400_000), Shared, PhotonShared, Tokio),
        question!("shared 8 -> 1", publishers(8, 400_000), Shared, PhotonShared, Tokio),
        question!("shared 16 -> 1", publishers(16, 400_000), Shared, PhotonShared, Tokio),
        question!("same thread, N = 1, ns a delivery", fan_out(1, 1_000_000), Exclusive, Photon, Tokio),
        question!("same thread, N = 32", fan_out(32, 1_000_000), Exclusive, Photon, Tokio),
        question!("same thread, N = 1024", fan_out(1024, 1_000_000), Exclusive, Photon, Tokio),
        question!("round trip, polled, ns", round_trip(100_000), Exclusive, Photon, Tokio),
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
        question!("texts, 1 -> 1 streaming, ns a message", streaming(300_000), Borrowed, TokioString, TokioArc),
        question!("texts, two publishers, ns a message", publishers(2, 200_000), BorrowedShared, TokioString, TokioArc),
    ];
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
