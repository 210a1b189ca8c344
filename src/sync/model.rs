//! What the model checkers run on: the same names over loom, which tries every interleaving of small programs and lets loads be as
//! stale as the language allows, and over shuttle, which draws interleavings of large ones, and in which every load sees the last store.

#![allow(clippy::unnecessary_wraps, reason = "the signatures are those of `real.rs`")]

#[cfg(loom)]
pub(super) use loom as checker;
#[cfg(shuttle)]
pub(super) use shuttle as checker;

use super::told::tell;
use super::{Arc, Pair};
use checker::sync::{Condvar, Mutex};
use std::time::Instant;

pub(crate) use super::told::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, fence};
pub(crate) use checker::hint::spin_loop;
pub(crate) use checker::sync::atomic::Ordering;
pub(crate) use checker::thread::yield_now;
pub(crate) use checker::thread_local;

/// Neither has a compiler that reorders.
pub(crate) fn compiler_fence(_: Ordering) {}

/// loom knows no asymmetric barrier: rings start with the fence. shuttle's every store is seen at once.
pub(crate) fn has_barrier() -> bool {
    cfg!(shuttle)
}

pub(crate) fn barrier_everywhere() -> bool {
    cfg!(shuttle)
}

pub(crate) const SPINS: u32 = 0;
pub(crate) const REGISTRY_SHARDS: usize = 1;

pub(crate) fn shard_of(_: u64) -> usize {
    0
}

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

pub(crate) fn zeroed_words(len: usize) -> Option<(Box<[AtomicU64]>, usize)> {
    Some(((0..len).map(|_| AtomicU64::new(0)).collect(), 0))
}

pub(crate) fn zeroed_pairs<T>(len: usize) -> Option<Box<[Pair<T>]>> {
    Some((0..len).map(|_| (AtomicU64::new(0), AtomicPtr::new(std::ptr::null_mut()))).collect())
}

#[track_caller]
pub(crate) fn full_fence() {
    fence(Ordering::SeqCst);
}

pub(crate) const KEPT_BACK: usize = 1;

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
        tell(format_args!("try_lock() = {}", guard.is_some()));
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
    pub(crate) fn set(&self, value: Arc<T>) {
        self.newest.swap(self.keep(value), Ordering::AcqRel);
    }

    #[track_caller]
    pub(crate) fn update(&self, mut next: impl FnMut(&T) -> T) {
        let mut now = self.newest.load(Ordering::Acquire);
        loop {
            let value = Arc::clone(&self.kept()[now]);
            let next = self.keep(Arc::new(next(&value)));
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
        tell(format_args!("register waker {number}"));
        self.exchange(number);
    }

    #[track_caller]
    pub(crate) fn take(&self) -> Option<std::task::Waker> {
        tell(format_args!("take the waker"));
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

/// A token and a condition variable, as crossbeam's.
#[derive(Debug)]
struct Token {
    set: Mutex<bool>,
    changed: Condvar,
}

#[derive(Debug)]
pub(crate) struct Parker(Arc<Token>);

impl Default for Parker {
    fn default() -> Self {
        Self(Arc::new(Token { set: Mutex::new(false), changed: Condvar::new() }))
    }
}

impl Parker {
    pub(crate) fn unparker(&self) -> Unparker {
        Unparker(Arc::clone(&self.0))
    }

    /// There is no clock: a deadline is not modelled.
    #[track_caller]
    pub(crate) fn park(&mut self, _deadline: Option<Instant>) {
        tell(format_args!("park"));
        let mut set = self.0.set.lock().unwrap();
        while !*set {
            set = self.0.changed.wait(set).unwrap();
        }
        *set = false;
        tell(format_args!("parked no more"));
    }
}

#[derive(Debug)]
pub(crate) struct Unparker(Arc<Token>);

impl Unparker {
    #[track_caller]
    pub(crate) fn unpark(&self) {
        tell(format_args!("unpark"));
        *self.0.set.lock().unwrap() = true;
        self.0.changed.notify_one();
    }
}
