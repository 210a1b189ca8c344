//! Reads container events until interrupted. Reconnects after a failure, and resumes.
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

/// Reads container events until interrupted. Reconnects after a failure, and resumes.
#[derive(Parser)]
struct Arguments {
    /// Unix socket of the server.
    #[arg(long, default_value = "/tmp/cri-events.sock")]
    socket: PathBuf,
    /// Where to begin: a sequence, `oldest` or `latest`.
    #[arg(long, default_value = "latest")]
    from: From,
    /// Epoch of the sequence: the run of the server, printed when a stream begins.
    #[arg(long, value_parser = |text: &str| parse_epoch(text).ok_or("16 hexadecimal digits"))]
    epoch: Option<u64>,
    /// Name of this client in the server's metrics.
    #[arg(long)]
    name: Option<String>,
    /// Exits after this many events.
    #[arg(long)]
    count: Option<u64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { socket, from, epoch, name, count } = Arguments::parse();
    let mut left = count;
    let mut print_happening = |happening: Happening<'_>| {
        let printed = match happening {
            Happening::Opened { epoch, start } => {
                writeln!(io::stdout(), "-- from sequence {start} of epoch {epoch:016x}")
            }
            Happening::Event(event) => print(event),
            Happening::Failed(failure, pause) => {
                writeln!(io::stdout(), "-- {failure}; reconnecting in {} ms", pause.as_millis())
            }
            Happening::Restarted => {
                writeln!(io::stdout(), "-- the server was restarted: unread events of the previous run are lost")
            }
        };
        if matches!(happening, Happening::Event(_)) {
            left = left.map(|left| left.saturating_sub(1));
        }
        if printed.is_err() || left == Some(0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    tokio::select! {
        followed = follow(&socket, Wish { from, epoch, name }, &mut print_happening) => match followed {
            Ok(ledger) => {
                // Standard output may be closed.
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
        writeln!(out, "-- {} events were missed", event.missed)?;
    }
    let kind = ContainerEventType::try_from(event.container_event_type)
        .map_or("UNKNOWN", |kind| kind.as_str_name().trim_start_matches("CONTAINER_").trim_end_matches("_EVENT"));
    let pod = event.pod_sandbox_status.as_ref().and_then(|pod| pod.metadata.as_ref());
    let (namespace, name) = pod.map_or(("?", "?"), |pod| (&pod.namespace, &pod.name));
    let id = event.container_id.get(..12).unwrap_or(&event.container_id);
    writeln!(out, "{:>10} {kind:<7} {id} {namespace}/{name}", event.sequence)
}
