//! One error type per method, each with the state of the handle after it.

use std::error::Error;
use std::fmt;

/// Messages were overwritten before the subscriber read them.
///
/// The subscriber keeps working: its cursor is at [`resumed_at`](Self::resumed_at), and the next
/// receive continues from there. The lost sequences are
/// `resumed_at - missed..resumed_at`.
///
/// # Examples
///
/// ```
/// use seqcast::{Lagged, TryRecvError};
///
/// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
/// publisher.publish_many(0..6);
/// let Err(TryRecvError::Lagged(lagged)) = subscriber.try_recv() else { panic!() };
/// assert_eq!(lagged, Lagged { missed: 2, resumed_at: 2 });
/// assert_eq!(lagged.to_string(), "lagged: 2 messages were lost, resumed at sequence 2");
/// assert_eq!(subscriber.try_recv(), Ok(2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lagged {
    /// The number of sequences that were passed over, at least 1.
    ///
    /// With one publisher, this is the exact number of lost messages. With several publishers, some of
    /// the sequences may have been holes, so at most this many messages were lost.
    ///
    /// It includes the messages that [`Builder::lag_slack`](crate::Builder::lag_slack) skips.
    pub missed: u64,
    /// The sequence that the subscriber reads next.
    ///
    /// It is the oldest that no publisher had begun to overwrite, plus
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
const CLOSED: &str = "the ring is closed and was read to its end";
const TIMEOUT: &str = "timed out waiting for a message";

/// The error of [`try_recv`](crate::Subscriber::try_recv) and other receives that do not wait.
///
/// # Examples
///
/// ```
/// let (publisher, mut subscriber) = seqcast::inline::<u32>(8);
/// assert!(subscriber.try_recv().is_err_and(|error| error.is_empty()));
/// drop(publisher);
/// assert!(subscriber.try_recv().is_err_and(|error| error.is_closed()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TryRecvError {
    /// There is no message yet. The cursor has not moved.
    Empty,
    /// The ring is closed, and every message before its end was received or reported as missed.
    /// Later receives return the same.
    Closed,
    /// Messages were overwritten before they were read. The next receive continues after them.
    Lagged(Lagged),
}

impl TryRecvError {
    /// Returns `true` for [`Empty`](Self::Empty).
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Returns `true` for [`Closed`](Self::Closed).
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// Returns `true` for [`Lagged`](Self::Lagged).
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

/// The error of [`recv`](crate::Subscriber::recv) and other receives that wait.
///
/// # Examples
///
/// ```
/// use seqcast::RecvError;
///
/// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(2);
/// publisher.publish_many(0..3);
/// publisher.close();
/// let mut received = Vec::new();
/// loop {
///     match subscriber.recv() {
///         Ok(message) => received.push(message),
///         Err(RecvError::Lagged(lagged)) => assert_eq!(lagged.missed, 1),
///         Err(RecvError::Closed) => break,
///     }
/// }
/// assert_eq!(received, [1, 2]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecvError {
    /// The ring is closed, and every message before its end was received or reported as missed.
    /// Later receives return the same.
    Closed,
    /// Messages were overwritten before they were read. The next receive continues after them.
    Lagged(Lagged),
}

impl RecvError {
    /// Returns `true` for [`Closed`](Self::Closed).
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// Returns `true` for [`Lagged`](Self::Lagged).
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

/// The error of [`recv_timeout`](crate::Subscriber::recv_timeout) and other receives with a
/// deadline.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let (publisher, mut subscriber) = seqcast::inline::<u32>(8);
/// assert!(subscriber.recv_timeout(Duration::ZERO).is_err_and(|error| error.is_timeout()));
/// drop(publisher);
/// assert!(subscriber.recv_timeout(Duration::ZERO).is_err_and(|error| error.is_closed()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecvTimeoutError {
    /// No message came in time. The cursor has not moved.
    Timeout,
    /// The ring is closed, and every message before its end was received or reported as missed.
    /// Later receives return the same.
    Closed,
    /// Messages were overwritten before they were read. The next receive continues after them.
    Lagged(Lagged),
}

impl RecvTimeoutError {
    /// Returns `true` for [`Timeout`](Self::Timeout).
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout)
    }

    /// Returns `true` for [`Closed`](Self::Closed).
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// Returns `true` for [`Lagged`](Self::Lagged).
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

/// The error of a publish to a closed ring. It contains the message.
///
/// # Examples
///
/// ```
/// use seqcast::Closed;
///
/// let (publisher, _subscriber) = seqcast::boxed::<String>(8);
/// let publisher = publisher.share();
/// publisher.close();
/// let Closed(message) = publisher.publish("too late".to_owned()).unwrap_err();
/// assert_eq!(message, "too late");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Closed<T>(pub T);

