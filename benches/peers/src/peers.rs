//! The peers, one file each.

mod async_broadcast;
mod bare;
mod boxed;
mod bus;
mod condvar;
mod crossbeam;
mod disruptor;
mod gated;
mod inline;
mod photon;
mod ringcast;
mod tokio;
mod yring;

pub use async_broadcast::{AsyncBroadcast, AsyncBroadcastLossless};
pub use bare::Bare;
pub use boxed::{Borrowed, BorrowedShared, Cloned};
pub use bus::Bus;
pub use condvar::Conditional;
pub use crossbeam::Crossbeam;
pub use disruptor::{Disruptor, DisruptorShared};
pub use gated::{Gated, GatedBoxed, GatedMany, GatedShared};
pub use inline::{Driven, Exclusive, Many, Phases, Shared, SharedMany};
pub use photon::{Photon, PhotonBounded, PhotonShared};
pub use ringcast::Ringcast;
pub use tokio::{DropIn, DropInDriven, Tokio};
pub use yring::Yring;
