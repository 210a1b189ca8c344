//! The one door to everything that blocks, wakes or is shared between threads.
//!
//! No other file names `std` atomics, loom, arc-swap, atomic-waker or crossbeam-utils (but `sync/os.rs`, a part of this one), so
//! that the code which runs under the model checker is the code that ships: only this file differs.

pub(crate) use std::sync::Arc;

pub(crate) type Pair<T> = (AtomicU64, AtomicPtr<T>);

#[cfg(loom)]
pub(crate) use model::*;
#[cfg(not(loom))]
mod os;
#[cfg(not(loom))]
pub(crate) use real::*;

/// What a program runs on.
#[cfg(not(loom))]
mod real {
    use super::{Arc, Pair};

    pub(crate) use super::os::{Parker, Unparker, barrier_everywhere, full_fence, has_barrier};
    pub(crate) use crossbeam_utils::CachePadded;
    pub(crate) use std::hint::spin_loop;
    pub(crate) use std::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence, fence,
    };
    pub(crate) use std::thread::yield_now;
    pub(crate) use std::thread_local;

    /// Polls before a blocking call parks its thread: about the time a message takes between two cores, some times over.
    pub(crate) const SPIN_LIMIT: u32 = 200;

    /// Lists the registry is split into, so that joining copies a small one.
    pub(crate) const REGISTRY_SHARDS: u64 = 64;

    /// Atomic words, all zero, and the index of the first that begins a cache line, with at least `len` words from there.
    /// Pages never touched cost nothing. `None` when an allocation can never be that large; aborts as `Vec` does when
    /// the memory is not to be had.
    pub(crate) fn zeroed_words(len: usize) -> Option<(Box<[AtomicU64]>, usize)> {
        const LINE: usize = 64;
        let padded = len.checked_add(LINE / size_of::<AtomicU64>())?;
        let layout = std::alloc::Layout::array::<AtomicU64>(padded).ok()?;
        let words = bytemuck::allocation::try_zeroed_slice_box::<AtomicU64>(padded)
            .unwrap_or_else(|()| std::alloc::handle_alloc_error(layout));
        let first = words.as_ptr().align_offset(LINE);
        Some((words, first))
    }

    /// As many pairs of zero and null. Pages never touched cost nothing. `None` and aborts as `zeroed_words`.
    pub(crate) fn zeroed_pairs<T>(len: usize) -> Option<Box<[Pair<T>]>> {
        let layout = std::alloc::Layout::array::<Pair<T>>(len).ok()?;
        let pairs = bytemuck::allocation::try_zeroed_slice_box(len);
        Some(pairs.unwrap_or_else(|()| std::alloc::handle_alloc_error(layout)))
    }

    /// How many messages a publisher keeps back, at the least, before it looks which of them are borrowed.
    pub(crate) const KEPT_BACK: usize = 64;

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

        pub(crate) fn set(&self, value: Arc<T>) {
            self.0.store(value);
        }

        /// Replaces the value by what `next` makes of it; `next` runs again when another writer came first.
        pub(crate) fn update(&self, mut next: impl FnMut(&T) -> T) {
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
}

/// What the model checker runs on: the same names over loom.
#[cfg(loom)]
mod model {
    use super::{Arc, Pair};
    use loom::sync::{Condvar, Mutex};
    use std::time::Instant;

    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
    pub(crate) use loom::thread::yield_now;
    pub(crate) use loom::thread_local;

    /// loom has no compiler that reorders.
    pub(crate) fn compiler_fence(_: Ordering) {}

    /// The model knows no asymmetric barrier: rings start with the fence.
    pub(crate) fn has_barrier() -> bool {
        false
    }

    pub(crate) fn barrier_everywhere() -> bool {
        false
    }

    pub(crate) const SPIN_LIMIT: u32 = 0;
    pub(crate) const REGISTRY_SHARDS: u64 = 1;

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

    pub(crate) fn full_fence() {
        fence(Ordering::SeqCst);
    }

    pub(crate) const KEPT_BACK: usize = 1;

    pub(crate) type TryLockGuard<'a, T> = loom::sync::MutexGuard<'a, T>;

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

        pub(crate) fn try_lock(&self) -> Option<TryLockGuard<'_, T>> {
            self.0.try_lock().ok()
        }
    }

    pub(crate) struct Snapshot<T>(Mutex<Arc<T>>);

    impl<T> Snapshot<T> {
        pub(crate) fn new(value: Arc<T>) -> Self {
            Self(Mutex::new(value))
        }

        pub(crate) fn load(&self) -> Arc<T> {
            self.0.lock().unwrap().clone()
        }

        pub(crate) fn set(&self, value: Arc<T>) {
            *self.0.lock().unwrap() = value;
        }

        pub(crate) fn update(&self, mut next: impl FnMut(&T) -> T) {
            let mut now = self.0.lock().unwrap();
            *now = Arc::new(next(&now));
        }
    }

    #[derive(Debug)]
    pub(crate) struct WakerCell(Mutex<Option<std::task::Waker>>);

    impl Default for WakerCell {
        fn default() -> Self {
            Self(Mutex::new(None))
        }
    }

    impl WakerCell {
        pub(crate) fn register(&self, waker: &std::task::Waker) {
            *self.0.lock().unwrap() = Some(waker.clone());
        }

        pub(crate) fn take(&self) -> Option<std::task::Waker> {
            self.0.lock().unwrap().take()
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

        /// loom has no clock: a deadline is not modelled.
        pub(crate) fn park(&mut self, _deadline: Option<Instant>) {
            let mut set = self.0.set.lock().unwrap();
            while !*set {
                set = self.0.changed.wait(set).unwrap();
            }
            *set = false;
        }
    }

    #[derive(Debug)]
    pub(crate) struct Unparker(Arc<Token>);

    impl Unparker {
        pub(crate) fn unpark(&self) {
            *self.0.set.lock().unwrap() = true;
            self.0.changed.notify_one();
        }
    }
}
