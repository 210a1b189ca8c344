//! The read-mostly word that answers everything a publisher or subscriber asks on its way: one relaxed load.

use crate::sync::{AtomicU64, Ordering, asymmetric_fence};

/// When publishers run a fence after each commit, without which parkers could not rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PublisherFence {
    /// From the beginning: there is no barrier.
    Always,
    /// From when somebody parks until nobody has for a while.
    WhileParked,
    /// Nobody ever parks (models).
    Never,
}

/// The ring has ended.
pub(crate) const CLOSED: u64 = 1;
/// Some sequence was skipped: look for holes.
pub(crate) const SKIPPED: u64 = 1 << 1;
/// A first parker is on its way to `ARMED`.
pub(crate) const ARMING: u64 = 1 << 2;
/// Somebody has parked: publishers fence and look at the wait list.
pub(crate) const ARMED: u64 = 1 << 3;
/// A barrier failed after the ring was made: nothing proves that a publisher sees a parker, so parkers poll.
pub(crate) const UNPROVEN: u64 = 1 << 4;
/// A publisher is about to take `ARMED` away, as nobody has parked for a while.
pub(crate) const DISARMING: u64 = 1 << 5;
/// Above the bits: how often that was tried, so that no attempt is taken for another.
const ATTEMPT: u64 = 1 << 6;

/// The ring's bits. `ARMING`, `ARMED` and `DISARMING` come and go; the others stay once they are set.
#[derive(Debug)]
pub(crate) struct State {
    bits: AtomicU64,
    /// Whether parkers have a barrier that stands for the publishers' fence (`sync/os.rs`).
    barrier: bool,
}

impl State {
    pub(crate) fn new(fence: PublisherFence) -> Self {
        let bits = if fence == PublisherFence::Always { ARMED } else { 0 };
        Self { bits: AtomicU64::new(bits), barrier: fence == PublisherFence::WhileParked }
    }

    /// Whether a publisher that has just committed must look for parked subscribers.
    #[inline]
    pub(crate) fn armed_after_commit(&self) -> bool {
        // [state.light-fence] Keeps the compiler from moving the load above the commit; what the processor may move, the parker's
        // barrier puts right (`sync/os.rs`).
        asymmetric_fence(self.barrier);
        // [state.armed] Relaxed: the parker's barrier or, once a bit is seen, the caller's SeqCst fence orders it.
        self.bits.load(Ordering::Relaxed) & (ARMING | ARMED) != 0
    }

    #[inline]
    pub(crate) fn load(&self) -> u64 {
        // [state.load] Acquire: pairs with the Release of `set`, so that what a bit promises (a hole's mark, the end) is seen
        // with it.
        self.bits.load(Ordering::Acquire)
    }

    /// Returns the bits as they were.
    pub(crate) fn set(&self, bit: u64) -> u64 {
        // [state.set] Release: pairs with the Acquire of `load`.
        self.bits.fetch_or(bit, Ordering::Release)
    }

    /// Whether the ring is armed, and nobody is about to change that.
    pub(crate) fn is_armed(&self) -> bool {
        self.load() & (ARMED | DISARMING) == ARMED
    }

    // Arming, by parkers, and disarming, by publishers: `wait.rs` tells why.

    /// Announces that the ring is to be armed, and ends an attempt to disarm it. Returns the state as it is now; armed already, there is no more to do.
    pub(crate) fn begin_to_arm(&self) -> u64 {
        let mut now = self.load();
        loop {
            let arming = now & !DISARMING | ARMING;
            // [arm.begin] Relaxed: comes after the parker's fence. Acquire on failure, as in `load`.
            match self.bits.compare_exchange_weak(now, arming, Ordering::Relaxed, Ordering::Acquire) {
                Ok(_) => return arming,
                Err(other) => now = other,
            }
        }
    }

    /// Arms the ring, if nobody has tried to disarm it since `begun`: else what was announced may have been taken back before the barrier, and
    /// all is to be done again.
    pub(crate) fn arm(&self, begun: u64) -> bool {
        let mut now = begun;
        while now / ATTEMPT == begun / ATTEMPT {
            // [arm.end] Release: pairs with the Acquire of `load`: who finds the ring armed comes after the barrier. Relaxed on failure: says only
            // what to try next.
            match self.bits.compare_exchange_weak(now, now | ARMED, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(other) => now = other,
            }
        }
        false
    }

