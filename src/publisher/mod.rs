//! The publishing handles.

mod batch;
mod exclusive;
mod future;
mod handle;
mod shared;
#[cfg(feature = "sink")]
mod sink;
mod task;

pub use batch::{Batch, SharedBatch};
pub use exclusive::Publisher;
pub use future::Publish;
pub(crate) use handle::Handle;
pub use shared::SharedPublisher;
