//! The name of a ring, and the ids of its messages.

use std::fmt;
use std::str::FromStr;

/// A name that no other ring has.
///
/// Sequences begin at 0 in each ring, so a sequence alone is no id. A process that is started again
/// has a new ring, and must give it a new instance: the broker would take its messages for
/// duplicates of the old ones. 128 random bits make that certain without a clock or a file, also
/// when several processes publish to one broker.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Instance(u128);

impl Instance {
    /// A new name, from the operating system's random numbers.
    ///
    /// # Panics
    ///
    /// If the operating system has none to give.
    #[expect(clippy::new_without_default, reason = "each one differs")]
    pub fn new() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system has random numbers");
        Self(u128::from_le_bytes(bytes))
    }

    /// The id of the message `sequence` of this ring, as it stands in `Nats-Msg-Id`.
    pub fn message_id(self, sequence: u64) -> String {
        format!("{self}-{sequence}")
    }

    /// The sequence in `id`, if that is an id of this ring.
    pub fn sequence_of(self, id: &str) -> Option<u64> {
        let (instance, sequence) = id.split_once('-')?;
        let sequence = sequence.parse().ok()?;
        // Compared as a whole: the broker compares ids as text, so `+1` and `01` are not the id of
        // message 1.
        (instance.parse() == Ok(self) && self.message_id(sequence) == id).then_some(sequence)
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instance({self})")
    }
}

impl FromStr for Instance {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_belongs_to_one_ring() {
        let (one, other) = (Instance::new(), Instance::new());
        assert_ne!(one, other);
        for sequence in [0, 1, u64::MAX] {
            let id = one.message_id(sequence);
            assert_eq!(one.sequence_of(&id), Some(sequence));
            assert_eq!(other.sequence_of(&id), None);
        }
        assert_eq!(one.to_string().parse(), Ok(one));
        for wrong in
            ["", "-", "1", "-1", &format!("{one}"), &format!("{one}-"), &format!("{one}-+1"), &format!("{one}-01")]
        {
            assert_eq!(one.sequence_of(wrong), None, "{wrong:?}");
        }
    }
}
