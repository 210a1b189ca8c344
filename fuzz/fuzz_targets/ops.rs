//! Any sequence of operations on several handles of one ring, compared with a trivial model.
#![no_main]
#![allow(clippy::pedantic, reason = "as the tests it shares")]

#[path = "../src/bytes.rs"]
mod bytes;
#[path = "../../tests/common/mod.rs"]
mod common;

use arbitrary::Unstructured;
use bytes::Bytes;
use common::driver::{Choices, Number, Shape, run};
use libfuzzer_sys::fuzz_target;
use seqcast::{Boxed, Inline};

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(Unstructured::new(data), 200);
    let boxed = bytes.flag();
    let kind = bytes.below(8);
    let (capacity, gated) = (2 << (kind % 4), kind >= 4);
    let slack = if bytes.below(4) == 0 { bytes.below(capacity) } else { 0 };
    let shape = Shape { capacity: capacity as usize, slack: slack as usize, first: 0, gated };
    if boxed { run::<Boxed<Number>>(shape, bytes) } else { run::<Inline<u64>>(shape, bytes) }
});
