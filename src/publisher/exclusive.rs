//! The only publisher of its ring.

use std::fmt;
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::batch::Batch;
use super::handle::{Handle, look_ups};
use super::run::run_of;
use crate::channel::Channel;
use crate::ring::Ring;
use crate::slots::Storage;
use crate::start::Start;
use crate::subscriber::Subscriber;
use crate::sync::Arc;

/// The only publisher of its ring.
///
/// Publishing is a handful of plain stores. It never waits, except for gating subscribers of a
/// [gated](crate::Builder::gated) ring. For several publishers, [`share`](Self::share) it.
///
/// Dropping it closes the ring. Subscribers read the messages that are left, and then receive
/// `Closed`. A publisher that is leaked with [`std::mem::forget`] leaves its ring open forever.
///
/// | | on a full gated ring |
/// |---|---|
/// | [`publish`](Self::publish), [`publish_many`](Self::publish_many), [`batch`](Self::batch) | blocks the thread |
/// | [`publish_timeout`](Self::publish_timeout), [`publish_deadline`](Self::publish_deadline) | blocks the thread, for a limited time |
/// | [`try_publish`](Self::try_publish) | returns the message |
/// | [`publish_async`](Self::publish_async), [`poll_ready`](Self::poll_ready) | waits in a task |
///
/// On a ring that is not gated, none of them waits.
///
/// # Examples
///
/// ```
/// let (mut publisher, mut subscriber) = seqcast::inline::<f64>(64);
/// assert_eq!(publisher.publish(1.5), 0);
/// assert_eq!(publisher.publish(2.5), 1);
/// assert_eq!(subscriber.try_recv(), Ok(1.5));
/// ```
pub struct Publisher<S: Storage> {
    /// The only field: the next sequence is kept in the ring. Otherwise publishers in one array,
    /// each used by a thread of its own, would write to the same cache line.
    pub(super) handle: Handle<S>,
}

impl<S: Storage> Publisher<S> {
    /// `handle` is the only one of its ring.
    pub(crate) fn new(handle: Handle<S>) -> Self {
        Self { handle }
    }

    /// Publishes a message and returns its sequence.
    ///
    /// From the second lap on, each message overwrites the oldest one, whether it was read or not. On a
    /// [gated](crate::Builder::gated) ring, the call first waits for gating subscribers. Without
    /// subscribers it works the same.
    ///
    /// For several messages, use [`publish_many`](Self::publish_many) or [`batch`](Self::batch):
    /// they wake sleeping readers once.
    ///
    /// # Panics
    ///
    /// If the 2⁶³ − 2³² sequences of the ring are used up. At 10⁹ messages per second, this takes
    /// 292 years.
    ///
    /// # Blocking
    ///
    /// On an ordinary ring it never blocks.
    ///
    /// On a gated ring it waits while a gating subscriber is a full lap behind. It spins briefly,
    /// then parks the thread. If such a subscriber is stuck or leaked, and the ring has no
    /// [`gate_deadline`](crate::Builder::gate_deadline), it waits forever. Do not call it there in
    /// an async task, in a waker, in the drop of a message, or on the thread that reads as a
    /// gating subscriber. Use [`try_publish`](Self::try_publish) or
    /// [`publish_async`](Self::publish_async) instead.
    ///
    /// # Progress
    ///
    /// Wait-free on an ordinary ring. The cost of writing the message depends on its size, and not
    /// on the number of subscribers. Then the call wakes parked subscribers, and their wakers run
    /// on this thread: see [Waking](crate::book::waking). With hundreds of sleeping tasks, let
    /// [`Ring::drive_wakes`](crate::Ring::drive_wakes) wake them.
    ///
    /// An inline ring never allocates. A boxed ring stops allocating after about the first lap,
    /// except when subscribers join or leave. It also drops messages that were overwritten,
    /// usually one per publish, after everything else: see [Boxed rings](crate::book::boxed).
    ///
    /// Panics in wakers and in drops of messages are caught.
    ///
    /// # Memory ordering
    ///
    /// Everything that this thread did before the call happens before a subscriber receives the
    /// message.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(2);
    /// assert_eq!([publisher.publish(10), publisher.publish(11)], [0, 1]);
    /// assert_eq!(publisher.publish(12), 2); // overwrites the first
    /// assert!(subscriber.try_recv().unwrap_err().is_lagged());
    /// assert_eq!(subscriber.try_recv(), Ok(11));
    /// ```
    #[inline]
    pub fn publish(&mut self, value: S::Item) -> u64 {
        // Dropped last, as that may take long. It is not moved: that would cost something.
        let mut garbage = S::Garbage::default();
        let (channel, pool) = self.handle.parts();
        let next = channel.sequencer.next_exclusive().unwrap_or_else(|| channel.next_bounded(None));
        channel.publish_exclusive(pool, next, value, &mut garbage);
        channel.wake(next.sequence..next.sequence + 1);
        next.sequence
    }

