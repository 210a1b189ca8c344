//! The load under which the old design panics, on the ring; and a client that stops reading.
//!
//! ```text
//! cargo run --release -p seqcast-cri-events --bin scenario -- churn --seconds 60
//! cargo run --release -p seqcast-cri-events --bin scenario -- stuck --events 5000 --events 50000
//! ```
//!
//! Everything goes through the real server, a Unix socket and gRPC. It fails when anything is not as it must be.

mod churn;
mod churner;
mod control;
mod panics;
mod stuck;
mod timed;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The load under which the old design panics, on the ring; and a client that stops reading.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Subcommand)]
enum Scenario {
    /// Clients that come and go under bursts: first the old design, which must panic, then the ring, which must not.
    Churn(churn::Options),
    /// One client stops reading: the ring, and the design that the old one was replaced by.
    Stuck(stuck::Options),
}

/// What went wrong.
type Wrong = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    panics::count();
    let ran = match Arguments::parse().scenario {
        Scenario::Churn(options) => churn::run(&options),
        Scenario::Stuck(options) => stuck::run(&options),
    };
    match ran {
        Ok(()) => {
            println!("as it must be");
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            println!("FAILED: {wrong}");
            ExitCode::FAILURE
        }
    }
}

/// A socket of this process' own.
fn socket(what: &str) -> PathBuf {
    std::env::temp_dir().join(format!("cri-scenario-{}-{what}.sock", std::process::id()))
}
