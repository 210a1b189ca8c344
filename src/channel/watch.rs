//! The gate deadline where only tasks wait. Tasks have no clock, so the ring has a thread that
//! checks the deadline.

use std::time::Instant;

use super::{Channel, Room};
use crate::slots::Storage;
use crate::sync::{Alarm, Weak};

impl<S: Storage> Channel<S> {
    /// Has the alarm thread check for room at `until`, on behalf of a task. Returns `false` if the
    /// ring can start no thread.
    pub(crate) fn watch(&self, until: Option<Instant>) -> bool {
        let Some(gate) = self.gate.as_deref().filter(|_| until.is_some()) else { return true };
        let me = Weak::clone(&self.me);
        let is_set = gate.alarm.set(move || watch(&me));
        if !is_set {
            // Another task may have relied on the alarm meanwhile.
            self.wake_publishers();
        }
        is_set
    }

    /// Checks for room, and demotes gates that have held publishers back for the whole deadline.
    /// Returns when the next check is due.
    fn next_look(&self) -> Option<Instant> {
        let gate = self.gate.as_ref()?;
        // In this order, because a task counts itself before it parks. A parked waiter may belong
        // to a task that no longer waits.
        if !gate.waiters.has_parked() || !gate.has_tasks() {
            return None;
        }
        match self.wake_readers_and_find_room() {
            Room::None(until) => until,
            Room::Some(_) => {
                // The thread that made the room may have been suspended before it woke a publisher.
                // Tasks set the alarm again.
                self.wake_publishers();
                None
            }
        }
    }
}

/// The code of the alarm thread. It runs until the ring is closed.
fn watch<S: Storage>(channel: &Weak<Channel<S>>) {
    if let Some(gate) = channel.upgrade().as_deref().and_then(|channel| channel.gate.as_deref()) {
        gate.alarm.attach();
    }
    loop {
        let Some(channel) = channel.upgrade() else { return };
        let Some(gate) = channel.gate.as_deref() else { return };
        if channel.sequencer.is_closed() {
            return;
        }
        let until = channel.next_look().or_else(|| {
            gate.alarm.clear();
            channel.next_look()
        });
        drop(channel);
        Alarm::sleep(until);
    }
}
