//! A thread that looks at something from time to time, started when it is first needed.

use std::thread::{self, Thread};
use std::time::Instant;

use super::Arc;
use super::native::{AtomicBool, Ordering, Snapshot, fence};

/// Such a thread, as those who need it see it.
pub(crate) struct Alarm {
    /// Set by who needs a look; cleared by the thread when there is nothing to look at.
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
    /// Has the thread look soon, and starts it with `run` if there is none. `false` if none can be started.
    pub(crate) fn set(&self, run: impl FnOnce() + Send + 'static) -> bool {
        // [alarm.set-fence] Pairs with the fence in `rest`: either the thread's look after it finds what the caller has seen, or the caller finds
        // the alarm at rest.
        fence(Ordering::SeqCst);
        // [alarm.set] Relaxed: after the fence.
        if self.is_set.swap(true, Ordering::Relaxed) {
            return true;
        }
        // [alarm.start] Relaxed: one word.
        if self.is_started.swap(true, Ordering::Relaxed) {
            self.unpark();
            return true;
        }
        let started = thread::Builder::new().name("seqcast-gate".to_owned()).spawn(run).is_ok();
        if !started {
            self.is_started.store(false, Ordering::Relaxed); // [alarm.unstart] Relaxed: as above
            self.is_set.store(false, Ordering::Relaxed); // [alarm.unset] Relaxed: the next one tries
        }
        started
    }

    /// By the thread, before its first look: it can be woken from now on.
    pub(crate) fn attach(&self) {
        self.thread.set(Arc::new(Some(thread::current())));
        // [alarm.attach-fence] Pairs with the fence of whoever ends the ring and then calls `unpark`.
        fence(Ordering::SeqCst);
    }

    /// By the thread, which has found nothing to look at, and looks once more.
    pub(crate) fn rest(&self) {
        self.is_set.store(false, Ordering::Relaxed); // [alarm.rest] Relaxed: before the fence
        // [alarm.rest-fence] Pairs with the fence in `set`.
        fence(Ordering::SeqCst);
    }

    /// Has the thread look, if there is one.
    pub(crate) fn unpark(&self) {
        if let Some(thread) = &*self.thread.load() {
            thread.unpark();
        }
    }

    /// By the thread: sleeps until it is to look, or until `until`; may return early.
    pub(crate) fn sleep(until: Option<Instant>) {
        match until {
            Some(until) => thread::park_timeout(until.saturating_duration_since(Instant::now())),
            None => thread::park(),
        }
    }
}
