//! Messages of many kinds that show whether they are torn.
#![allow(dead_code, reason = "each test uses a part of it")]

use super::{Carry, Signed, sign, verify};
use seqcast::{Builder, Inline, Plain, Publisher, RecvError, Subscriber};
use std::fmt::Debug;

/// A message of which each part follows from its publisher and number.
pub(crate) trait Whole: Plain + PartialEq + Debug {
    fn new(publisher: u64, number: u64) -> Self;
    /// The publisher and number stored in the message.
    fn name(&self) -> (u64, u64);
}

impl<T: Whole> Carry for Inline<T> {
    const PATHS: u64 = 5;

    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>) {
        builder.inline()
    }

    fn wrap(signed: Signed) -> T {
        let (publisher, number) = verify(signed);
        T::new(publisher, number)
    }

    fn open(message: T) -> Signed {
        let (publisher, number) = message.name();
        // Not `assert_eq`, because some messages are long.
        assert!(message == T::new(publisher, number), "torn, or not message {number} of publisher {publisher}");
        sign(publisher, number)
    }

    fn borrow(_: &mut Subscriber<Self>, path: u64) -> Result<Signed, RecvError> {
        panic!("no such path: {path}")
    }
}

/// Three of the 24 bytes are padding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Padded {
    number: u64,
    check: u64,
    publisher: u32,
    parity: u8,
}

impl Whole for Padded {
    fn new(publisher: u64, number: u64) -> Self {
        Self { number, check: sign(publisher, number)[2], publisher: publisher as u32, parity: number as u8 }
    }

    fn name(&self) -> (u64, u64) {
        (self.publisher.into(), self.number)
    }
}

/// Each variant leaves other bytes uninitialized.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Event {
    Small(u8, u32),
    Text { text: &'static str, publisher: u8, number: u64 },
    Large([u64; 9]),
    Maybe(Option<(u64, u8)>, u32),
}

impl Whole for Event {
    fn new(publisher: u64, number: u64) -> Self {
        const TEXTS: [&str; 3] = ["", "one", "some more"];
        match number % 4 {
            0 => Self::Small(publisher as u8, number as u32),
            1 => Self::Text { text: TEXTS[number as usize % 3], publisher: publisher as u8, number },
            2 => Self::Large(std::array::from_fn(|at| sign(publisher, number)[at % 3])),
            _ => Self::Maybe(Some((number, publisher as u8)), !(number as u32)),
        }
    }

    fn name(&self) -> (u64, u64) {
        match *self {
            Self::Small(publisher, number) => (publisher.into(), number.into()),
            Self::Text { publisher, number, .. } => (publisher.into(), number),
            Self::Large(words) => (words[0], words[1]),
            Self::Maybe(name, _) => name.map_or((u64::MAX, 0), |(number, publisher)| (publisher.into(), number)),
        }
    }
}

/// The last bytes are the publisher and number. The bytes before are a part of a table of noise.
/// Nearly every byte differs between two messages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Noise<const N: usize>([u8; N]);

const NAME: usize = 16;

/// Computed by the compiler: a thread sanitizer does not see the synchronization of a `LazyLock`.
static NOISE: [u8; 32 << 10] = {
    let mut noise = [0; 32 << 10];
    let (mut at, mut word) = (0, 0_u64);
    while at < noise.len() {
        word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
        noise[at] = (word.wrapping_mul(word | 1) >> 56) as u8;
        at += 1;
    }
    noise
};

impl<const N: usize> Whole for Noise<N> {
    fn new(publisher: u64, number: u64) -> Self {
        let mut bytes = [0; N];
        let (content, name) = bytes.split_at_mut(N - NAME);
        content.copy_from_slice(&NOISE[(701 * publisher + number) as usize % (NOISE.len() - N)..][..N - NAME]);
        name[..8].copy_from_slice(&publisher.to_ne_bytes());
        name[8..].copy_from_slice(&number.to_ne_bytes());
        Self(bytes)
    }

    fn name(&self) -> (u64, u64) {
        let word = |at: usize| u64::from_ne_bytes(self.0[at..at + 8].try_into().unwrap());
        (word(N - NAME), word(N - NAME + 8))
    }
}
