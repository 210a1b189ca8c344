//! The primitives that a program runs on.

use super::Arc;

pub(crate) use super::os::{
    Futex, fence_after_exchange, full_fence, has_barrier, heavy_barrier, light_barrier, prefetch_for_writing,
};
pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use std::hint::spin_loop;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
pub(crate) use std::thread::yield_now;
pub(crate) use std::thread_local;

/// Polls of a blocking call before it parks its thread. Together they take several times as long as
/// a message takes between two cores.
pub(crate) const SPINS: u32 = 200;

/// Further polls before it parks. Each yields first, so that threads that share the core run.
pub(crate) const YIELDS: u32 = 4;

/// A publisher claims at most `1 / RUN_SHARE` of a ring at once.
pub(crate) const RUN_SHARE: usize = 4;

/// With fewer messages than this, a publisher claims one by one. Collecting so few messages from
/// their iterator first would cost more.
pub(crate) const WORTH_A_RUN: usize = 8;

/// Sequences between two attempts to disarm. Arming runs a barrier, which takes about as long as
/// hundreds of publishes, and interrupts every core that runs a thread of the process.
pub(crate) const DISARM_PERIOD: u64 = 1 << 14;

/// Tasks that a driver wakes before it yields. They are few, so that the woken tasks run soon.
pub(crate) const WAKE_SLICE: usize = 64;

/// Lists of the registry's first table. Joining copies one of them, so each should be short.
pub(crate) const REGISTRY_SHARDS: usize = 64;

/// A subscriber that joins when this many others exist goes into the registry's second table. A
/// list of the first table has about 16 registrations then.
pub(crate) const CROWD_THRESHOLD: usize = 1 << 10;

/// Lists of the registry's second table. They take 32 KiB.
pub(crate) const CROWD_SHARDS: usize = 1 << 12;

/// Loads a word that no other thread writes.
#[inline]
pub(crate) fn unsync_load(word: &AtomicU64) -> u64 {
    // [unsync.load] Relaxed: reads the caller's own last store, or one that came with the handle.
    word.load(Ordering::Relaxed)
}

/// A publisher scans the pins when it has retired this many messages, or one for each subscriber if
/// those are more.
pub(crate) const SCAN_THRESHOLD: usize = 64;

/// The code runs on the machine itself.
pub(crate) const IS_MODEL: bool = false;

/// Runs `code` under a lock that is chosen by `address`. Different addresses may share a lock.
pub(crate) fn with_lock_of(address: usize, code: impl FnOnce()) {
    static LOCKS: [CachePadded<std::sync::Mutex<()>>; 61] = [const { CachePadded::new(std::sync::Mutex::new(())) }; 61];
    let _guard = LOCKS[address % LOCKS.len()].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    code();
}

pub(crate) type TryLockGuard<'a, T> = std::sync::MutexGuard<'a, T>;

/// A lock that no thread waits for, and under which nothing panics.
#[derive(Debug, Default)]
pub(crate) struct TryLock<T>(std::sync::Mutex<T>);

impl<T> TryLock<T> {
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn try_lock(&self) -> Option<TryLockGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }
}

/// A value that readers load as a whole while writers replace it.
pub(crate) struct Snapshot<T>(arc_swap::ArcSwap<T>);

impl<T> Snapshot<T> {
    pub(crate) fn new(value: Arc<T>) -> Self {
        Self(arc_swap::ArcSwap::new(value))
    }

    pub(crate) fn load(&self) -> Arc<T> {
        self.0.load_full()
    }

    /// Borrows the value without counting a reference. The caller must not keep it.
    pub(crate) fn peek(&self) -> impl std::ops::Deref<Target = Arc<T>> {
        self.0.load()
    }

    pub(crate) fn set(&self, value: Arc<T>) {
        self.0.store(value);
    }

    /// Replaces the value with the result of `next`, which runs again if another writer replaced
    /// the value first.
    pub(crate) fn update(&self, mut next: impl FnMut(&Arc<T>) -> Arc<T>) {
        self.0.rcu(|now| next(now));
    }
}

/// One waker. Its subscriber registers it, and a thread that wakes the subscriber takes it.
#[derive(Debug, Default)]
pub(crate) struct WakerCell(atomic_waker::AtomicWaker);

impl WakerCell {
    pub(crate) fn register(&self, waker: &std::task::Waker) {
        self.0.register(waker);
    }

    pub(crate) fn take(&self) -> Option<std::task::Waker> {
        self.0.take()
    }
}
