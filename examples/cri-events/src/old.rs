//! The two earlier designs: ports of how a runtime sent container events to its clients. They run
//! behind the same service, so that the same clients can put them under the same load.
//!
//! Both have one bounded queue, and one thread that sends each event to the clients in turn and
//! waits for each of them. They differ in how the sender signals the end of a client to its handler
//! ([`Completion`]): by a counter, which may go below zero, or by a flag that is set once.

mod broadcaster;
mod completion;

pub use broadcaster::{Broadcaster, Tap};
pub use completion::{CloseOnce, Completion, Counter};
