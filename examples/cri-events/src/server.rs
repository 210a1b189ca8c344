//! The server: a ring, the service and the metrics, which shut down in order.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::host::{Ending, Host};
use crate::metrics::Metrics;
use crate::outlet::Outlet;
use crate::ring::{Feed, Kept};
use crate::socket::{BindError, Socket};
use crate::stream::OnLag;
use crate::web::{Address, Web};

/// The options of a server.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Unix socket to serve on.
    #[arg(long, default_value = "/tmp/cri-events.sock")]
    pub socket: PathBuf,
    /// Address to serve metrics on: `HOST:PORT` or `unix:PATH`.
    #[arg(long)]
    pub metrics: Option<Address>,
    /// What the ring carries.
    #[arg(long, value_enum, default_value_t)]
    pub payload: Kept,
    /// What to do when a client has missed events.
    #[arg(long, value_enum, default_value_t)]
    pub on_lag: OnLag,
    /// Capacity of the ring, rounded up to a power of two.
    #[arg(long, default_value_t = 8192, value_parser = clap::value_parser!(u32).range(1..=1 << 24))]
    pub capacity: u32,
    /// Serve no events: `GetContainerEvents` returns `UNIMPLEMENTED`.
    #[arg(long)]
    pub no_events: bool,
}

impl Options {
    /// The default options, with this socket.
    pub fn on(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            metrics: None,
            payload: Kept::default(),
            on_lag: OnLag::default(),
            capacity: 8192,
            no_events: false,
        }
    }
}

/// Why a server could not start.
#[derive(Debug)]
pub enum StartError {
    /// The socket could not be bound.
    Bind(BindError),
    /// The metrics could not be served on this address.
    Metrics(Address, io::Error),
    /// The system has no more descriptors.
    Io(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind(error) => error.fmt(f),
            Self::Metrics(address, error) => write!(f, "cannot serve metrics on {address}: {error}"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

/// A running server. Dropping it does not shut it down.
#[derive(Debug)]
pub struct Server {
    host: Host,
    web: Option<Web>,
    feed: Feed,
}

impl Server {
    /// Starts a server, and returns it with the outlet to publish through. Must be called in a
    /// tokio runtime.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub async fn start(options: &Options) -> Result<(Self, Box<dyn Outlet>), StartError> {
        let (feed, outlet) = Feed::new(options.payload, options.capacity as usize, options.on_lag);
        let socket = Socket::bind(&options.socket).map_err(StartError::Bind)?;
        let web = match &options.metrics {
            None => None,
            Some(address) => {
                let metrics = Metrics::new(feed.clone());
                let started = Web::start(address, move || metrics.to_string()).await;
                Some(started.map_err(|error| StartError::Metrics(address.clone(), error))?)
            }
        };
        let source = (!options.no_events).then(|| Arc::clone(&feed.source));
        let host = Host::start(socket, source).map_err(StartError::Io)?;
        Ok((Self { host, web, feed }, outlet))
    }

    /// The ring's source and statistics.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// The address of the metrics, if they are served.
    pub fn metrics_address(&self) -> Option<&Address> {
        self.web.as_ref().map(Web::address)
    }

    /// Shuts down once, because it consumes the server, and after the producers, because it
    /// consumes the outlet:
    ///
    /// 1. The producers have ended.
    /// 2. The ring is closed. Every stream sends what is left, or what there is time for, and ends
    ///    with a final status.
    /// 3. Connections close when their streams have ended. Connections of clients that do not read
    ///    are cut.
    /// 4. The socket's file is removed, and the metrics end.
    pub async fn shutdown(self, outlet: Box<dyn Outlet>) -> Ending {
        drop(outlet);
        self.end().await
    }

    /// Shuts down when the outlet is dropped already, because a producer panicked.
    pub async fn end(self) -> Ending {
        let ending = self.host.shutdown().await;
        drop(self.web);
        ending
    }
}
