//! Serves any source on a socket.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::metadata::MetadataMap;
use tonic::transport::Server;

use crate::generator::DRAIN;
use crate::incoming::Incoming;
use crate::proto::runtime_service_server::RuntimeServiceServer;
use crate::service::Service;
use crate::socket::Socket;
use crate::source::{Events, Source};
use crate::statuses;
use crate::stream::Hurried;
use crate::wish::{START, Wish};

/// How long a shutdown waits for clients to read their streams to the end.
const READ: Duration = Duration::from_millis(350);
/// How long it then waits for clients to read their final status, which has the sequence to resume
/// from.
const GRACE: Duration = Duration::from_millis(350);
/// How long it then waits for cut connections to close.
const CUT: Duration = Duration::from_millis(200);

// All waits of a shutdown, those of the producers included, take less than a second.
const _: () = assert!((DRAIN.as_millis() + READ.as_millis() + GRACE.as_millis() + CUT.as_millis()) < 1000);

/// The most streams of one connection. A client needs one.
const STREAMS: u32 = 64;

/// The running service.
#[derive(Debug)]
pub struct Host {
    socket: Socket,
    stop: CancellationToken,
    hurry: CancellationToken,
    cut: CancellationToken,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

/// The outcome of a shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every stream ended with its final status, and every connection is closed.
    Clean,
    /// Some connections were still open, with or without a stream, and were cut.
    Cut,
    /// The service itself had failed.
    Failed,
}

impl Host {
    /// Serves on `socket`. Without a source, events are disabled. Must be called in a tokio
    /// runtime.
    ///
    /// # Errors
    ///
    /// When the system has no more descriptors.
    pub fn start(socket: Socket, source: Option<Arc<dyn Source>>) -> io::Result<Self> {
        let [stop, hurry, cut] = std::array::from_fn(|_| CancellationToken::new());
        let incoming = Incoming::new(UnixListener::from_std(socket.listener()?)?, cut.clone());
        let source = source.map(|source| Arc::new(Hurrying { source, hurry: hurry.clone() }) as Arc<dyn Source>);
        let service = RuntimeServiceServer::new(Service(source));
        let stopped = stop.clone().cancelled_owned();
        let mut builder = Server::builder().max_concurrent_streams(Some(STREAMS));
        let serving = builder.add_service(service).serve_with_incoming_shutdown(incoming, stopped);
        Ok(Self { socket, stop, hurry, cut, serving: tokio::spawn(serving) })
    }

    /// Accepts no more connections, and waits until the streams have ended. A stream ends when its
    /// source has ended and its client has read everything. After a while, streams that are behind
    /// end early, with a final status. Connections of clients that do not read that are cut. Waits
    /// for less than a second.
    pub async fn shutdown(mut self) -> Ending {
        self.stop.cancel();
        let mut served = timeout(READ, &mut self.serving).await;
        if served.is_err() {
            self.hurry.cancel();
            served = timeout(GRACE, &mut self.serving).await;
        }
        let ending = match served {
            Ok(Ok(Ok(()))) => Ending::Clean,
            // The service panicked, or the transport failed.
            Ok(_) => Ending::Failed,
            Err(_) => Ending::Cut,
        };
        self.cut.cancel();
        if ending == Ending::Cut && timeout(CUT, &mut self.serving).await.is_err() {
            self.serving.abort();
        }
        drop(self.socket);
        ending
    }
}

/// A source whose streams end early in a shutdown. Streams without sequences do not, because their
/// clients could not resume.
struct Hurrying {
    source: Arc<dyn Source>,
    hurry: CancellationToken,
}

impl Source for Hurrying {
    fn open(&self, wish: &Wish) -> Result<(MetadataMap, Events), Status> {
        let (header, events) = self.source.open(wish)?;
        let events = match statuses::number(&header, START) {
            Some(start) => Box::pin(Hurried::new(events, start, &self.hurry)),
            None => events,
        };
        Ok((header, events))
    }
}
