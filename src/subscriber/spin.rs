//! How long a thread spins before it parks, depending on whether spinning helped before.

use crate::sync::SPINS;

/// If a thread parks after it has spun, the spinning was useless and took a core from other
/// threads. It spins a tenth as long the next time. Every eighth time it spins in full again, so
/// that it notices when messages come more often.
#[derive(Debug, Default)]
pub(crate) struct SpinPolicy {
    /// Waits in a row that ended in a park.
    parks: u8,
}

impl SpinPolicy {
    /// How often to check the ring before the next park.
    pub(crate) fn spins(&self) -> u32 {
        if self.parks % 8 == 0 { SPINS } else { SPINS / 10 }
    }

    /// A message came while the thread was spinning.
    pub(crate) fn note_success(&mut self) {
        self.parks = 0;
    }

    /// No message came in time, and the thread parks.
    pub(crate) fn note_park(&mut self) {
        self.parks = self.parks.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_useless_spins_most_waits_spin_less() {
        let mut spin_policy = SpinPolicy::default();
        let spins: Vec<_> = (0..16)
            .map(|_| {
                let spins = spin_policy.spins();
                spin_policy.note_park();
                spins
            })
            .collect();
        let (short, whole) = (SPINS / 10, SPINS);
        let round = [whole, short, short, short, short, short, short, short];
        assert_eq!(spins, [round, round].concat());
        spin_policy.note_park();
        assert_eq!(spin_policy.spins(), short);
        spin_policy.note_success();
        assert_eq!(spin_policy.spins(), whole);
    }
}
