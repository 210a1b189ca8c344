//! Events of the crate `tracing`: what they say, and what a handler of events may do.
//!
//! | file | |
//! |---|---|
//! | `collector.rs` | a `tracing::Subscriber` that keeps events, and calls handlers |
//! | `ways.rs` | every way of receiving, once |
//! | `lagging.rs` | a subscriber has lagged |
//! | `demoting.rs` | a gating subscriber was demoted |
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod collector;
#[path = "../common/mod.rs"]
mod common;
mod demoting;
mod lagging;
mod ways;
