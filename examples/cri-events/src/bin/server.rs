//! Serves the container events of a made-up node on a Unix socket.
//!
//! ```text
//! cargo run --release -p seqcast-cri-events --bin server -- --metrics 127.0.0.1:9464
//! ```

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
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    burst: u32,
    /// Containers of each pod, beside its sandbox. (With 2 an eviction storm has 660 events.)
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    containers: u32,
    /// Seconds of quiet before each eviction storm.
    #[arg(long, default_value_t = 3)]
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
            eprintln!("server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    let (server, outlet) = Server::start(&arguments.options).await?;
    println!("serving on {}", arguments.options.socket.display());
    if let Some(address) = server.metrics_address() {
        println!("metrics on {address}");
    }
    let pods = Pods::new(fastrand::u64(..), arguments.containers);
    let generator = Generator::start(Schedule::new(arguments.load(), pods), arguments.limit(), outlet);

    any(&mut signals).await;
    println!("shutting down");
    // Whoever asks a second time does not want to wait.
    tokio::spawn(async move {
        any(&mut signals).await;
        std::process::exit(1);
    });
    let stats = server.feed().clone();
    let outlet = tokio::task::spawn_blocking(|| generator.stop()).await?;
    let ending = server.shutdown(outlet).await;
    println!("{} events published", (stats.stats)().published);
    if ending == Ending::Cut {
        println!("some clients did not read to the end, and were cut off");
    }
    Ok(())
}

/// Waits for one of them.
async fn any([interrupt, terminate]: &mut [Signal; 2]) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
