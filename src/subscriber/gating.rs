//! Gating subscribers, which publishers wait for.

use std::ops::Range;

use super::Subscriber;
use crate::channel::Channel;
use crate::error::SubscribeError;
use crate::registry::{GateState, Registration};
use crate::seq;
use crate::slots::Storage;
use crate::start::Start;
use crate::sync::Arc;
use crate::wait::Waiter;

impl<S: Storage> Subscriber<S> {
    /// A subscriber that gates from `start`. Messages before the tail may be overwritten meanwhile.
    pub(crate) fn gating(channel: Arc<Channel<S>>, start: Start) -> Result<Self, SubscribeError> {
        let Some(gate) = &channel.gate else { return Err(SubscribeError::NotGated) };
        let at = match start {
            Start::At(sequence) if sequence < channel.sequencer.oldest() => {
                return Err(SubscribeError::Evicted { oldest: channel.sequencer.oldest() });
            }
            start => channel.resolve(start),
        };
        let registration = channel.registry.register(at, Waiter::new(), GateState::gating());
        gate.join(&registration);
        let decoy = Arc::clone(&gate.decoy);
        let mut subscriber = Self::with(channel, decoy, Some(registration), at);
        // Publishers may have published since `at` was looked up. From here on they wait.
        match start {
            Start::Oldest => subscriber.seek(Start::At(subscriber.channel.sequencer.oldest().max(at))),
            Start::At(sequence) => {
                let oldest = subscriber.channel.sequencer.oldest();
                if sequence < oldest {
                    return Err(SubscribeError::Evicted { oldest });
                }
                // A sequence beyond the tail means the tail, which may have moved since.
                if at < sequence {
                    subscriber.seek(start);
                }
            }
            Start::Latest => subscriber.seek(Start::Latest),
        }
        Ok(subscriber)
    }

    /// Returns `true` if publishers wait for this subscriber instead of overwriting what it has
    /// not read.
    ///
    /// It is `false` for lossy subscribers, and for a gating one that was
    /// [demoted](crate::Builder::gate_deadline). Publishers may demote it at any time.
    ///
    /// # Examples
    ///
    /// ```
    /// let (publisher, lossy) = seqcast::Builder::new(4).gated().inline::<u32>();
    /// let gating = publisher.ring().subscribe_gating()?;
    /// assert!(gating.is_gating() && gating.clone().is_gating());
    /// assert!(!lossy.is_gating());
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn is_gating(&self) -> bool {
        self.local.gating.as_ref().is_some_and(|registration| registration.gate.is_gating())
    }

    /// A second gating subscriber at the same cursor.
    pub(super) fn clone_gating(&self) -> Self {
        let next = self.next_sequence();
        let registration = self.channel.registry.register(next, Waiter::new(), GateState::gating());
        if let Some(gate) = &self.channel.gate {
            gate.join(&registration);
        }
        Self::with(Arc::clone(&self.channel), Arc::clone(&self.lossy), Some(registration), next)
    }

    /// Wakes publishers that wait for room, after the messages `received` were received.
    #[inline]
    pub(super) fn made_room(&self, received: Range<u64>) {
        if self.local.gating.is_some() {
            self.channel.made_room(received);
        }
    }

    #[cold]
    pub(super) fn become_lossy_if_demoted(&mut self) {
        if let Some(demoted) = self.local.gating.take_if(|registration| registration.gate.is_demoted()) {
            self.lossy = demoted;
        }
    }

    /// Moves the cursor by anything but a receive. Restarts the deadline, and wakes publishers
    /// that now have room.
    #[cold]
    pub(super) fn gate_jumps(&self, from: u64, to: u64) {
        let (Some(registration), Some(gate)) = (&self.local.gating, &self.channel.gate) else { return };
        if from != to {
            // Before the cursor moves: a publisher that sees the new cursor sees the restarted
            // clock.
            gate.restart(registration);
        }
        registration.cursor.jump_to(to);
        if from < to {
            self.channel.made_room(from..to);
        }
    }

    /// Makes publishers wait no longer.
    pub(super) fn leave_gate(&self) {
        if let (Some(registration), Some(gate)) = (&self.local.gating, &self.channel.gate) {
            gate.leave(registration);
            self.channel.wake_publishers();
        }
    }

    /// The registration that is in the registry, which is not the decoy.
    #[inline]
    pub(super) fn registration(&self) -> &Arc<Registration> {
        // The decoy is recognized by its cursor, on a cache line that a receive has loaded anyway.
        // The cursor of a subscriber that has read all sequences has the same value.
        if self.lossy.cursor.next_unsync() <= seq::LAST {
            &self.lossy
        } else {
            self.local.gating.as_ref().unwrap_or(&self.lossy)
        }
    }
}
