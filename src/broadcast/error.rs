//! Errors of this module, as those of `tokio::sync::broadcast::error`.

use std::fmt;

/// What [`Sender::send`](super::Sender::send) returns if there is no receiver: the message.
#[derive(Debug)]
pub struct SendError<T>(pub T);

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl<T: fmt::Debug> std::error::Error for SendError<T> {}

/// Why [`Receiver::recv`](super::Receiver::recv) returned no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecvError {
    /// All senders are gone, and every message before that was received or reported as lost.
    Closed,
    /// So many messages were overwritten before this receiver read them. The next call returns the
    /// oldest message that is left.
    Lagged(u64),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("channel closed"),
            Self::Lagged(missed) => write!(f, "channel lagged by {missed}"),
        }
    }
}

impl std::error::Error for RecvError {}

/// Why [`Receiver::try_recv`](super::Receiver::try_recv) returned no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TryRecvError {
    /// There is no message yet.
    Empty,
    /// All senders are gone, and every message before that was received or reported as lost.
    Closed,
    /// So many messages were overwritten before this receiver read them. The next call returns the
    /// oldest message that is left.
    Lagged(u64),
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("channel empty"),
            Self::Closed => f.write_str("channel closed"),
            Self::Lagged(missed) => write!(f, "channel lagged by {missed}"),
        }
    }
}

impl std::error::Error for TryRecvError {}

impl From<crate::RecvError> for RecvError {
    fn from(error: crate::RecvError) -> Self {
        match error {
            crate::RecvError::Closed => Self::Closed,
            crate::RecvError::Lagged(lagged) => Self::Lagged(lagged.missed),
        }
    }
}

impl From<crate::TryRecvError> for TryRecvError {
    fn from(error: crate::TryRecvError) -> Self {
        match error {
            crate::TryRecvError::Empty => Self::Empty,
            crate::TryRecvError::Closed => Self::Closed,
            crate::TryRecvError::Lagged(lagged) => Self::Lagged(lagged.missed),
        }
    }
}
