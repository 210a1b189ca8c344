//! The same operations near every power of two, and near the last sequence.
#![no_main]
#![allow(clippy::pedantic, reason = "as the tests it shares")]

#[path = "../src/bytes.rs"]
mod bytes;
#[path = "../../tests/common/mod.rs"]
mod common;

use arbitrary::Unstructured;
use bytes::Bytes;
use common::driver::{Choices, Number, Shape, run};
use common::model::LAST;
use libfuzzer_sys::fuzz_target;
use seqcast::{Boxed, Inline};

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(Unstructured::new(data), 120);
    let boxed = bytes.flag();
    let kind = bytes.below(6);
    let (capacity, gated) = (2 << (kind % 3), kind >= 3);
    let near = match bytes.below(80) {
        power @ 0..63 => 1 << power,
        _ => LAST,
    };
    let first = near.saturating_sub(bytes.below(48)).saturating_add(bytes.below(3)).min(LAST);
    let shape = Shape { capacity, slack: bytes.below(2) as usize, first, gated };
    if boxed { run::<Boxed<Number>>(shape, bytes) } else { run::<Inline<u64>>(shape, bytes) }
});
