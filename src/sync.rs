//! The one door to everything that blocks, wakes or is shared between threads.
//!
//! No other file names `std` atomics, loom, arc-swap, atomic-waker or crossbeam-utils (but those in `sync/`, a part of this one), so
//! that the code which runs under the model checker is the code that ships: only these files differ.

pub(crate) use std::sync::Arc;

pub(crate) type Pair<T> = (AtomicU64, AtomicPtr<T>);

#[cfg(loom)]
mod model;
#[cfg(not(loom))]
mod os;
#[cfg(not(loom))]
mod real;

#[cfg(loom)]
pub(crate) use model::*;
#[cfg(not(loom))]
pub(crate) use real::*;
