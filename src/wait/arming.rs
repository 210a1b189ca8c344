//! Arming: whether publishers run a fence after each commit and look for parked subscribers.
//!
//! # No fence until a subscriber parks
//!
//! A ring starts without `ARMED`. A publisher that sees neither `ARMING` nor `ARMED` runs no fence.
//! The first parker announces itself, sets `ARMING`, has the kernel run a barrier on every core of
//! the process (`sync/os.rs`), and sets `ARMED`. Then it checks the ring again, as `wait/mod.rs`
//! describes.
//!
//! Take any publish, and its load of this word.
//!
//! - It saw one of the bits: the publisher fences, and the argument in `wait/mod.rs` holds.
//! - It saw neither: the load came before the barrier on its core, because a later load sees
//!   `ARMING`. The commit is earlier in program order, so it came before the barrier too. The
//!   parker checks the ring after the barrier, and sees the message.
//!
//! A parker that finds `ARMING` alone runs a barrier of its own. One that finds `ARMED` needs none.
//! That bit is set only after a barrier is complete, so no publisher acts on an older value any
//! more. A barrier can fail if a sandbox was installed after the ring was made. Then nothing proves
//! the wake-up: `BARRIER_FAILED` is set, and parkers poll every millisecond.
//!
//! # Disarming
//!
//! When no subscriber has parked for a while, a publisher removes the fence again. It sets
//! `DISARMING` (publishers still fence), runs a full fence, and looks for parked subscribers. If
//! there is none, it exchanges exactly the value that it set for one without the three bits. A
//! parker loads the word *after* its fence. One of the two fences comes first.
//!
//! - If it is the parker's, the publisher finds the parker, and the ring stays armed.
//! - If it is the publisher's, the parker finds `DISARMING` and removes it, so that the exchange
//!   fails. Each attempt has a number, so that no attempt is taken for another. Or the exchange
//!   came first. Then the parker finds the ring unarmed, and is its first parker again.
//!
//! A parker may be woken on its way to `ARMED`. The publisher that disarms no longer sees it, and
//! may remove the `ARMING` that the parker has set. The parker then begins again. So it never sets
//! `ARMED` after a barrier that ran while no `ARMING` was set.
//!
//! Subscribers that a publisher has taken off the list and not woken yet are not seen either. So a
//! publisher that hands off part of the list does what a parker does: it runs a fence, loads the
//! word, and sets `ARMING` if the ring is not armed.

use crate::sync::{AtomicU64, Ordering, heavy_barrier, light_barrier};

/// When publishers run a fence after each commit. Without that fence or a barrier, a wake-up could
/// be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PublisherFence {
    /// From the start, because the system has no barrier.
    Always,
    /// From the moment that a subscriber parks, until none has parked for a while.
    WhileParked,
    /// Never, because no subscriber parks. For models.
    Never,
}

/// A parker is about to set `ARMED`.
const ARMING: u64 = 1;
/// A subscriber has parked, so publishers fence and look for parkers.
const ARMED: u64 = 1 << 1;
/// A barrier failed after the ring was made. Nothing proves that publishers see a parker, so
/// parkers poll.
const BARRIER_FAILED: u64 = 1 << 2;
/// A publisher is about to remove `ARMED`, because no subscriber has parked for a while.
const DISARMING: u64 = 1 << 3;
/// The unit of the number above the bits. It counts attempts to disarm, so that no attempt is taken
/// for another.
const DISARM_GENERATION: u64 = 1 << 4;

/// One word that is rarely written. `ARMING`, `ARMED` and `DISARMING` come and go. `BARRIER_FAILED`
/// stays once it is set.
#[derive(Debug)]
pub(super) struct Arming {
    bits: AtomicU64,
    /// Whether parkers have a barrier that replaces the publishers' fence (`sync/os.rs`).
    barrier: bool,
}

impl Arming {
    pub(super) fn new(fence: PublisherFence) -> Self {
        let bits = if fence == PublisherFence::Always { ARMED } else { 0 };
        Self { bits: AtomicU64::new(bits), barrier: fence == PublisherFence::WhileParked }
    }

