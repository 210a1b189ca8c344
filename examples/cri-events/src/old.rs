//! The two designs that came before: ports of how a runtime's server sent container events to its clients, behind the same service, so that
//! the same clients can put them under the same load.
//!
//! Both have one bounded queue and one thread that sends each event to each client, one after the other, waiting for each. They differ in how a
//! client's end is told to the one who waits for it ([`Completion`]): by a counter, which may go below zero, or by something that can be
//! closed once.

mod broadcaster;
mod completion;

pub use broadcaster::{Broadcaster, Tap};
pub use completion::{CloseOnce, Completion, Counter};
