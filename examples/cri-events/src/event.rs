//! The compact record of an event.

/// The kind of an event. Every container has all four, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The container exists.
    Created,
    /// The container runs.
    Started,
    /// The container has exited.
    Stopped,
    /// The container is removed.
    Deleted,
}

impl Kind {
    /// All kinds, in order.
    pub const ALL: [Self; 4] = [Self::Created, Self::Started, Self::Stopped, Self::Deleted];

    /// The position in that order, from 0.
    pub fn step(self) -> u32 {
        self as u32
    }
}

/// An event of a container.
///
/// The ids and names that a client receives are derived from these numbers: see
/// [`message`](crate::message).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Nanoseconds since 1970.
    pub created_at: i64,
    /// Number of the pod.
    pub pod: u64,
    /// Number of the container within its pod. The sandbox is 0.
    pub container: u32,
    /// Number of containers of the pod, not counting the sandbox.
    pub containers: u32,
    /// Number of earlier attempts to start the pod.
    pub attempt: u32,
    /// The kind.
    pub kind: Kind,
    /// A checksum of the other fields: see [`sealed`](Self::sealed).
    pub seal: u64,
}

impl Event {
    /// Sets the checksum. A mixture of two events has a wrong one.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.seal = self.expected_seal();
        self
    }

    /// Whether the checksum is correct.
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

/// Spreads a number over 64 bits: the finalizer of splitmix64.
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
