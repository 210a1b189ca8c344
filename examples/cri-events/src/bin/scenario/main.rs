//! Runs the ring under the load that makes the old design panic, and beside a client that stops
//! reading.
//!
//! ```text
//! cargo run --release -p seqcast-cri-events --bin scenario -- churn --seconds 60
//! cargo run --release -p seqcast-cri-events --bin scenario -- stuck --events 5000 --events 50000
//! ```
//!
//! Everything goes through the real server, a Unix socket and gRPC. The exit code is 1 if a check
//! fails.

mod churn;
mod churner;
mod control;
mod panics;
mod stuck;
mod timed;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs the ring under the load that makes the old design panic, and beside a client that stops
/// reading.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Subcommand)]
enum Scenario {
    /// Clients that connect and disconnect under bursts: first the old design, which must panic,
    /// then the ring, which must not.
    Churn(churn::Options),
    /// One client stops reading: the ring, and the design that replaced the old one.
    Stuck(stuck::Options),
}

/// Why a scenario failed.
type Wrong = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    panics::count();
    let ran = match Arguments::parse().scenario {
        Scenario::Churn(options) => churn::run(&options),
        Scenario::Stuck(options) => stuck::run(&options),
    };
    match ran {
        Ok(()) => {
            println!("all checks passed");
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            println!("FAILED: {wrong}");
            ExitCode::FAILURE
        }
    }
}

/// The path of a socket for this process.
fn socket(what: &str) -> PathBuf {
    std::env::temp_dir().join(format!("cri-scenario-{}-{what}.sock", std::process::id()))
}
