//! One error type per method, each saying what the handle looks like afterwards.

use std::error::Error;
use std::fmt;

/// Messages were overwritten before the subscriber read them.
///
/// The cursor stands at [`resumed_at`](Self::resumed_at) when this is returned: the next receive goes on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lagged {
    /// How many sequences were lost, exactly; at least 1. With several publishers it may include holes.
    pub missed: u64,
    /// The sequence the subscriber reads next: the oldest that no publisher had begun to overwrite, plus
    /// [`Builder::lag_slack`](crate::Builder::lag_slack).
    pub resumed_at: u64,
}

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (messages, were) = if self.missed == 1 { ("message", "was") } else { ("messages", "were") };
        write!(f, "lagged: {} {messages} {were} lost, resumed at sequence {}", self.missed, self.resumed_at)
    }
}

impl Error for Lagged {}

const EMPTY: &str = "no message yet";
const CLOSED: &str = "the ring is closed and everything in it was read";
const TIMEOUT: &str = "no message within the time given";

/// Why [`try_recv`](crate::Subscriber::try_recv) returned no message.
///
/// ```
/// let (publisher, mut subscriber) = seqcast::inline::<u32>(8);
/// assert!(subscriber.try_recv().is_err_and(|error| error.is_empty()));
/// drop(publisher);
/// assert!(subscriber.try_recv().is_err_and(|error| error.is_closed()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TryRecvError {
    /// There is no message yet; one may come.
    Empty,
    /// The ring is closed, and every message before its end was delivered or reported missed. It stays so.
    Closed,
    /// Messages were lost; the cursor moved to the oldest that is left.
    Lagged(Lagged),
}

impl TryRecvError {
    /// Whether there is no message yet.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether the ring is closed and read to its end.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// Whether messages were lost.
    pub fn is_lagged(&self) -> bool {
        matches!(self, Self::Lagged(_))
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(EMPTY),
            Self::Closed => f.write_str(CLOSED),
            Self::Lagged(lagged) => lagged.fmt(f),
        }
    }
}

impl Error for TryRecvError {}

/// Why [`recv`](crate::Subscriber::recv) and its kin returned no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecvError {
    /// The ring is closed, and every message before its end was delivered or reported missed. It stays so.
    Closed,
    /// Messages were lost; the cursor moved to the oldest that is left.
    Lagged(Lagged),
}

impl RecvError {
    /// Whether the ring is closed and read to its end.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// Whether messages were lost.
    pub fn is_lagged(&self) -> bool {
        matches!(self, Self::Lagged(_))
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TryRecvError::from(*self).fmt(f)
    }
}

impl Error for RecvError {}

/// Why [`recv_timeout`](crate::Subscriber::recv_timeout) returned no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecvTimeoutError {
    /// No message came in time; nothing changed.
    Timeout,
    /// The ring is closed, and every message before its end was delivered or reported missed. It stays so.
    Closed,
    /// Messages were lost; the cursor moved to the oldest that is left.
    Lagged(Lagged),
}

impl RecvTimeoutError {
    /// Whether no message came in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout)
    }

    /// Whether the ring is closed and read to its end.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// Whether messages were lost.
    pub fn is_lagged(&self) -> bool {
        matches!(self, Self::Lagged(_))
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str(TIMEOUT),
            Self::Closed => f.write_str(CLOSED),
            Self::Lagged(lagged) => lagged.fmt(f),
        }
    }
}

impl Error for RecvTimeoutError {}

impl From<RecvError> for TryRecvError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Closed => Self::Closed,
            RecvError::Lagged(lagged) => Self::Lagged(lagged),
        }
    }
}

impl From<RecvError> for RecvTimeoutError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Closed => Self::Closed,
            RecvError::Lagged(lagged) => Self::Lagged(lagged),
        }
    }
}

/// The ring was closed; the value comes back.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Closed<T>(pub T);

impl<T> Closed<T> {
    /// The value that was not published.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed(..)")
    }
}

impl<T> fmt::Display for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ring is closed")
    }
}

impl<T> Error for Closed<T> {}

