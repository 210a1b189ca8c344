//! What a bridge cannot repair.

use std::fmt;

use seqcast::{Lagged, SubscribeError};

/// The result of what a bridge does.
pub type Result<T> = std::result::Result<T, Error>;

/// What a bridge cannot repair. A broken connection and a broker that does not answer are not among
/// it: a bridge waits for those.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The ring's gate deadline demoted the bridge's subscriber, and messages were overwritten
    /// before they were forwarded.
    Lagged(Lagged),
    /// The ring makes no gating subscriber there: it is not gated, or messages that were not
    /// forwarded are overwritten already.
    Subscribe(SubscribeError),
    /// There is no such stream. Any message that was not acknowledged is still in the ring.
    NoStream(String),
    /// The stream is configured in a way that breaks the guarantees.
    Unsuitable(&'static str),
    /// The stream's last message is not from this ring: another program publishes to the stream.
    Foreign {
        /// The message's sequence in the stream.
        sequence: u64,
        /// Its `Nats-Msg-Id`. None: it has none, or was removed from the stream.
        id: Option<String>,
    },
    /// The stream ends before a message that the broker had acknowledged, or that had been received
    /// from it.
    Shortened {
        /// The sequence in the stream that the message had.
        reached: u64,
        /// The stream's last sequence.
        last: u64,
    },
    /// Messages were removed from the stream before they were received. The next run continues with
    /// the oldest one that is left.
    Removed {
        /// The first sequence in the stream that is missing.
        first: u64,
        /// How many are missing.
        count: u64,
    },
    /// The broker does not store a message. That one and those after it are still in the ring.
    Refused {
        /// The message's sequence in the ring.
        sequence: u64,
        /// The broker's words.
        reason: String,
    },
    /// The broker refuses a request.
    Request(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lagged(lagged) => write!(f, "the gate deadline was over: {lagged}"),
            Self::Subscribe(error) => write!(f, "cannot read the ring from there: {error}"),
            Self::NoStream(name) => write!(f, "there is no stream `{name}`"),
            Self::Unsuitable(what) => write!(f, "the stream is unsuitable: {what}"),
            Self::Foreign { sequence, id: Some(id) } => {
                write!(f, "message {sequence} of the stream is not from this ring: its id is `{id}`")
            }
            Self::Foreign { sequence, id: None } => {
                write!(f, "message {sequence} of the stream has no id of this ring, or was removed")
            }
            Self::Shortened { reached, last } => {
                write!(f, "the stream ends at {last}, and had message {reached} before: the broker lost messages")
            }
            Self::Removed { first, count } => {
                write!(f, "{count} messages from {first} on were removed from the stream before they were received")
            }
            Self::Refused { sequence, reason } => {
                write!(f, "the broker refuses message {sequence} of the ring: {reason}")
            }
            Self::Request(reason) => write!(f, "the broker refuses a request: {reason}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<SubscribeError> for Error {
    fn from(error: SubscribeError) -> Self {
        Self::Subscribe(error)
    }
}
