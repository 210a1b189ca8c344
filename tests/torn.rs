//! Large and padded messages under load: each is whole, and the account adds up (laws 1 to 3).
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::{Carry, Signed, sign, stress, verify};
use seqcast::{Builder, Inline, Plain, Publisher, RecvError, Subscriber};
use std::fmt::Debug;
use std::sync::LazyLock;

/// A message of which each part follows from its publisher and number.
trait Whole: Plain + PartialEq + Debug {
    fn new(publisher: u64, number: u64) -> Self;
    /// Publisher and number, as they stand somewhere in the message.
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
        // Not `assert_eq`: some messages are long.
        assert!(message == T::new(publisher, number), "torn: neither is it message {number} of {publisher}");
        sign(publisher, number)
    }

    fn borrow(_: &mut Subscriber<Self>, path: u64) -> Result<Signed, RecvError> {
        panic!("no such path: {path}")
    }
}

/// Three of its 24 bytes are padding.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Padded {
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

/// Each variant leaves other bytes without a value.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
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

/// The name in the last bytes. Before it, a part of a noise that differs in nearly each byte from those of other messages.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Noise<const N: usize>([u8; N]);

const NAME: usize = 16;

impl<const N: usize> Whole for Noise<N> {
    fn new(publisher: u64, number: u64) -> Self {
        static NOISE: LazyLock<Vec<u8>> = LazyLock::new(|| {
            // Always the same: which bytes these are changes nothing.
            let mut random = fastrand::Rng::with_seed(1);
            (0..32 << 10).map(|_| random.u8(..)).collect()
        });
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

/// `messages` in all: the larger they are, the fewer will do.
fn stays_whole<T: Whole>(messages: u64) {
    for capacity in [2, 64] {
        stress::exclusive::<Inline<T>>(2, capacity, messages);
        stress::shared::<Inline<T>>(2, 2, capacity, messages / 2, 0);
        // On each path.
        stress::shared::<Inline<T>>(3, 5, capacity, messages / 16, common::FIRSTS[1]);
    }
}

#[test]
fn structs_with_padding_stay_whole() {
    stays_whole::<Padded>(40_000);
}

#[test]
fn enums_with_fields_stay_whole() {
    stays_whole::<Event>(40_000);
}

#[test]
fn messages_of_a_few_lines_stay_whole() {
    stays_whole::<Noise<127>>(20_000);
    stays_whole::<Noise<256>>(20_000);
}

#[test]
fn messages_of_an_odd_size_stay_whole() {
    stays_whole::<Noise<129>>(20_000);
    stays_whole::<Noise<1001>>(20_000);
}

#[test]
fn messages_of_a_page_stay_whole() {
    stays_whole::<Noise<4096>>(12_000);
}

#[test]
fn messages_of_many_pages_stay_whole() {
    stays_whole::<Noise<16384>>(5_000);
}
