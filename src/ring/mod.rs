//! A handle for onlookers and late subscribers.

mod drive;
mod unsubscribed;

pub use drive::DriveWakes;
pub use unsubscribed::Unsubscribed;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::channel::Channel;
use crate::error::SubscribeError;
use crate::slots::Storage;
use crate::start::Start;
use crate::stats::RingStats;
use crate::subscriber::Subscriber;
use crate::sync::Arc;

/// A handle that neither publishes nor keeps the ring open: it makes subscribers and tells how things stand.
///
/// Everything here works from any thread, at any time, also when the ring is closed, and none of it is noticed by
/// publishers or subscribers. (A gating subscriber, once made, holds publishers back.) No call blocks; subscribing allocates.
///
/// ```
/// use seqcast::{Start, TryRecvError};
///
/// let (mut publisher, subscriber) = seqcast::inline::<u32>(4);
/// let ring = publisher.ring();
/// publisher.publish_many(0..6);
/// drop((publisher, subscriber));
///
/// // A late joiner reads what is retained, then learns of the end.
/// let mut late = ring.subscribe_at(Start::Oldest);
/// assert_eq!(late.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [2, 3, 4, 5]);
/// assert_eq!(late.try_recv(), Err(TryRecvError::Closed));
/// ```
pub struct Ring<S: Storage> {
    channel: Arc<Channel<S>>,
}

impl<S: Storage> Ring<S> {
    pub(crate) fn new(channel: Arc<Channel<S>>) -> Self {
        Self { channel }
    }

    pub(crate) fn channel(&self) -> &Channel<S> {
        &self.channel
    }

    /// A subscriber that reads what is published from now on.
    ///
    /// ```
    /// let (mut publisher, _) = seqcast::inline::<u32>(4);
    /// publisher.publish(1);
    /// let mut subscriber = publisher.ring().subscribe();
    /// publisher.publish(2);
    /// assert_eq!(subscriber.try_recv(), Ok(2));
    /// ```
    pub fn subscribe(&self) -> Subscriber<S> {
        self.subscribe_at(Start::Latest)
    }

    /// A subscriber that begins at `start`. Never fails: see [`Start::At`] for sequences that are gone or yet to come.
    pub fn subscribe_at(&self, start: Start) -> Subscriber<S> {
        Subscriber::starting_at(Arc::clone(&self.channel), start)
    }

    /// A subscriber that begins at exactly `start`, for readers that resume from a sequence they kept.
    ///
    /// Keep [`Subscriber::next_sequence`], not `last_sequence() + 1`: after a `Lagged` the two differ, and the loss would be reported
    /// twice. To go on after `Evicted`, call [`subscribe_at`](Self::subscribe_at) with the same sequence: its first receive says `Lagged`
    /// with the exact size of the gap.
    ///
    /// A sequence means something only in the ring it came from. If the ring may have been made anew, keep an identifier of the ring
    /// beside the sequence.
    ///
    /// # Errors
    ///
    /// [`Evicted`](SubscribeError::Evicted) when the sequence is overwritten already, [`Future`](SubscribeError::Future) when it lies
    /// beyond the tail. (One that is there now can still be overwritten before the first receive, which then says `Lagged`.)
    ///
    /// ```
    /// use seqcast::{Start, SubscribeError};
    /// let (mut publisher, _) = seqcast::inline::<u32>(4);
    /// publisher.publish_many(0..6);
    /// let ring = publisher.ring();
    /// assert_eq!(ring.try_subscribe_at(Start::At(1)).unwrap_err(), SubscribeError::Evicted { oldest: 2 });
    /// assert_eq!(ring.try_subscribe_at(Start::At(7)).unwrap_err(), SubscribeError::Future { tail: 6 });
    /// assert_eq!(ring.try_subscribe_at(Start::At(3)).unwrap().try_recv(), Ok(3));
    /// ```
    pub fn try_subscribe_at(&self, start: Start) -> Result<Subscriber<S>, SubscribeError> {
        self.channel.try_resolve(start)?;
        Ok(self.subscribe_at(start))
    }

