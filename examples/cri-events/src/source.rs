//! What the service serves events from.

use std::pin::Pin;

use tokio_stream::Stream;
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::proto::ContainerEventResponse;
use crate::wish::Wish;

/// One client's events; the last is a status.
pub type Events = Pin<Box<dyn Stream<Item = Result<ContainerEventResponse, Status>> + Send>>;

/// What the service serves events from: a ring, or one of the old designs.
pub trait Source: Send + Sync + 'static {
    /// Begins the events of one client, with the header that tells it where they begin.
    ///
    /// # Errors
    ///
    /// A status that says why not.
    fn open(&self, wish: &Wish) -> Result<(MetadataMap, Events), Status>;
}