/// Why [`try_publish`](crate::SharedPublisher::try_publish) did not publish; the value comes back.
///
/// ```
/// use seqcast::TryPublishError;
/// let (mut publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
/// let _gating = publisher.ring().subscribe_gating()?;
/// publisher.publish_many([1, 2]);
/// let error = publisher.try_publish(3).unwrap_err();
/// assert!(error.is_full() && matches!(error, TryPublishError::Full(3)));
/// assert_eq!(error.to_string(), "a gating subscriber is a full lap behind");
/// # Ok::<(), seqcast::SubscribeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum TryPublishError<T> {
    /// A gating subscriber is a full lap behind. Never on an ordinary ring.
    Full(T),
    /// The ring is closed.
    Closed(T),
}

impl<T> TryPublishError<T> {
    /// Whether a gating subscriber is a full lap behind.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether the ring is closed.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// The value that was not published.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Closed(value) => value,
        }
    }
}

impl<T> fmt::Debug for TryPublishError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for TryPublishError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "a gating subscriber is a full lap behind",
            Self::Closed(_) => "the ring is closed",
        })
    }
}

impl<T> Error for TryPublishError<T> {}

impl<T> From<Closed<T>> for TryPublishError<T> {
    fn from(Closed(value): Closed<T>) -> Self {
        Self::Closed(value)
    }
}

/// Why [`publish_timeout`](crate::SharedPublisher::publish_timeout) did not publish; the value comes back.
///
/// ```
/// use std::time::Duration;
/// let (publisher, _subscriber) = seqcast::inline::<u32>(8);
/// let publisher = publisher.share();
/// publisher.close();
/// let error = publisher.publish_timeout(3, Duration::ZERO).unwrap_err();
/// assert!(error.is_closed());
/// assert_eq!(error.into_inner(), 3);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublishTimeoutError<T> {
    /// There was no room in time: a gating subscriber was a full lap behind. Never on an ordinary ring.
    Timeout(T),
    /// The ring is closed.
    Closed(T),
}

impl<T> PublishTimeoutError<T> {
    /// Whether there was no room in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// Whether the ring is closed.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// The value that was not published.
    pub fn into_inner(self) -> T {
        match self {
            Self::Timeout(value) | Self::Closed(value) => value,
        }
    }
}

impl<T> fmt::Debug for PublishTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout(_) => "Timeout(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for PublishTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout(_) => "no room within the time given",
            Self::Closed(_) => "the ring is closed",
        })
    }
}

impl<T> Error for PublishTimeoutError<T> {}

impl<T> From<TryPublishError<T>> for PublishTimeoutError<T> {
    /// A ring that is full when the time is over.
    fn from(error: TryPublishError<T>) -> Self {
        match error {
            TryPublishError::Full(value) => Self::Timeout(value),
            TryPublishError::Closed(value) => Self::Closed(value),
        }
    }
}

/// Why [`try_subscribe_at`](crate::Ring::try_subscribe_at) or [`subscribe_gating`](crate::Ring::subscribe_gating) made no
/// subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The sequence asked for is overwritten already.
    Evicted {
        /// The oldest sequence that can still be read.
        oldest: u64,
    },
    /// The sequence asked for lies beyond the tail.
    Future {
        /// The sequence the next message gets.
        tail: u64,
    },
    /// The ring was not made with [`Builder::gated`](crate::Builder::gated): its publishers wait for no subscriber.
    NotGated,
}

impl SubscribeError {
    /// Whether the sequence is overwritten already.
    pub fn is_evicted(&self) -> bool {
        matches!(self, Self::Evicted { .. })
    }

    /// Whether the sequence is not published yet.
    pub fn is_future(&self) -> bool {
        matches!(self, Self::Future { .. })
    }

    /// Whether the ring is an ordinary one, on which no subscriber can gate.
    pub fn is_not_gated(&self) -> bool {
        matches!(self, Self::NotGated)
    }
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evicted { oldest } => write!(f, "the sequence is overwritten already: the oldest is {oldest}"),
            Self::Future { tail } => write!(f, "the sequence is not published yet: the next is {tail}"),
            Self::NotGated => f.write_str("the ring is not gated"),
        }
    }
}

impl Error for SubscribeError {}