    /// A gating subscriber: publishers wait for it rather than overwrite what it has not read. It loses nothing that is published
    /// after this returns, as long as it is not [demoted](crate::Builder::gate_deadline).
    ///
    /// Publishers never wait for lossy subscribers of the same ring. Dropping a gating subscriber frees the publishers at once, also
    /// when its thread panics. A stuck or leaked one holds them up until the deadline, if there is one, or else as long as it lives. A
    /// thread that publishes to the ring that it reads as a gating subscriber may wait for itself forever.
    ///
    /// # Errors
    ///
    /// [`NotGated`](SubscribeError::NotGated) on a ring that was not made with [`Builder::gated`](crate::Builder::gated).
    ///
    /// # Blocking
    ///
    /// Never blocks; allocates, in proportion to the number of gating subscribers.
    ///
    /// ```
    /// let (publisher, _) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let mut audit = publisher.ring().subscribe_gating()?;
    /// let writer = std::thread::spawn(move || {
    ///     let mut publisher = publisher;
    ///     publisher.publish_many(0..1000); // waits for `audit`
    /// });
    /// assert_eq!(audit.iter().map(Result::unwrap).sum::<u32>(), 499_500);
    /// # writer.join().unwrap();
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn subscribe_gating(&self) -> Result<Subscriber<S>, SubscribeError> {
        self.subscribe_gating_at(Start::Latest)
    }

    /// A gating subscriber that begins at `start`.
    ///
    /// What is published after this returns is not lost, as by [`subscribe_gating`](Self::subscribe_gating). Messages before that may
    /// still be overwritten, by publishers that had room for more when it joined. It then receives [`Lagged`](crate::Lagged), as a
    /// lossy subscriber does. A sequence beyond the tail means the tail.
    ///
    /// # Errors
    ///
    /// [`Evicted`](SubscribeError::Evicted) when the sequence is overwritten already; [`NotGated`](SubscribeError::NotGated) on an
    /// ordinary ring.
    ///
    /// # Blocking
    ///
    /// As [`subscribe_gating`](Self::subscribe_gating).
    ///
    /// ```
    /// use seqcast::{Start, SubscribeError};
    /// let (mut publisher, _) = seqcast::Builder::new(4).gated().inline::<u32>();
    /// publisher.publish_many(0..6);
    /// let ring = publisher.ring();
    /// assert_eq!(ring.subscribe_gating_at(Start::At(1)).unwrap_err(), SubscribeError::Evicted { oldest: 2 });
    /// let mut replica = ring.subscribe_gating_at(Start::At(3))?;
    /// assert_eq!(replica.try_recv(), Ok(3));
    /// # Ok::<(), SubscribeError>(())
    /// ```
    pub fn subscribe_gating_at(&self, start: Start) -> Result<Subscriber<S>, SubscribeError> {
        Subscriber::gating(Arc::clone(&self.channel), start)
    }

    /// How many messages the ring holds.
    pub fn capacity(&self) -> usize {
        self.channel.capacity()
    }

    /// The tail: the sequence that the next message gets. The end, once the ring is closed.
    pub fn next_sequence(&self) -> u64 {
        self.channel.sequencer.tail()
    }

    /// The oldest sequence that the ring can still hold.
    pub fn oldest_sequence(&self) -> u64 {
        self.channel.sequencer.oldest()
    }

    /// Whether the ring has ended. There may be messages left to read.
    pub fn is_closed(&self) -> bool {
        self.channel.sequencer.is_closed()
    }

    /// How many subscribers there are.
    pub fn subscriber_count(&self) -> usize {
        self.channel.registry.len()
    }

    /// The largest [`lag`](Subscriber::lag) of a live subscriber; 0 without subscribers. More than the capacity if one was lapped and
    /// does not know yet.
    ///
    /// Never blocks. Looks at every subscriber.
    ///
    /// ```
    /// let (mut publisher, mut first) = seqcast::inline::<u32>(8);
    /// let _second = first.clone();
    /// publisher.publish_many([1, 2, 3]);
    /// assert_eq!(first.try_iter().count(), 3);
    /// assert_eq!(publisher.ring().max_lag(), 3);
    /// ```
    pub fn max_lag(&self) -> u64 {
        self.channel.max_lag()
    }

    /// The state of the ring and of each subscriber.
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// subscriber.set_name("slow");
    /// publisher.publish_many(0..6);
    /// let _ = subscriber.try_recv(); // lagged
    /// let stats = publisher.ring().stats();
    /// assert_eq!((stats.published, stats.skipped, stats.closed), (6, 0, false));
    /// let slow = &stats.subscribers[0];
    /// assert_eq!((slow.name.as_deref(), slow.missed, slow.lag), (Some("slow"), 2, 4));
    /// ```
    pub fn stats(&self) -> RingStats {
        self.channel.stats()
    }
}

impl<S: Storage> Subscriber<S> {
    /// A handle that neither publishes nor keeps the ring open.
    pub fn ring(&self) -> Ring<S> {
        Ring::new(Arc::clone(self.channel()))
    }
}

impl<S: Storage> Clone for Ring<S> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.channel))
    }
}

impl<S: Storage> fmt::Debug for Ring<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("capacity", &self.capacity())
            .field("next_sequence", &self.next_sequence())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl<S: Storage> UnwindSafe for Ring<S> {}
impl<S: Storage> RefUnwindSafe for Ring<S> {}
