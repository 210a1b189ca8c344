//! The only publisher of its ring.

use std::fmt;
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::batch::{Batch, run_of};
use super::handle::{Handle, look_ups};
use crate::channel::Channel;
use crate::error::{Closed, PublishTimeoutError, TryPublishError};
use crate::ring::Ring;
use crate::slots::Storage;
use crate::start::Start;
use crate::subscriber::Subscriber;
use crate::sync::Arc;

/// The only publisher of its ring: publishing is a handful of plain stores.
///
/// It never waits, except for gating subscribers of a [gated](crate::Builder::gated) ring.
///
/// For several publishers, [`share`](Self::share) it. Dropping it closes the ring: subscribers read what is left, then learn
/// of the end. (A publisher that is leaked with [`std::mem::forget`] leaves its ring open for ever.)
///
/// ```
/// let (mut publisher, mut subscriber) = seqcast::inline::<f64>(64);
/// assert_eq!(publisher.publish(1.5), 0);
/// assert_eq!(publisher.publish(2.5), 1);
/// assert_eq!(subscriber.try_recv(), Ok(1.5));
/// ```
pub struct Publisher<S: Storage> {
    /// All there is: the next sequence is kept in the ring, lest publishers that lie side by side, each in the hands of a thread of its own,
    /// write to one cache line.
    handle: Handle<S>,
}

impl<S: Storage> Publisher<S> {
    /// No other publisher is left.
    pub(crate) fn new(handle: Handle<S>) -> Self {
        Self { handle }
    }

    /// Publishes a message and returns its sequence.
    ///
    /// Overwrites the oldest message once the ring is full. Works the same with no subscriber at all. On a
    /// [gated](crate::Builder::gated) ring it waits for gating subscribers first.
    ///
    /// # Panics
    ///
    /// When the 2⁶³ − 2³² sequences of a ring are used up: after 292 years of 10⁹ messages a second.
    ///
    /// # Blocking and progress
    ///
    /// Wait-free; never blocks and never fails. Writing the message costs what its size asks for, however many subscribers there are.
    /// Waking costs time for each subscriber that sleeps. With hundreds of sleeping tasks, let
    /// [`Ring::drive_wakes`](crate::Ring::drive_wakes) wake them.
    ///
    /// On a gated ring it waits while a gating subscriber is a full lap behind: it spins briefly, then parks the thread. That may be
    /// forever, if such a subscriber is stuck or leaked and the ring has no [`gate_deadline`](crate::Builder::gate_deadline). Do not
    /// call it there in an async task, a waker, or the thread that reads as a gating subscriber.
    /// [`try_publish`](Self::try_publish), [`publish_timeout`](Self::publish_timeout) and [`publish_async`](Self::publish_async) do
    /// not block, or not for long.
    ///
    /// Parked subscribers are woken once the message is there, and their wakers run on this thread. Each message of a burst wakes
    /// them again; [`publish_many`](Self::publish_many) and [`batch`](Self::batch) wake them once.
    ///
    /// An inline ring never allocates. A boxed ring stops allocating after about the first lap, except when subscribers join or
    /// leave. Its publishers drop messages that were overwritten, usually one in each publish and after everything else. One publish
    /// in 64, or in as many as there are subscribers if those are more, looks at what each subscriber borrows.
    ///
    /// Panics in wakers and in drops of messages are caught. The [crate's limits](crate#limits) say what happens when they block.
    ///
    /// # Memory ordering
    ///
    /// What this thread did before happens before a subscriber receives the message.
    #[inline]
    pub fn publish(&mut self, value: S::Item) -> u64 {
        // Dropped last: that may take its time. (Where it is: to move it would cost something.)
        let mut garbage = S::Garbage::default();
        let (channel, pool) = self.handle.parts();
        let next = channel.sequencer.next_exclusive().unwrap_or_else(|| channel.next_bounded(None));
        channel.publish_exclusive(pool, next, value, &mut garbage);
        channel.wake(next.sequence..next.sequence + 1);
        next.sequence
    }

