//! The publishing handles.

mod exclusive;
mod handle;
mod shared;

pub use exclusive::Publisher;
pub(crate) use handle::Handle;
pub use shared::SharedPublisher;
