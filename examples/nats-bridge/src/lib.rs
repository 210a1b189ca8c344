//! A ring and a NATS `JetStream` stream, each forwarded to the other. Nothing is lost, nothing
//! comes twice, and the order stays.
//!
//! - [`Outbound`] reads a gated ring and publishes each message to a stream. It holds its place in
//!   the ring until the broker has acknowledged a message. While the broker is down, publishers of
//!   the ring wait and lossy subscribers continue.
//! - [`Inbound`] pulls a stream and publishes each message into a ring. While a gating subscriber
//!   of that ring is slow, it does not pull.
//!
//! Both continue by themselves after the broker was killed and started again. What they cannot
//! repair is an [`Error`], never a silent loss: `run` returns it, and can be called again.
//!
//! `README.md` has a picture of the path, what is guaranteed, and what is not. [`Broker`] starts a
//! `nats-server` for the demonstration and for the tests.

mod broker;
mod counter;
mod error;
mod inbound;
mod instance;
mod link;
mod outbound;
mod stream;

pub use broker::Broker;
pub use counter::Counter;
pub use error::{Error, Result};
pub use inbound::{Arrived, Inbound, InboundCounts, InboundSettings};
pub use instance::Instance;
pub use link::Link;
pub use outbound::{Outbound, OutboundCounts, OutboundSettings};
pub use stream::{StreamSettings, create_stream};
