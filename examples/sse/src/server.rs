//! Serves until shutdown, which closes the ring.

use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use seqcast::{Boxed, SharedPublisher};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::events::events;
use crate::publish::publish;

const LONGEST_MESSAGE: usize = 64 * 1024;

/// Settings of a [`Server`].
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Capacity of the ring: how many messages it keeps for clients that are behind or
    /// disconnected.
    pub capacity: usize,
    /// How often a stream without events sends a comment, which keeps proxies from closing the
    /// connection.
    pub keep_alive: Duration,
    /// How long a shutdown waits for clients to receive the events that are left.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { capacity: 1024, keep_alive: Duration::from_secs(15), grace: Duration::from_secs(5) }
    }
}

/// The state that requests share.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) publisher: SharedPublisher<Boxed<String>>,
    pub(crate) keep_alive: Duration,
}

/// A server that listens and does not yet serve.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    settings: Settings,
}

impl Server {
    /// Listens on `address`.
    pub async fn bind(address: &str, settings: Settings) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, settings })
    }

    /// The address on which it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is ready and all requests have ended, or the grace period is over.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let Self { listener, settings } = self;
        let (publisher, _) = seqcast::boxed::<String>(settings.capacity);
        let publisher = publisher.share();
        // The driver: publishers wake this task, which wakes the tasks of the clients. It ends with
        // the ring.
        tokio::spawn(publisher.ring().drive_wakes());

        let app = App { publisher: publisher.clone(), keep_alive: settings.keep_alive };
        let router = Router::new()
            .route("/events", get(events))
            .route("/publish", post(publish))
            .layer(DefaultBodyLimit::max(LONGEST_MESSAGE))
            .with_state(app);
        let listener = listener.tap_io(|socket| {
            // Events are short, and are sent immediately. A failure only makes them slower.
            let _ = socket.set_nodelay(true);
        });

        let (closing, closed) = oneshot::channel();
        let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
            stop.await;
            // Each stream sends what is left, and ends.
            publisher.close();
            let _ = closing.send(());
        });
        tokio::select! {
            result = serving.into_future() => result,
            // A client that does not read would delay the shutdown.
            Ok(()) = async { closed.await?; sleep(settings.grace).await; Ok::<_, oneshot::error::RecvError>(()) } => {
                eprintln!("some clients did not receive all events");
                Ok(())
            }
        }
    }
}
