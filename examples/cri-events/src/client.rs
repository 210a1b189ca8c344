//! A client: one stream ([`Tail`]), and streams that reconnect and resume ([`follow`]).

use std::error::Error;
use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};

use crate::backoff::Backoff;
use crate::ledger::{Fault, Ledger};
use crate::proto::runtime_service_client::RuntimeServiceClient;
use crate::proto::{ContainerEventResponse, GetEventsRequest, VersionRequest};
use crate::statuses::number;
use crate::wish::{EPOCH, From, MISSED, RESUME_FROM, START, Wish, parse_epoch};

/// How long to wait for a connection, and for the first answer on it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no stream, or why it ended.
#[derive(Debug)]
pub enum Failure {
    /// No server answers. A later attempt may succeed.
    Unreachable(String),
    /// The system does not allow this process to connect, or the path is not valid for a socket.
    Forbidden(String),
    /// A status of the server.
    Status(Status),
    /// The account does not balance.
    Fault(Fault),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) | Self::Forbidden(why) => f.write_str(why),
            Self::Status(status) => write!(f, "{:?}: {}", status.code(), status.message()),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl Error for Failure {}

/// A client of the server on a Unix socket.
///
/// # Errors
///
/// When no server answers, or the system does not allow the connection.
pub async fn connect(socket: &Path) -> Result<RuntimeServiceClient<Channel>, Failure> {
    let unreachable =
        |error: &(dyn Error + 'static)| Failure::Unreachable(format!("{}: {}", socket.display(), root(error)));
    let endpoint = Endpoint::from_shared(format!("unix:{}", socket.display())).map_err(|error| unreachable(&error))?;
    match endpoint.connect_timeout(PATIENCE).connect().await {
        Ok(channel) => Ok(RuntimeServiceClient::new(channel)),
        Err(error) => match root(&error).downcast_ref::<io::Error>() {
            // `InvalidInput`: the path is too long for a socket.
            Some(denied) if matches!(denied.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput) => {
                Err(Failure::Forbidden(format!("{}: {denied}", socket.display())))
            }
            _ => Err(unreachable(&error)),
        },
    }
}

/// The root cause of an error.
fn root<'a>(mut error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

/// A stream of events, on a connection of its own.
#[derive(Debug)]
pub struct Tail {
    stream: Streaming<ContainerEventResponse>,
    header: MetadataMap,
}

impl Tail {
    /// Connects, requests the version as real clients do, and begins a stream.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or refuses.
    pub async fn open(socket: &Path, wish: &Wish) -> Result<Self, Failure> {
        let mut request = Request::new(GetEventsRequest {});
        wish.write(request.metadata_mut()).map_err(Failure::Status)?;
        let mut client = connect(socket).await?;
        match timeout(PATIENCE, client.version(VersionRequest { version: "v1".to_owned() })).await {
            Ok(version) => version.map_err(Failure::Status)?,
            Err(_) => return Err(Failure::Unreachable(format!("{}: no answer", socket.display()))),
        };
        // No timeout: some servers answer only with their first event.
        let response = client.get_container_events(request).await.map_err(Failure::Status)?;
        let (header, stream, _) = response.into_parts();
        Ok(Self { stream, header })
    }

    /// The epoch of the server, and the sequence at which the stream begins. `None` for a server
    /// without sequences.
    pub fn start(&self) -> Option<(u64, u64)> {
        Some((epoch(&self.header)?, number(&self.header, START)?))
    }

    /// Waits for the next event.
    ///
    /// # Errors
    ///
    /// The final status, when the stream ends.
    pub async fn next(&mut self) -> Result<ContainerEventResponse, Status> {
        match self.stream.message().await {
            Ok(Some(event)) => Ok(event),
            Ok(None) => Err(Status::ok("the server ended the stream")),
            Err(status) => Err(status),
        }
    }
}

fn epoch(metadata: &MetadataMap) -> Option<u64> {
    parse_epoch(metadata.get(EPOCH)?.to_str().ok()?)
}

/// Where a final status says that the stream ended: the sequence to resume from, and how many
/// events before it were missed. `None` if the stream was not ended by the ring.
pub fn ending(status: &Status) -> Option<(u64, u64)> {
    Some((number(status.metadata(), RESUME_FROM)?, number(status.metadata(), MISSED)?))
}

/// An event or a state change in [`follow`].
#[derive(Debug)]
pub enum Happening<'a> {
    /// A stream begins.
    Opened {
        /// The epoch: the run of the server.
        epoch: u64,
        /// The sequence at which the stream begins.
        start: u64,
    },
    /// An event.
    Event(&'a ContainerEventResponse),
    /// A stream ended or could not be opened. The next attempt follows after a pause.
    Failed(&'a Failure, Duration),
    /// The server was restarted. Unread events of its previous run are lost, and their number is
    /// unknown.
    Restarted,
}

/// Reads events until `observe` returns `Break`. After a failure it reconnects, with growing
/// pauses, and resumes.
///
/// # Errors
///
/// A failure that another attempt cannot mend.
pub async fn follow(
    socket: &Path,
    mut wish: Wish,
    mut observe: impl FnMut(Happening<'_>) -> ControlFlow<()>,
) -> Result<Ledger, Failure> {
    let (mut ledger, mut backoff) = (Ledger::default(), Backoff::default());
    // Whether the server was restarted, and has no stream of the new run yet.
    let mut restarted = false;
    loop {
        let failure = match Tail::open(socket, &wish).await {
            Err(failure) => failure,
            Ok(mut tail) => {
                restarted = false;
                let opened = Instant::now();
                let failure = match read(&mut tail, &mut ledger, &mut observe).await {
                    ControlFlow::Break(()) => return Ok(ledger),
                    ControlFlow::Continue(failure) => failure,
                };
                backoff.lasted(opened.elapsed());
                failure
            }
        };
        let (mut notices, mut at_once) = (false, false);
        match &failure {
            Failure::Unreachable(_) => {}
            Failure::Forbidden(_) | Failure::Fault(_) => return Err(failure),
            Failure::Status(status) => match status.code() {
                Code::FailedPrecondition | Code::OutOfRange if ledger.next().is_some() && !restarted => notices = true,
                // Publishers continue. After a pause, the next sequence could be overwritten again.
                Code::DataLoss if ending(status).is_some() => at_once = true,
                code if is_final(code) => return Err(failure),
                _ => {}
            },
        }
        restarted |= notices;
        (wish.from, wish.epoch) = match ledger.next() {
            _ if restarted => (From::Oldest, None),
            Some(next) => (From::Sequence(next), ledger.epoch()),
            None => (wish.from, wish.epoch),
        };
        if at_once {
            backoff.reset();
        }
        let pause = if at_once { Duration::ZERO } else { backoff.pause() };
        let happening = if notices { Happening::Restarted } else { Happening::Failed(&failure, pause) };
        if observe(happening).is_break() {
            return Ok(ledger);
        }
        sleep(pause).await;
    }
}

/// Reads a stream until it ends.
async fn read(
    tail: &mut Tail,
    ledger: &mut Ledger,
    observe: &mut impl FnMut(Happening<'_>) -> ControlFlow<()>,
) -> ControlFlow<(), Failure> {
    // Other servers have no sequences, and then losses cannot be detected.
    let start = tail.start();
    if let Some((epoch, start)) = start {
        if let Err(fault) = ledger.open(epoch, start) {
            return ControlFlow::Continue(Failure::Fault(fault));
        }
        observe(Happening::Opened { epoch, start })?;
    }
    loop {
        match tail.next().await {
            Ok(event) => {
                let received = if start.is_some() { ledger.receive(event.sequence, event.missed) } else { Ok(()) };
                if let Err(fault) = received {
                    return ControlFlow::Continue(Failure::Fault(fault));
                }
                observe(Happening::Event(&event))?;
            }
            Err(status) => {
                let ended = ending(&status).map_or(Ok(()), |(next, missed)| ledger.end(next, missed));
                return ControlFlow::Continue(ended.map_or_else(Failure::Fault, |()| Failure::Status(status)));
            }
        }
    }
}

/// Whether another attempt would get the same status.
fn is_final(code: Code) -> bool {
    matches!(
        code,
        Code::Unimplemented
            | Code::InvalidArgument
            | Code::OutOfRange
            | Code::FailedPrecondition
            | Code::PermissionDenied
            | Code::Unauthenticated
    )
}
