//! The service: `runtime.v1.RuntimeService`.

use std::sync::Arc;

use tonic::transport::server::UdsConnectInfo;
use tonic::{Request, Response, Status};

use crate::proto::runtime_service_server::RuntimeService;
use crate::proto::{GetEventsRequest, VersionRequest, VersionResponse};
use crate::source::{Events, Source};
use crate::statuses;
use crate::wish::Wish;

/// The service. Without a source, events are disabled.
pub(crate) struct Service(pub(crate) Option<Arc<dyn Source>>);

#[tonic::async_trait]
impl RuntimeService for Service {
    type GetContainerEventsStream = Events;

    async fn version(&self, _: Request<VersionRequest>) -> Result<Response<VersionResponse>, Status> {
        Ok(Response::new(VersionResponse {
            version: "0.1.0".to_owned(),
            runtime_name: env!("CARGO_PKG_NAME").to_owned(),
            runtime_version: env!("CARGO_PKG_VERSION").to_owned(),
            runtime_api_version: "v1".to_owned(),
        }))
    }

    async fn get_container_events(&self, request: Request<GetEventsRequest>) -> Result<Response<Events>, Status> {
        let source = self.0.as_ref().ok_or_else(statuses::events_are_disabled)?;
        let mut wish = Wish::read(request.metadata())?;
        if wish.name.is_none() {
            wish.name = process_of(&request);
        }
        let (header, events) = source.open(&wish)?;
        let mut response = Response::new(events);
        *response.metadata_mut() = header;
        Ok(response)
    }
}

/// The name of a client that gives none: its process.
fn process_of<T>(request: &Request<T>) -> Option<String> {
    let pid = request.extensions().get::<UdsConnectInfo>()?.peer_cred?.pid()?;
    Some(format!("pid {pid}"))
}
