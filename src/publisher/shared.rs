//! One of many publishers.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::batch::SharedBatch;
use super::exclusive::Publisher;
use super::handle::{Handle, look_ups};
use super::run::run_of;
use crate::channel::Channel;
use crate::error::{Closed, TryPublishError};
use crate::ring::Ring;
use crate::slots::Storage;
use crate::start::Start;
use crate::subscriber::Subscriber;
use crate::sync::Arc;

/// One of many publishers of a ring.
///
/// Made by [`Publisher::share`]. Clone it for each thread, or share it by reference. Dropping the
/// last one closes the ring, as does [`close`](Self::close). The methods behave on a full
/// [gated](crate::Builder::gated) ring as those of a [`Publisher`].
///
/// # Progress
///
/// Publishing is lock-free. A suspended publisher never blocks other publishers, and publishers
/// never wait for lossy subscribers. On a gated ring they wait for gating subscribers, and so for
/// the publishers that those wait for.
///
/// A publisher that is suspended in the middle of a write keeps its slot. A lap later, the others
/// skip that slot and leave a *hole* in the sequences, which subscribers pass and count. If as
/// many publishers are suspended in the middle of a write as the ring has slots, no other
/// publisher can make progress. Make the capacity at least four times the number of publishers.
///
/// # Examples
///
/// ```
/// let (publisher, subscriber) = seqcast::inline::<u64>(1024);
/// let publisher = publisher.share();
/// std::thread::scope(|scope| {
///     for id in 0..4 {
///         let publisher = publisher.clone();
///         scope.spawn(move || publisher.publish(id).unwrap());
///     }
/// });
/// drop(publisher);
/// assert_eq!(subscriber.into_iter().map(Result::unwrap).sum::<u64>(), 6);
/// ```
pub struct SharedPublisher<S: Storage> {
    pub(super) handle: Handle<S>,
}

impl<S: Storage> Publisher<S> {
    /// Turns the publisher into one that can be cloned and used through `&self`.
    ///
    /// A shared publisher claims each sequence and each slot with an atomic read-modify-write,
    /// which an exclusive one does not need. [`SharedPublisher::try_into_exclusive`] turns the
    /// last one back.
    ///
    /// # Examples
    ///
    /// ```
    /// let (publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// let publisher = publisher.share();
    /// let other = publisher.clone();
    /// publisher.publish(1).unwrap();
    /// other.publish(2).unwrap();
    /// assert_eq!((subscriber.try_recv(), subscriber.try_recv()), (Ok(1), Ok(2)));
    /// ```
    pub fn share(self) -> SharedPublisher<S> {
        SharedPublisher { handle: self.into_handle() }
    }
}

