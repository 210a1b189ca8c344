//! Parking and waking (laws 5 to 7): no wake-up is lost, and wakers may run any user code.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod arming;
#[path = "../common/mod.rs"]
mod common;
mod costs;
mod deep;
#[cfg(not(shuttle))]
mod driver;
#[cfg(not(shuttle))]
mod driver_calls;
mod hostile;
mod leaving;
mod nesting;
mod sleeping;
mod woken;
