//! Serves the container events of a simulated node on a Unix socket.
//!
//! ```text
//! cargo run --release -p seqcast-cri-events --bin server -- --metrics 127.0.0.1:9464
//! ```

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use seqcast_cri_events::generator::Generator;
use seqcast_cri_events::host::Ending;
use seqcast_cri_events::load::{Load, Schedule};
use seqcast_cri_events::pods::Pods;
use seqcast_cri_events::server::{Options, Server};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Serves the container events of a simulated node on a Unix socket: `Version` and
/// `GetContainerEvents` of `runtime.v1.RuntimeService`.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Load on the node.
    #[arg(long, value_enum, default_value_t)]
    load: Kind,
    /// Events per second, on average.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// Events in a burst, with `--load bursts`.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    burst: u32,
    /// Containers of each pod, not counting its sandbox. With 2, an eviction storm has 660 events.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    containers: u32,
    /// Seconds without events before each eviction storm, with `--load storm`.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(..=86_400))]
    calm: u64,
    /// Stops producing after this many events. The server runs until it is shut down.
    #[arg(long)]
    events: Option<u64>,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Kind {
    /// Evenly spaced events.
    #[default]
    Steady,
    /// Bursts of `--burst`.
    Bursts,
    /// Pods start one by one, and are evicted all at once, repeatedly.
    Storm,
    /// No events.
    None,
}

impl Arguments {
    fn load(&self) -> Load {
        match self.load {
            Kind::Steady | Kind::None => Load::Steady { rate: self.rate },
            Kind::Bursts => Load::Bursts { rate: self.rate, size: self.burst },
            Kind::Storm => Load::Storm { rate: self.rate, calm: Duration::from_secs(self.calm) },
        }
    }

    fn limit(&self) -> Option<u64> {
        if matches!(self.load, Kind::None) { Some(0) } else { self.events }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    let (server, outlet) = Server::start(&arguments.options).await?;
    say(format_args!("serving on {}", arguments.options.socket.display()));
    if let Some(address) = server.metrics_address() {
        say(format_args!("metrics on {address}"));
    }
    let pods = Pods::new(fastrand::u64(..), arguments.containers);
    let generator = Generator::start(Schedule::new(arguments.load(), pods), arguments.limit(), outlet);

    any(&mut signals).await;
    say(format_args!("shutting down"));
    // A second signal ends the process immediately.
    tokio::spawn(async move {
        any(&mut signals).await;
        std::process::exit(1);
    });
    let stats = server.feed().clone();
    let stopped = tokio::task::spawn_blocking(|| generator.stop()).await?;
    // Clients get a final status even if a producer panicked.
    let (ending, panicked) = match stopped {
        Ok(outlet) => (server.shutdown(outlet).await, None),
        Err(panicked) => (server.end().await, Some(panicked)),
    };
    say(format_args!("{} events published", (stats.stats)().published));
    match (ending, panicked) {
        (Ending::Failed, _) => return Err("the service failed".into()),
        (_, Some(panicked)) => return Err(panicked.into()),
        (Ending::Cut, _) => say(format_args!("some connections were still open, and were closed")),
        (Ending::Clean, _) => {}
    }
    Ok(())
}

/// Prints a line. Ignores errors, because a closed standard output must not end the server.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Waits for either signal.
async fn any([interrupt, terminate]: &mut [Signal; 2]) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
