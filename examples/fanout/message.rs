//! What travels through the ring: plain words, the last of which is a checksum of the others.

/// `[value | label or filler | checksum]`. Two words leave no room for a label.
#[derive(Debug, Clone, Copy, bytemuck::NoUninit)]
#[repr(transparent)]
pub(crate) struct Message<const WORDS: usize>([u64; WORDS]);

/// Bits of a numbered message's value that are the number; the publisher is above.
const NUMBER_BITS: u32 = 48;

impl<const WORDS: usize> Message<WORDS> {
    const CHECKSUM: usize = WORDS - 1;
    /// Bytes of a label.
    pub(crate) const LABEL: usize = size_of::<[u64; WORDS]>() - 2 * size_of::<u64>();

    /// The value of something that has a name, which is cut to what fits.
    pub(crate) fn labelled(value: u64, label: &str) -> Self {
        let mut message = Self([0; WORDS]);
        message.0[0] = value;
        let room: &mut [u8] = bytemuck::cast_slice_mut(&mut message.0[1..Self::CHECKSUM]);
        let len = label.len().min(room.len());
        room[..len].copy_from_slice(&label.as_bytes()[..len]);
        message.sealed()
    }

    /// The `number`th message of a publisher. Every word of it differs from the one before, so that no mixture of two
    /// messages goes unseen.
    pub(crate) fn numbered(publisher: u64, number: u64) -> Self {
        let value = publisher << NUMBER_BITS | number;
        let mut message = Self([0; WORDS]);
        message.0[0] = value;
        for (word, at) in message.0[1..Self::CHECKSUM].iter_mut().zip(1_u64..) {
            // Has a byte 0xff, as no text has: it is not taken for a label.
            *word = !(value ^ at);
        }
        message.sealed()
    }

    /// Whether it is what its publisher made, and no mixture of two messages.
    pub(crate) fn is_whole(&self) -> bool {
        self.checksum() == self.0[Self::CHECKSUM]
    }

    pub(crate) fn value(&self) -> u64 {
        self.0[0]
    }

    pub(crate) fn label(&self) -> Option<&str> {
        let text = std::str::from_utf8(bytemuck::cast_slice(&self.0[1..Self::CHECKSUM])).ok()?;
        Some(text.trim_end_matches('\0')).filter(|label| !label.is_empty())
    }

    /// The publisher and the number of a [`numbered`](Self::numbered) message.
    pub(crate) fn number(&self) -> (u64, u64) {
        (self.value() >> NUMBER_BITS, self.value() & ((1 << NUMBER_BITS) - 1))
    }

    fn sealed(mut self) -> Self {
        self.0[Self::CHECKSUM] = self.checksum();
        self
    }

    fn checksum(&self) -> u64 {
        let mix = |sum: u64, word: &u64| (sum.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0[..Self::CHECKSUM].iter().fold(1, mix)
    }
}
