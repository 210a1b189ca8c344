//! One of many publishers.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::exclusive::Publisher;
use super::future::Publish;
use super::handle::{Batch, Handle, look_ups};
use crate::channel::Channel;
use crate::error::{Closed, PublishTimeoutError, TryPublishError};
use crate::ring::Ring;
use crate::slots::Storage;
use crate::start::Start;
use crate::subscriber::Subscriber;
use crate::sync::Arc;

/// One of many publishers of a ring: clone it, or share it by reference.
///
/// Lock-free: no publisher ever waits for another, wherever that one was stopped, nor for a subscriber. A publisher that is
/// stopped in the middle of a write keeps its slot; a lap later the others skip that slot, and leave a *hole* in the sequences,
/// which subscribers go over and count. (With as many publishers stopped in the middle of a write as the ring has slots, none
/// can go on. Make the capacity at least four times the number of publishers.)
///
/// Dropping the last one closes the ring, as does [`close`](Self::close).
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
    handle: Handle<S>,
}

impl<S: Storage> Publisher<S> {
    /// Turns it into a publisher that can be cloned and used through `&self`.
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
    /// # Errors
    ///
    /// [`Closed`] with the value when the ring was closed before.
    ///
    /// # Blocking and progress
    ///
    /// Lock-free. Wakes parked subscribers, drops old messages and allocates as [`Publisher::publish`] does. In a boxed ring it may
    /// also allocate when threads publish through one handle at the same time (give each thread its own clone), and when a slot was
    /// held by a suspended publisher.
    ///
    /// A publisher that is suspended in here for more than a lap may find its message overwritten before it was written. Subscribers
    /// count it as missed.
    ///
    /// # Memory ordering
    ///
    /// What this thread did before happens before a subscriber receives the message.
    ///
    /// ```
    /// let (publisher, _subscriber) = seqcast::inline::<u32>(8);
    /// let publisher = publisher.share();
    /// assert_eq!(publisher.publish(1), Ok(0));
    /// publisher.close();
    /// assert_eq!(publisher.publish(2), Err(seqcast::Closed(2)));
    /// ```
    #[inline]
    pub fn publish(&self, value: S::Item) -> Result<u64, Closed<S::Item>> {
        // Dropped last: that may take its time.
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

    /// Publishes if there is room, and does not wait.
    ///
    /// # Errors
    ///
    /// [`Full`](TryPublishError::Full) with the value when a gating subscriber is a full lap behind; never on an ordinary ring.
    /// [`Closed`](TryPublishError::Closed) with the value when the ring was closed before.
    #[inline]
    pub fn try_publish(&self, mut value: S::Item) -> Result<u64, TryPublishError<S::Item>> {
        loop {
            let mut garbage = S::Garbage::default();
            match self.channel().publish_shared(self.handle.pool(), value, &mut garbage) {
                Ok(sequence) => {
                    self.channel().wake(sequence..sequence + 1);
                    return Ok(sequence);
                }
                Err(TryPublishError::Full(back)) => value = back,
                closed => return closed,
            }
            drop(garbage);
            if !self.channel().is_freed_by_deadline() {
                return Err(TryPublishError::Full(value));
            }
        }
    }

    /// Publishes, and waits for room for at most `timeout`. A timeout beyond what `Instant` can represent waits forever.
    ///
    /// # Errors
    ///
    /// [`Timeout`](PublishTimeoutError::Timeout) with the value; never on an ordinary ring, which does not make it wait.
    /// [`Closed`](PublishTimeoutError::Closed) with the value when the ring was closed, also while it waited.
    ///
    /// # Blocking
    ///
    /// As [`publish`](Self::publish), for at most about `timeout`. A zero one only looks.
    pub fn publish_timeout(&self, value: S::Item, timeout: Duration) -> Result<u64, PublishTimeoutError<S::Item>> {
        self.publish_by(value, Instant::now().checked_add(timeout))
    }

    /// Publishes, and waits for room until `deadline`.
    ///
    /// # Errors
    ///
    /// As [`publish_timeout`](Self::publish_timeout).
    pub fn publish_deadline(&self, value: S::Item, deadline: Instant) -> Result<u64, PublishTimeoutError<S::Item>> {
        self.publish_by(value, Some(deadline))
    }

    fn publish_by(&self, value: S::Item, deadline: Option<Instant>) -> Result<u64, PublishTimeoutError<S::Item>> {
        match self.try_publish(value) {
            Err(TryPublishError::Full(value)) => Ok(self.publish_waiting(value, deadline)?),
            published => Ok(published?),
        }
    }

    #[cold]
    fn publish_waiting(&self, value: S::Item, deadline: Option<Instant>) -> Result<u64, TryPublishError<S::Item>> {
        self.channel().publish_waiting(deadline, value, |value| self.try_publish(value))
    }

    /// Publishes, and waits for room in any async runtime. On an ordinary ring it is ready at once.
    ///
    /// # Errors
    ///
    /// [`Closed`] with the value when the ring was closed, also while it waited.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the value, unless it was published, and costs other publishers nothing.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (publisher, _subscriber) = seqcast::inline::<u32>(8);
    /// assert_eq!(publisher.share().publish_async(5).await, Ok(0));
    /// # });
    /// ```
    pub fn publish_async(&self, value: S::Item) -> Publish<'_, S> {
        Publish::shared(self, value)
    }

