//! The container events of a CRI runtime, served over gRPC from a `seqcast` ring: the broadcast that panicked under pressure in
//! CRI-O, done so that it cannot. `docs/container-events.md` tells the story.
//!
//! From the producers to a client:
//!
//! 1. [`pods`] makes pods live and die; what happens to a container is numbered where it happens.
//! 2. [`generator`] paces that, has two threads report it, as racing as those of a runtime, and has [`order`] put it in order again,
//!    container by container, before it is published.
//! 3. [`payload`] says what lies in the ring: whole messages (boxed) or compact records (inline).
//! 4. [`ring`] subscribes each client, at the sequence that it asks for ([`wish`]), and [`stream`] turns its subscriber into
//!    responses, each with its sequence and with what was lost right before it.
//! 5. [`server`] serves that on a Unix socket ([`socket`], `incoming`), [`metrics`] beside it, and shuts down in order.
//! 6. [`client`] reads it, reconnects ([`backoff`]), resumes, and keeps a [`ledger`] that has to balance.
//!
//! [`old`] has the two designs that came before, behind the same server, to be measured by the same clients.

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
pub mod stream;
pub mod told;
pub mod totals;
pub mod web;
pub mod wish;
