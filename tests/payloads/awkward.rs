//! Types with padding, with few valid values, with pointers, of odd sizes and of large alignments,
//! each in every way to publish and to receive. Values are compared by their fields, because
//! padding has no value.
#![allow(unsafe_code, reason = "a union and what is initialised in part")]

use crate::ways::goes_every_way;
use std::any::TypeId;
use std::convert::Infallible;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::num::{NonZeroU8, NonZeroU128, Wrapping};
use std::ops::Bound;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn itself<T: Copy>(message: &T) -> T {
    *message
}

/// Compares the values themselves.
fn goes<T: seqcast::Plain + PartialEq + Debug>(make: fn(u64) -> T) {
    goes_every_way(make, itself);
}

const TEXTS: [&str; 4] = ["", "one", "a longer text", "ünïcödé"];

fn text(number: u64) -> &'static str {
    TEXTS[number as usize % TEXTS.len()]
}

#[test]
fn what_has_no_bytes_goes_through() {
    goes(|_| ());
    goes::<[u8; 0]>(|_| []);
    goes::<[u64; 0]>(|_| []);
    goes::<[u128; 0]>(|_| []);
    goes(|_| PhantomData::<fn(String)>);
    #[derive(Debug, Clone, Copy, PartialEq)]
    #[repr(align(256))]
    struct Nothing;
    goes(|_| Nothing);
}

#[test]
fn what_has_few_valid_values_goes_through() {
    goes(|n| n % 3 == 0);
    goes(|n| char::from_u32(0x1F600 + n as u32).unwrap());
    goes(|n| NonZeroU8::new(n as u8 + 1).unwrap());
    goes(|n| NonZeroU128::new((u128::from(n) + 1) << 100).unwrap());
    goes(|n| n.cmp(&5));
    goes(|n| n as u8);
}

#[test]
fn options_and_results_go_through() {
    goes(|n| (n % 2 == 0).then_some(n));
    goes(|n| NonZeroU8::new(n as u8 % 3));
    goes(|n| (n % 3 > 0).then(|| text(n)));
    goes(|n| if n % 2 == 0 { Ok(n as u32) } else { Err(()) });
    goes(|n| [None, Some(None), Some(Some(None)), Some(Some(Some(n % 8 < 4)))][n as usize % 4]);
    goes(|n| [None, Some(None), Some(Some(n))][n as usize % 3]);
    goes(|_| None::<Infallible>);
    goes(|n| [Bound::Unbounded, Bound::Included(n), Bound::Excluded(n)][n as usize % 3]);
    goes(|n| (n % 2 == 0).then_some([(n as u8, n as u32); 40]));
}

#[test]
fn a_ring_of_what_cannot_exist_is_empty() {
    let (publisher, mut subscriber) = seqcast::inline::<Infallible>(2);
    assert_eq!(subscriber.try_recv(), Err(seqcast::TryRecvError::Empty));
    drop(publisher);
    assert_eq!(subscriber.try_recv(), Err(seqcast::TryRecvError::Closed));
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Quote {
    Bid(f64, u32),
    Ask { price: f64, size: u32, maker: Option<u16> },
    Halt,
}

#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(u8)]
enum Tagged {
    Small(u8) = 7,
    Large([u64; 20]) = 200,
    Empty = 0,
}

#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
enum Foreign {
    Pair(u8, u64),
    Text(&'static str),
}

#[test]
fn enums_with_fields_go_through() {
    goes(|n| match n % 3 {
        0 => Quote::Bid(n as f64, n as u32),
        1 => Quote::Ask { price: n as f64, size: 3, maker: (n % 2 == 0).then_some(n as u16) },
        _ => Quote::Halt,
    });
    goes(|n| match n % 3 {
        0 => Tagged::Small(n as u8),
        1 => Tagged::Large([n; 20]),
        _ => Tagged::Empty,
    });
    goes(|n| if n % 2 == 0 { Foreign::Pair(n as u8, n) } else { Foreign::Text(text(n)) });
}

/// Three words. The middle one has seven bytes of padding.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
struct Middle(u64, u8, u64);

/// Padding at the end.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tail {
    number: u64,
    check: u64,
    kind: u32,
    flag: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, packed)]
struct Packed {
    flag: bool,
    number: u64,
    text: &'static str,
    small: u16,
}

#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, packed(2))]
struct HalfPacked(u8, u64, u8);

/// 63 of 128 bytes are padding.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
struct Lines([u8; 65]);

/// 4092 of 4096 bytes are padding.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(4096))]
struct Page(u32);

