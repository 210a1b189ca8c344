//! Bad requests get a clear status, and leave no subscriber.
#![allow(missing_docs, clippy::pedantic)]

mod common;

use common::{Stage, refused};
use seqcast_cri_events::client::connect;
use seqcast_cri_events::proto::{GetEventsRequest, VersionRequest, VersionResponse};
use seqcast_cri_events::wish::{EPOCH, From, NAME, RESUME_FROM};
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request};

#[tokio::test]
async fn without_events_the_call_is_unimplemented_and_the_version_is_not() {
    let stage = Stage::new(|options| options.no_events = true).await;
    let status = refused(stage.try_tail(From::Latest).await);
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("--no-events"), "{}", status.message());
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    let stage = Stage::new(|_| {}).await;
    let channel = tonic::transport::Endpoint::from_shared(format!("unix:{}", stage.socket.display())).unwrap();
    let channel = channel.connect().await.unwrap();
    for path in ["/runtime.v1.RuntimeService/RunPodSandbox", "/runtime.v1.ImageService/ListImages"] {
        let mut client = tonic::client::Grpc::new(channel.clone());
        client.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<VersionRequest, VersionResponse>::default();
        let request = Request::new(VersionRequest::default());
        let status = client.unary(request, path.parse().unwrap(), codec).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{path}");
    }
}

#[tokio::test]
async fn malformed_metadata_is_an_invalid_argument_and_names_the_key() {
    let stage = Stage::new(|_| {}).await;
    let mut client = connect(&stage.socket).await.unwrap();
    let long = "n".repeat(65);
    for (key, value) in [(RESUME_FROM, "yesterday"), (RESUME_FROM, "-1"), (EPOCH, "first"), (NAME, &long)] {
        let mut request = Request::new(GetEventsRequest {});
        request.metadata_mut().insert(key, AsciiMetadataValue::try_from(value).unwrap());
        let status = client.get_container_events(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{key}: {value}");
        assert!(status.message().contains(key), "{}", status.message());
    }
    let mut request = Request::new(GetEventsRequest {});
    request.metadata_mut().insert(RESUME_FROM, AsciiMetadataValue::try_from(b"\xc3\x28".as_slice()).unwrap());
    assert_eq!(client.get_container_events(request).await.unwrap_err().code(), Code::InvalidArgument);
    stage.subscribers(0).await;
}
