//! Publishing several messages with one wake-up.

use std::fmt;
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::handle::Handle;
use super::run::{Run, Runs};
use crate::channel::{Channel, used_up};
use crate::error::{Closed, TryPublishError};
use crate::sequencer::ClaimError;
use crate::slots::Storage;

/// A batch of messages, which wakes sleeping readers once, when it is dropped.
///
/// Made by [`Publisher::batch`](crate::Publisher::batch).
///
/// # Examples
///
/// ```
/// use seqcast::{Batch, Inline};
///
/// fn heartbeat(batch: &mut Batch<'_, Inline<u32>>) {
///     batch.publish(0);
/// }
///
/// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(64);
/// let mut batch = publisher.batch();
/// heartbeat(&mut batch);
/// batch.publish(7);
/// drop(batch); // wakes sleeping readers
/// assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [0, 7]);
/// ```
#[must_use = "dropping it wakes subscribers: keep it until the last message is published"]
pub struct Batch<'a, S: Storage> {
    // The parts of the handle, so that they are not loaded for each message.
    channel: &'a Channel<S>,
    pool: &'a mut S::Pool,
    /// The sequences published since the last wake-up.
    unwoken: Range<u64>,
}

impl<'a, S: Storage> Batch<'a, S> {
    /// `next` is the sequence of the next message.
    #[inline]
    pub(super) fn new(handle: &'a mut Handle<S>, next: u64) -> Self {
        let (channel, pool) = handle.parts();
        Self { channel, pool, unwoken: next..next }
    }

    /// Publishes a message and returns its sequence, without waking parked subscribers.
    ///
    /// Otherwise as [`Publisher::publish`](crate::Publisher::publish). On a
    /// [gated](crate::Builder::gated) ring it waits for gating subscribers, and wakes parked
    /// subscribers before it waits.
    ///
    /// # Panics
    ///
    /// As [`Publisher::publish`](crate::Publisher::publish).
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, _subscriber) = seqcast::inline::<u32>(64);
    /// let mut batch = publisher.batch();
    /// assert_eq!(batch.publish(1), 0);
    /// assert_eq!(batch.publish(2), 1);
    /// ```
    #[inline]
    pub fn publish(&mut self, value: S::Item) -> u64 {
        // Dropped last, as that may take long.
        let mut garbage = S::Garbage::default();
        let Self { channel, pool, unwoken } = self;
        let next = channel.sequencer.next_exclusive().unwrap_or_else(|| channel.next_bounded(Some(unwoken)));
        channel.publish_exclusive(pool, next, value, &mut garbage);
        self.unwoken.end = next.sequence + 1;
        next.sequence
    }

    /// The sequence of the next message.
    #[inline]
    pub(super) fn next_sequence(&self) -> u64 {
        self.unwoken.end
    }

    /// Publishes all of `values`, one by one.
    #[inline]
    pub(super) fn publish_all(&mut self, values: impl Iterator<Item = S::Item>) {
        // Internal iteration: an iterator that makes its values may pass them on in registers.
        values.for_each(|value| {
            self.publish(value);
        });
    }

    /// Publishes all of `values`, up to `N` at a time.
    pub(super) fn publish_runs<const N: usize>(&mut self, values: impl Iterator<Item = S::Item>) {
        match N.min(self.channel.run_limit()) {
            1 => self.publish_all(values),
            limit => {
                Run::<S, Self, N>::new(self).publish_all(values, limit);
            }
        }
    }
}

impl<S: Storage> Drop for Batch<'_, S> {
    #[inline]
    fn drop(&mut self) {
        self.channel.wake_for(&mut self.unwoken);
    }
}

impl<S: Storage> fmt::Debug for Batch<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("next_sequence", &self.next_sequence()).finish_non_exhaustive()
    }
}

// As for the publishers.
impl<S: Storage> UnwindSafe for Batch<'_, S> {}
impl<S: Storage> RefUnwindSafe for Batch<'_, S> {}

/// A batch of messages of one of many publishers, which wakes sleeping readers once, when it is
/// dropped.
///
/// Made by [`SharedPublisher::batch`](crate::SharedPublisher::batch).
///
/// # Examples
///
/// ```
/// use seqcast::{Closed, Inline, SharedBatch};
///
/// fn heartbeat(batch: &mut SharedBatch<'_, Inline<u32>>) -> Result<u64, Closed<u32>> {
///     batch.publish(0)
/// }
///
/// let (publisher, mut subscriber) = seqcast::inline::<u32>(64);
/// let publisher = publisher.share();
/// let mut batch = publisher.batch();
/// heartbeat(&mut batch)?;
/// batch.publish(7)?;
/// drop(batch); // wakes sleeping readers
/// assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [0, 7]);
/// # Ok::<(), Closed<u32>>(())
/// ```
#[must_use = "dropping it wakes subscribers: keep it until the last message is published"]
pub struct SharedBatch<'a, S: Storage> {
    channel: &'a Channel<S>,
    pool: &'a S::Pool,
    is_gated: bool,
    /// From the first message published since the last wake-up to the last one.
    unwoken: Range<u64>,
}

