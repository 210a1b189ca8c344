//! The only module that names primitives which block, wake, or are shared between threads.
//!
//! No file outside `sync/` names `std` atomics, loom, shuttle, arc-swap, atomic-waker or
//! crossbeam-utils. So the code that runs under the model checkers is the code that ships. Only the
//! files of this module differ.
//!
//! A model checker replaces the primitives only with the feature `_models` and its flag, `--cfg
//! loom` or `--cfg shuttle`. The flag alone changes nothing here, because users who run loom on
//! their own code set it for all of their dependencies.

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
