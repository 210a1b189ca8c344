//! Server-sent events from a ring. A client that reconnects resumes where it was.
//!
//! - `POST /publish`: publishes the body, a text, and returns its sequence.
//! - `GET /events`: streams what is published. The `id` of each event is the sequence of its message. With a `Last-Event-ID`, which
//!   browsers send by themselves when they reconnect, the stream continues after that message. `event: lagged` has as its data how
//!   many messages were overwritten before they could be sent, and `event: reset` says that the id is not from this server's ring.
//!
//! `events.rs` makes the stream, `server.rs` serves it until the ring is closed, and `client.rs` is a client.

pub mod client;
mod events;
mod publish;
mod server;

pub use server::{Server, Settings};
