//! The crate's `testing` module for tests. Each call meets its safety condition as described.
#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]
#![allow(unsafe_code, reason = "what these do can break the crate's promises, which is what the tests are about")]

pub(crate) use seqcast::testing::{Claim, Write, is_armed};

use seqcast::{Builder, Ring, SharedPublisher, Storage};

pub(crate) fn claim<S: Storage>(publisher: &SharedPublisher<S>) -> Option<Claim<'_, S>> {
    // SAFETY: tests leave fewer publishes unfinished than there are slots, or expect that no
    // publish succeeds.
    unsafe { seqcast::testing::claim(publisher) }
}

pub(crate) fn resume<S: Storage>(publisher: &SharedPublisher<S>, sequence: u64) -> Claim<'_, S> {
    // SAFETY: tests resume each leaked claim exactly once.
    unsafe { seqcast::testing::resume(publisher, sequence) }
}

pub(crate) fn stop_in_a_walk<S: Storage>(ring: &Ring<S>) {
    // SAFETY: tests run a single thread at that time.
    unsafe { seqcast::testing::stop_in_a_walk(ring) }
}

pub(crate) fn expire_gate_deadline<S: Storage>(ring: &Ring<S>) {
    // SAFETY: tests expect the demotion of their gating subscribers.
    unsafe { seqcast::testing::expire_gate_deadline(ring) }
}

pub(crate) fn never_parked(builder: Builder) -> Builder {
    // SAFETY: tests only poll rings that were made with this.
    unsafe { seqcast::testing::never_parked(builder) }
}

pub(crate) fn with_barrier(builder: Builder) -> Builder {
    // SAFETY: only loom models call this. They replace the barrier by a fence.
    unsafe { seqcast::testing::with_barrier(builder) }
}
