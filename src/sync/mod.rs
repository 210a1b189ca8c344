//! The one door to everything that blocks, wakes or is shared between threads.
//!
//! No other file names `std` atomics, loom, shuttle, arc-swap, atomic-waker or crossbeam-utils (but those in `sync/`, a part of this one), so
//! that the code which runs under the model checkers is the code that ships: only these files differ.

pub(crate) use std::sync::{Arc, Weak};

pub(crate) type BoxedCell<T> = (AtomicU64, AtomicPtr<T>);

#[cfg(not(any(loom, shuttle)))]
mod alarm;
#[cfg(loom)]
use loom as checker;
#[cfg(any(loom, shuttle))]
mod model;
#[cfg(not(any(loom, shuttle)))]
mod native;
#[cfg(not(any(loom, shuttle)))]
mod os;
#[cfg(any(loom, shuttle))]
mod traced;

#[cfg(shuttle)]
use shuttle as checker;

#[cfg(not(any(loom, shuttle)))]
pub(crate) use alarm::Alarm;
#[cfg(any(loom, shuttle))]
pub(crate) use model::*;
#[cfg(not(any(loom, shuttle)))]
pub(crate) use native::*;
