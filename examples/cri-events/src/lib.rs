//! The container events of a CRI runtime, served over gRPC from a `seqcast` ring. CRI-O's broadcast
//! of these events panicked under pressure. `docs/container-events.md` describes the bug, and why
//! it cannot occur here.
//!
//! From the producers to a client:
//!
//! 1. [`pods`] simulates pods, and numbers the events of each container.
//! 2. [`generator`] paces the events. Two threads report them, and race as those of a runtime do.
//!    [`order`] restores the order within each container before a third thread publishes them.
//! 3. [`payload`] defines what the ring carries: whole messages (boxed) or compact records
//!    (inline).
//! 4. [`ring`] subscribes each client at the sequence that it requests ([`wish`]). [`stream`] turns
//!    its subscriber into responses, each with its sequence and the number of events missed before
//!    it.
//! 5. [`server`] serves the streams on a Unix socket ([`socket`], `incoming`), serves [`metrics`],
//!    and shuts down in order.
//! 6. [`client`] reads a stream, reconnects ([`backoff`]), resumes, and keeps a [`ledger`] that
//!    must balance.
//!
//! [`old`] has the two earlier designs, behind the same server, for measurements with the same
//! clients.

pub mod backoff;
pub mod client;
pub mod event;
pub mod generator;
pub mod host;
mod incoming;
pub mod ledger;
pub mod load;
pub mod message;
pub mod metrics;
pub mod old;
pub mod order;
pub mod outlet;
pub mod payload;
pub mod pods;
pub mod proto;
pub mod ring;
pub mod server;
pub mod service;
pub mod socket;
pub mod source;
pub mod statuses;
pub mod stream;
pub mod totals;
pub mod web;
pub mod wish;
