//! Publishes in separate steps, so that tests can suspend a publisher anywhere, and rings that
//! start as models need them. Not part of the API.
//!
//! A step that is dropped in the middle acts as a publisher that was suspended there for good.
//!
//! A function that can break a promise of the crate is `unsafe` here, even if it cannot corrupt
//! memory.

#![expect(unsafe_code, reason = "declares functions that break promises when they are misused")]

use crate::builder::Builder;
use crate::channel::Channel;
use crate::publisher::SharedPublisher;
use crate::ring::Ring;
use crate::seq::LAST;
use crate::sequencer;
use crate::slots::Storage;
use crate::slots::stamp::BeginError;

/// Returns whether publishers fence, because a subscriber has parked recently or the system has no
/// barrier.
pub fn is_armed<S: Storage>(ring: &Ring<S>) -> bool {
    ring.channel().waiters.armed_after_commit()
}

/// Makes a ring that starts without the publishers' fence even where there is no barrier. The fence
/// orders more than a wake-up, and would hide other orderings that are missing.
///
/// # Safety
///
/// No subscriber may park on a ring made by it, because no publisher would see it.
/// Nobody parks on a ring made by it: no publisher would see that.
pub unsafe fn never_parked(builder: Builder) -> Builder {
    builder.never_parked()
}

/// Makes a ring that starts as on a system with a barrier.
///
/// # Safety
///
/// The process must have that barrier, or the fence of a model checker must stand for it. Otherwise
/// no publisher sees a parker.
pub unsafe fn with_barrier(builder: Builder) -> Builder {
    builder.with_barrier()
}

/// Acts as if the [`gate_deadline`](Builder::gate_deadline) of a full ring had passed. For models,
/// which have no clock.
///
/// # Safety
///
/// The owners of gating subscribers must expect it, because they may lose messages from now on.
pub unsafe fn expire_gate_deadline<S: Storage>(ring: &Ring<S>) {
    ring.channel().force_deadline();
}

/// Acts as a thread that began to drop what was read, and was suspended for good when it was about
/// to take messages out of their slots.
///
/// # Safety
///
/// No other thread may be dropping what was read.
pub unsafe fn stop_in_a_walk<S: Storage>(ring: &Ring<S>) {
    ring.channel().stop_in_a_walk();
}

/// A claimed sequence.
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

/// Claims a sequence. Returns `None` if the ring is closed or full.
///
/// # Safety
///
/// Fewer publishes than the ring has slots may be left unfinished, or no other thread may publish.
/// Otherwise no publisher can continue.
pub unsafe fn claim<S: Storage>(publisher: &SharedPublisher<S>) -> Option<Claim<'_, S>> {
    let channel = publisher.channel();
    channel.claim().ok().map(|sequence| Claim { channel, sequence })
}

/// Continues with a sequence that was claimed through this publisher and leaked, on behalf of
/// another thread.
///
/// # Safety
///
/// [`claim`] must have returned `sequence` for this ring, its `Claim` must have been leaked, and
/// `resume` may be called only once for it. Otherwise two publishers write to one slot.
///
/// # Panics
///
/// If `sequence` is beyond the largest sequence of a ring.
pub unsafe fn resume<S: Storage>(publisher: &SharedPublisher<S>, sequence: u64) -> Claim<'_, S> {
    assert!(sequence <= LAST, "`sequence` must be at most {LAST}, not {sequence}");
    Claim { channel: publisher.channel(), sequence }
}

impl<'a, S: Storage> Claim<'a, S> {
    /// Returns the claimed sequence.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Takes the slot. Returns `None` if it was skipped or overrun.
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
    /// Commits `item` and wakes subscribers.
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
