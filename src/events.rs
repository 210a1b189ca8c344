//! Events of the crate `tracing`, behind the feature `tracing`. Without it, the functions here are empty.
//!
//! What receives an event is the user's code. It is called as a waker is: after the ring is in order, outside of writes and
//! locks. Its panics end here, and where calls nest deep it runs later. So it changes nothing that a receive or publish returns.

#[cfg(feature = "tracing")]
pub(crate) use enabled::{demoted, lagged};

#[cfg(feature = "tracing")]
mod enabled {
    use crate::error::Lagged;
    use crate::registry::Registration;
    use crate::wait::reentrancy::{self, NO_LIST};

    /// The subscriber of this registration has lagged. To be called when the loss is counted and the cursor has moved.
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

    /// The gating subscriber of this registration was demoted. To be called when waiting publishers were woken.
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