    /// Polls for room: `Ready(Ok(()))` when there is some. Other publishers may take it before this one does. On `Pending` the task of
    /// `cx` is woken when there is room; only that of this handle's last call.
    ///
    /// # Errors
    ///
    /// [`Closed`] when the ring is closed.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed<()>>> {
        self.handle.poll_ready(cx)
    }

    /// Publishes messages and returns how many: all of them, unless the ring is closed on the way, which ends it there. (The
    /// value at which it finds out was taken from the iterator; later ones were not.)
    ///
    /// Messages of other publishers may come in between. Parked subscribers are woken once, at the end, and lose what is more
    /// than the ring holds. If the iterator panics, what it gave before stays published and is woken for.
    ///
    /// ```
    /// let (publisher, _subscriber) = seqcast::inline::<u32>(8);
    /// let publisher = publisher.share();
    /// assert_eq!(publisher.publish_many([1, 2, 3]), 3);
    /// publisher.close();
    /// assert_eq!(publisher.publish_many([4, 5]), 0);
    /// ```
    pub fn publish_many(&self, values: impl IntoIterator<Item = S::Item>) -> usize {
        let mut batch = Batch::new(self.channel(), 0..0);
        let mut published = 0;
        for mut value in values {
            let sequence = loop {
                let mut garbage = S::Garbage::default();
                match self.channel().publish_shared(self.handle.pool(), value, &mut garbage) {
                    Ok(sequence) => break sequence,
                    Err(TryPublishError::Closed(_)) => return published,
                    Err(TryPublishError::Full(back)) => value = back,
                }
                drop(garbage);
                batch.flush();
                self.channel().wait_for_room(None);
            };
            if published == 0 {
                batch.published.start = sequence;
            }
            batch.published.end = sequence + 1;
            published += 1;
        }
        published
    }

    /// Closes the ring at its tail, for all publishers. `true` for the one call that did.
    ///
    /// Every publish that returned `Ok` before has its message before the end; every one that begins afterwards gets its value back.
    /// Wakes every parked subscriber.
    ///
    /// ```
    /// let (publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// let publisher = publisher.share();
    /// publisher.publish(1).unwrap();
    /// assert!(publisher.close());
    /// assert!(!publisher.close());
    /// assert_eq!(subscriber.try_recv(), Ok(1));
    /// assert_eq!(subscriber.try_recv(), Err(seqcast::TryRecvError::Closed));
    /// ```
    pub fn close(&self) -> bool {
        self.channel().close()
    }

    /// Turns the last one back into the exclusive publisher.
    ///
    /// # Errors
    ///
    /// Itself, when there are others, or the ring is closed.
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

    /// The tail: the sequence that the next message gets. The end, once the ring is closed.
    pub fn next_sequence(&self) -> u64 {
        self.channel().sequencer.tail()
    }

    look_ups!();

    /// Whether the ring has ended.
    pub fn is_closed(&self) -> bool {
        self.channel().sequencer.is_closed()
    }

    #[inline]
    pub(crate) fn channel(&self) -> &Arc<Channel<S>> {
        self.handle.channel()
    }

    #[cfg(feature = "sink")]
    pub(super) fn handle(&mut self) -> &mut Handle<S> {
        &mut self.handle
    }
}

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
