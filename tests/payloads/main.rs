//! Messages of every size and alignment arrive whole (laws 3 and 8).
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

#[path = "../common/mod.rs"]
mod common;

mod awkward;
mod ways;

use common::{CAPACITIES, FIRSTS};
use seqcast::{Builder, Plain, TryRecvError};
use std::fmt::Debug;
use std::sync::Arc;

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
    sizes!(127 128 255 256 257 1000 4095 4096);
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

#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(u8)]
enum Side {
    Buy = 3,
    Sell = 250,
}

#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
struct Quote {
    price: f64,
    size: u32,
    side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
struct Line([u64; 8]);

#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(16))]
struct Wide(u128);

#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, packed)]
struct Packed(u8, u32);

#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(256))]
struct Page([u8; 256]);

#[test]
fn enums_and_structs_of_every_alignment() {
    goes_through(|n| if n % 2 == 0 { Side::Buy } else { Side::Sell });
    let side = |n| if n % 2 == 0 { Side::Buy } else { Side::Sell };
    goes_through(|n| Quote { price: n as f64, size: n as u32, side: side(n) });
    goes_through(|n| Line([n; 8]));
    goes_through(|n| Wide(u128::from(n) * 3));
    goes_through(|n| Packed(n as u8, n as u32));
    goes_through(|n| Page([n as u8; 256]));
}

/// A boxed ring passes any type, by clone and by reference, with the correct alignment.
fn goes_through_boxed<T: Clone + Send + Sync + PartialEq + Debug + 'static>(make: impl Fn(u64) -> T) {
    for capacity in CAPACITIES {
        for first in FIRSTS {
            let (mut publisher, mut subscriber) = Builder::new(capacity).first_sequence(first).boxed::<T>();
            let mut borrower = subscriber.clone();
            let messages = 2 * capacity as u64 + 130;
            for number in 0..messages {
                publisher.publish(make(number));
                assert_eq!(subscriber.try_recv(), Ok(make(number)));
                let message = borrower.try_recv_ref().unwrap();
                assert_eq!(*message, make(number));
                assert!(std::ptr::from_ref(&*message).is_aligned());
            }
            assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
            let publisher = publisher.share();
            assert_eq!(publisher.publish_many((0..messages).map(&make)) as u64, messages);
            assert!(matches!(subscriber.try_recv(), Err(TryRecvError::Lagged(_))));
            for number in messages - capacity as u64..messages {
                assert_eq!(subscriber.try_recv(), Ok(make(number)));
            }
            assert_eq!(*borrower.latest_ref().unwrap(), make(messages - 1));
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Event {
    Started { name: String, at: u64 },
    Data(Vec<u8>),
    Nested(Box<Event>),
    Stopped,
}

#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(256))]
struct Aligned(u8);

#[test]
fn what_owns_memory_goes_through_a_boxed_ring() {
    goes_through_boxed(|n| n.to_string());
    goes_through_boxed(|n| vec![n; n as usize % 7]);
    goes_through_boxed(|n| Arc::<str>::from(n.to_string()));
    goes_through_boxed(|n| Arc::new([n; 3]));
    goes_through_boxed(|n| (n % 2 == 0).then(|| Box::new(n)));
    goes_through_boxed(|n| match n % 4 {
        0 => Event::Started { name: n.to_string(), at: n },
        1 => Event::Data(n.to_le_bytes().to_vec()),
        2 => Event::Nested(Box::new(Event::Data(vec![n as u8]))),
        _ => Event::Stopped,
    });
}

#[test]
fn every_size_and_alignment_goes_through_a_boxed_ring() {
    goes_through_boxed(|_| ());
    goes_through_boxed(|n| n % 3 == 0);
    goes_through_boxed(|n| n as u8);
    goes_through_boxed(bytes::<4096>);
    goes_through_boxed(|n| u128::from(n) << 70);
    goes_through_boxed(|n| Aligned(n as u8));
    goes_through_boxed(|n| [Aligned(n as u8); 2]);
    goes_through_boxed(|n| (n as u8, n, n as u16));
}

#[test]
fn trait_objects_go_through_a_boxed_ring() {
    trait Shape {
        fn area(&self) -> u64;
    }
    struct Square(u64);
    struct Strip(Vec<u64>);
    impl Shape for Square {
        fn area(&self) -> u64 {
            self.0 * self.0
        }
    }
    impl Shape for Strip {
        fn area(&self) -> u64 {
            self.0.iter().sum()
        }
    }
    let (mut publisher, mut subscriber) = seqcast::boxed::<Box<dyn Shape + Send + Sync>>(4);
    for number in 0..300 {
        publisher.publish(if number % 2 == 0 { Box::new(Square(number)) } else { Box::new(Strip(vec![number; 3])) });
        let expected = if number % 2 == 0 { number * number } else { 3 * number };
        assert_eq!(subscriber.try_recv_ref().unwrap().area(), expected);
    }
}

#[test]
fn a_cloned_arc_is_the_one_that_was_published() {
    let (mut publisher, mut subscriber) = seqcast::boxed(4);
    let message = Arc::new(5);
    publisher.publish(Arc::clone(&message));
    assert!(Arc::ptr_eq(&subscriber.try_recv().unwrap(), &message));
    assert_eq!(Arc::strong_count(&message), 2);
    drop((publisher, subscriber));
    assert_eq!(Arc::strong_count(&message), 1);
}
