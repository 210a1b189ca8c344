//! From a stream to a ring.
//!
//! A durable consumer of the broker keeps the place of a program that is not there. Within the
//! program, the bridge keeps it: the stream sequence that comes next. Only that message is
//! published into the ring, so a message that comes again, or too early, changes nothing.

mod consumer;
mod counts;
mod session;

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use seqcast::{Boxed, Publisher};
use tokio::time::sleep;

pub use counts::InboundCounts;

use crate::error::Result;
use crate::link::Link;
use crate::stream::{self, Failure, PAUSE};

/// A message of a stream, in a ring.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Its sequence in the stream.
    pub stream_sequence: u64,
    /// Its bytes.
    pub payload: Bytes,
}

/// What an [`Inbound`] reads.
#[derive(Clone, Debug)]
pub struct InboundSettings {
    /// The stream.
    pub stream: String,
    /// The name of its durable consumer. It belongs to the bridge alone, which deletes and makes
    /// it.
    pub durable: String,
    /// Messages that are pulled in one request.
    pub batch: usize,
}

impl InboundSettings {
    /// Reads `stream` through the durable consumer `durable`, 256 messages in a request.
    pub fn new(stream: impl Into<String>, durable: impl Into<String>) -> Self {
        Self { stream: stream.into(), durable: durable.into(), batch: 256 }
    }
}

/// Publishes a `JetStream` stream into a ring.
///
/// It begins after the last message that its durable consumer has acknowledged in order, or with
/// the oldest one if there is no such consumer yet. It acknowledges each message after it has
/// published it. Dropping it closes the ring.
#[derive(Debug)]
pub struct Inbound {
    publisher: Publisher<Boxed<Arrived>>,
    /// The stream sequence of the message that comes next. Unknown before the broker has been
    /// asked.
    next: Option<u64>,
    settings: InboundSettings,
    counts: Arc<InboundCounts>,
}

impl Inbound {
    /// Publishes through `publisher`.
    pub fn new(publisher: Publisher<Boxed<Arrived>>, settings: InboundSettings) -> Self {
        assert!(settings.batch > 0, "`batch` must not be 0");
        Self { publisher, next: None, settings, counts: Arc::default() }
    }

    /// What it has done so far. The counts keep growing while it runs.
    pub fn counts(&self) -> Arc<InboundCounts> {
        Arc::clone(&self.counts)
    }

    /// Publishes until the future is dropped: a stream has no end. Waits for the broker as long as
    /// it takes, and for gating subscribers of the ring.
    ///
    /// # Errors
    ///
    /// After an error it can be called again, and continues.
    ///
    /// - [`NoStream`](crate::Error::NoStream), [`Unsuitable`](crate::Error::Unsuitable),
    ///   [`Request`](crate::Error::Request).
    /// - [`Removed`](crate::Error::Removed): messages were removed from the stream before they were
    ///   received. It is returned once.
    /// - [`Shortened`](crate::Error::Shortened): the stream ends before a message that was
    ///   received.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped at any time. The next call continues with the next message.
    pub async fn run(&mut self, link: &Link) -> Result<Infallible> {
        loop {
            let connection = link.connected().await;
            let failure = tokio::select! {
                failure = self.session(link) => failure,
                () = link.lost(connection) => continue,
            };
            match failure {
                Failure::Unanswered => sleep(PAUSE).await,
                Failure::Final(error) => return Err(error),
            }
        }
    }

    async fn session(&mut self, link: &Link) -> Failure {
        self.counts.sessions.add(1);
        let stream = match stream::find(link, &self.settings.stream).await {
            Ok(stream) => stream,
            Err(failure) => return failure,
        };
        match self.consumer(&stream).await {
            Ok((consumer, delivered)) => self.pull(&consumer, delivered, link.patience()).await,
            Err(failure) => failure,
        }
    }
}
