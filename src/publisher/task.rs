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

/// How often a task lets others go first.
const MAX_YIELDS: u8 = 2;

/// The place of one task among those that wait for room.
#[derive(Debug, Default)]
pub(super) struct TaskWait {
    /// Made when it first waits.
    waiter: Option<Arc<Waiter>>,
    /// Since when it waits.
    since: Option<Instant>,
    /// How often it has let others go first.
    yields: u8,
}

impl TaskWait {
    /// Whether a task that begins to publish returns `Pending` first, its waker woken, as others wait already: those that were woken for
    /// the room that there is may not have run yet, and would never find any.
    ///
    /// Twice: the first time the reader may run after the others, and this task before those that the reader wakes.
    pub(super) fn lets_others_first<S: Storage>(&mut self, channel: &Channel<S>, cx: &Context<'_>) -> bool {
        let others_wait = channel.gate.as_ref().is_some_and(|gate| gate.has_tasks());
        // In a full ring it joins those who wait.
        if !others_wait || self.since.is_some() || self.yields == MAX_YIELDS || !channel.finds_room() {
            self.yields = 0;
            return false;
        }
        self.yields += 1;
        cx.waker().wake_by_ref();
        true
    }

    /// Waits for `attempt`, which has just returned `None`, as there is no room.
    pub(super) fn poll<S: Storage, R>(
        &mut self,
        channel: &Arc<Channel<S>>,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut() -> Option<R>,
    ) -> Poll<R> {
        let Some(gate) = channel.gate.as_deref() else { unreachable!("an ordinary ring is full") };
        if self.since.is_none() {
            self.since = Some(Instant::now());
            gate.add_task();
        }
        for _ in 0..ATTEMPTS {
            let park = self.register(gate, cx.waker());
            if let Some(done) = attempt() {
                self.end(channel);
                return Poll::Ready(done);
            }
            // Room that others took before this one could: it tries again.
            let Room::None(until) = channel.wake_readers_and_find_room() else { continue };
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
        gate.remove_task(since);
        let Some(waiter) = &self.waiter else { return };
        waiter.forget_waker();
        if gate.waiters.note_dropped(waiter, channel.registry.len()) {
            channel.wake_publishers();
        }
    }
}
