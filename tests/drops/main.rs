//! Each message of a boxed ring is dropped exactly once (law 8), whatever user code runs meanwhile
//! (law 6).
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod clones;
#[path = "../common/mod.rs"]
mod common;
mod crowds;
mod leaks;
mod nesting;
mod once;
mod panics;
mod reentrant;
mod slow;

use common::counted::{Counted, Ledger};
use std::sync::Arc;

type S = seqcast::Boxed<Counted>;

/// More publishes than a publisher of a ring of `capacity` keeps messages. From then on, each
/// publish drops a message.
fn warm(capacity: usize) -> usize {
    capacity + 2 * 64 + 1
}

fn make(ledger: &Arc<Ledger>, count: usize) -> impl Iterator<Item = Counted> {
    (0..count).map(|_| ledger.make())
}
