//! One of many publishers.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::batch::{SharedBatch, run_of};
use super::exclusive::Publisher;
use super::handle::{Handle, look_ups};
use crate::channel::Channel;
use crate::error::{Closed, PublishTimeoutError, TryPublishError};
use crate::ring::Ring;
use crate::slots::Storage;
use crate::start::Start;
use crate::subscriber::Subscriber;
use crate::sync::Arc;

/// One of many publishers of a ring: clone it, or share it by reference.
///
/// Lock-free: no publisher ever waits for another, wherever that one was stopped, nor for a subscriber. (On a
/// [gated](crate::Builder::gated) ring publishers wait for gating subscribers, and so for what those wait for.) A publisher that is
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
    /// [`Closed`] with the value when the ring was closed before, or while it waited.
    ///
    /// # Blocking and progress
    ///
    /// On a [gated](crate::Builder::gated) ring it waits while a gating subscriber is a full lap behind: it spins briefly, then parks
    /// the thread. That may be until the ring is closed, if such a subscriber is stuck or leaked and the ring has no
    /// [`gate_deadline`](crate::Builder::gate_deadline). Do not call it there in an async task, a waker, a drop of a message, or the
    /// thread that reads as a gating subscriber: [`try_publish`](Self::try_publish) and [`publish_async`](Self::publish_async) do not
    /// block. On an ordinary ring it never waits.
    ///
    /// Otherwise lock-free. Wakes parked subscribers, drops old messages and allocates as [`Publisher::publish`] does. In a boxed ring it may
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
    ///
    /// # Blocking and progress
    ///
    /// Never waits for a subscriber; otherwise as [`publish`](Self::publish). On a full ring with a
    /// [`gate_deadline`](crate::Builder::gate_deadline) it also checks the deadline, and may demote a subscriber.
    ///
    /// ```
    /// let (publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let publisher = publisher.share();
    /// let mut gating = publisher.ring().subscribe_gating()?;
    /// publisher.publish_many([1, 2]);
    /// assert_eq!(publisher.try_publish(3).map_err(|error| error.into_inner()), Err(3));
    /// assert_eq!((gating.try_recv(), publisher.try_publish(3)), (Ok(1), Ok(2)));
    /// publisher.close();
    /// assert!(publisher.try_publish(4).unwrap_err().is_closed());
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    #[inline]
    pub fn try_publish(&self, mut value: S::Item) -> Result<u64, TryPublishError<S::Item>> {
        // Before the message is prepared, which may allocate.
        while self.channel().has_room() {
            let mut garbage = S::Garbage::default();
            match self.channel().publish_shared(self.handle.pool(), value, &mut garbage) {
                Ok(sequence) => {
                    self.channel().wake(sequence..sequence + 1);
                    return Ok(sequence);
                }
                Err(TryPublishError::Full(back)) => value = back,
                closed => return closed,
            }
        }
        Err(TryPublishError::Full(value))
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
    /// As [`publish`](Self::publish), for at most about `timeout`. With a zero timeout it spins briefly at most.
    ///
    /// ```
    /// use std::time::Duration;
    /// let (publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let publisher = publisher.share();
    /// let _gating = publisher.ring().subscribe_gating()?;
    /// publisher.publish_many([1, 2]);
    /// let error = publisher.publish_timeout(3, Duration::from_millis(1)).unwrap_err();
    /// assert!(error.is_timeout());
    /// assert_eq!(error.into_inner(), 3);
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn publish_timeout(&self, value: S::Item, timeout: Duration) -> Result<u64, PublishTimeoutError<S::Item>> {
        self.publish_by(value, Instant::now().checked_add(timeout))
    }

    /// Publishes, and waits for room until `deadline`.
    ///
    /// # Errors
    ///
    /// As [`publish_timeout`](Self::publish_timeout).
    ///
    /// # Blocking
    ///
    /// As [`publish`](Self::publish), at most until about `deadline`.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// let (publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let publisher = publisher.share();
    /// let _gating = publisher.ring().subscribe_gating()?;
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(publisher.publish_deadline(1, deadline), Ok(0));
    /// assert_eq!(publisher.publish_deadline(2, deadline), Ok(1));
    /// assert!(publisher.publish_deadline(3, deadline).unwrap_err().is_timeout());
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
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

    /// Polls for room. While other tasks wait, it first returns `Pending` twice, and wakes the task at once. `Ready(Ok(()))` when there is some. Other publishers may take it before this one does. On `Pending` the task of
    /// `cx` is woken when there is room; only that of this handle's last call.
    ///
    /// # Errors
    ///
    /// [`Closed`] when the ring is closed.
    ///
    /// # Blocking
    ///
    /// As [`publish_async`](Self::publish_async).
    ///
    /// # Cancel safety
    ///
    /// It takes nothing: a task that no longer wants to publish stops polling. It may be woken once more.
    ///
    /// ```
    /// use std::task::{Context, Poll, Waker};
    /// let (publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let mut publisher = publisher.share();
    /// let mut gating = publisher.ring().subscribe_gating()?;
    /// publisher.publish_many([1, 2]);
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert_eq!(publisher.poll_ready(&mut cx), Poll::Pending);
    /// assert_eq!(gating.try_recv(), Ok(1));
    /// assert_eq!(publisher.poll_ready(&mut cx), Poll::Ready(Ok(())));
    /// publisher.close();
    /// assert_eq!(publisher.poll_ready(&mut cx), Poll::Ready(Err(seqcast::Closed(()))));
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed<()>>> {
        self.handle.poll_ready_shared(cx)
    }

    /// Publishes messages and returns how many: all of them, unless the ring is closed before the end.
    ///
    /// Messages of other publishers may come in between. Parked subscribers are woken once, at the end. If there are more messages
    /// than the ring holds, the first are overwritten before parked subscribers wake.
    ///
    /// In an inline ring, messages from an iterator of known length become visible in *runs* of up to 16. (The length is known if the
    /// two bounds of [`size_hint`](Iterator::size_hint) are equal.) Several publishers then disturb each other less. A run is at most
    /// 1 KiB and a quarter of the ring. In all other cases a message is published before the next is taken from the iterator:
    /// messages of more than 512 bytes, iterators of unknown length, fewer than 8 messages, boxed rings, and rings with a
    /// [`gate_deadline`](crate::Builder::gate_deadline).
    ///
    /// When the ring is closed, the messages that were taken from the iterator and not published are dropped: one, or a run.
    ///
    /// On a [gated](crate::Builder::gated) ring it waits for room as [`publish`](Self::publish) does, and wakes parked subscribers
    /// before it waits. The iterator's code never runs while it waits. The iterator must not wait for a subscriber to read an
    /// earlier message: a parked one sleeps until the end. An iterator of known length that is slow holds back up to 15 messages; one
    /// whose length is hidden, as by `filter(|_| true)`, holds back none.
    ///
    /// # Panics
    ///
    /// When the iterator does. The messages that it gave before are published, unless the ring was closed in the meantime, and
    /// subscribers are woken.
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

    /// Begins a batch: its messages are published at once, and parked subscribers are woken when it is dropped.
    ///
    /// For code that publishes from several places in one turn. It works as [`Publisher::batch`], which says what happens to batches
    /// that are larger than the ring, or leaked. Messages of other publishers may come in between. Where the
    /// messages are there at a time, use [`publish_many`](Self::publish_many), which claims several sequences at once.
    ///
    /// ```
    /// let (publisher, mut subscriber) = seqcast::inline::<u32>(64);
    /// let publisher = publisher.share();
    /// let mut batch = publisher.batch();
    /// batch.publish(1)?;
    /// batch.publish(2)?;
    /// drop(batch); // wakes
    /// assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 2]);
    ///
    /// publisher.close();
    /// assert_eq!(publisher.batch().publish(3), Err(seqcast::Closed(3)));
    /// # Ok::<(), seqcast::Closed<u32>>(())
    /// ```
    ///
    /// # Blocking and progress
    ///
    /// Each message as [`publish`](Self::publish). Wakers run on the thread that drops the batch, or that waits for room.
    ///
    /// # Memory ordering
    ///
    /// Each message as [`publish`](Self::publish): it does not wait for the end of the batch.
    #[inline]
    pub fn batch(&self) -> SharedBatch<'_, S> {
        SharedBatch::new(&self.handle)
    }

    /// Closes the ring at its tail, for all publishers. `true` for the one call that did.
    ///
    /// Every publish that returned `Ok` before has its message before the end; every one that begins afterwards gets its value back,
    /// and so does one that waits for room. Wakes every parked subscriber and publisher.
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
