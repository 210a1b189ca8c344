//! The message: a `Copy` type, which an inline ring can carry.

/// Message `number` of a publisher, with a checksum of both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message {
    publisher: u64,
    number: u64,
    checksum: u64,
}

impl Message {
    pub(crate) fn new(publisher: u64, number: u64) -> Self {
        Self { publisher, number, checksum: checksum(publisher, number) }
    }

    /// Whether the message is what a publisher made. A mixture of two messages has a wrong
    /// checksum.
    pub(crate) fn is_whole(&self) -> bool {
        self.checksum == checksum(self.publisher, self.number)
    }
}

fn checksum(publisher: u64, number: u64) -> u64 {
    (publisher.rotate_left(48) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
