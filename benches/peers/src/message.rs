//! The messages: numbers, numbers followed by more bytes, a struct with padding, and texts that own
//! memory.

use std::array;
use std::hint::black_box;
use std::sync::{Arc, LazyLock};

/// The number of distinct plain numbers.
pub const KINDS: u64 = 1 << 63;

pub trait Message: Clone + Send + Sync + 'static {
    /// The number of distinct numbers, a power of two.
    const KINDS: u64 = KINDS;

    fn of(number: u64) -> Self;

    /// The part of the number that the message carries.
    fn number(&self) -> u64;
}

impl Message for u64 {
    #[inline]
    fn of(number: u64) -> Self {
        number
    }

    #[inline]
    fn number(&self) -> u64 {
        *self
    }
}

/// Hides from the compiler what is in a message. `black_box(message)` would copy it.
#[inline]
fn opaque<T>(message: T) -> T {
    black_box(&message);
    message
}

impl<const WORDS: usize> Message for [u64; WORDS] {
    #[inline]
    fn of(number: u64) -> Self {
        opaque([number; WORDS])
    }

    #[inline]
    fn number(&self) -> u64 {
        // The whole message must be received, although only two words are checked.
        let words = black_box(self);
        assert_eq!(words[0], words[WORDS - 1]);
        words[0]
    }
}

/// A tick of a market as its users declare it: 24 bytes, of which the last three are padding.
#[derive(Clone, Copy, PartialEq)]
pub struct Tick {
    symbol: [u8; 8],
    price: f64,
    size: u32,
    side: Side,
}

const _: () = assert!(size_of::<Tick>() == 24);

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Bid,
    Ask,
}

impl Tick {
    /// Each field is made of the number, so that a tick of two different numbers is noticed.
    #[inline]
    fn from_number(number: u32) -> Self {
        Self {
            symbol: u64::from(number).to_le_bytes(),
            price: number.into(),
            size: number,
            side: if number.is_multiple_of(2) { Side::Bid } else { Side::Ask },
        }
    }
}

impl Message for Tick {
    const KINDS: u64 = 1 << 32;

    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    fn of(number: u64) -> Self {
        opaque(Self::from_number(number as u32))
    }

    #[inline]
    fn number(&self) -> u64 {
        let tick = black_box(self);
        assert!(*tick == Self::from_number(tick.size), "a torn tick");
        tick.size.into()
    }
}

const TEXTS: usize = 128;

/// 64 bytes each. The reader checks one of them.
static EXAMPLES: LazyLock<[String; TEXTS]> = LazyLock::new(|| {
    array::from_fn(|kind| {
        let text = format!("{}{:063}", char::from(u8::try_from(kind).unwrap()), 0);
        assert_eq!(text.len(), 64);
        text
    })
});

#[allow(clippy::cast_possible_truncation)]
fn text(number: u64) -> &'static str {
    &EXAMPLES[number as usize % TEXTS]
}

impl Message for String {
    const KINDS: u64 = TEXTS as u64;

    fn of(number: u64) -> Self {
        text(number).to_owned()
    }

    fn number(&self) -> u64 {
        u64::from(self.as_bytes()[0])
    }
}

impl Message for Arc<str> {
    const KINDS: u64 = TEXTS as u64;

    fn of(number: u64) -> Self {
        Arc::from(text(number))
    }

    fn number(&self) -> u64 {
        u64::from(self.as_bytes()[0])
    }
}
