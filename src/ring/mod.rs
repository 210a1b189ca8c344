//! A handle that makes subscribers and shows statistics.

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

/// A handle that makes subscribers and shows statistics.
///
/// It cannot publish, and does not keep the ring open. It is made by `ring` of a publisher or
/// subscriber.
///
/// Every call works from any thread at any time, also after the ring was closed. No call blocks,
/// or delays publishers and subscribers. Only a gating subscriber, once made, makes publishers
/// wait. Subscribing allocates.
///
/// # Examples
///
/// ```
/// use seqcast::{Start, TryRecvError};
///
/// let (mut publisher, subscriber) = seqcast::inline::<u32>(4);
/// let ring = publisher.ring();
/// publisher.publish_many(0..6);
/// drop((publisher, subscriber));
///
/// // A late subscriber reads what is retained, up to the end.
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

    /// Returns a new lossy subscriber, which receives what is published from now on.
    ///
    /// # Examples
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

    /// Returns a new lossy subscriber, which begins at `start`.
    ///
    /// It never fails. If the sequence of a [`Start::At`] was overwritten, the first receive
    /// returns [`Lagged`](crate::Lagged) with the exact size of the gap. A sequence beyond the
    /// tail means the tail. [`try_subscribe_at`](Self::try_subscribe_at) returns an error in both
    /// cases.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::{Lagged, Start, TryRecvError};
    ///
    /// let (mut publisher, _) = seqcast::inline::<u32>(4);
    /// publisher.publish_many(0..6);
    /// let mut subscriber = publisher.ring().subscribe_at(Start::At(1));
    /// let lagged = Lagged { missed: 1, resumed_at: 2 };
    /// assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(lagged)));
    /// assert_eq!(subscriber.try_recv(), Ok(2));
    /// ```
    pub fn subscribe_at(&self, start: Start) -> Subscriber<S> {
        Subscriber::starting_at(Arc::clone(&self.channel), start)
    }

    /// Returns a new lossy subscriber, which begins exactly at `start`.
    ///
    /// For readers that resume at a sequence that they kept. Keep [`Subscriber::next_sequence`],
    /// not `last_sequence() + 1`: after a `Lagged` the two differ, and the loss would be reported
    /// twice. To continue after `Evicted`, call [`subscribe_at`](Self::subscribe_at) with the same
    /// sequence.
    ///
    /// A sequence has a meaning only in the ring that it came from. If the program may have made a
    /// new ring since, keep an identifier of the ring with the sequence.
    ///
    /// # Errors
    ///
    /// - [`Evicted`](SubscribeError::Evicted): the sequence was overwritten.
    /// - [`Future`](SubscribeError::Future): the sequence is beyond the tail.
    ///
    /// A sequence that is accepted may be overwritten before the first receive, which then returns
    /// `Lagged`.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::{Start, SubscribeError};
    ///
    /// let (mut publisher, _) = seqcast::inline::<u32>(4);
    /// publisher.publish_many(0..6);
    /// let ring = publisher.ring();
    /// let evicted = ring.try_subscribe_at(Start::At(1)).unwrap_err();
    /// assert_eq!(evicted, SubscribeError::Evicted { oldest: 2 });
    /// let future = ring.try_subscribe_at(Start::At(7)).unwrap_err();
    /// assert_eq!(future, SubscribeError::Future { tail: 6 });
    /// assert_eq!(ring.try_subscribe_at(Start::At(3)).unwrap().try_recv(), Ok(3));
    /// ```
    pub fn try_subscribe_at(&self, start: Start) -> Result<Subscriber<S>, SubscribeError> {
        self.channel.try_resolve(start)?;
        Ok(self.subscribe_at(start))
    }

    /// Returns a new gating subscriber, which receives what is published from now on.
    ///
    /// Publishers wait instead of overwriting what it has not read. It loses no message that is
    /// published after this call, unless it is [demoted](crate::Builder::gate_deadline).
    /// Publishers never wait for lossy subscribers of the same ring.
    ///
    /// Dropping a gating subscriber frees publishers immediately, also during a panic. One that is
    /// stuck or leaked blocks publishers until the deadline, or forever if there is none. A thread
    /// that publishes to the ring that it reads as a gating subscriber may wait for itself. See
    /// [Lossless reading](crate::book::lossless) for deadlocks and alternatives.
    ///
    /// # Errors
    ///
    /// [`NotGated`](SubscribeError::NotGated): the ring was not made with
    /// [`Builder::gated`](crate::Builder::gated).
    ///
    /// # Progress
    ///
    /// Never blocks. It allocates in proportion to the number of gating subscribers.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, _) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let mut audit = publisher.ring().subscribe_gating()?;
    /// let writer = std::thread::spawn(move || {
    ///     publisher.publish_many(0..1000); // waits for `audit`
    /// });
    /// assert_eq!(audit.iter().map(Result::unwrap).sum::<u32>(), 499_500);
    /// # writer.join().unwrap();
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn subscribe_gating(&self) -> Result<Subscriber<S>, SubscribeError> {
        self.subscribe_gating_at(Start::Latest)
    }

    /// Returns a new gating subscriber, which begins at `start`.
    ///
    /// It loses no message that is published after this call, as by
    /// [`subscribe_gating`](Self::subscribe_gating). Older messages may still be overwritten by
    /// publishers that had room when it joined. It then receives [`Lagged`](crate::Lagged), as a
    /// lossy subscriber does. A sequence beyond the tail means the tail.
    ///
    /// # Errors
    ///
    /// - [`Evicted`](SubscribeError::Evicted): the sequence was overwritten.
    /// - [`NotGated`](SubscribeError::NotGated): the ring was not made with
    ///   [`Builder::gated`](crate::Builder::gated).
    ///
    /// # Progress
    ///
    /// As [`subscribe_gating`](Self::subscribe_gating).
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::{Start, SubscribeError};
    ///
    /// let (mut publisher, _) = seqcast::Builder::new(4).gated().inline::<u32>();
    /// publisher.publish_many(0..6);
    /// let ring = publisher.ring();
    /// let evicted = ring.subscribe_gating_at(Start::At(1)).unwrap_err();
    /// assert_eq!(evicted, SubscribeError::Evicted { oldest: 2 });
    /// let mut replica = ring.subscribe_gating_at(Start::At(3))?;
    /// assert_eq!(replica.try_recv(), Ok(3));
    /// # Ok::<(), SubscribeError>(())
    /// ```
    pub fn subscribe_gating_at(&self, start: Start) -> Result<Subscriber<S>, SubscribeError> {
        Subscriber::gating(Arc::clone(&self.channel), start)
    }

    /// Returns the number of messages that the ring holds: a power of two.
    pub fn capacity(&self) -> usize {
        self.channel.capacity()
    }

    /// Returns the tail: the sequence that the next claim gets.
    ///
    /// In a closed ring it is the end. It never decreases.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, _subscriber) = seqcast::inline::<u32>(4);
    /// let ring = publisher.ring();
    /// publisher.publish_many(0..6);
    /// assert_eq!((ring.oldest_sequence(), ring.next_sequence()), (2, 6));
    /// ```
    pub fn next_sequence(&self) -> u64 {
        self.channel.sequencer.tail()
    }

    /// Returns the oldest sequence that can still be read.
    ///
    /// It never decreases.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, _subscriber) = seqcast::inline::<u32>(4);
    /// let ring = publisher.ring();
    /// assert_eq!(ring.oldest_sequence(), 0);
    /// publisher.publish_many(0..6);
    /// assert_eq!(ring.oldest_sequence(), 2);
    /// ```
    pub fn oldest_sequence(&self) -> u64 {
        self.channel.sequencer.oldest()
    }

    /// Returns `true` if the ring is closed. There may be messages left to read.
    ///
    /// # Examples
    ///
    /// ```
    /// let (publisher, subscriber) = seqcast::inline::<u32>(4);
    /// let ring = subscriber.ring();
    /// assert!(!ring.is_closed());
    /// drop(publisher);
    /// assert!(ring.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.channel.sequencer.is_closed()
    }

    /// Returns the number of live subscribers.
    ///
    /// # Examples
    ///
    /// ```
    /// let (publisher, subscriber) = seqcast::inline::<u32>(4);
    /// let ring = publisher.ring();
    /// let other = subscriber.clone();
    /// assert_eq!(ring.subscriber_count(), 2);
    /// drop((subscriber, other));
    /// assert_eq!(ring.subscriber_count(), 0);
    /// ```
    pub fn subscriber_count(&self) -> usize {
        self.channel.registry.len()
    }

    /// Returns the largest [`lag`](Subscriber::lag) of a live subscriber, or 0 without subscribers.
    ///
    /// It is more than the capacity if messages were overwritten that a subscriber has not read.
    ///
    /// # Progress
    ///
    /// Never blocks. It reads the cursor of every subscriber.
    ///
    /// # Examples
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

    /// Returns the state of the ring and of each subscriber.
    ///
    /// # Progress
    ///
    /// Never blocks, and allocates. It reads the counts of every subscriber.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// subscriber.set_name("slow");
    /// publisher.publish_many(0..6);
    /// assert!(subscriber.try_recv().unwrap_err().is_lagged());
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
    /// Returns a handle that makes subscribers and shows statistics.
    ///
    /// It cannot publish, and does not keep the ring open.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_publisher, subscriber) = seqcast::inline::<u32>(4);
    /// let ring = subscriber.ring();
    /// assert_eq!(ring.stats().subscribers[0].id, subscriber.id());
    /// ```
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