    /// Publishes if there is room, and does not wait.
    ///
    /// # Errors
    ///
    /// [`Full`](TryPublishError::Full) with the value when a gating subscriber is a full lap behind; never on an ordinary ring.
    /// Never [`Closed`](TryPublishError::Closed): an exclusive publisher's ring is open.
    ///
    /// # Panics
    ///
    /// As [`publish`](Self::publish).
    ///
    /// # Blocking and progress
    ///
    /// Never waits for a subscriber; otherwise as [`publish`](Self::publish). On a full ring with a
    /// [`gate_deadline`](crate::Builder::gate_deadline) it also checks the deadline, and may demote a subscriber.
    ///
    /// ```
    /// let (mut publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let mut gating = publisher.ring().subscribe_gating()?;
    /// publisher.publish_many([1, 2]);
    /// assert_eq!(publisher.try_publish(3).map_err(|error| error.into_inner()), Err(3));
    /// assert_eq!((gating.try_recv(), publisher.try_publish(3)), (Ok(1), Ok(2)));
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    #[inline]
    pub fn try_publish(&mut self, value: S::Item) -> Result<u64, TryPublishError<S::Item>> {
        if self.channel().has_room() { Ok(self.publish(value)) } else { Err(TryPublishError::Full(value)) }
    }

    /// Publishes, and waits for room for at most `timeout`. A timeout beyond what `Instant` can represent waits forever.
    ///
    /// # Errors
    ///
    /// [`Timeout`](PublishTimeoutError::Timeout) with the value; never on an ordinary ring, which does not make it wait.
    /// Never [`Closed`](PublishTimeoutError::Closed): an exclusive publisher's ring is open.
    ///
    /// # Panics
    ///
    /// As [`publish`](Self::publish).
    ///
    /// # Blocking
    ///
    /// As [`publish`](Self::publish), for at most about `timeout`. With a zero timeout it spins briefly at most.
    ///
    /// ```
    /// use std::time::Duration;
    /// let (mut publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let _gating = publisher.ring().subscribe_gating()?;
    /// publisher.publish_many([1, 2]);
    /// assert!(publisher.publish_timeout(3, Duration::from_millis(1)).unwrap_err().is_timeout());
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn publish_timeout(&mut self, value: S::Item, timeout: Duration) -> Result<u64, PublishTimeoutError<S::Item>> {
        self.publish_until(value, Instant::now().checked_add(timeout))
    }

    /// Publishes, and waits for room until `deadline`.
    ///
    /// # Errors
    ///
    /// As [`publish_timeout`](Self::publish_timeout).
    ///
    /// # Panics
    ///
    /// As [`publish`](Self::publish).
    ///
    /// # Blocking
    ///
    /// As [`publish`](Self::publish), at most until about `deadline`.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// let (mut publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let mut gating = publisher.ring().subscribe_gating()?;
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(publisher.publish_deadline(1, deadline), Ok(0));
    /// assert_eq!(publisher.publish_deadline(2, deadline), Ok(1));
    /// assert!(publisher.publish_deadline(3, deadline).unwrap_err().is_timeout());
    /// assert_eq!(gating.try_recv(), Ok(1));
    /// assert_eq!(publisher.publish_deadline(3, deadline), Ok(2)); // there is room, so time does not matter
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn publish_deadline(&mut self, value: S::Item, deadline: Instant) -> Result<u64, PublishTimeoutError<S::Item>> {
        self.publish_until(value, Some(deadline))
    }

    fn publish_until(
        &mut self,
        value: S::Item,
        deadline: Option<Instant>,
    ) -> Result<u64, PublishTimeoutError<S::Item>> {
        if !self.channel().has_room() && !self.channel().wait_for_room(deadline) {
            return Err(PublishTimeoutError::Timeout(value));
        }
        Ok(self.publish(value))
    }

    /// Polls for room: `Ready(Ok(()))` when [`try_publish`](Self::try_publish) would not return `Full`. On `Pending` the task of `cx`
    /// is woken when there is room; only that of the last call.
    ///
    /// The room stays until this publisher takes it.
    ///
    /// # Errors
    ///
    /// None: an exclusive publisher's ring is open.
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
    /// let (mut publisher, _lossy) = seqcast::Builder::new(2).gated().inline::<u32>();
    /// let mut gating = publisher.ring().subscribe_gating()?;
    /// publisher.publish_many([1, 2]);
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert_eq!(publisher.poll_ready(&mut cx), Poll::Pending);
    /// assert_eq!(gating.try_recv(), Ok(1));
    /// assert_eq!(publisher.poll_ready(&mut cx), Poll::Ready(Ok(())));
    /// assert_eq!(publisher.try_publish(3), Ok(2));
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed<()>>> {
        self.handle.poll_ready(cx)
    }

