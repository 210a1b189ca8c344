//! The server: a ring, the service and the metrics, and the order in which they end.

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

/// What can be chosen.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Unix socket to serve on.
    #[arg(long, default_value = "/tmp/cri-events.sock")]
    pub socket: PathBuf,
    /// Where to show metrics: `HOST:PORT` or `unix:PATH`.
    #[arg(long)]
    pub metrics: Option<Address>,
    /// What lies in the ring.
    #[arg(long, value_enum, default_value_t)]
    pub payload: Kept,
    /// What to do about a client to which events are lost.
    #[arg(long, value_enum, default_value_t)]
    pub on_lag: OnLag,
    /// How many events the ring holds at least.
    #[arg(long, default_value_t = 8192, value_parser = clap::value_parser!(u32).range(1..=1 << 24))]
    pub capacity: u32,
    /// Serve no events: `GetContainerEvents` is `UNIMPLEMENTED`.
    #[arg(long)]
    pub no_events: bool,
}

impl Options {
    /// The defaults, on this socket.
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

/// Why there is no server.
#[derive(Debug)]
pub enum StartError {
    /// No socket for it.
    Bind(BindError),
    /// No place for its metrics.
    Metrics(Address, io::Error),
    /// No descriptors.
    Io(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind(error) => error.fmt(f),
            Self::Metrics(address, error) => write!(f, "cannot show metrics on {address}: {error}"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

/// A running server. Dropping it is no shutdown.
#[derive(Debug)]
pub struct Server {
    host: Host,
    web: Option<Web>,
    feed: Feed,
}

impl Server {
    /// Starts it, and gives the outlet to publish through. In a runtime.
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

    /// What is seen of the ring.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Where the metrics are, if anywhere.
    pub fn metrics_address(&self) -> Option<&Address> {
        self.web.as_ref().map(Web::address)
    }

    /// Shuts down, once (it takes the server), and in order (it takes the outlet, which nobody has while producers run):
    ///
    /// 1. the producers have stopped;
    /// 2. the ring is closed, so every stream reads what is left, or as much as there is time for, and ends with a final status;
    /// 3. connections end when their streams have; those whose clients do not read are cut;
    /// 4. the socket's file goes, and last the metrics.
    pub async fn shutdown(self, outlet: Box<dyn Outlet>) -> Ending {
        drop(outlet);
        self.end().await
    }

    /// The same when the outlet is gone already, since a producer panicked.
    pub async fn end(self) -> Ending {
        let ending = self.host.shutdown().await;
        drop(self.web);
        ending
    }
}
