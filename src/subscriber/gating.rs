//! Subscribers that publishers wait for.

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
    /// A subscriber that gates from `start` on, as far as messages before the tail are still there.
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
        // Publishers may have gone on since `at` was looked up. From here on they wait.
        match start {
            Start::Oldest => subscriber.seek(Start::At(subscriber.channel.sequencer.oldest().max(at))),
            Start::At(sequence) => {
                let oldest = subscriber.channel.sequencer.oldest();
                if sequence < oldest {
                    return Err(SubscribeError::Evicted { oldest });
                }
                // A sequence beyond the tail means the tail, which may have moved.
                if at < sequence {
                    subscriber.seek(start);
                }
            }
            Start::Latest => subscriber.seek(Start::Latest),
        }
        Ok(subscriber)
    }

    /// Whether publishers wait for this subscriber rather than overwrite what it has not read.
    ///
    /// `false` for lossy subscribers, and for a gating one that was [demoted](crate::Builder::gate_deadline). Another thread may
    /// demote it at any time.
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

    /// A second gate at the same cursor.
    pub(super) fn clone_gating(&self) -> Self {
        let next = self.next_sequence();
        let registration = self.channel.registry.register(next, Waiter::new(), GateState::gating());
        if let Some(gate) = &self.channel.gate {
            gate.join(&registration);
        }
        Self::with(Arc::clone(&self.channel), Arc::clone(&self.lossy), Some(registration), next)
    }

    /// The messages `received` were received.
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

    /// Moves the cursor by anything but a message. The deadline begins anew, and publishers that wait may have room.
    #[cold]
    pub(super) fn gate_jumps(&self, from: u64, to: u64) {
        let (Some(registration), Some(gate)) = (&self.local.gating, &self.channel.gate) else { return };
        if from != to {
            // Before the cursor: a publisher that finds the one finds the other.
            gate.restart(registration);
        }
        registration.cursor.jump_to(to);
        if from < to {
            self.channel.made_room(from..to);
        }
    }

    /// Publishers no longer wait for it.
    pub(super) fn leave_gate(&self) {
        if let (Some(registration), Some(gate)) = (&self.local.gating, &self.channel.gate) {
            gate.leave(registration);
            self.channel.wake_publishers();
        }
    }

    /// The registration that shows in the statistics.
    #[inline]
    pub(super) fn registration(&self) -> &Arc<Registration> {
        // The decoy's cursor says it, on a line that a receive has at hand. (So does that of a reader that has read all sequences.)
        if self.lossy.cursor.next_unsync() <= seq::LAST {
            &self.lossy
        } else {
            self.local.gating.as_ref().unwrap_or(&self.lossy)
        }
    }
}
