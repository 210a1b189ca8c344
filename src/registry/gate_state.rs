//! Whether publishers wait for a subscriber. A word of its own: its subscriber stores its cursor plainly, and demotion is the publishers'.

use crate::sync::{AtomicU32, AtomicU64, Ordering};

const LOSSY: u32 = 0;
const GATING: u32 = 1;
const DEMOTED: u32 = 2;

/// `lossy` for good, or `gating` until a publisher demotes it.
#[derive(Debug)]
pub(crate) struct GateState {
    state: AtomicU32,
    /// When it last came to where it stands by anything but a message: the deadline counts from there.
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
        self.state.load(Ordering::Relaxed) == GATING // [gate.look] Relaxed: one word. A publisher that misses the end of a gate waits, and is woken after it
    }

    pub(crate) fn is_demoted(&self) -> bool {
        self.state.load(Ordering::Relaxed) == DEMOTED // [gate.demoted] Relaxed: as above; losses are found in the slots
    }

    /// By a publisher. `true` for the one that did.
    pub(crate) fn demote(&self) -> bool {
        // [gate.demote] Relaxed: one word; the fence of the wake-up that follows orders it for publishers that wait.
        self.state.compare_exchange(GATING, DEMOTED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// By its subscriber: it has just joined, or jumped.
    pub(crate) fn set_since(&self, since: u64) {
        self.since.store(since, Ordering::Relaxed); // [gate.since-set] Relaxed: before the cursor, which publishes it
    }

    pub(crate) fn since(&self) -> u64 {
        self.since.load(Ordering::Relaxed) // [gate.since] Relaxed: as above
    }
}
