//! The one door to everything that blocks, wakes or is shared between threads.
//!
//! No other file names `std` atomics, loom, shuttle, arc-swap, atomic-waker or crossbeam-utils (but those in `sync/`, a part of this one), so
//! that the code which runs under the model checkers is the code that ships: only these files differ.
//!
//! A model checker replaces them only with the feature `_models` and its flag, `--cfg loom` or
//! `--cfg shuttle`. The flag alone changes nothing here: users who run loom on their own code set it
//! for all of their dependencies.

pub(crate) use std::sync::{Arc, Weak};

pub(crate) type BoxedCell<T> = (AtomicU64, AtomicPtr<T>);

#[cfg(not(all(feature = "_models", any(loom, shuttle))))]
mod alarm;
#[cfg(all(feature = "_models", loom))]
use loom as checker;
#[cfg(all(feature = "_models", any(loom, shuttle)))]
mod model;
#[cfg(not(all(feature = "_models", any(loom, shuttle))))]
mod native;
#[cfg(not(all(feature = "_models", any(loom, shuttle))))]
mod os;
#[cfg(all(feature = "_models", any(loom, shuttle)))]
mod traced;
#[cfg(not(all(feature = "_models", any(loom, shuttle))))]
mod zeroed;

#[cfg(all(feature = "_models", shuttle))]
use shuttle as checker;

#[cfg(not(all(feature = "_models", any(loom, shuttle))))]
pub(crate) use alarm::Alarm;
#[cfg(all(feature = "_models", any(loom, shuttle)))]
pub(crate) use model::*;
#[cfg(not(all(feature = "_models", any(loom, shuttle))))]
pub(crate) use native::*;
#[cfg(not(all(feature = "_models", any(loom, shuttle))))]
pub(crate) use zeroed::*;
