//! The same names as in `native.rs`, over a model checker.
//!
//! loom tries every interleaving of small programs, and its loads may be as stale as the language
//! allows. shuttle draws interleavings of large programs at random, and its loads return the last
//! store.

#![allow(clippy::unnecessary_wraps, reason = "the signatures are those of `native.rs`")]

use super::traced::trace;
use super::{Arc, BoxedCell, checker};
use checker::sync::{Condvar, Mutex};
use std::time::Instant;

pub(crate) use super::traced::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, fence};
pub(crate) use checker::hint::spin_loop;
pub(crate) use checker::sync::atomic::Ordering;
pub(crate) use checker::thread::yield_now;
pub(crate) use checker::thread_local;

/// loom has no asymmetric barrier, so rings start with the publishers' fence there. In a model of a
/// ring without that fence, both sides run a fence instead of the barrier. In shuttle every store
/// is visible immediately.
pub(crate) fn has_barrier() -> bool {
    cfg!(shuttle)
}

#[track_caller]
pub(crate) fn heavy_barrier() -> bool {
    fence(Ordering::SeqCst);
    true
}

#[track_caller]
pub(crate) fn light_barrier(modelled: bool) {
    if modelled {
        fence(Ordering::SeqCst);
    }
}

#[track_caller]
pub(crate) fn fence_after_exchange() {
    fence(Ordering::SeqCst);
}

pub(crate) fn prefetch_for_writing<T>(_: *const T) {}

pub(crate) const DISARM_PERIOD: u64 = 2;
pub(crate) const WAKE_SLICE: usize = 1;
pub(crate) const SPINS: u32 = 0;
// Rings of models are small.
pub(crate) const RUN_SHARE: usize = 2;
pub(crate) const WORTH_A_RUN: usize = 2;
pub(crate) const YIELDS: u32 = 0;
pub(crate) const REGISTRY_SHARDS: usize = 1;
pub(crate) const CROWD_THRESHOLD: usize = 2;
pub(crate) const CROWD_SHARDS: usize = 2;

#[derive(Debug, Default)]
pub(crate) struct CachePadded<T>(T);

impl<T> std::ops::DerefMut for CachePadded<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> CachePadded<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> std::ops::Deref for CachePadded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A read-modify-write instead of a load. loom remembers one last access to a word. After a load it
/// would assume that the loads of other threads may stay before what follows.
#[track_caller]
pub(crate) fn unsync_load(word: &AtomicU64) -> u64 {
    word.fetch_add(0, Ordering::Relaxed)
}

pub(crate) fn zeroed_words(len: usize) -> Option<(Box<[AtomicU64]>, usize)> {
    Some(((0..len).map(|_| AtomicU64::new(0)).collect(), 0))
}

pub(crate) fn zeroed_cells<T>(len: usize) -> Option<Box<[BoxedCell<T>]>> {
    Some((0..len).map(|_| (AtomicU64::new(0), AtomicPtr::new(std::ptr::null_mut()))).collect())
}

#[track_caller]
pub(crate) fn full_fence() {
    fence(Ordering::SeqCst);
}

pub(crate) const SCAN_THRESHOLD: usize = 1;

/// Atomics belong to the model checker and are not plain memory.
pub(crate) const IS_MODEL: bool = true;

pub(crate) fn with_lock_of(_: usize, _: impl FnOnce()) {
    unreachable!("models copy messages as words")
}

pub(crate) type TryLockGuard<'a, T> = checker::sync::MutexGuard<'a, T>;

#[derive(Debug)]
pub(crate) struct TryLock<T>(Mutex<T>);

impl<T: Default> Default for TryLock<T> {
    fn default() -> Self {
        Self(Mutex::new(T::default()))
    }
}

impl<T> TryLock<T> {
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap()
    }

    #[track_caller]
    pub(crate) fn try_lock(&self) -> Option<TryLockGuard<'_, T>> {
        let guard = self.0.try_lock().ok();
        trace(format_args!("try_lock() = {}", guard.is_some()));
        guard
    }
}

/// Models arc-swap: a thread that loads a value sees what its writer did before, and nothing else
/// is ordered. All values are kept to the end, in a lock that the checker does not see.
pub(crate) struct Snapshot<T> {
    kept: std::sync::Mutex<Vec<Arc<T>>>,
    newest: AtomicUsize,
}

