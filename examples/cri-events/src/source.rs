//! The source of the service's events.

use std::pin::Pin;

use tokio_stream::Stream;
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::proto::ContainerEventResponse;
use crate::wish::Wish;

/// The events of one client. The last item is a status.
pub type Events = Pin<Box<dyn Stream<Item = Result<ContainerEventResponse, Status>> + Send>>;

/// A source of events: a ring, or one of the earlier designs.
pub trait Source: Send + Sync + 'static {
    /// Begins the events of a client. Returns them, and a header that has where they begin.
    ///
    /// # Errors
    ///
    /// The status to refuse the request with.
    fn open(&self, wish: &Wish) -> Result<(MetadataMap, Events), Status>;
}