impl<'a, S: Storage> SharedBatch<'a, S> {
    #[inline]
    pub(super) fn new(handle: &'a Handle<S>) -> Self {
        let channel = handle.channel();
        Self { channel, pool: handle.pool(), is_gated: channel.gate.is_some(), unwoken: 0..0 }
    }

    /// Publishes a message and returns its sequence, without waking parked subscribers.
    ///
    /// Otherwise as [`SharedPublisher::publish`](crate::SharedPublisher::publish). On a
    /// [gated](crate::Builder::gated) ring it waits for gating subscribers, and wakes parked
    /// subscribers before it waits. While other publishers wait for room, it wakes subscribers
    /// after each message, because the caller may wait for such a publisher.
    ///
    /// # Errors
    ///
    /// As [`SharedPublisher::publish`](crate::SharedPublisher::publish).
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::Closed;
    ///
    /// let publisher = seqcast::inline::<u32>(64).0.share();
    /// let mut batch = publisher.batch();
    /// assert_eq!(batch.publish(1), Ok(0));
    /// publisher.close();
    /// assert_eq!(batch.publish(2), Err(Closed(2)));
    /// ```
    #[inline]
    pub fn publish(&mut self, value: S::Item) -> Result<u64, Closed<S::Item>> {
        match self.publish_unwoken(value) {
            Ok(sequence) => Ok(sequence),
            Err(TryPublishError::Closed(value)) => Err(Closed(value)),
            Err(TryPublishError::Full(value)) => self.publish_waiting(value),
        }
    }

    /// Publishes all of `values`, until the ring is closed. Returns how many were published.
    pub(super) fn publish_all(&mut self, mut values: impl Iterator<Item = S::Item>) -> usize {
        let mut published = 0;
        // As in `Batch::publish_all`. The first message that is refused ends it.
        let _ = values.try_for_each(|value| self.publish(value).map(|_| published += 1));
        published
    }

    /// Publishes all of `values`, up to `N` by one claim, until the ring is closed. Returns how
    /// many were published.
    pub(super) fn publish_runs<const N: usize>(mut self, values: impl Iterator<Item = S::Item>) -> usize {
        match N.min(self.channel.run_limit()) {
            1 => self.publish_all(values),
            limit => Run::<S, Self, N>::new(&mut self).publish_all(values, limit),
        }
    }

    /// Publishes without a wake-up, unless publishers wait, and does not wait itself.
    #[inline]
    fn publish_unwoken(&mut self, value: S::Item) -> Result<u64, TryPublishError<S::Item>> {
        // Dropped last, after a wake-up, as that may take long, or wait for a publisher that waits
        // for a reader.
        let mut garbage = S::Garbage::default();
        let sequence = self.channel.publish_shared(self.pool, value, &mut garbage)?;
        self.published(sequence..sequence + 1);
        Ok(sequence)
    }

    #[cold]
    fn publish_waiting(&mut self, mut value: S::Item) -> Result<u64, Closed<S::Item>> {
        loop {
            self.wait_for_room();
            match self.publish_unwoken(value) {
                Ok(sequence) => return Ok(sequence),
                Err(TryPublishError::Closed(value)) => return Err(Closed(value)),
                Err(TryPublishError::Full(back)) => value = back,
            }
        }
    }

    /// Wakes subscribers for what was published, and waits for room.
    #[cold]
    fn wait_for_room(&mut self) {
        self.channel.wake_for(&mut self.unwoken);
        self.channel.wait_for_room(None);
    }

    /// Notes messages that subscribers are to be woken for.
    #[inline]
    fn published(&mut self, sequences: Range<u64>) {
        if self.unwoken.is_empty() {
            self.unwoken.start = sequences.start;
        }
        self.unwoken.end = sequences.end;
        // The caller may block on a publisher that waits for a reader of this message.
        if self.is_gated && self.channel.has_waiting_publishers() {
            self.channel.wake_for(&mut self.unwoken);
        }
    }
}

impl<S: Storage> Drop for SharedBatch<'_, S> {
    #[inline]
    fn drop(&mut self) {
        self.channel.wake_for(&mut self.unwoken);
    }
}

impl<S: Storage> fmt::Debug for SharedBatch<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBatch").field("unwoken", &self.unwoken).finish_non_exhaustive()
    }
}

impl<S: Storage> UnwindSafe for SharedBatch<'_, S> {}
impl<S: Storage> RefUnwindSafe for SharedBatch<'_, S> {}

impl<S: Storage> Runs<S> for SharedBatch<'_, S> {
    fn publish_run(&mut self, items: &[Option<S::Item>], held: &mut u64) -> Result<usize, Closed<()>> {
        match self.channel.publish_run(items, held) {
            Ok((claimed, written)) => {
                if written > 0 {
                    self.published(claimed);
                }
                Ok(written)
            }
            Err(ClaimError::Full { .. }) => {
                self.wait_for_room();
                Ok(0)
            }
            Err(ClaimError::Closed) => Err(Closed(())),
        }
    }
}

impl<S: Storage> Runs<S> for Batch<'_, S> {
    fn publish_run(&mut self, items: &[Option<S::Item>], _: &mut u64) -> Result<usize, Closed<()>> {
        self.channel.publish_run_exclusive(items, &mut self.unwoken).ok_or(Closed(()))
    }

    fn at_end(&self) {
        used_up();
    }
}
