//! Messages that are counted one by one (law 8): each is in a ledger, which knows if it was dropped, and how often.

use super::lock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

type Hook = Arc<dyn Fn(u64) + Send + Sync>;

/// All messages that were ever made of a kind, and what is to happen when one is cloned or dropped.
#[derive(Default)]
pub(crate) struct Ledger {
    /// How often the message of this id was dropped.
    drops: Mutex<Vec<u32>>,
    live: AtomicI64,
    most: AtomicI64,
    on_drop: Mutex<Option<Hook>>,
    on_clone: Mutex<Option<Hook>>,
}

impl Ledger {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn make(self: &Arc<Self>) -> Counted {
        let mut drops = lock(&self.drops);
        let id = drops.len() as u64;
        drops.push(0);
        drop(drops);
        self.most.fetch_max(self.live.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Counted { id, number: Box::new(id), ledger: Arc::clone(self) }
    }

    /// Made and not dropped.
    pub(crate) fn live(&self) -> i64 {
        self.live.load(Ordering::SeqCst)
    }

    /// The most that were ever alive at once, since the last call.
    pub(crate) fn most(&self) -> i64 {
        self.most.swap(self.live(), Ordering::SeqCst)
    }

    pub(crate) fn made(&self) -> u64 {
        lock(&self.drops).len() as u64
    }

    pub(crate) fn was_dropped(&self, id: u64) -> bool {
        lock(&self.drops)[usize::try_from(id).unwrap()] > 0
    }

    /// Runs `hook` with the id of each message that is dropped from now on, after it was counted.
    pub(crate) fn on_drop(&self, hook: impl Fn(u64) + Send + Sync + 'static) {
        *lock(&self.on_drop) = Some(Arc::new(hook));
    }

    /// Runs `hook` with the id of each message that is going to be cloned.
    pub(crate) fn on_clone(&self, hook: impl Fn(u64) + Send + Sync + 'static) {
        *lock(&self.on_clone) = Some(Arc::new(hook));
    }

    /// No hooks any more. (One may hold a handle of a ring, which holds messages, which hold this.)
    pub(crate) fn unhook(&self) {
        let hooks = (lock(&self.on_drop).take(), lock(&self.on_clone).take());
        drop(hooks);
    }

    /// Nothing is left, and nothing was dropped twice.
    #[track_caller]
    pub(crate) fn settle(&self) {
        self.unhook();
        for (id, count) in lock(&self.drops).iter().enumerate() {
            assert_eq!(*count, 1, "message {id} was dropped {count} times");
        }
        assert_eq!(self.live(), 0);
    }
}

/// A message with memory of its own.
pub(crate) struct Counted {
    pub(crate) id: u64,
    /// The id again, elsewhere.
    number: Box<u64>,
    ledger: Arc<Ledger>,
}

impl Counted {
    /// Fails if it is not whole, or was dropped.
    #[track_caller]
    pub(crate) fn verify(&self) -> u64 {
        assert_eq!(*self.number, self.id, "torn");
        assert!(!self.ledger.was_dropped(self.id), "message {} is seen after its drop", self.id);
        self.id
    }
}

/// A message of its own, with the number of the one it was cloned from.
impl Clone for Counted {
    fn clone(&self) -> Self {
        let hook = lock(&self.ledger.on_clone).clone();
        if let Some(hook) = hook {
            hook(self.id);
        }
        self.verify();
        self.ledger.make()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        lock(&self.ledger.drops)[usize::try_from(self.id).unwrap()] += 1;
        self.ledger.live.fetch_sub(1, Ordering::SeqCst);
        let hook = lock(&self.ledger.on_drop).clone();
        if let Some(hook) = hook {
            hook(self.id);
        }
    }
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Counted({})", self.id)
    }
}
