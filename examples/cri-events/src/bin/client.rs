//! Reads container events for ever: connects again when the server goes, and resumes where it was.
//!
//! ```text
//! cargo run --release -p seqcast-cri-events --bin client
//! ```

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use seqcast_cri_events::client::{Happening, follow};
use seqcast_cri_events::proto::{ContainerEventResponse, ContainerEventType};
use seqcast_cri_events::wish::{From, Wish, parse_epoch};

/// Reads container events for ever: connects again when the server goes, and resumes where it was.
#[derive(Parser)]
struct Arguments {
    /// The server's Unix socket.
    #[arg(long, default_value = "/tmp/cri-events.sock")]
    socket: PathBuf,
    /// Where to begin: a sequence, `oldest` or `latest`.
    #[arg(long, default_value = "latest")]
    from: From,
    /// The server's run that the sequence is of, as told when a stream begins.
    #[arg(long, value_parser = |text: &str| parse_epoch(text).ok_or("16 hexadecimal digits"))]
    epoch: Option<u64>,
    /// What the server's metrics call this client.
    #[arg(long)]
    name: Option<String>,
    /// Ends after so many events.
    #[arg(long)]
    count: Option<u64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { socket, from, epoch, name, count } = Arguments::parse();
    let mut left = count;
    let mut tell = |happening: Happening<'_>| {
        let told = match happening {
            Happening::Opened { epoch, start } => writeln!(io::stdout(), "-- from {start} of run {epoch:016x}"),
            Happening::Event(event) => print(event),
            Happening::Failed(failure, pause) => {
                writeln!(io::stdout(), "-- {failure}; again in {} ms", pause.as_millis())
            }
            Happening::Restarted => writeln!(io::stdout(), "-- the server was started anew: what was not read is lost"),
        };
        if matches!(happening, Happening::Event(_)) {
            left = left.map(|left| left.saturating_sub(1));
        }
        if told.is_err() || left == Some(0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    tokio::select! {
        followed = follow(&socket, Wish { from, epoch, name }, &mut tell) => match followed {
            Ok(ledger) => {
                // Who reads this may be gone.
                let _ = writeln!(io::stdout(), "-- {} received, {} missed", ledger.received(), ledger.missed());
            }
            Err(failure) => {
                let _ = writeln!(io::stderr(), "client: {failure}");
                return ExitCode::FAILURE;
            }
        },
        _ = tokio::signal::ctrl_c() => {}
    }
    ExitCode::SUCCESS
}

fn print(event: &ContainerEventResponse) -> io::Result<()> {
    let mut out = io::stdout();
    if event.missed > 0 {
        writeln!(out, "-- {} events are lost", event.missed)?;
    }
    let kind = ContainerEventType::try_from(event.container_event_type)
        .map_or("UNKNOWN", |kind| kind.as_str_name().trim_start_matches("CONTAINER_").trim_end_matches("_EVENT"));
    let pod = event.pod_sandbox_status.as_ref().and_then(|pod| pod.metadata.as_ref());
    let (namespace, name) = pod.map_or(("?", "?"), |pod| (&pod.namespace, &pod.name));
    let id = event.container_id.get(..12).unwrap_or(&event.container_id);
    writeln!(out, "{:>10} {kind:<7} {id} {namespace}/{name}", event.sequence)
}
