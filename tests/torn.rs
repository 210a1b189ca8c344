//! Large and padded messages under load: each is whole, and the account adds up (laws 1 to 3).
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::stress;
use common::whole::{Event, Noise, Padded, Whole};
use seqcast::Inline;

/// `messages` in total. Of larger messages, fewer are enough.
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
    stays_whole::<Noise<4096>>(6_000);
}

#[test]
fn messages_of_many_pages_stay_whole() {
    stays_whole::<Noise<16384>>(2_000);
}
