//! Publishing several messages with one wake-up.

use std::fmt;
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::handle::Handle;
use crate::channel::{Channel, used_up};
use crate::error::{Closed, TryPublishError};
use crate::sequencer::ClaimError;
use crate::slots::Storage;
use crate::sync::WORTH_A_RUN;

/// Publishes messages at once, and wakes parked subscribers when it is dropped.
///
/// Made by [`Publisher::batch`](crate::Publisher::batch).
#[must_use = "dropping it wakes subscribers: keep it until the last message is published"]
pub struct Batch<'a, S: Storage> {
    // The parts of its handle: each message would load them from there.
    channel: &'a Channel<S>,
    pool: &'a mut S::Pool,
    /// Published since the last wake-up.
    unwoken: Range<u64>,
}

impl<'a, S: Storage> Batch<'a, S> {
    /// Begins at `next`, the sequence of the next message.
    #[inline]
    pub(super) fn new(handle: &'a mut Handle<S>, next: u64) -> Self {
        let (channel, pool) = handle.parts();
        Self { channel, pool, unwoken: next..next }
    }

    /// Publishes a message and returns its sequence, as [`Publisher::publish`](crate::Publisher::publish) does, but leaves parked
    /// subscribers asleep.
    ///
    /// On a [gated](crate::Builder::gated) ring it waits for gating subscribers, and wakes parked subscribers before it waits.
    ///
    /// # Panics
    ///
    /// As [`Publisher::publish`](crate::Publisher::publish).
    #[inline]
    pub fn publish(&mut self, value: S::Item) -> u64 {
        // Dropped last: that may take its time.
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
        // An iterator that makes its values may hand them on without putting them down.
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

// As the publishers.
impl<S: Storage> UnwindSafe for Batch<'_, S> {}
impl<S: Storage> RefUnwindSafe for Batch<'_, S> {}

/// Publishes messages at once, beside other publishers, and wakes parked subscribers when it is dropped.
///
/// Made by [`SharedPublisher::batch`](crate::SharedPublisher::batch).
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

    /// Publishes a message and returns its sequence, as [`SharedPublisher::publish`](crate::SharedPublisher::publish) does, but leaves
    /// parked subscribers asleep.
    ///
    /// On a [gated](crate::Builder::gated) ring it waits for gating subscribers, and wakes parked subscribers before it waits. While
    /// other publishers wait for room, it wakes subscribers after each message: the code that follows may wait for such a publisher.
    ///
    /// # Errors
    ///
    /// As [`SharedPublisher::publish`](crate::SharedPublisher::publish).
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
        // As in `Batch::publish_all`. The first that is refused ends it.
        let _ = values.try_for_each(|value| self.publish(value).map(|_| published += 1));
        published
    }

    /// Publishes all of `values`, up to `N` by one claim, until the ring is closed. Returns how many were published.
    pub(super) fn publish_runs<const N: usize>(mut self, values: impl Iterator<Item = S::Item>) -> usize {
        match N.min(self.channel.run_limit()) {
            1 => self.publish_all(values),
            limit => Run::<S, Self, N>::new(&mut self).publish_all(values, limit),
        }
    }

    /// Publishes without a wake-up, unless publishers wait, and does not wait itself.
    #[inline]
    fn publish_unwoken(&mut self, value: S::Item) -> Result<u64, TryPublishError<S::Item>> {
        // Dropped last, after a wake-up: that may take its time, or wait for a publisher that waits for a reader.
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

    /// Wakes for what was published, and waits for room.
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
        // The caller's code may block on a publisher that waits for a reader of this message.
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

/// How many messages of an iterator with these bounds are published by one claim. 1 if its length is unknown: it may take its time
/// between two messages.
#[inline]
pub(super) fn run_of<S: Storage>((least, most): (usize, Option<usize>)) -> usize {
    if Some(least) == most && least >= WORTH_A_RUN { S::RUN } else { 1 }
}

/// A batch that publishes several messages by one claim.
trait Runs<S: Storage> {
    /// Publishes the first of `items`, and returns how many; or waits until there may be room. `held` counts the sequences that were
    /// skipped since the last message.
    fn publish_run(&mut self, items: &[Option<S::Item>], held: &mut u64) -> Result<usize, Closed<()>>;

    /// What a publish does when the ring takes no more: returns, or panics.
    fn at_end(&self) {}
}

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

/// Messages taken from an iterator, to be published by one claim. If the iterator panics, they are published all the same.
struct Run<'b, S: Storage, B: Runs<S>, const N: usize> {
    batch: &'b mut B,
    /// The first `len` of them are there.
    items: [Option<S::Item>; N],
    len: usize,
    published: usize,
}

impl<'b, S: Storage, B: Runs<S>, const N: usize> Run<'b, S, B, N> {
    fn new(batch: &'b mut B) -> Self {
        Self { batch, items: [const { None }; N], len: 0, published: 0 }
    }

    /// Publishes all of `values`, up to `limit` by one claim, until the ring is closed. Returns how many were published.
    fn publish_all(mut self, mut values: impl Iterator<Item = S::Item>, limit: usize) -> usize {
        let mut has_more = true;
        while has_more {
            while has_more && self.len < limit {
                match values.next() {
                    Some(value) => {
                        self.items[self.len] = Some(value);
                        self.len += 1;
                    }
                    None => has_more = false,
                }
            }
            if !self.publish() {
                self.batch.at_end();
                break;
            }
        }
        self.published
    }

    /// Publishes what is there. `false` if the ring is closed: the rest is dropped.
    fn publish(&mut self) -> bool {
        let (mut from, len, mut held) = (0, std::mem::take(&mut self.len), 0);
        while from < len {
            let Ok(written) = self.batch.publish_run(&self.items[from..len], &mut held) else { return false };
            from += written;
            self.published += written;
        }
        true
    }
}

impl<S: Storage, B: Runs<S>, const N: usize> Drop for Run<'_, S, B, N> {
    /// It does not panic at the end of the ring: the iterator may be panicking.
    fn drop(&mut self) {
        self.publish();
    }
}
