//! The messages and the service, compiled from `proto/runtime.proto`.
#![allow(missing_docs, clippy::pedantic, reason = "generated")]

tonic::include_proto!("runtime.v1");
