//! Publishing several messages with one wake-up.

use std::fmt;
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::handle::Handle;
use crate::channel::Channel;
use crate::error::{Closed, TryPublishError};
use crate::sequencer::ClaimError;
use crate::slots::Storage;

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
}

impl<S: Storage> Drop for Batch<'_, S> {
    #[inline]
    fn drop(&mut self) {
        if !self.unwoken.is_empty() {
            self.channel.wake(self.unwoken.clone());
        }
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
    pub(super) fn publish_all(&mut self, values: impl Iterator<Item = S::Item>) -> usize {
        let mut published = 0;
        for value in values {
            match self.publish_unwoken(value) {
                Ok(_) => {}
                Err(TryPublishError::Closed(_)) => break,
                Err(TryPublishError::Full(value)) => {
                    if self.publish_waiting(value).is_err() {
                        break;
                    }
                }
            }
            published += 1;
        }
        published
    }

    /// Publishes all of `values`, up to `N` by one claim, until the ring is closed. Returns how many were published.
    pub(super) fn publish_runs<const N: usize>(mut self, mut values: impl Iterator<Item = S::Item>) -> usize {
        let limit = N.min(self.channel.run_limit());
        if limit == 1 {
            return self.publish_all(values);
        }
        let mut run = Run::<S, N> { batch: self, items: [const { None }; N], len: 0, published: 0 };
        loop {
            while run.len < limit {
                let Some(value) = values.next() else {
                    run.publish();
                    return run.published;
                };
                run.items[run.len] = Some(value);
                run.len += 1;
            }
            if !run.publish() {
                return run.published;
            }
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
    pub(super) fn wait_for_room(&mut self) {
        self.channel.wake_for(&mut self.unwoken);
        self.channel.wait_for_room(None);
    }

    /// Notes messages that subscribers are to be woken for.
    #[inline]
    pub(super) fn published(&mut self, sequences: Range<u64>) {
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
        if !self.unwoken.is_empty() {
            self.channel.wake(self.unwoken.clone());
        }
    }
}

impl<S: Storage> fmt::Debug for SharedBatch<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBatch").field("unwoken", &self.unwoken).finish_non_exhaustive()
    }
}

impl<S: Storage> UnwindSafe for SharedBatch<'_, S> {}
impl<S: Storage> RefUnwindSafe for SharedBatch<'_, S> {}

/// Messages taken from an iterator, to be published by one claim. If the iterator panics, they are published all the same.
struct Run<'a, S: Storage, const N: usize> {
    batch: SharedBatch<'a, S>,
    /// The first `len` of them are there.
    items: [Option<S::Item>; N],
    len: usize,
    published: usize,
}

impl<S: Storage, const N: usize> Run<'_, S, N> {
    /// Publishes what is there. `false` if the ring is closed: the rest is dropped.
    fn publish(&mut self) -> bool {
        let (mut from, len, mut held) = (0, std::mem::take(&mut self.len), 0);
        while from < len {
            let batch = &mut self.batch;
            match batch.channel.publish_run(&self.items[from..len], &mut held) {
                Ok((claimed, written)) => {
                    if written > 0 {
                        batch.published(claimed);
                    }
                    from += written;
                    self.published += written;
                }
                Err(ClaimError::Full { .. }) => batch.wait_for_room(),
                Err(ClaimError::Closed) => return false,
            }
        }
        true
    }
}

impl<S: Storage, const N: usize> Drop for Run<'_, S, N> {
    fn drop(&mut self) {
        self.publish();
    }
}
