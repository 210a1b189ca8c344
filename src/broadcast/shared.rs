//! What all handles of a channel share: the numbers of senders.

use super::half::SendHalf;
use crate::sync::{AtomicUsize, Ordering, TryLock};

/// Makes a handle `Send` and `Sync` if `T` is `Send`, and always `Unpin`, as tokio's handles are.
pub(super) type LikeTokio<T> = Box<TryLock<T>>;

/// One for each channel.
pub(super) struct Shared<T> {
    /// Makes the publishers of upgraded senders. It keeps the ring open, so the last sender closes
    /// it.
    base: Box<dyn SendHalf<T>>,
    senders: AtomicUsize,
    weak: AtomicUsize,
}

impl<T> Shared<T> {
    /// With one sender.
    pub(super) fn new(base: Box<dyn SendHalf<T>>) -> Self {
        Self { base, senders: AtomicUsize::new(1), weak: AtomicUsize::new(0) }
    }

    /// The caller is a sender.
    pub(super) fn add_sender(&self) {
        // [senders.add] Relaxed: the caller is a sender, so the count cannot reach 0 meanwhile.
        self.senders.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn drop_sender(&self) {
        // [senders.drop] AcqRel: Release so that this sender's messages come before the end;
        // Acquire so that the last one closes after all of them.
        if self.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.base.close();
        }
    }

    /// A publisher for one more sender, or `None` if no sender is left.
    pub(super) fn upgrade(&self) -> Option<Box<dyn SendHalf<T>>> {
        let mut senders = self.strong_count();
        while senders > 0 {
            // [senders.upgrade] Relaxed: as `senders.add`; 0 is final.
            match self.senders.compare_exchange_weak(senders, senders + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(self.base.another()),
                Err(now) => senders = now,
            }
        }
        None
    }

    pub(super) fn strong_count(&self) -> usize {
        self.senders.load(Ordering::Relaxed) // [senders.load] Relaxed: only a count
    }

    pub(super) fn add_weak(&self) {
        self.weak.fetch_add(1, Ordering::Relaxed); // [weak.up] Relaxed: only a count
    }

    pub(super) fn drop_weak(&self) {
        self.weak.fetch_sub(1, Ordering::Relaxed); // [weak.down] Relaxed: only a count
    }

    pub(super) fn weak_count(&self) -> usize {
        self.weak.load(Ordering::Relaxed) // [weak.load] Relaxed: only a count
    }
}
