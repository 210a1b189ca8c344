//! What happened to a container: the compact record.

/// What happened. Every container goes through all four, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It is there.
    Created,
    /// It runs.
    Started,
    /// It has exited.
    Stopped,
    /// It is gone.
    Deleted,
}

impl Kind {
    /// In the order of a life.
    pub const ALL: [Self; 4] = [Self::Created, Self::Started, Self::Stopped, Self::Deleted];

    /// Which event of its container's life it is, from 0.
    pub fn step(self) -> u32 {
        self as u32
    }
}

/// What happened to a container.
///
/// The strings that a client sees (ids, names) follow from these numbers, see [`message`](crate::message).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Nanoseconds since 1970.
    pub created_at: i64,
    /// Number of the pod.
    pub pod: u64,
    /// Number of the container within its pod; 0 is the sandbox.
    pub container: u32,
    /// How many containers the pod has beside the sandbox.
    pub containers: u32,
    /// How often the pod was tried before.
    pub attempt: u32,
    /// What happened.
    pub kind: Kind,
    /// Follows from the rest; see [`sealed`](Self::sealed).
    pub seal: u64,
}

impl Event {
    /// With the seal that fits: parts of two events do not fit together.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.seal = self.expected_seal();
        self
    }

    /// Whether it is as it was sealed.
    pub fn is_whole(&self) -> bool {
        self.seal == self.expected_seal()
    }

    fn expected_seal(&self) -> u64 {
        let words = [
            self.created_at.cast_unsigned(),
            self.pod,
            u64::from(self.container) << 32 | u64::from(self.containers),
            u64::from(self.attempt) << 32 | u64::from(self.kind.step()),
        ];
        words.into_iter().fold(0, |seal, word| mix(seal ^ word))
    }
}

/// Spreads a number over 64 bits (the finaliser of splitmix64).
pub(crate) fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixed_event_is_not_whole() {
        let one =
            Event { created_at: 1, pod: 2, container: 1, containers: 3, attempt: 0, kind: Kind::Started, seal: 0 }
                .sealed();
        assert!(one.is_whole());
        for torn in [
            Event { created_at: 2, ..one },
            Event { pod: 3, ..one },
            Event { container: 2, ..one },
            Event { containers: 4, ..one },
            Event { attempt: 1, ..one },
            Event { kind: Kind::Stopped, ..one },
            Event { seal: one.seal ^ 1, ..one },
        ] {
            assert!(!torn.is_whole(), "{torn:?}");
        }
    }
}
