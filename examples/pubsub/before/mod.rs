//! The same server on tokio's channel. It has its own `subscriptions.rs`, and shares the other
//! files.

pub use tokio::sync::broadcast;

#[path = "../src/connection.rs"]
mod connection;
#[path = "../src/protocol.rs"]
mod protocol;
#[path = "../src/server.rs"]
mod server;
mod subscriptions;
#[path = "../src/topics.rs"]
mod topics;

pub use server::{Server, Settings};