impl<T> Snapshot<T> {
    pub(crate) fn new(value: Arc<T>) -> Self {
        Self { kept: std::sync::Mutex::new(vec![value]), newest: AtomicUsize::new(0) }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Arc<T>>> {
        self.kept.lock().unwrap()
    }

    fn keep(&self, value: Arc<T>) -> usize {
        let mut kept = self.kept();
        kept.push(value);
        kept.len() - 1
    }

    #[track_caller]
    pub(crate) fn load(&self) -> Arc<T> {
        let newest = self.newest.load(Ordering::Acquire);
        Arc::clone(&self.kept()[newest])
    }

    #[track_caller]
    pub(crate) fn peek(&self) -> impl std::ops::Deref<Target = Arc<T>> {
        Box::new(self.load())
    }

    #[track_caller]
    pub(crate) fn set(&self, value: Arc<T>) {
        self.newest.swap(self.keep(value), Ordering::AcqRel);
    }

    #[track_caller]
    pub(crate) fn update(&self, mut next: impl FnMut(&Arc<T>) -> Arc<T>) {
        let mut now = self.newest.load(Ordering::Acquire);
        loop {
            let value = Arc::clone(&self.kept()[now]);
            let next = self.keep(next(&value));
            match self.newest.compare_exchange(now, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(other) => now = other,
            }
        }
    }
}

/// Models atomic-waker: a thread that takes a waker sees all of it, and nothing else is ordered.
#[derive(Debug)]
pub(crate) struct WakerCell {
    kept: std::sync::Mutex<Vec<Option<std::task::Waker>>>,
    /// The number of the current waker, counted from 1. 0 for none.
    here: AtomicUsize,
}

impl Default for WakerCell {
    fn default() -> Self {
        Self { kept: std::sync::Mutex::default(), here: AtomicUsize::new(0) }
    }
}

impl WakerCell {
    #[track_caller]
    pub(crate) fn register(&self, waker: &std::task::Waker) {
        let number = {
            let mut kept = self.kept.lock().unwrap();
            kept.push(Some(waker.clone()));
            kept.len()
        };
        trace(format_args!("register waker {number}"));
        self.exchange(number);
    }

    #[track_caller]
    pub(crate) fn take(&self) -> Option<std::task::Waker> {
        trace(format_args!("take the waker"));
        // A thread that is not ordered after a `register` may miss it.
        if self.here.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.exchange(0)
    }

    #[track_caller]
    fn exchange(&self, number: usize) -> Option<std::task::Waker> {
        let before = self.here.swap(number, Ordering::AcqRel);
        self.kept.lock().unwrap().get_mut(before.checked_sub(1)?)?.take()
    }
}

/// Models the futex: the kernel compares and sleeps under a lock that `wake_all` takes too.
#[derive(Debug)]
pub(crate) struct Futex {
    mutex: Mutex<()>,
    condvar: Condvar,
}

impl Default for Futex {
    fn default() -> Self {
        Self { mutex: Mutex::new(()), condvar: Condvar::new() }
    }
}

impl Futex {
    /// Models have no clock, so the deadline is ignored.
    #[track_caller]
    pub(crate) fn wait(&self, word: &AtomicU32, value: u32, _deadline: Option<Instant>) {
        let mutex = self.mutex.lock().unwrap();
        if word.load(Ordering::Relaxed) == value {
            trace(format_args!("sleep"));
            drop(self.condvar.wait(mutex).unwrap());
            trace(format_args!("awake"));
        }
    }

    #[track_caller]
    pub(crate) fn wake_all(&self, _: &AtomicU32) -> bool {
        trace(format_args!("wake all"));
        drop(self.mutex.lock().unwrap());
        self.condvar.notify_all();
        true
    }
}

/// Models have no clock, so no thread is started.
#[derive(Default)]
pub(crate) struct Alarm;

impl Alarm {
    pub(crate) fn set(&self, _: impl FnOnce() + Send + 'static) -> bool {
        false
    }

    pub(crate) fn attach(&self) {}

    pub(crate) fn clear(&self) {}

    pub(crate) fn unpark(&self) {}

    pub(crate) fn sleep(_: Option<Instant>) {
        unreachable!("no alarm thread exists in a model")
    }
}
