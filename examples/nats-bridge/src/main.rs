//! A ring, a broker and a second ring, while the broker is killed and started again.
//!
//! ```text
//! cargo run -p seqcast-nats-bridge
//! cargo run -p seqcast-nats-bridge -- --messages 20000 --kills 10 --seed 7
//! ```
//!
//! It starts a `nats-server` of its own, needs no other, and ends by itself. The exit status says
//! whether all arrived once and in order.

mod demo;

use std::process::ExitCode;

use clap::Parser;
use seqcast_nats_bridge::Broker;

/// Forwards a ring through a NATS broker into another ring, and kills the broker meanwhile
#[derive(Clone, Copy, Debug, Parser)]
struct Options {
    /// Messages to forward
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    messages: u64,

    /// How often to kill the broker
    #[arg(long, default_value_t = 2)]
    kills: u64,

    /// Repeats the kills of another run
    #[arg(long)]
    seed: Option<u64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    if !Broker::is_installed() {
        println!("!!! SKIPPED: the demonstration of the NATS bridge: nats-server is not installed");
        return ExitCode::SUCCESS;
    }
    match demo::run(Options::parse()).await {
        Ok(wrong) if wrong.is_empty() => {
            println!("\nnothing lost, nothing twice, in order");
            ExitCode::SUCCESS
        }
        Ok(wrong) => {
            for what in wrong {
                eprintln!("WRONG: {what}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
