//! Accepts connections, and ends them at shutdown.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::broadcast::Sender;
use super::connection::Connection;
use super::topics::Topics;

/// Settings of a [`Server`].
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Capacity of each topic: how many messages it keeps for subscribers that lag.
    pub capacity: usize,
    /// How long a shutdown waits for connections to end.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { capacity: 1024, grace: Duration::from_secs(5) }
    }
}

/// A server that listens and does not yet serve.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    settings: Settings,
}

impl Server {
    /// Listens on `address`.
    ///
    /// # Errors
    ///
    /// `address` is not valid, or the system cannot listen on it.
    pub async fn bind(address: &str, settings: Settings) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, settings })
    }

    /// The address on which it listens.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is ready and all connections have ended, or the grace period is over.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { listener, settings } = self;
        let topics = Topics::new(settings.capacity);
        let shutdown = Sender::new(1);
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                accepted = listener.accept() => match accepted {
                    Ok((socket, _)) => {
                        // Replies are short, and are sent immediately. A failure only makes them
                        // slower.
                        let _ = socket.set_nodelay(true);
                        let connection = Connection::new(socket, topics.clone(), shutdown.subscribe());
                        connections.spawn(connection.run());
                    }
                    Err(error) => {
                        eprintln!("cannot accept a connection: {error}");
                        // Most likely the process has too many open files, and some are closed
                        // soon.
                        sleep(Duration::from_millis(100)).await;
                    }
                },
                // Removes a connection that has ended.
                Some(_) = connections.join_next() => {}
            }
        }
        drop(listener);
        // Fails if no client is connected.
        let _ = shutdown.send(());
        // Each connection drops its receiver when it ends.
        if timeout(settings.grace, shutdown.closed()).await.is_err() {
            eprintln!("{} connections were cut off", shutdown.receiver_count());
        }
        connections.shutdown().await;
    }
}
