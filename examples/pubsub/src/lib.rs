//! A publish/subscribe server over TCP, with a channel for each topic.
//!
//! It was written for `tokio::sync::broadcast`. `before/` has the two files that differed: the
//! module that names the channel, and `subscriptions.rs`, which wraps each receiver in a stream.
//! `docs/from-tokio.md` compares them.
//!
//! The channel is used in three places:
//!
//! - `topics.rs` has a sender for each topic.
//! - `subscriptions.rs` has the receivers of one client, as streams in a `StreamMap`.
//! - `server.rs` has one more channel, which ends all connections at shutdown.
//!
//! `protocol.rs` describes the commands.

pub use seqcast::broadcast;

mod connection;
mod protocol;
mod server;
mod subscriptions;
mod topics;

pub use server::{Server, Settings};
