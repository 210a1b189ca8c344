//! A thread that runs a check when asked and at a given time. It is started when it is first
//! needed.

use std::thread::{self, Thread};
use std::time::Instant;

use super::Arc;
use super::native::{AtomicBool, Ordering, Snapshot, fence};

/// The handle by which other threads reach the alarm thread.
pub(crate) struct Alarm {
    /// Set by a thread that needs a check. Cleared by the alarm thread when there is nothing to
    /// check.
    is_set: AtomicBool,
    is_started: AtomicBool,
    thread: Snapshot<Option<Thread>>,
}

impl Default for Alarm {
    fn default() -> Self {
        Self {
            is_set: AtomicBool::new(false),
            is_started: AtomicBool::new(false),
            thread: Snapshot::new(Arc::new(None)),
        }
    }
}

impl Alarm {
    /// Requests a check soon, and starts the thread with `run` if there is none. Returns `false` if
    /// no thread can be started.
    pub(crate) fn set(&self, run: impl FnOnce() + Send + 'static) -> bool {
        // [alarm.set-fence] SeqCst: pairs with the fence in `clear`. Either the check after that
        // fence sees what the caller has seen, or the caller finds the alarm cleared.
        fence(Ordering::SeqCst);
        // [alarm.set] Relaxed: comes after the fence.
        if self.is_set.swap(true, Ordering::Relaxed) {
            return true;
        }
        // [alarm.start] Relaxed: one word decides which caller starts the thread.
        if self.is_started.swap(true, Ordering::Relaxed) {
            self.unpark();
            return true;
        }
        let started = thread::Builder::new().name("seqcast-gate".to_owned()).spawn(run).is_ok();
        if !started {
            // [alarm.unstart] Relaxed: one word, as above
            self.is_started.store(false, Ordering::Relaxed);
            // [alarm.unset] Relaxed: the next caller tries
            self.is_set.store(false, Ordering::Relaxed);
        }
        started
    }

    /// Makes the calling alarm thread wakeable. The alarm thread calls it before its first check.
    pub(crate) fn attach(&self) {
        self.thread.set(Arc::new(Some(thread::current())));
        // [alarm.attach-fence] SeqCst: pairs with `wake.fence` of the thread that ends the ring and
        // then calls `unpark`. Either that thread finds this one, or this one finds the ring
        // closed.
        fence(Ordering::SeqCst);
    }

    /// Clears the alarm. The alarm thread calls it when it found nothing to check, and then checks
    /// once more.
    pub(crate) fn clear(&self) {
        self.is_set.store(false, Ordering::Relaxed); // [alarm.clear] Relaxed: before the fence
        // [alarm.clear-fence] SeqCst: pairs with the fence in `set`.
        fence(Ordering::SeqCst);
    }

    /// Wakes the alarm thread, if there is one, for a check.
    pub(crate) fn unpark(&self) {
        if let Some(thread) = &*self.thread.load() {
            thread.unpark();
        }
    }

    /// Suspends the calling alarm thread until it is unparked or until `until`. It may return
    /// early.
    pub(crate) fn sleep(until: Option<Instant>) {
        match until {
            Some(until) => thread::park_timeout(until.saturating_duration_since(Instant::now())),
            None => thread::park(),
        }
    }
}
