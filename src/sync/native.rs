//! What a program runs on.

use super::Arc;

pub(crate) use super::os::{
    Futex, fence_after_exchange, full_fence, has_barrier, heavy_barrier, light_barrier, prefetch_for_writing,
};
pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use std::hint::spin_loop;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
pub(crate) use std::thread::yield_now;
pub(crate) use std::thread_local;

/// Polls before a blocking call parks its thread: about the time a message takes between two cores, some times over.
pub(crate) const SPINS: u32 = 200;

/// Looks after that, before it parks. Each yields first, so that threads that share the core with it run.
pub(crate) const YIELDS: u32 = 4;

/// A publisher claims at most this part of a ring at once: a quarter.
pub(crate) const RUN_SHARE: usize = 4;

/// With fewer messages than this, a publisher claims one by one: taking them out of their iterator first would cost more.
pub(crate) const WORTH_A_RUN: usize = 8;

/// In so many sequences once, a publisher asks whether anybody has parked since it asked last. A barrier takes about as long as
/// hundreds of publishes, and interrupts every core that the process is on.
pub(crate) const DISARM_PERIOD: u64 = 1 << 14;

/// Tasks that a driver wakes before it yields: few enough that those it has woken run soon.
pub(crate) const WAKE_SLICE: usize = 64;

/// Lists the registry is split into, so that joining copies a small one.
pub(crate) const REGISTRY_SHARDS: usize = 64;

/// A subscriber that joins beside this many others goes into the registry's second table: until then a list has about 16.
pub(crate) const CROWD_THRESHOLD: usize = 1 << 10;

/// Lists of the second table. They take 32 KiB.
pub(crate) const CROWD_SHARDS: usize = 1 << 12;

/// Loads what nobody else changes.
#[inline]
pub(crate) fn unsync_load(word: &AtomicU64) -> u64 {
    // [unsync.load] Relaxed: the caller's own last store, or what came with the handle.
    word.load(Ordering::Relaxed)
}

/// How many messages a publisher keeps back, at the least, before it looks which of them are borrowed.
pub(crate) const SCAN_THRESHOLD: usize = 64;

/// The code runs on the machine itself.
pub(crate) const IS_MODEL: bool = false;

/// Runs `code` under a lock. It is the same for the same address, and may be the same for others.
pub(crate) fn with_lock_of(address: usize, code: impl FnOnce()) {
    static LOCKS: [CachePadded<std::sync::Mutex<()>>; 61] = [const { CachePadded::new(std::sync::Mutex::new(())) }; 61];
    let _guard = LOCKS[address % LOCKS.len()].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    code();
}

pub(crate) type TryLockGuard<'a, T> = std::sync::MutexGuard<'a, T>;

/// A lock that nobody waits for, and under which nothing panics.
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

/// A value that readers take a snapshot of while writers replace it.
pub(crate) struct Snapshot<T>(arc_swap::ArcSwap<T>);

impl<T> Snapshot<T> {
    pub(crate) fn new(value: Arc<T>) -> Self {
        Self(arc_swap::ArcSwap::new(value))
    }

    pub(crate) fn load(&self) -> Arc<T> {
        self.0.load_full()
    }

    /// The value, without counting a reference. Not to be kept.
    pub(crate) fn peek(&self) -> impl std::ops::Deref<Target = Arc<T>> {
        self.0.load()
    }

    pub(crate) fn set(&self, value: Arc<T>) {
        self.0.store(value);
    }

    /// Replaces the value by what `next` makes of it; `next` runs again when another writer came first.
    pub(crate) fn update(&self, mut next: impl FnMut(&Arc<T>) -> Arc<T>) {
        self.0.rcu(|now| next(now));
    }
}

/// One waker, put in by its subscriber and taken out by whoever wakes it.
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
