//! The connection to the broker, and whether it stands.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::{Context, context::ContextBuilder};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, error::Error};
use tokio::time::sleep;

/// How often the state of the connection is read. It delays a resend after a broken connection.
const LOOK: Duration = Duration::from_millis(10);
/// The longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// Acknowledgments that the client waits for, those of abandoned publishes included.
const ACKNOWLEDGMENTS: usize = 1 << 14;

/// A connection to the broker, which is made again when it breaks.
///
/// Both bridges can share one. Clones are the same connection.
#[derive(Clone, Debug)]
pub struct Link {
    client: Client,
    context: Context,
    patience: Duration,
}

impl Link {
    /// Connects to `broker`, now or as soon as it is there. A request that is not answered within
    /// `patience` is sent again.
    ///
    /// A `patience` that is too short costs duplicates, and nothing else.
    pub async fn open(broker: SocketAddr, patience: Duration) -> Result<Self, Error<ConnectErrorKind>> {
        let options = ConnectOptions::new()
            .retry_on_initial_connect()
            .max_reconnects(None)
            .reconnect_delay_callback(|attempt| Duration::from_millis(5 << attempt.min(6)).min(LONGEST_PAUSE))
            .connection_timeout(patience)
            .request_timeout(Some(patience));
        let client = options.connect(format!("nats://{broker}")).await?;
        let context = ContextBuilder::new()
            .timeout(patience)
            .ack_timeout(patience)
            .max_ack_inflight(ACKNOWLEDGMENTS)
            .build(client.clone());
        Ok(Self { client, context, patience })
    }

    /// For requests to `JetStream`.
    pub fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Waits until there is a connection, and returns which one it is.
    pub(crate) async fn connected(&self) -> Connection {
        while self.client.connection_state() != State::Connected {
            sleep(LOOK).await;
        }
        Connection(self.connects())
    }

    /// Waits until `connection` is broken. What was sent on it may be lost.
    pub(crate) async fn lost(&self, connection: Connection) {
        while self.client.connection_state() == State::Connected && Connection(self.connects()) == connection {
            sleep(LOOK).await;
        }
    }

    fn connects(&self) -> u64 {
        self.client.statistics().connects.load(Ordering::Relaxed)
    }
}

/// One connection of those that a [`Link`] had.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connection(u64);
