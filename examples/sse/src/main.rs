//! Serves events, or demonstrates how a client resumes.
//!
//! ```text
//! cargo run -p seqcast-sse                            # a demonstration that ends by itself
//! cargo run -p seqcast-sse -- --listen 127.0.0.1:8080 # serves until ctrl-c
//! curl -N http://127.0.0.1:8080/events
//! curl -d hello http://127.0.0.1:8080/publish
//! ```

mod demo;

use std::process::ExitCode;

use clap::Parser;
use seqcast_sse::client::Result;
use seqcast_sse::{Server, Settings};

/// Serves events from a ring; without --listen, demonstrates how a client resumes
#[derive(Debug, Parser)]
struct Options {
    /// Address to serve on, until ctrl-c
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,

    /// Capacity of the ring, with --listen
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    capacity: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let done = match &options.listen {
        Some(address) => serve(address, options.capacity).await,
        None => demo::run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: &str, capacity: u32) -> Result<()> {
    let settings = Settings { capacity: usize::try_from(capacity)?, ..Settings::default() };
    let server = Server::bind(address, settings).await?;
    println!("listening on http://{}", server.local_addr()?);
    let stop = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            eprintln!("cannot wait for ctrl-c: {error}");
        }
    };
    Ok(server.run(stop).await?)
}
