//! A task that waits for room in a gated ring.

use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::channel::{Channel, Room};
use crate::gate::Gate;
use crate::slots::Storage;
use crate::sync::Arc;
use crate::wait::{Park, Waiter};

/// How often one poll tries to take room before it yields, if other publishers take it first.
const ATTEMPTS: u32 = 8;

/// How often a task yields to others before it takes room.
const MAX_YIELDS: u8 = 2;

/// One task's wait for room.
#[derive(Debug, Default)]
pub(super) struct TaskWait {
    /// Made at the first wait.
    waiter: Option<Arc<Waiter>>,
    /// When the current wait began.
    since: Option<Instant>,
    /// How often the task has yielded to others.
    yields: u8,
}

impl TaskWait {
    /// Whether a task that begins to publish must return `Pending` first, because others wait
    /// already. Its waker was then woken. The tasks that were woken for the present room may not
    /// have run yet, and would otherwise never find any.
    ///
    /// It yields twice. The first time, the reader may run after the others, and this task before
    /// the tasks that the reader wakes.
    pub(super) fn lets_others_first<S: Storage>(&mut self, channel: &Channel<S>, cx: &Context<'_>) -> bool {
        let others_wait = channel.gate.as_ref().is_some_and(|gate| gate.has_tasks());
        // In a full ring, the task waits like the others.
        if !others_wait || self.since.is_some() || self.yields == MAX_YIELDS || !channel.finds_room() {
            self.yields = 0;
            return false;
        }
        self.yields += 1;
        cx.waker().wake_by_ref();
        true
    }

    /// Waits for `attempt` to succeed. It has just returned `None`, because there is no room.
    pub(super) fn poll<S: Storage, R>(
        &mut self,
        channel: &Arc<Channel<S>>,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut() -> Option<R>,
    ) -> Poll<R> {
        let Some(gate) = channel.gate.as_deref() else { unreachable!("an ordinary ring is never full") };
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
            // There was room, and others took it.
            let Room::None(until) = channel.wake_readers_and_find_room() else { continue };
            if park == Park::Polling || !channel.watch(until) {
                // Nothing will wake the task in time, so the runtime has to poll it again.
                cx.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Registers `waker` for room. The caller must try once more before it returns `Pending`.
    fn register(&mut self, gate: &Gate, waker: &Waker) -> Park {
        // If a waker panics while it is registered, its `Waiter` is unusable, and the next call
        // makes a new one.
        let waiter = self.waiter.take().unwrap_or_else(|| Arc::new(Waiter::new()));
        let park = gate.waiters.register_waker(&waiter, waker);
        self.waiter = Some(waiter);
        park
    }

    /// Ends the wait, if there is one.
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
