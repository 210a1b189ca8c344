//! Where a subscriber begins.

/// The position at which a subscriber begins to read, or to which it moves.
///
/// Pass it to [`subscribe_at`](crate::Ring::subscribe_at) for a new subscriber, or to
/// [`seek`](crate::Subscriber::seek) for an existing one. The default is [`Latest`](Start::Latest).
///
/// # Examples
///
/// ```
/// use seqcast::{Lagged, Start, TryRecvError};
///
/// let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
/// publisher.publish_many(0..6);
/// let ring = publisher.ring();
///
/// assert!(ring.subscribe_at(Start::Latest).try_recv().is_err());
/// assert_eq!(ring.subscribe_at(Start::Oldest).try_recv(), Ok(2));
/// assert_eq!(ring.subscribe_at(Start::At(5)).try_recv(), Ok(5));
///
/// // The messages 0 and 1 are overwritten.
/// subscriber.seek(Start::At(1));
/// assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 1, resumed_at: 2 })));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Start {
    /// The tail. The subscriber reads the messages that are published from now on.
    #[default]
    Latest,
    /// The oldest message that the ring still holds.
    Oldest,
    /// The given sequence.
    ///
    /// A sequence whose message was overwritten is accepted. The first receive then returns
    /// [`Lagged`](crate::Lagged) with the exact number of missed sequences. A sequence beyond the
    /// tail stands for the tail. To get an error instead in both cases, use
    /// [`try_subscribe_at`](crate::Ring::try_subscribe_at).
    At(u64),
}