    /// Returns whether a publisher that has just committed must look for parked subscribers.
    #[inline]
    pub(super) fn armed_after_commit(&self) -> bool {
        // [arming.light-barrier] Compiler fence: pairs with `arming.heavy-barrier`. It keeps the
        // compiler from moving the load above the commit. The parker's barrier orders what the
        // processor may move (`sync/os.rs`).
        light_barrier(self.barrier);
        // [arming.glance] Relaxed: the parker's barrier orders it or, once a bit is seen, the
        // caller's SeqCst fence.
        self.bits.load(Ordering::Relaxed) & (ARMING | ARMED) != 0
    }

    fn load(&self) -> u64 {
        // [arming.load] Acquire: pairs with the Release of `arming.end`, so that a thread that
        // finds the ring armed comes after the barrier.
        self.bits.load(Ordering::Acquire)
    }

    /// Returns whether the ring is armed, and no publisher is about to disarm it.
    pub(super) fn is_armed(&self) -> bool {
        self.load() & (ARMED | DISARMING) == ARMED
    }

    /// Makes all publishers fence from now on. Called after a parker's fence. Returns `false` if
    /// nothing proves that they do.
    pub(super) fn arm(&self) -> bool {
        if !self.is_armed() {
            loop {
                let begun = self.begin_to_arm();
                if begun & ARMED != 0 {
                    break;
                }
                // [arming.heavy-barrier] Replaces the fence of publishers that saw neither bit and
                // ran none.
                if !heavy_barrier() {
                    self.fail();
                }
                if self.finish_arming(begun) {
                    break;
                }
            }
        }
        // A thread that sees ARMED comes after the barrier, and sees `BARRIER_FAILED` if it was set
        // before.
        self.load() & BARRIER_FAILED == 0
    }

    /// Announces that the ring is to be armed, and ends an attempt to disarm it. Returns the new
    /// state. If it has `ARMED`, there is no more to do.
    pub(super) fn begin_to_arm(&self) -> u64 {
        let mut now = self.load();
        loop {
            let arming = now & !DISARMING | ARMING;
            // [arming.begin] Relaxed: comes after the parker's fence. Acquire on failure, as
            // `arming.load`.
            match self.bits.compare_exchange_weak(now, arming, Ordering::Relaxed, Ordering::Acquire) {
                Ok(_) => return arming,
                Err(other) => now = other,
            }
        }
    }

    /// Arms the ring, unless an attempt to disarm it has begun since `begun`. Such an attempt may
    /// have removed `ARMING` before the barrier, and the caller must begin again.
    fn finish_arming(&self, begun: u64) -> bool {
        let mut now = begun;
        while now / DISARM_GENERATION == begun / DISARM_GENERATION {
            // [arming.end] Release: pairs with the Acquire of `arming.load`, so that a thread that
            // finds the ring armed comes after the barrier. Relaxed on failure: the value is only
            // the next guess.
            match self.bits.compare_exchange_weak(now, now | ARMED, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(other) => now = other,
            }
        }
        false
    }

    /// Notes that a barrier failed.
    fn fail(&self) {
        // [arming.fail] Relaxed: a parker that depends on it has set it, or sees it with `ARMED`,
        // which is set after it.
        self.bits.fetch_or(BARRIER_FAILED, Ordering::Relaxed);
    }

    /// Announces that the ring is to be disarmed, and returns the new state. Returns `None` if the
    /// ring must stay armed, or if another publisher is disarming it.
    pub(super) fn begin_to_disarm(&self) -> Option<u64> {
        let now = self.load();
        if !self.barrier || now & (ARMED | BARRIER_FAILED | DISARMING) != ARMED {
            return None;
        }
        let attempt = (now | DISARMING) + DISARM_GENERATION;
        // [disarm.begin] Relaxed: `disarm.fence` follows it, and a parker's fence precedes the
        // parker's load.
        self.bits.compare_exchange(now, attempt, Ordering::Relaxed, Ordering::Relaxed).is_ok().then_some(attempt)
    }