    /// Publishes messages in a row and returns their sequences. Parked subscribers are woken once, at the end.
    ///
    /// If there are more messages than the ring holds, the first are overwritten before parked subscribers wake. A boxed ring drops old
    /// messages meanwhile.
    ///
    /// In an inline ring, messages from an iterator of known length become visible in *runs* of up to 16, by the rules of
    /// [`SharedPublisher::publish_many`](crate::SharedPublisher::publish_many). A subscriber on
    /// another core that reads along then disturbs the publisher once per run. The iterator must not wait for a subscriber to read an
    /// earlier message. In all other cases each message is published before the next is taken from the iterator.
    ///
    /// On a [gated](crate::Builder::gated) ring it waits for room as [`publish`](Self::publish) does, and wakes parked subscribers
    /// before it waits. The iterator's code never runs while it waits.
    ///
    /// # Panics
    ///
    /// As [`publish`](Self::publish), and when the iterator does. The messages that it gave before are published, and subscribers are
    /// woken. (On a gated ring that may wait for room, before the panic goes on.)
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

    /// Begins a batch: its messages are published at once, and parked subscribers are woken when it is dropped.
    ///
    /// For code that publishes from several places in one turn: pass a `&mut Batch` to each of them. Subscribers that are awake read each message as soon as it is
    /// published. Dropping the batch wakes parked subscribers, also during a panic. A batch of no messages wakes nobody and runs no
    /// fence. Where the messages are there at a time, use [`publish_many`](Self::publish_many).
    ///
    /// Publish no more messages in a batch than the ring holds, or half as many where a [driver](crate::Ring::drive_wakes) wakes:
    /// further ones overwrite the first before parked subscribers wake. A batch that is held while its task waits delays them. On
    /// a [gated](crate::Builder::gated) ring nothing is lost to gating subscribers: [`publish`](Batch::publish) waits for them, and
    /// wakes parked subscribers before it waits.
    ///
    /// If a batch is leaked with [`std::mem::forget`], its messages can be read, and parked subscribers are woken by the next publish
    /// or when the ring closes.
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(64);
    /// let mut batch = publisher.batch();
    /// batch.publish(1);
    /// if batch.publish(2) == 1 {
    ///     batch.publish(3);
    /// }
    /// drop(batch); // wakes
    /// assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 2, 3]);
    /// ```
    ///
    /// # Panics
    ///
    /// Never. [`Batch::publish`] does as [`publish`](Self::publish).
    ///
    /// # Blocking and progress
    ///
    /// Each message as [`publish`](Self::publish). Wakers run on the thread that drops the batch, or that waits for room.
    ///
    /// # Memory ordering
    ///
    /// Each message as [`publish`](Self::publish): it does not wait for the end of the batch.
    #[inline]
    pub fn batch(&mut self) -> Batch<'_, S> {
        let next = next(self.channel());
        Batch::new(&mut self.handle, next)
    }

    /// Closes the ring, as dropping it does.
    pub fn close(self) {}

    /// The sequence that the next message gets.
    pub fn next_sequence(&self) -> u64 {
        next(self.channel())
    }

    look_ups!();

    /// Itself without its number: the ring stays open.
    pub(crate) fn into_handle(self) -> Handle<S> {
        self.handle
    }

    #[inline]
    pub(super) fn channel(&self) -> &Arc<Channel<S>> {
        self.handle.channel()
    }

    #[cfg(feature = "sink")]
    pub(super) fn handle(&mut self) -> &mut Handle<S> {
        &mut self.handle
    }
}

/// The next sequence of the only publisher, in any ring.
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

// A panicking iterator leaves what was published published.
impl<S: Storage> UnwindSafe for Publisher<S> {}
impl<S: Storage> RefUnwindSafe for Publisher<S> {}
