//! Random sequences of operations on a ring and on a trivial model, which must agree on every
//! result.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::driver::{Choices, Number, Numbers, Shape, run};
use common::{CAPACITIES, FIRSTS, model, seed};
use seqcast::{Boxed, Inline};

/// Runs so many steps from a seed.
struct Seeded(fastrand::Rng, u32);

impl Choices for Seeded {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.u64(0..bound)
    }

    fn any(&mut self) -> u64 {
        self.0.u64(..)
    }

    fn more(&mut self) -> bool {
        self.1 = self.1.saturating_sub(1);
        self.1 > 0
    }
}

#[test]
fn the_ring_agrees_with_the_obvious_one() {
    agrees::<Inline<u64>>(false);
}

#[test]
fn the_boxed_ring_agrees_with_the_obvious_one() {
    agrees::<Boxed<Number>>(false);
}

#[test]
fn the_gated_ring_agrees_with_the_obvious_one() {
    agrees::<Inline<u64>>(true);
}

#[test]
fn the_gated_boxed_ring_agrees_with_the_obvious_one() {
    agrees::<Boxed<Number>>(true);
}

#[test]
fn the_ring_agrees_to_the_last_sequence() {
    let mut seeds = fastrand::Rng::with_seed(seed());
    for _ in 0..200 {
        let mut random = seeds.fork();
        let shape = Shape { capacity: 4, slack: 0, first: model::LAST - random.u64(0..100), gated: random.bool() };
        run::<Inline<u64>>(shape, Seeded(random.fork(), 300));
        run::<Boxed<Number>>(shape, Seeded(random, 300));
    }
}

fn agrees<S: Numbers>(gated: bool) {
    let mut seeds = fastrand::Rng::with_seed(seed());
    for capacity in CAPACITIES {
        for first in FIRSTS {
            for round in 0..12 {
                let mut random = seeds.fork();
                let slack = if round % 4 == 0 { random.usize(0..capacity) } else { 0 };
                run::<S>(Shape { capacity, slack, first, gated }, Seeded(random, 300));
            }
        }
    }
}