    /// Publishes all messages of an iterator, and returns their sequences.
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
    /// In an inline ring, messages of up to 512 bytes become visible in *runs* of up to 16. A
    /// subscriber on another core that reads along then disturbs the publisher once per run.
    /// [`SharedPublisher::publish_many`](crate::SharedPublisher::publish_many) has the rules.
    /// In all other cases, each message is published before the next is taken from the iterator.
    ///
    /// # Panics
    ///
    /// As [`publish`](Self::publish), and if the iterator panics. The messages that it returned
    /// before are published, which may wait for room on a gated ring, and readers are woken.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, _subscriber) = seqcast::inline::<u8>(64);
    /// assert_eq!(publisher.publish_many(*b"tick"), 0..4);
    /// assert_eq!(publisher.publish_many([]), 4..4);
    /// ```
    pub fn publish_many(&mut self, values: impl IntoIterator<Item = S::Item>) -> Range<u64> {
        let mut batch = self.batch();
        let start = batch.next_sequence();
        let values = values.into_iter();
        match run_of::<S>(values.size_hint()) {
            // Constants, as the length of an array cannot depend on `S`.
            16 => batch.publish_runs::<16>(values),
            8 => batch.publish_runs::<8>(values),
            4 => batch.publish_runs::<4>(values),
            2 => batch.publish_runs::<2>(values),
            _ => batch.publish_all(values),
        }
        start..batch.next_sequence()
    }

    /// Starts a batch, whose messages are published immediately and wake sleeping readers once.
    ///
    /// For code that publishes from several places in one turn: pass a `&mut Batch` to each of
    /// them. If the messages come from one iterator, use [`publish_many`](Self::publish_many).
    ///
    /// Other readers read each message as soon as it is published. Sleeping readers are woken
    /// once, when the batch is dropped, also during a panic. A batch larger than the ring
    /// overwrites its own start before they wake. With a [driver](crate::Ring::drive_wakes), this
    /// can happen to a batch larger than half the ring. Drop the batch before the task waits, so
    /// that readers are not delayed.
    ///
    /// On a [gated](crate::Builder::gated) ring, [`Batch::publish`] waits for gating subscribers,
    /// and wakes parked subscribers before it waits.
    ///
    /// If a batch is leaked with [`std::mem::forget`], its messages can be read. Parked
    /// subscribers are then woken by the next publish, or when the ring is closed.
    ///
    /// # Progress
    ///
    /// Each message is published as by [`publish`](Self::publish). Wakers run on the thread that
    /// drops the batch, or that waits for room. An empty batch wakes no reader and runs no fence.
    ///
    /// # Memory ordering
    ///
    /// As [`publish`](Self::publish) for each message, independent of the end of the batch.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(64);
    /// let mut batch = publisher.batch();
    /// batch.publish(1);
    /// if batch.publish(2) == 1 {
    ///     batch.publish(3);
    /// }
    /// drop(batch); // wakes sleeping readers
    /// assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 2, 3]);
    /// ```
    #[inline]
    pub fn batch(&mut self) -> Batch<'_, S> {
        let next = next(self.channel());
        Batch::new(&mut self.handle, next)
    }

    /// Closes the ring, as dropping the publisher does.
    ///
    /// Subscribers read the messages that are left, and then receive `Closed`.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::TryRecvError;
    ///
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish(1);
    /// publisher.close();
    /// assert_eq!(subscriber.try_recv(), Ok(1));
    /// assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
    /// ```
    pub fn close(self) {}

    /// Returns the sequence that the next message gets.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, _subscriber) = seqcast::inline::<u32>(8);
    /// let next = publisher.next_sequence();
    /// assert_eq!(publisher.publish(1), next);
    /// ```
    pub fn next_sequence(&self) -> u64 {
        next(self.channel())
    }

    look_ups!("let mut publisher = seqcast::inline::<u32>(8).0;");

    /// The handle. The ring stays open.
    pub(crate) fn into_handle(self) -> Handle<S> {
        self.handle
    }

    #[inline]
    pub(super) fn channel(&self) -> &Arc<Channel<S>> {
        self.handle.channel()
    }
}

/// The next sequence of the only publisher, in an ordinary or gated ring.
fn next<S: Storage>(channel: &Channel<S>) -> u64 {
    channel.sequencer.next_exclusive().map_or_else(|| channel.sequencer.tail(), |next| next.sequence)
}

impl<S: Storage> fmt::Debug for Publisher<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("capacity", &self.capacity())
            .field("next_sequence", &self.next_sequence())
            .finish_non_exhaustive()
    }
}

// If an iterator panics, the messages that were published stay published.
impl<S: Storage> UnwindSafe for Publisher<S> {}
impl<S: Storage> RefUnwindSafe for Publisher<S> {}
