//! Every size and alignment goes through whole (laws 3 and 8).
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use bytemuck::NoUninit;
use common::{CAPACITIES, FIRSTS};
use seqcast::{Builder, Plain, TryRecvError};
use std::fmt::Debug;

fn goes_through<T: Plain + PartialEq + Debug>(make: impl Fn(u64) -> T) {
    for capacity in CAPACITIES {
        for first in FIRSTS {
            let (mut publisher, mut subscriber) = Builder::new(capacity).first_sequence(first).inline::<T>();
            let messages = 2 * capacity as u64 + 1;
            for number in 0..messages {
                publisher.publish(make(number));
                assert_eq!(subscriber.try_recv(), Ok(make(number)));
            }
            assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
            // A lap and a bit later, through shared publishers.
            let publisher = publisher.share();
            assert_eq!(publisher.publish_many((0..messages).map(&make)) as u64, messages);
            assert!(matches!(subscriber.try_recv(), Err(TryRecvError::Lagged(_))));
            for number in messages - capacity as u64..messages {
                assert_eq!(subscriber.try_recv(), Ok(make(number)));
            }
        }
    }
}

/// `N` bytes that all depend on the number.
fn bytes<const N: usize>(number: u64) -> [u8; N] {
    std::array::from_fn(|at| (number as u8).wrapping_mul(31).wrapping_add(at as u8))
}

#[test]
fn bytes_of_every_small_size() {
    macro_rules! sizes { ($($n:literal)*) => { $(goes_through(bytes::<$n>);)* } }
    sizes!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 23 24 25 31 32 33 63 64 65);
}

#[test]
fn bytes_of_large_sizes() {
    macro_rules! sizes { ($($n:literal)*) => { $(goes_through(bytes::<$n>);)* } }
    sizes!(127 128 255 1000 4095 4096);
}

#[test]
fn numbers() {
    goes_through(|n| n as u8);
    goes_through(|n| n as u16);
    goes_through(|n| n as i32);
    goes_through(|n| n);
    goes_through(|n| u128::from(n) << 50 | 7);
    goes_through(|n| n as f64 / 3.0);
    goes_through(|n| [n as f32; 5]);
    goes_through(|n| n as usize);
}

#[test]
fn unit_bool_char() {
    goes_through(|_| ());
    goes_through(|n| n % 3 == 0);
    goes_through(|n| char::from_u32(0x1F600 + (n % 64) as u32).unwrap());
}

#[derive(Debug, Clone, Copy, PartialEq, NoUninit)]
#[repr(u8)]
enum Side {
    Buy = 3,
    Sell = 250,
}

#[derive(Debug, Clone, Copy, PartialEq, NoUninit)]
#[repr(C)]
struct Quote {
    price: f64,
    size: u32,
    side: Side,
    _unused: [u8; 3],
}

#[derive(Debug, Clone, Copy, PartialEq, NoUninit)]
#[repr(C, align(64))]
struct Line([u64; 8]);

#[derive(Debug, Clone, Copy, PartialEq, NoUninit)]
#[repr(C, align(16))]
struct Wide(u128);

#[derive(Debug, Clone, Copy, PartialEq, NoUninit)]
#[repr(C, packed)]
struct Packed(u8, u32);

#[derive(Debug, Clone, Copy, PartialEq, NoUninit)]
#[repr(C, align(256))]
struct Page([u8; 256]);

#[test]
fn enums_and_structs_of_every_alignment() {
    goes_through(|n| if n % 2 == 0 { Side::Buy } else { Side::Sell });
    let side = |n| if n % 2 == 0 { Side::Buy } else { Side::Sell };
    goes_through(|n| Quote { price: n as f64, size: n as u32, side: side(n), _unused: [0; 3] });
    goes_through(|n| Line([n; 8]));
    goes_through(|n| Wide(u128::from(n) * 3));
    goes_through(|n| Packed(n as u8, n as u32));
    goes_through(|n| Page([n as u8; 256]));
}
