//! The service on a socket, from any source.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use crate::incoming::Incoming;
use crate::proto::runtime_service_server::RuntimeServiceServer;
use crate::service::Service;
use crate::socket::Socket;
use crate::source::Source;

/// How long clients have to read the end of their streams.
const GRACE: Duration = Duration::from_millis(700);
/// How long connections that were cut have to go.
const CUT: Duration = Duration::from_millis(200);

/// The service, running.
#[derive(Debug)]
pub struct Host {
    socket: Socket,
    stop: CancellationToken,
    cut: CancellationToken,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

/// How a shutdown went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every client read the end of its stream.
    Clean,
    /// Some did not read: their connections were cut.
    Cut,
}

impl Host {
    /// Serves on `socket`; without a source, events are off. In a runtime.
    ///
    /// # Errors
    ///
    /// When the system has no more descriptors.
    pub fn start(socket: Socket, source: Option<Arc<dyn Source>>) -> io::Result<Self> {
        let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
        let incoming = Incoming::new(UnixListener::from_std(socket.listener()?)?, cut.clone());
        let service = RuntimeServiceServer::new(Service(source));
        let stopped = stop.clone().cancelled_owned();
        let serving = Server::builder().add_service(service).serve_with_incoming_shutdown(incoming, stopped);
        Ok(Self { socket, stop, cut, serving: tokio::spawn(serving) })
    }

    /// Takes no more connections, waits until the streams have ended, which they do by themselves once their source has, and cuts those
    /// of clients that do not read. Takes less than a second.
    pub async fn shutdown(mut self) -> Ending {
        self.stop.cancel();
        let ending = match timeout(GRACE, &mut self.serving).await {
            Ok(_) => Ending::Clean,
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
