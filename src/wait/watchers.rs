//! Tasks that wait for a rare event, such as the departure of the last subscriber.

use std::mem;
use std::task::Waker;

use super::reentrancy::{NO_LIST, call, discard};
use crate::sync::{Arc, Snapshot, WakerCell, full_fence};

/// The tasks that wait for one kind of event. A task copies the list when it joins and leaves, so
/// no thread ever waits for another here.
pub(crate) struct Watchers(Snapshot<Vec<Arc<WakerCell>>>);

impl Watchers {
    pub(crate) fn new() -> Self {
        Self(Snapshot::new(Arc::default()))
    }

    /// Wakes all tasks. The caller has made the event happen.
    pub(crate) fn wake(&self) {
        // [watchers.wake-fence] SeqCst: pairs with `watchers.register-fence`. Either this thread
        // finds the waker, or its task sees the event.
        full_fence();
        for cell in &*self.0.load() {
            if let Some(waker) = cell.take() {
                call(NO_LIST, || waker.wake());
            }
        }
    }
}

/// A task's place among [`Watchers`].
#[derive(Default)]
pub(crate) struct Watcher {
    cell: Option<Arc<WakerCell>>,
    /// Whether the clone or drop of a waker panicked while it was registered. The cell is unusable
    /// then.
    is_poisoned: bool,
}

impl Watcher {
    /// Registers `waker` for the next event. The caller must check for the event after this, before
    /// it sleeps.
    pub(crate) fn register(&mut self, watchers: &Watchers, waker: &Waker) {
        if mem::replace(&mut self.is_poisoned, true) {
            self.leave(watchers);
        }
        let cell = self.cell.get_or_insert_with(|| {
            let cell = Arc::new(WakerCell::default());
            watchers.0.update(|cells| Arc::new(cells.iter().chain([&cell]).cloned().collect()));
            cell
        });
        cell.register(waker);
        self.is_poisoned = false;
        // [watchers.register-fence] SeqCst: pairs with `watchers.wake-fence`.
        full_fence();
    }

    /// Leaves the list.
    pub(crate) fn leave(&mut self, watchers: &Watchers) {
        if let Some(cell) = self.cell.take() {
            watchers
                .0
                .update(|cells| Arc::new(cells.iter().filter(|other| !Arc::ptr_eq(other, &cell)).cloned().collect()));
            // The waker is dropped here, and not by a thread that still uses an older list.
            discard(cell.take());
        }
    }
}