impl<T> Closed<T> {
    /// Returns the message that was not published.
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

/// The error of [`try_publish`](crate::SharedPublisher::try_publish). It contains the message.
///
/// # Examples
///
/// ```
/// use seqcast::TryPublishError;
///
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
    /// A gating subscriber is a full lap behind. It does not occur on an ordinary ring.
    Full(T),
    /// The ring is closed.
    Closed(T),
}

impl<T> TryPublishError<T> {
    /// Returns `true` for [`Full`](Self::Full).
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Returns `true` for [`Closed`](Self::Closed).
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// Returns the message that was not published.
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

/// The error of [`publish_timeout`](crate::SharedPublisher::publish_timeout) and
/// [`publish_deadline`](crate::SharedPublisher::publish_deadline). It contains the message.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let (publisher, _subscriber) = seqcast::inline::<u32>(8);
/// let publisher = publisher.share();
/// publisher.close();
/// let error = publisher.publish_timeout(3, Duration::ZERO).unwrap_err();
/// assert!(error.is_closed());
/// assert_eq!(error.into_inner(), 3);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublishTimeoutError<T> {
    /// There was no room in time, because a gating subscriber was a full lap behind. It does not
    /// occur on an ordinary ring.
    Timeout(T),
    /// The ring is closed.
    Closed(T),
}

impl<T> PublishTimeoutError<T> {
    /// Returns `true` for [`Timeout`](Self::Timeout).
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// Returns `true` for [`Closed`](Self::Closed).
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// Returns the message that was not published.
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
            Self::Timeout(_) => "timed out waiting for room in the ring",
            Self::Closed(_) => "the ring is closed",
        })
    }
}

impl<T> Error for PublishTimeoutError<T> {}

impl<T> From<TryPublishError<T>> for PublishTimeoutError<T> {
    /// `Full` becomes `Timeout`: the ring was full at the deadline.
    fn from(error: TryPublishError<T>) -> Self {
        match error {
            TryPublishError::Full(value) => Self::Timeout(value),
            TryPublishError::Closed(value) => Self::Closed(value),
        }
    }
}

/// The error of [`try_subscribe_at`](crate::Ring::try_subscribe_at),
/// [`subscribe_gating`](crate::Ring::subscribe_gating) and
/// [`subscribe_gating_at`](crate::Ring::subscribe_gating_at).
///
/// # Examples
///
/// ```
/// use seqcast::{Lagged, Start, SubscribeError, TryRecvError};
///
/// let (mut publisher, _subscriber) = seqcast::inline::<u32>(4);
/// publisher.publish_many(0..6);
/// let ring = publisher.ring();
/// // Resume at a sequence. If it was overwritten, the first receive reports the gap.
/// let mut subscriber = match ring.try_subscribe_at(Start::At(1)) {
///     Err(SubscribeError::Evicted { .. }) => ring.subscribe_at(Start::At(1)),
///     result => result?,
/// };
/// let gap = subscriber.try_recv().unwrap_err();
/// assert_eq!(gap, TryRecvError::Lagged(Lagged { missed: 1, resumed_at: 2 }));
/// assert_eq!(subscriber.try_recv(), Ok(2));
/// # Ok::<(), SubscribeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The requested sequence was overwritten.
    Evicted {
        /// The oldest sequence that can still be read.
        oldest: u64,
    },
    /// The requested sequence is beyond the tail.
    Future {
        /// The sequence that the next claim gets.
        tail: u64,
    },
    /// The ring was not made with [`Builder::gated`](crate::Builder::gated).
    NotGated,
}

impl SubscribeError {
    /// Returns `true` for [`Evicted`](Self::Evicted).
    pub fn is_evicted(&self) -> bool {
        matches!(self, Self::Evicted { .. })
    }

    /// Returns `true` for [`Future`](Self::Future).
    pub fn is_future(&self) -> bool {
        matches!(self, Self::Future { .. })
    }

    /// Returns `true` for [`NotGated`](Self::NotGated).
    pub fn is_not_gated(&self) -> bool {
        matches!(self, Self::NotGated)
    }
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evicted { oldest } => write!(f, "the sequence was overwritten, the oldest is {oldest}"),
            Self::Future { tail } => write!(f, "the sequence is not published yet, the next is {tail}"),
            Self::NotGated => f.write_str("the ring is not gated"),
        }
    }
}

impl Error for SubscribeError {}
