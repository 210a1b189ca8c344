//! How long a thread spins before it parks, by what came of it last.

use crate::sync::SPINS;

/// A thread that had to park in the end spun for nothing, and others may have wanted its core: the next time it spins a tenth as
/// long. Now and then it tries the whole again, lest one late message keep it parking where spinning would do.
#[derive(Debug, Default)]
pub(crate) struct SpinPolicy {
    /// Waits in a row that ended in a park.
    parks: u8,
}

impl SpinPolicy {
    /// Looks at the ring, before the next park.
    pub(crate) fn spins(&self) -> u32 {
        if self.parks % 8 == 0 { SPINS } else { SPINS / 10 }
    }

    /// The message came in time.
    pub(crate) fn paid(&mut self) {
        self.parks = 0;
    }

    /// It did not.
    pub(crate) fn parks(&mut self) {
        self.parks = self.parks.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_spun_for_nothing_spins_less_but_not_for_ever() {
        let mut spin_policy = SpinPolicy::default();
        let spins: Vec<_> = (0..16)
            .map(|_| {
                let spins = spin_policy.spins();
                spin_policy.parks();
                spins
            })
            .collect();
        let (short, whole) = (SPINS / 10, SPINS);
        let round = [whole, short, short, short, short, short, short, short];
        assert_eq!(spins, [round, round].concat());
        spin_policy.parks();
        assert_eq!(spin_policy.spins(), short);
        spin_policy.paid();
        assert_eq!(spin_policy.spins(), whole);
    }
}
