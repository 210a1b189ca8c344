//! The service on a socket, from any source.

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
use crate::stream::Hurried;
use crate::told;
use crate::wish::{START, Wish};

/// How long clients have to read their streams to the end.
const READ: Duration = Duration::from_millis(350);
/// How long they have then for their final status, which tells those that were not through where to resume.
const GRACE: Duration = Duration::from_millis(350);
/// How long connections that were cut have to go.
const CUT: Duration = Duration::from_millis(200);

// What is waited for, the producers included, is less than a second. (What is computed meanwhile is not counted.)
const _: () = assert!((DRAIN.as_millis() + READ.as_millis() + GRACE.as_millis() + CUT.as_millis()) < 1000);

/// How many streams one connection may have. (A client needs one.)
const STREAMS: u32 = 64;

/// The service, running.
#[derive(Debug)]
pub struct Host {
    socket: Socket,
    stop: CancellationToken,
    hurry: CancellationToken,
    cut: CancellationToken,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

/// How a shutdown went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every stream ended by its final status, and every connection is gone.
    Clean,
    /// Some connections were still there, with a stream or without: they were cut.
    Cut,
    /// The service itself had failed before.
    Failed,
}

impl Host {
    /// Serves on `socket`; without a source, events are off. In a runtime.
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

    /// Takes no more connections, and waits until the streams have ended, which they do by themselves once their source has. Those whose
    /// clients are still not through after a while are ended where they are, and connections of clients that do not read are cut. Waits
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
            // It panicked, or the transport failed.
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

/// A source whose streams end early when told to. Those that have no sequences do not: there is nothing to resume from.
struct Hurrying {
    source: Arc<dyn Source>,
    hurry: CancellationToken,
}

impl Source for Hurrying {
    fn open(&self, wish: &Wish) -> Result<(MetadataMap, Events), Status> {
        let (header, events) = self.source.open(wish)?;
        let events = match told::number(&header, START) {
            Some(start) => Box::pin(Hurried::new(events, start, &self.hurry)),
            None => events,
        };
        Ok((header, events))
    }
}
