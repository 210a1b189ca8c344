//! Both bridges against a real `nats-server`, which the tests start, kill and start again.
#![allow(missing_docs, clippy::pedantic, reason = "a test")]

mod down;
mod inbound;
mod order;
mod pressure;
mod proxy;
mod refusals;
mod restarts;
mod resume;
mod support;
