//! What the model checkers run on: the same names over loom, which tries every interleaving of small programs and lets loads be as
//! stale as the language allows, and over shuttle, which draws interleavings of large ones, and in which every load sees the last store.

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

/// loom knows no asymmetric barrier, and rings start with the fence there; where a model wants one that does not, both sides run a fence in its
/// place. shuttle's every store is seen at once.
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
/// Rings of models are small.
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

/// Counts as a change, as loom remembers one last access to a word, and would take a load for proof that others' loads may stay in front of
/// what follows.
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

/// Atomics are the model checker's, and no memory.
pub(crate) const IS_MODEL: bool = true;

pub(crate) fn with_lock_of(_: usize, _: impl FnOnce()) {
    unreachable!("models copy words")
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

/// As arc-swap: whoever sees a value sees what came before it, and nothing else is ordered. Every value is kept to the end, where
/// the checker does not look.
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

/// As atomic-waker: whoever takes a waker sees it whole, and nothing else is ordered.
#[derive(Debug)]
pub(crate) struct WakerCell {
    kept: std::sync::Mutex<Vec<Option<std::task::Waker>>>,
    /// The number of the one that is there, counted from 1; 0 for none.
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
        // Who is not ordered after a `register` may miss it.
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

/// The kernel compares and goes to sleep under a lock that wakers take too.
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
    /// There is no clock: a deadline is not modelled.
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

/// There is no clock.
#[derive(Default)]
pub(crate) struct Alarm;

impl Alarm {
    pub(crate) fn set(&self, _: impl FnOnce() + Send + 'static) -> bool {
        false
    }

    pub(crate) fn attach(&self) {}

    pub(crate) fn rest(&self) {}

    pub(crate) fn unpark(&self) {}

    pub(crate) fn sleep(_: Option<Instant>) {
        unreachable!("no thread was started")
    }
}
