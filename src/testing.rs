//! A publish in slow motion, so that tests can stop a publisher anywhere; and rings that start as models want them. Not part of the
//! API.
//!
//! Dropping one of these in the middle is what a publisher looks like that was suspended there for good.
//!
//! What can break a promise of the crate is `unsafe` here, even where it cannot touch memory.

#![expect(unsafe_code, reason = "declares what breaks promises when it is misused")]

use crate::builder::Builder;
use crate::channel::Channel;
use crate::publisher::SharedPublisher;
use crate::ring::Ring;
use crate::seq::LAST;
use crate::sequencer;
use crate::slots::Storage;
use crate::slots::stamp::BeginError;

/// Whether publishers fence, because somebody has parked not long ago (or the system has no barrier).
pub fn is_armed<S: Storage>(ring: &Ring<S>) -> bool {
    ring.channel().waiters.armed_after_commit()
}

/// A ring that starts without the publisher's fence even where there is no barrier. (The fence orders more than a wake-up, and hides
/// what else is missing.)
///
/// # Safety
///
/// Nobody parks on a ring made by it: no publisher would see that.
pub unsafe fn never_parked(builder: Builder) -> Builder {
    builder.never_parked()
}

/// A ring that starts as where there is a barrier.
///
/// # Safety
///
/// The process has that barrier, or a model checker's fence stands for it. Otherwise no publisher sees who parks.
pub unsafe fn with_barrier(builder: Builder) -> Builder {
    builder.with_barrier()
}

/// As if the [`gate_deadline`](Builder::gate_deadline) of a full ring were over, for models that have no clock.
///
/// # Safety
///
/// The owners of gating subscribers expect it: they may lose messages from now on.
pub unsafe fn expire_gate_deadline<S: Storage>(ring: &Ring<S>) {
    ring.channel().force_deadline();
}

/// As if a thread had begun to drop what was read, and was suspended for good as it was about to take messages out of their slots.
///
/// # Safety
///
/// No other thread is dropping what was read.
pub unsafe fn stop_in_a_walk<S: Storage>(ring: &Ring<S>) {
    ring.channel().stop_in_a_walk();
}

/// A sequence that was drawn.
#[allow(missing_debug_implementations)]
pub struct Claim<'a, S: Storage> {
    channel: &'a Channel<S>,
    sequence: u64,
}

/// A slot in the middle of a write.
#[allow(missing_debug_implementations)]
pub struct Write<'a, S: Storage> {
    channel: &'a Channel<S>,
    write: sequencer::Write<'a, S>,
}

/// Draws a sequence; `None` when the ring is closed, or full.
///
/// # Safety
///
/// Fewer publishes are left unfinished than the ring has slots, or nobody else publishes. Otherwise no publisher can go on.
pub unsafe fn claim<S: Storage>(publisher: &SharedPublisher<S>) -> Option<Claim<'_, S>> {
    let channel = publisher.channel();
    channel.claim().ok().map(|sequence| Claim { channel, sequence })
}

/// Goes on with a sequence that was drawn through this publisher and leaked, as another thread.
///
/// # Safety
///
/// [`claim`] drew `sequence` from this ring, its `Claim` was leaked, and this is the only time that it is gone on with. Otherwise two
/// publishers write to one slot.
pub unsafe fn resume<S: Storage>(publisher: &SharedPublisher<S>, sequence: u64) -> Claim<'_, S> {
    assert!(sequence <= LAST, "`sequence` must be at most {LAST}, not {sequence}");
    Claim { channel: publisher.channel(), sequence }
}

impl<'a, S: Storage> Claim<'a, S> {
    /// Its sequence.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Takes the slot; `None` when it was skipped or overrun.
    pub fn begin(self) -> Option<Write<'a, S>> {
        match self.channel.sequencer.begin(self.sequence) {
            Ok(write) => Some(Write { channel: self.channel, write }),
            Err(BeginError::Overrun) => None,
            Err(BeginError::Held) => {
                self.channel.skip(self.sequence);
                None
            }
        }
    }
}

impl<S: Storage> Write<'_, S> {
    /// Finishes the publish.
    pub fn commit(self, item: S::Item) {
        let (mut pool, mut garbage) = (S::Pool::default(), S::Garbage::default());
        let sequence = self.write.sequence();
        let slots = self.channel.sequencer.slots();
        slots.prepare_exclusive(&mut pool, item, &mut garbage, |prepared, garbage| {
            self.channel.retire_displaced(self.write.commit(prepared), garbage);
        });
        slots.retire(&mut pool, &self.channel.registry, false, &mut garbage);
        self.channel.wake(sequence..sequence + 1);
        drop(garbage);
    }
}