#[test]
fn what_has_padding_goes_through() {
    goes(|n| (n as u8, n, n as u16));
    goes(|n| (n as u8, u128::from(n) << 90));
    goes(|n| [(n as u8, n as u32); 3]);
    goes(|n| Middle(n, n as u8, !n));
    goes(|n| Tail { number: n, check: !n, kind: n as u32, flag: n % 2 == 0 });
    goes(|n| [Tail { number: n, check: !n, kind: n as u32, flag: n % 2 == 0 }; 30]);
}

#[test]
fn every_representation_goes_through() {
    goes(|n| Packed { flag: n % 2 == 0, number: n, text: text(n), small: n as u16 });
    goes(|n| HalfPacked(n as u8, n, 3));
    goes(|n| Lines([n as u8; 65]));
    goes(|n| Page(n as u32));
    goes(|n| [Page(n as u32), Page(!n as u32)]);
}

#[test]
fn what_points_into_the_program_goes_through() {
    goes(text);
    goes(|n| (n as u8, text(n), [text(n + 1); 9]));
    goes(|n| &TEXTS[..n as usize % 4]);
    // Functions are compared by their results, because a function may have several addresses.
    const FUNCTIONS: [fn(u32) -> u32; 2] = [|x| 2 * x, |x| x + 7];
    goes_every_way(|n| FUNCTIONS[n as usize % 2], |function| function(21));
    static ADD: &(dyn Fn(u64) -> u64 + Sync) = &|x| x + 1;
    static DOUBLE: &(dyn Fn(u64) -> u64 + Sync) = &|x| 2 * x;
    goes_every_way(|n| if n % 2 == 0 { ADD } else { DOUBLE }, |function| function(21));
    static COUNTS: [AtomicU64; 2] = [AtomicU64::new(3), AtomicU64::new(4)];
    goes_every_way(|n| &COUNTS[n as usize % 2], |count| count.load(Ordering::Relaxed));
}

#[test]
fn what_the_standard_library_has_goes_through() {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    goes(|n| *BEGAN + Duration::from_nanos(n * 999_999_999));
    goes(|n| Duration::from_nanos(n * 999_999_999));
    goes(|n| Wrapping(i128::MIN + i128::from(n)));
    goes(|n| -> SocketAddr {
        if n % 2 == 0 { ([127, 0, 0, n as u8], 80).into() } else { ([n as u16; 8], 443).into() }
    });
    goes(|n| if n % 2 == 0 { TypeId::of::<u8>() } else { TypeId::of::<String>() });
}

#[test]
fn a_float_keeps_each_bit_of_a_nan() {
    goes_every_way(|n| f64::from_bits(0xFFF8_0000_DEAD_0000 + n), |float| float.to_bits());
    goes_every_way(|n| [f32::from_bits(0x7FC0_BE00 + n as u32); 3], |floats| floats.map(f32::to_bits));
    goes_every_way(|n| if n % 2 == 0 { 0.0 } else { -0.0 }, |float: &f64| float.to_bits());
}

#[derive(Clone, Copy)]
#[repr(C)]
union Either {
    small: u8,
    large: [u64; 3],
}

#[test]
fn what_has_no_value_goes_through() {
    goes_every_way(|_| MaybeUninit::<[u8; 24]>::uninit(), |_| ());
    goes_every_way(|_| MaybeUninit::<[u8; 999]>::uninit(), |_| ());
    // Every second byte is initialized.
    goes_every_way(
        |n| {
            std::array::from_fn::<_, 301, _>(|at| [MaybeUninit::new(n as u8 ^ at as u8), MaybeUninit::uninit()][at % 2])
        },
        // SAFETY: these bytes are initialized.
        |bytes| bytes.iter().step_by(2).map(|byte| unsafe { byte.assume_init() }).collect::<Vec<_>>(),
    );
    // SAFETY: only one byte is read, and it is initialized.
    goes_every_way(|n| Either { small: n as u8 }, |either| unsafe { either.small });
    // SAFETY: all bytes are initialized.
    goes_every_way(|n| Either { large: [n, !n, 3] }, |either| unsafe { either.large });
}

/// `N` bytes, each of which depends on the number.
fn bytes<const N: usize>(number: u64) -> [u8; N] {
    std::array::from_fn(|at| (number as u8).wrapping_mul(29).wrapping_add(at as u8 ^ (at >> 8) as u8))
}

macro_rules! sizes {
    ($($name:ident: $($size:literal)*;)*) => { $(
        #[test]
        fn $name() {
            $(goes(bytes::<$size>);)*
        }
    )* };
}

// Sizes at which the way to copy, or the size of one step, changes.
sizes! {
    bytes_around_a_cache_line_go_through: 63 64 65;
    bytes_around_a_block_go_through: 127 128 129;
    bytes_around_two_blocks_go_through: 255 256 257;
    bytes_around_three_blocks_go_through: 383 384 385;
    bytes_around_a_page_go_through: 4095 4096 4097;
    bytes_of_many_pages_go_through: 16384;
}