    /// Announces that the ring is to be disarmed, unless that cannot be or somebody else is at it. Returns the state as it is now.
    pub(crate) fn begin_to_disarm(&self) -> Option<u64> {
        let now = self.load();
        if !self.barrier || now & (ARMED | UNPROVEN | DISARMING) != ARMED {
            return None;
        }
        let attempt = (now | DISARMING) + ATTEMPT;
        // [disarm.begin] Relaxed: the fences that follow here and precede a parker's look at the state order all there is to order.
        self.bits.compare_exchange(now, attempt, Ordering::Relaxed, Ordering::Relaxed).is_ok().then_some(attempt)
    }

    /// Disarms the ring, if its state is that of the attempt still.
    pub(crate) fn disarm(&self, attempt: u64) {
        let quiet = attempt & !(ARMING | ARMED | DISARMING);
        // [disarm.end] Relaxed: as above. If it fails, somebody parked, or the ring has a hole or an end that it had not before.
        if self.bits.compare_exchange(attempt, quiet, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            self.stay_armed();
        }
    }

    /// Takes back what `begin_to_disarm` announced, whoever did.
    pub(crate) fn stay_armed(&self) {
        self.bits.fetch_and(!DISARMING, Ordering::Relaxed); // [disarm.stop] Relaxed: an attempt ends, and the ring is armed as before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_is_its_own_and_publishers_look_from_arming_on() {
        let bits = [CLOSED, SKIPPED, ARMING, ARMED, UNPROVEN, DISARMING];
        assert!(bits.iter().all(|bit| bit.is_power_of_two() && *bit < ATTEMPT));
        assert_eq!(bits.into_iter().fold(0, |all, bit| all ^ bit).count_ones(), 6);
        let state = State::new(PublisherFence::WhileParked);
        state.set(CLOSED | SKIPPED | UNPROVEN);
        assert!(!state.armed_after_commit());
        assert_eq!(state.set(ARMING), CLOSED | SKIPPED | UNPROVEN);
        assert!(state.armed_after_commit());
        assert!(State::new(PublisherFence::Always).armed_after_commit());
    }

    #[test]
    fn an_attempt_to_disarm_ends_when_anything_happens() {
        let state = State::new(PublisherFence::WhileParked);
        assert_eq!(state.begin_to_disarm(), None, "it is not armed");
        state.set(ARMING | ARMED);
        let first = state.begin_to_disarm().unwrap();
        assert_eq!(state.begin_to_disarm(), None, "somebody is at it");
        assert!(state.armed_after_commit());
        state.stay_armed();
        let second = state.begin_to_disarm().unwrap();
        state.disarm(first);
        assert_eq!(state.load() & (ARMED | DISARMING), ARMED, "the first is over, and took the second along");
        state.disarm(second);
        assert!(state.armed_after_commit());
        let third = state.begin_to_disarm().unwrap();
        state.set(SKIPPED);
        state.disarm(third);
        assert_eq!(state.load() & (ARMED | DISARMING | SKIPPED), ARMED | SKIPPED);
        let fourth = state.begin_to_disarm().unwrap();
        state.disarm(fourth);
        assert!(!state.armed_after_commit());
        assert_eq!(state.load() & (ARMING | ARMED | DISARMING | SKIPPED), SKIPPED);
    }

    #[test]
    fn who_arms_while_others_disarm_begins_again() {
        let state = State::new(PublisherFence::WhileParked);
        let (first, second) = (state.begin_to_arm(), state.begin_to_arm());
        assert!(first & (ARMING | ARMED) == ARMING && first == second);
        assert!(state.arm(first));
        // Its announcement is taken back before its barrier is complete, and somebody else makes one.
        state.disarm(state.begin_to_disarm().unwrap());
        assert_eq!(state.begin_to_arm() & (ARMING | ARMED), ARMING);
        assert!(!state.arm(second) && state.load() & ARMED == 0);
        // A hole makes no difference.
        let third = state.begin_to_arm();
        state.set(SKIPPED);
        assert!(state.arm(third));
        // Who finds the ring armed only ends the attempt to disarm it.
        let attempt = state.begin_to_disarm().unwrap();
        assert_eq!(state.begin_to_arm() & (ARMED | DISARMING), ARMED);
        state.disarm(attempt);
        assert!(state.load() & ARMED != 0);
    }

    #[test]
    fn what_has_no_barrier_stays_armed() {
        for fence in [PublisherFence::Always, PublisherFence::Never] {
            assert_eq!(State::new(fence).begin_to_disarm(), None);
        }
        let unproven = State::new(PublisherFence::WhileParked);
        unproven.set(UNPROVEN | ARMED);
        assert_eq!(unproven.begin_to_disarm(), None);
    }
}
