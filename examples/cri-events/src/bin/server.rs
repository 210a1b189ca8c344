//! Serves the container events of a made-up node on a Unix socket.
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

/// Serves the container events of a made-up node on a Unix socket: `runtime.v1.RuntimeService`, `Version` and `GetContainerEvents`.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// What happens on the node.
    #[arg(long, value_enum, default_value_t)]
    load: Kind,
    /// Events a second, on the average.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// Events at once, when they come in bursts.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    burst: u32,
    /// Containers of each pod, beside its sandbox. (With 2 an eviction storm has 660 events.)
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    containers: u32,
    /// Seconds of quiet before each eviction storm.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(..=86_400))]
    calm: u64,
    /// Ends by itself after so many events; the ring stays open until it is told to shut down.
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
    /// Pods come up evenly, and are evicted all at once, again and again.
    Storm,
    /// Nothing.
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
    // Whoever asks a second time does not want to wait.
    tokio::spawn(async move {
        any(&mut signals).await;
        std::process::exit(1);
    });
    let stats = server.feed().clone();
    let stopped = tokio::task::spawn_blocking(|| generator.stop()).await?;
    // Whatever became of the producers, the clients are told.
    let (ending, panicked) = match stopped {
        Ok(outlet) => (server.shutdown(outlet).await, None),
        Err(panicked) => (server.end().await, Some(panicked)),
    };
    say(format_args!("{} events published", (stats.stats)().published));
    match (ending, panicked) {
        (Ending::Failed, _) => return Err("the service failed".into()),
        (_, Some(panicked)) => return Err(panicked.into()),
        (Ending::Cut, _) => say(format_args!("some connections were still open, and were cut off")),
        (Ending::Clean, _) => {}
    }
    Ok(())
}

/// Tells a line, if anybody listens: who closed the standard output may still want the server.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Waits for one of them.
async fn any([interrupt, terminate]: &mut [Signal; 2]) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
