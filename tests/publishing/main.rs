//! Several messages with one wake-up: batches, and runs of sequences from one claim.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]
#![allow(clippy::forget_non_drop, reason = "marks where a publisher is suspended forever")]

#[path = "../common/mod.rs"]
mod common;

mod batches;
mod exclusive_runs;
mod receives;
mod runs;
