//! The error types of a channel, as in `tokio::sync::broadcast::error`.
//!
//! They have the variants and the messages of tokio's types.

use std::fmt;

/// The error of [`Sender::send`](super::Sender::send): there is no receiver. It contains the
/// message.
///
/// # Examples
///
/// ```
/// use seqcast::broadcast::{self, error::SendError};
///
/// let sender = broadcast::Sender::new(16);
/// let SendError(message) = sender.send("unheard").unwrap_err();
/// assert_eq!(message, "unheard");
/// ```
#[derive(Debug)]
pub struct SendError<T>(pub T);

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl<T: fmt::Debug> std::error::Error for SendError<T> {}

/// The error of [`Receiver::recv`](super::Receiver::recv).
///
/// # Examples
///
/// ```
/// use seqcast::broadcast::{self, error::RecvError};
///
/// let (sender, mut receiver) = broadcast::channel(2);
/// for number in 0..3 {
///     sender.send(number).unwrap();
/// }
/// drop(sender);
/// assert_eq!(receiver.blocking_recv(), Err(RecvError::Lagged(1)));
/// assert_eq!((receiver.blocking_recv(), receiver.blocking_recv()), (Ok(1), Ok(2)));
/// assert_eq!(receiver.blocking_recv(), Err(RecvError::Closed));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecvError {
    /// All senders are gone, and every message was received or reported as lost.
    Closed,
    /// This many messages were overwritten before the receiver read them. The next call returns the
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

/// The error of [`Receiver::try_recv`](super::Receiver::try_recv).
///
/// # Examples
///
/// ```
/// use seqcast::broadcast::{self, error::TryRecvError};
///
/// let (sender, mut receiver) = broadcast::channel(16);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
/// sender.send(10).unwrap();
/// drop(sender);
/// assert_eq!(receiver.try_recv(), Ok(10));
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TryRecvError {
    /// There is no message yet.
    Empty,
    /// All senders are gone, and every message was received or reported as lost.
    Closed,
    /// This many messages were overwritten before the receiver read them. The next call returns the
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
