//! Messages that are counted one by one (law 8). A ledger records whether each was dropped, and how
//! often.

use super::lock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

type Hook = Arc<dyn Fn(u64) + Send + Sync>;

/// All messages made with this ledger, and the hooks that run when one is cloned or dropped.
#[derive(Default)]
pub(crate) struct Ledger {
    /// The number of drops of the message with this id.
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

    /// The number of messages made and not dropped.
    pub(crate) fn live(&self) -> i64 {
        self.live.load(Ordering::SeqCst)
    }

    /// The maximum of messages alive at the same time, since the last call.
    pub(crate) fn most(&self) -> i64 {
        self.most.swap(self.live(), Ordering::SeqCst)
    }

    pub(crate) fn made(&self) -> u64 {
        lock(&self.drops).len() as u64
    }

    pub(crate) fn was_dropped(&self, id: u64) -> bool {
        lock(&self.drops)[usize::try_from(id).unwrap()] > 0
    }

    /// From now on, runs `hook` with the id of each dropped message, after its drop was counted.
    pub(crate) fn on_drop(&self, hook: impl Fn(u64) + Send + Sync + 'static) {
        *lock(&self.on_drop) = Some(Arc::new(hook));
    }

    /// From now on, runs `hook` with the id of each message before it is cloned.
    pub(crate) fn on_clone(&self, hook: impl Fn(u64) + Send + Sync + 'static) {
        *lock(&self.on_clone) = Some(Arc::new(hook));
    }

    /// Removes the hooks. A hook may own a handle of a ring, whose messages own this ledger.
    pub(crate) fn unhook(&self) {
        let hooks = (lock(&self.on_drop).take(), lock(&self.on_clone).take());
        drop(hooks);
    }

    /// Fails unless each message was dropped exactly once.
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
    /// The id again, in another allocation.
    number: Box<u64>,
    ledger: Arc<Ledger>,
}

impl Counted {
    /// Fails if the message is torn, or was dropped.
    #[track_caller]
    pub(crate) fn verify(&self) -> u64 {
        assert_eq!(*self.number, self.id, "torn");
        assert!(!self.ledger.was_dropped(self.id), "message {} is read after its drop", self.id);
        self.id
    }
}

/// The clone is a message with its own id. It keeps the number of the original.
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
