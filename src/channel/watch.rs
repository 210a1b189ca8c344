//! The gate deadline where only tasks wait: they have no clock, so the ring has a thread that does.

use std::time::Instant;

use super::{Channel, Room};
use crate::slots::Storage;
use crate::sync::{Alarm, Weak};

impl<S: Storage> Channel<S> {
    /// Has somebody look for room at `until`, on behalf of a task. `false` if the ring can have no thread for that.
    pub(crate) fn watch(&self, until: Option<Instant>) -> bool {
        let Some(gate) = self.gate.as_deref().filter(|_| until.is_some()) else { return true };
        let me = Weak::clone(&self.me);
        let is_set = gate.alarm.set(move || watch(&me));
        if !is_set {
            // Another task may have relied on it meanwhile.
            self.wake_publishers();
        }
        is_set
    }

    /// When a look is due, after one that has demoted whoever held publishers back for too long.
    fn next_look(&self) -> Option<Instant> {
        let gate = self.gate.as_ref()?;
        // In this order: a task counts itself before it parks. What is parked may be left by one that waits no more.
        if !gate.waiters.has_parked() || !gate.has_tasks() {
            return None;
        }
        match self.insist_on_room() {
            Room::None(until) => until,
            Room::Some(_) => {
                // Whoever made it may have been suspended before it could wake anybody. Tasks set the alarm again.
                self.wake_publishers();
                None
            }
        }
    }
}

/// What that thread does until the ring is closed.
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
