//! The publishing handles.

// In the order in which the documentation shows their methods.
mod exclusive;
mod shared;

mod room;

mod future;

mod batch;
mod handle;
mod run;
#[cfg(feature = "sink")]
mod sink;
mod task;

pub use batch::{Batch, SharedBatch};
pub use exclusive::Publisher;
pub use future::Publish;
pub(crate) use handle::Handle;
pub use shared::SharedPublisher;