    /// Disarms the ring, if its state is still that of the attempt.
    pub(super) fn disarm(&self, attempt: u64) {
        let quiet = attempt & !(ARMING | ARMED | DISARMING);
        // [disarm.end] Relaxed: as `disarm.begin`. If it fails, a subscriber has parked.
        if self.bits.compare_exchange(attempt, quiet, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            self.cancel_disarm();
        }
    }

    /// Ends an attempt to disarm, of any thread.
    pub(super) fn cancel_disarm(&self) {
        // [disarm.stop] Relaxed: the ring is armed as before
        self.bits.fetch_and(!DISARMING, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armed() -> Arming {
        let arming = Arming::new(PublisherFence::WhileParked);
        arming.bits.fetch_or(ARMING | ARMED, Ordering::Relaxed);
        arming
    }

    #[test]
    fn each_bit_is_its_own_and_publishers_look_from_arming_on() {
        let bits = [ARMING, ARMED, BARRIER_FAILED, DISARMING];
        assert!(bits.iter().all(|bit| bit.is_power_of_two() && *bit < DISARM_GENERATION));
        assert_eq!(bits.into_iter().fold(0, |all, bit| all ^ bit).count_ones(), 4);
        let arming = Arming::new(PublisherFence::WhileParked);
        arming.fail();
        assert!(!arming.armed_after_commit());
        assert_eq!(arming.begin_to_arm(), ARMING | BARRIER_FAILED);
        assert!(arming.armed_after_commit());
        assert!(Arming::new(PublisherFence::Always).armed_after_commit());
    }

    #[test]
    fn an_attempt_to_disarm_ends_when_anything_happens() {
        assert_eq!(Arming::new(PublisherFence::WhileParked).begin_to_disarm(), None, "it is not armed");
        let arming = armed();
        let first = arming.begin_to_disarm().unwrap();
        assert_eq!(arming.begin_to_disarm(), None, "another attempt is under way");
        assert!(arming.armed_after_commit());
        arming.cancel_disarm();
        let second = arming.begin_to_disarm().unwrap();
        arming.disarm(first);
        assert_eq!(arming.load() & (ARMED | DISARMING), ARMED, "the first attempt is over, and ends the second too");
        arming.disarm(second);
        assert!(arming.armed_after_commit());
        let third = arming.begin_to_disarm().unwrap();
        arming.disarm(third);
        assert!(!arming.armed_after_commit());
        assert_eq!(arming.load() & (ARMING | ARMED | DISARMING), 0);
        let failed = armed();
        let fourth = failed.begin_to_disarm().unwrap();
        failed.fail();
        failed.disarm(fourth);
        assert_eq!(failed.load() & (ARMED | DISARMING), ARMED);
    }

    #[test]
    fn a_parker_that_arms_while_others_disarm_begins_again() {
        let arming = Arming::new(PublisherFence::WhileParked);
        let (first, second) = (arming.begin_to_arm(), arming.begin_to_arm());
        assert!(first & (ARMING | ARMED) == ARMING && first == second);
        assert!(arming.finish_arming(first));
        // Its announcement is removed before its barrier is complete, and another thread announces
        // itself.
        arming.disarm(arming.begin_to_disarm().unwrap());
        assert_eq!(arming.begin_to_arm() & (ARMING | ARMED), ARMING);
        assert!(!arming.finish_arming(second) && arming.load() & ARMED == 0);
        // A barrier that failed makes no difference.
        let third = arming.begin_to_arm();
        arming.fail();
        assert!(arming.finish_arming(third));
        // A thread that finds the ring armed only ends the attempt to disarm it.
        let arming = armed();
        let attempt = arming.begin_to_disarm().unwrap();
        assert_eq!(arming.begin_to_arm() & (ARMED | DISARMING), ARMED);
        arming.disarm(attempt);
        assert!(arming.load() & ARMED != 0);
    }

    #[test]
    fn a_ring_without_a_barrier_stays_armed() {
        for fence in [PublisherFence::Always, PublisherFence::Never] {
            assert_eq!(Arming::new(fence).begin_to_disarm(), None);
        }
        let failed = armed();
        failed.fail();
        assert_eq!(failed.begin_to_disarm(), None);
    }
}
