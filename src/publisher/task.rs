//! A task that waits for room in a gated ring.

use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::channel::{Channel, Room};
use crate::gate::Gate;
use crate::slots::Storage;
use crate::sync::Arc;
use crate::wait::{Park, Waiter};

/// How often one poll tries for room that others take before it.
const ATTEMPTS: u32 = 8;

/// The place of one task among those that wait for room.
#[derive(Debug, Default)]
pub(super) struct TaskWait {
    /// Made when it first waits.
    waiter: Option<Arc<Waiter>>,
    /// Since when it waits.
    since: Option<Instant>,
}

impl TaskWait {
    /// Waits for `attempt`, which has just returned `None`, as there is no room.
    pub(super) fn poll<S: Storage, R>(
        &mut self,
        channel: &Arc<Channel<S>>,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut() -> Option<R>,
    ) -> Poll<R> {
        let Some(gate) = channel.gate.as_deref() else { unreachable!("an ordinary ring is full") };
        self.since.get_or_insert_with(Instant::now);
        for _ in 0..ATTEMPTS {
            let park = self.register(gate, cx.waker());
            if let Some(done) = attempt() {
                self.end(channel);
                return Poll::Ready(done);
            }
            // Room that others took before this one could: it tries again.
            let Room::None(until) = channel.insist_on_room() else { continue };
            if park == Park::Polling || !channel.watch(until) {
                // No clock of our own to look again by: the runtime has to.
                cx.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Has `waker` woken when there is room. The ring is to be looked at once more before anybody sleeps.
    fn register(&mut self, gate: &Gate, waker: &Waker) -> Park {
        // If a waker panics while it is put in place, that place is unusable: the next one is new.
        let waiter = self.waiter.take().unwrap_or_else(|| Arc::new(Waiter::new()));
        let park = gate.waiters.register_waker(&waiter, waker);
        self.waiter = Some(waiter);
        park
    }

    /// The task waits no more.
    pub(super) fn end<S: Storage>(&mut self, channel: &Channel<S>) {
        let (Some(gate), Some(since)) = (&channel.gate, self.since.take()) else { return };
        gate.add_waited(since);
        let Some(waiter) = &self.waiter else { return };
        waiter.forget_waker();
        if gate.waiters.note_dropped(waiter, channel.registry.len()) {
            channel.wake_publishers();
        }
    }
}