impl<S: Storage> SharedPublisher<S> {
    /// Publishes a message and returns its sequence.
    ///
    /// From the second lap on, each message overwrites the oldest one, whether it was read or not. On a
    /// [gated](crate::Builder::gated) ring, the call first waits for gating subscribers.
    ///
    /// For several messages, use [`publish_many`](Self::publish_many) or [`batch`](Self::batch):
    /// they wake sleeping readers once.
    ///
    /// # Errors
    ///
    /// [`Closed`] with the message: the ring is closed, or was closed while the call waited. All
    /// later calls return the same.
    ///
    /// # Blocking
    ///
    /// On an ordinary ring it never blocks.
    ///
    /// On a gated ring it waits while a gating subscriber is a full lap behind. It spins briefly,
    /// then parks the thread. If such a subscriber is stuck or leaked, and the ring has no
    /// [`gate_deadline`](crate::Builder::gate_deadline), it waits until the ring is closed. Do not
    /// call it there in an async task, in a waker, in the drop of a message, or on the thread that
    /// reads as a gating subscriber. Use [`try_publish`](Self::try_publish) or
    /// [`publish_async`](Self::publish_async) instead.
    ///
    /// # Progress
    ///
    /// Lock-free on an ordinary ring. It wakes parked subscribers, allocates, and drops old
    /// messages as [`Publisher::publish`] does. In a boxed ring it may also allocate if threads
    /// share one handle, and if a slot was held by a suspended publisher. Give each thread its own
    /// clone.
    ///
    /// If the calling thread is suspended in this call for more than a lap, its message may count
    /// as overwritten before it was written. The call returns `Ok`, and subscribers count the
    /// sequence as missed.
    ///
    /// # Memory ordering
    ///
    /// Everything that this thread did before the call happens before a subscriber receives the
    /// message.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::Closed;
    ///
    /// let (publisher, _subscriber) = seqcast::inline::<u32>(8);
    /// let publisher = publisher.share();
    /// assert_eq!(publisher.publish(1), Ok(0));
    /// publisher.close();
    /// assert_eq!(publisher.publish(2), Err(Closed(2)));
    /// ```
    #[inline]
    pub fn publish(&self, value: S::Item) -> Result<u64, Closed<S::Item>> {
        // Dropped last, as that may take long.
        let mut garbage = S::Garbage::default();
        match self.channel().publish_shared(self.handle.pool(), value, &mut garbage) {
            Ok(sequence) => {
                self.channel().wake(sequence..sequence + 1);
                Ok(sequence)
            }
            Err(TryPublishError::Closed(value)) => Err(Closed(value)),
            Err(TryPublishError::Full(value)) => {
                drop(garbage);
                self.publish_waiting(value, None).map_err(|error| Closed(error.into_inner()))
            }
        }
    }

    /// Publishes all messages of an iterator, and returns how many.
    ///
    /// The number is less than that of the messages only if the ring is closed. Messages that were
    /// taken from the iterator and not published, at most one run, are then dropped. Messages of
    /// other publishers may come in between.
    ///
    /// Sleeping readers are woken once, after the batch. A batch larger than the ring overwrites
    /// its own start before they wake. The iterator must not wait for a subscriber to read an
    /// earlier message.
    ///
    /// On a [gated](crate::Builder::gated) ring, the call waits for room as
    /// [`publish`](Self::publish) does, and wakes parked subscribers before it waits. It does not
    /// run the iterator while it waits.
    ///
    /// # Runs
    ///
    /// In an inline ring, messages of up to 512 bytes are collected in *runs*, which are published
    /// by one claim each. Several publishers then disturb each other less. A run is at most 16
    /// messages, 1 KiB and a quarter of the ring.
    ///
    /// The length of the iterator must be known and at least 8. It is known if both bounds of
    /// [`size_hint`](Iterator::size_hint) are equal. A slow iterator then holds back up to 15
    /// messages. To avoid that, hide its length, for example with `filter(|_| true)`.
    ///
    /// In all other cases, each message is published before the next is taken from the iterator.
    /// This includes boxed rings, and rings with a
    /// [`gate_deadline`](crate::Builder::gate_deadline).
    ///
    /// # Panics
    ///
    /// If the iterator panics. The messages that it returned before are published, unless the ring
    /// was closed, and readers are woken.
    ///
    /// # Examples
    ///
    /// ```
    /// let (publisher, _subscriber) = seqcast::inline::<u32>(8);
    /// let publisher = publisher.share();
    /// assert_eq!(publisher.publish_many([1, 2, 3]), 3);
    /// publisher.close();
    /// assert_eq!(publisher.publish_many([4, 5]), 0);
    /// ```
    pub fn publish_many(&self, values: impl IntoIterator<Item = S::Item>) -> usize {
        let values = values.into_iter();
        match run_of::<S>(values.size_hint()) {
            // Constants, as in `Publisher::publish_many`.
            16 => self.batch().publish_runs::<16>(values),
            8 => self.batch().publish_runs::<8>(values),
            4 => self.batch().publish_runs::<4>(values),
            2 => self.batch().publish_runs::<2>(values),
            _ => self.batch().publish_all(values),
        }
    }

