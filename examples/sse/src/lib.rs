//! Server-sent events from a ring. A client that reconnects resumes after its last event.
//!
//! - `POST /publish` publishes the body, a text, and returns its sequence.
//! - `GET /events` streams the messages. The `id` of each event is the sequence of its message.
//!
//! Browsers send a `Last-Event-ID` when they reconnect. The stream then continues after that
//! message. Two events are not messages:
//!
//! - `event: lagged` reports as its data how many messages were overwritten before they could be
//!   sent.
//! - `event: reset` reports that the id is not from this server's ring.
//!
//! `events.rs` makes the stream, `server.rs` serves it until the ring is closed, and `client.rs` is
//! a client.

pub mod client;
mod events;
mod publish;
mod server;

pub use server::{Server, Settings};
