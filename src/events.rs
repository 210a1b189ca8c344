//! Events of the crate `tracing`, behind the feature `tracing`. Without it, the functions here are
//! empty.
//!
//! A handler of events is user code. It is called as a waker is: after the ring is consistent, outside
//! of writes and locks. Its panics are caught, and deeply nested calls are postponed. So it changes
//! nothing that a receive or a publish returns.

#[cfg(feature = "tracing")]
pub(crate) use enabled::{demoted, lagged};

#[cfg(feature = "tracing")]
mod enabled {
    use crate::error::Lagged;
    use crate::registry::Registration;
    use crate::wait::reentrancy::{self, NO_LIST};

    /// Reports that a subscriber has lagged. Call this after the loss was counted and the cursor has
    /// moved.
    #[cold]
    #[inline(never)]
    pub(crate) fn lagged(registration: &Registration, capacity: usize, lagged: Lagged) {
        let (id, name) = (registration.id(), registration.name());
        reentrancy::call(NO_LIST, move || {
            let Lagged { missed, resumed_at } = lagged;
            let name = name.as_deref();
            tracing::warn!(target: "seqcast", capacity, subscriber = id, name, missed, resumed_at, "subscriber lagged");
        });
    }

    /// Reports that a gating subscriber was demoted. Call this after waiting publishers were woken.
    #[cold]
    #[inline(never)]
    pub(crate) fn demoted(registration: &Registration, capacity: usize) {
        let (id, name, next_sequence) = (registration.id(), registration.name(), registration.cursor.next());
        reentrancy::call(NO_LIST, move || {
            let name = name.as_deref();
            tracing::warn!(target: "seqcast", capacity, subscriber = id, name, next_sequence, "gating subscriber demoted");
        });
    }
}

#[cfg(not(feature = "tracing"))]
#[inline]
pub(crate) fn lagged(_: &crate::registry::Registration, _: usize, _: crate::error::Lagged) {}

#[cfg(not(feature = "tracing"))]
#[inline]
pub(crate) fn demoted(_: &crate::registry::Registration, _: usize) {}
