//! Whether publishers wait for a subscriber. A word of its own: its subscriber stores its cursor plainly, and demotion is the publishers'.

use crate::sync::{AtomicU32, Ordering};

const LOSSY: u32 = 0;
const GATING: u32 = 1;
const DEMOTED: u32 = 2;

/// `lossy` for good, or `gating` until a publisher demotes it.
#[derive(Debug)]
pub(crate) struct GateState(AtomicU32);

impl GateState {
    pub(crate) fn lossy() -> Self {
        Self(AtomicU32::new(LOSSY))
    }

    pub(crate) fn gating() -> Self {
        Self(AtomicU32::new(GATING))
    }

    pub(crate) fn is_gating(&self) -> bool {
        self.0.load(Ordering::Relaxed) == GATING // [gate.look] Relaxed: one word. A publisher that misses the end of a gate waits, and is woken after it
    }

    pub(crate) fn is_demoted(&self) -> bool {
        self.0.load(Ordering::Relaxed) == DEMOTED // [gate.demoted] Relaxed: as above; losses are found in the slots
    }

    /// By a publisher. `true` for the one that did.
    pub(crate) fn demote(&self) -> bool {
        // [gate.demote] Relaxed: one word; the fence of the wake-up that follows orders it for publishers that wait.
        self.0.compare_exchange(GATING, DEMOTED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}
