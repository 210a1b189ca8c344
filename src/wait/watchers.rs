//! Tasks that wait for a rare event, such as the departure of the last subscriber.

use std::mem;
use std::task::Waker;

use super::reentrancy::{NO_LIST, call, discard};
use crate::sync::{Arc, Snapshot, WakerCell, full_fence};

/// The tasks that wait for one kind of event. Each copies the list when it joins and leaves, so that
/// no thread ever waits for another here.
pub(crate) struct Watchers(Snapshot<Vec<Arc<WakerCell>>>);

impl Watchers {
    pub(crate) fn new() -> Self {
        Self(Snapshot::new(Arc::default()))
    }

    /// Wakes all. To be called after the event.
    pub(crate) fn wake(&self) {
        // [watchers.wake-fence] Pairs with the fence of `Watcher::register`: either this finds the
        // waker, or its task sees the event.
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
    /// The clone or drop of a waker panicked while it was put in place: that place is unusable.
    is_poisoned: bool,
}

impl Watcher {
    /// Has `waker` woken at the next event. The caller must look for the event after this, before it
    /// sleeps.
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
        // [watchers.register-fence] As in `Watchers::wake`.
        full_fence();
    }

    /// Leaves the list.
    pub(crate) fn leave(&mut self, watchers: &Watchers) {
        if let Some(cell) = self.cell.take() {
            watchers
                .0
                .update(|cells| Arc::new(cells.iter().filter(|other| !Arc::ptr_eq(other, &cell)).cloned().collect()));
            // Not by whoever still has the list in hand.
            discard(cell.take());
        }
    }
}
