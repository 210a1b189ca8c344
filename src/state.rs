//! The read-mostly word that answers everything a publisher or subscriber asks on its way: one relaxed load.

use crate::sync::{AtomicU32, Ordering, compiler_fence};

/// The ring has ended.
pub(crate) const CLOSED: u32 = 1;
/// Some sequence was skipped: look for holes.
pub(crate) const SKIPPED: u32 = 1 << 1;
/// A first parker is on its way to `ARMED`.
pub(crate) const ARMING: u32 = 1 << 2;
/// Somebody has parked: publishers fence and look at the wait list.
pub(crate) const ARMED: u32 = 1 << 3;
/// A barrier failed after the ring was made: nothing proves that a publisher sees a parker, so parkers poll.
pub(crate) const UNPROVEN: u32 = 1 << 4;

/// The ring's bits; each is set once and stays.
#[derive(Debug)]
pub(crate) struct State(AtomicU32);

impl State {
    pub(crate) fn new(bits: u32) -> Self {
        Self(AtomicU32::new(bits))
    }

    /// Whether a publisher that has just committed must look for parked subscribers.
    #[inline]
    pub(crate) fn armed_after_commit(&self) -> bool {
        // [state.compiler-fence] Keeps the compiler from moving the load above the commit; what the processor may move, the parker's
        // barrier puts right (`sync/os.rs`).
        compiler_fence(Ordering::SeqCst);
        // [state.armed] Relaxed: the parker's barrier or, once a bit is seen, the caller's SeqCst fence orders it.
        self.0.load(Ordering::Relaxed) & (ARMING | ARMED) != 0
    }

    #[inline]
    pub(crate) fn load(&self) -> u32 {
        // [state.load] Acquire: pairs with the Release of `set`, so that what a bit promises (a hole's mark, the end) is seen
        // with it.
        self.0.load(Ordering::Acquire)
    }

    /// Returns the bits as they were.
    pub(crate) fn set(&self, bit: u32) -> u32 {
        // [state.set] Release: pairs with the Acquire of `load`.
        self.0.fetch_or(bit, Ordering::Release)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_is_its_own_and_publishers_look_from_arming_on() {
        let bits = [CLOSED, SKIPPED, ARMING, ARMED, UNPROVEN];
        assert!(bits.iter().all(|bit| bit.is_power_of_two()));
        assert_eq!(bits.into_iter().fold(0, |all, bit| all ^ bit).count_ones(), 5);
        let state = State::new(CLOSED | SKIPPED | UNPROVEN);
        assert!(!state.armed_after_commit());
        assert_eq!(state.set(ARMING), CLOSED | SKIPPED | UNPROVEN);
        assert!(state.armed_after_commit());
        assert!(State::new(ARMED).armed_after_commit());
    }
}
