//! How a subscriber waits. `blocking.rs` waits in threads, and `future.rs` in tasks.

use std::task::Waker;
use std::time::Instant;

use super::Subscriber;
use super::budget::Budget;
use super::spin::SpinPolicy;
use crate::slots::Storage;
use crate::wait::{Park, WaitKey};

impl<S: Storage> Subscriber<S> {
    /// Registers `waker` for the next message. The caller must receive once more before it returns
    /// `Pending`.
    pub(super) fn register_waker(&mut self, waker: &Waker) -> Park {
        self.local.waker_registered = true;
        let waker_poisoned = std::mem::replace(&mut self.local.waker_poisoned, true);
        let park = self.channel.waiters.register_waker(&self.registration().waiter, waker);
        self.local.waker_poisoned = waker_poisoned;
        if waker_poisoned { Park::Polling } else { park }
    }

    /// Removes the waker of a task that waits no more.
    pub(super) fn deregister_waker(&mut self) {
        if self.local.waker_registered {
            self.local.waker_registered = false;
            self.registration().waiter.forget_waker();
        }
    }

    /// Marks the subscriber as parked: its task returns `Pending`.
    pub(super) fn set_pending(&self) {
        self.registration().waiter.set_pending();
    }

    /// Announces that the calling thread is about to sleep. The caller must receive once more
    /// before `commit_wait`.
    pub(super) fn prepare_wait(&self) -> WaitKey {
        self.channel.waiters.prepare_wait()
    }

    /// Sleeps until woken or until `deadline`. It may return early.
    pub(super) fn commit_wait(&self, key: WaitKey, deadline: Option<Instant>) {
        let waiter = &self.registration().waiter;
        waiter.set_asleep(true);
        self.channel.waiters.commit_wait(key, deadline);
        waiter.set_asleep(false);
    }

    /// How long to spin before it parks.
    pub(super) fn spin_policy(&mut self) -> &mut SpinPolicy {
        &mut self.local.spin_policy
    }

    /// How many results its task may still take before it yields.
    #[inline]
    pub(super) fn budget(&mut self) -> &mut Budget {
        &mut self.local.budget
    }

    /// Whether the stream has returned `None`, and no `seek` followed.
    pub(super) fn has_ended(&self) -> bool {
        self.local.ended
    }

    pub(super) fn set_ended(&mut self) {
        self.local.ended = true;
    }
}