    /// Starts a batch, whose messages are published immediately and wake sleeping readers once.
    ///
    /// It works as [`Publisher::batch`]. Messages of other publishers may come in between. If the
    /// messages come from one iterator, use [`publish_many`](Self::publish_many), which claims
    /// several sequences at once.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::Closed;
    ///
    /// let (publisher, mut subscriber) = seqcast::inline::<u32>(64);
    /// let publisher = publisher.share();
    /// let mut batch = publisher.batch();
    /// batch.publish(1)?;
    /// batch.publish(2)?;
    /// drop(batch); // wakes sleeping readers
    /// assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 2]);
    ///
    /// publisher.close();
    /// assert_eq!(publisher.batch().publish(3), Err(Closed(3)));
    /// # Ok::<(), Closed<u32>>(())
    /// ```
    #[inline]
    pub fn batch(&self) -> SharedBatch<'_, S> {
        SharedBatch::new(&self.handle)
    }

    /// Closes the ring for all publishers, and returns `true` for the one call that did it.
    ///
    /// Messages whose publish returned `Ok` stay readable. Later calls return
    /// `Err(Closed(value))`, and so do calls that wait for room. All parked subscribers and
    /// publishers are woken.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::TryRecvError;
    ///
    /// let (publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// let publisher = publisher.share();
    /// publisher.publish(1).unwrap();
    /// assert!(publisher.close());
    /// assert!(!publisher.close());
    /// assert_eq!(subscriber.try_recv(), Ok(1));
    /// assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
    /// ```
    pub fn close(&self) -> bool {
        self.channel().close()
    }

    /// Turns the last publisher back into an exclusive one.
    ///
    /// # Errors
    ///
    /// The publisher itself, unchanged: there are others, or the ring is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (publisher, _subscriber) = seqcast::inline::<u32>(8);
    /// let publisher = publisher.share();
    /// let other = publisher.clone();
    /// let publisher = publisher.try_into_exclusive().unwrap_err();
    /// drop(other);
    /// assert_eq!(publisher.try_into_exclusive().unwrap().publish(1), 0);
    /// ```
    pub fn try_into_exclusive(self) -> Result<Publisher<S>, Self> {
        let channel = self.channel();
        if !channel.is_last_publisher() || channel.sequencer.is_closed() {
            return Err(self);
        }
        Ok(Publisher::new(self.handle))
    }

    /// Returns the tail: the sequence that the next claim gets.
    ///
    /// In a closed ring it is the end. Other publishers may move it at any time.
    ///
    /// # Examples
    ///
    /// ```
    /// let publisher = seqcast::inline::<u32>(8).0.share();
    /// publisher.publish_many([1, 2, 3]);
    /// assert_eq!(publisher.next_sequence(), 3);
    /// ```
    pub fn next_sequence(&self) -> u64 {
        self.channel().sequencer.tail()
    }

    look_ups!("let publisher = seqcast::inline::<u32>(8).0.share();");

    /// Returns `true` if the ring is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let publisher = seqcast::inline::<u32>(8).0.share();
    /// assert!(!publisher.is_closed());
    /// publisher.clone().close();
    /// assert!(publisher.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.channel().sequencer.is_closed()
    }

    #[inline]
    pub(crate) fn channel(&self) -> &Arc<Channel<S>> {
        self.handle.channel()
    }
}

/// One more publisher of the ring.
impl<S: Storage> Clone for SharedPublisher<S> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone() }
    }
}

impl<S: Storage> fmt::Debug for SharedPublisher<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedPublisher")
            .field("capacity", &self.capacity())
            .field("next_sequence", &self.next_sequence())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl<S: Storage> UnwindSafe for SharedPublisher<S> {}
impl<S: Storage> RefUnwindSafe for SharedPublisher<S> {}
