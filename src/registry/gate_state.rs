//! Whether publishers wait for a subscriber. The state has a word of its own, because publishers
//! write it too, and the subscriber writes its cursor by plain stores.

use crate::sync::{AtomicU32, AtomicU64, Ordering};

const LOSSY: u32 = 0;
const GATING: u32 = 1;
const DEMOTED: u32 = 2;

/// `LOSSY` for good, or `GATING` until a publisher demotes the subscriber.
#[derive(Debug)]
pub(crate) struct GateState {
    state: AtomicU32,
    /// The time of the last join or jump. The deadline counts from there at the earliest.
    since: AtomicU64,
}

impl GateState {
    pub(crate) fn lossy() -> Self {
        Self { state: AtomicU32::new(LOSSY), since: AtomicU64::new(0) }
    }

    pub(crate) fn gating() -> Self {
        Self { state: AtomicU32::new(GATING), since: AtomicU64::new(0) }
    }

    pub(crate) fn is_gating(&self) -> bool {
        // [gate.look] Relaxed: one word. A publisher that misses the end of a gate waits, and is
        // woken after it.
        self.state.load(Ordering::Relaxed) == GATING
    }

    pub(crate) fn is_demoted(&self) -> bool {
        // [gate.demoted] Relaxed: one word. The slots show losses.
        self.state.load(Ordering::Relaxed) == DEMOTED
    }

    /// Demotes the subscriber, on behalf of a publisher. Returns `true` for the one call that did.
    pub(crate) fn demote(&self) -> bool {
        // [gate.demote] Relaxed: one word. The fence of the wake-up that follows orders it for
        // publishers that wait.
        self.state.compare_exchange(GATING, DEMOTED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Restarts the subscriber's deadline, because it has just joined or jumped. Only the
    /// subscriber calls it.
    pub(crate) fn set_since(&self, since: u64) {
        // [gate.since-set] Relaxed: the store of the cursor publishes it
        self.since.store(since, Ordering::Relaxed);
    }

    pub(crate) fn since(&self) -> u64 {
        self.since.load(Ordering::Relaxed) // [gate.since] Relaxed: as `gate.since-set`
    }
}
