//! The crate's `testing` module for tests, each of which keeps what it asks for.
#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]
#![allow(unsafe_code, reason = "what these do can break the crate's promises, which is what the tests are about")]

pub(crate) use seqcast::testing::{Claim, Write, is_armed};

use seqcast::{Builder, Ring, SharedPublisher, Storage};

pub(crate) fn claim<S: Storage>(publisher: &SharedPublisher<S>) -> Option<Claim<'_, S>> {
    // SAFETY: tests leave fewer publishes unfinished than there are slots, or expect that no publisher goes on.
    unsafe { seqcast::testing::claim(publisher) }
}

pub(crate) fn resume<S: Storage>(publisher: &SharedPublisher<S>, sequence: u64) -> Claim<'_, S> {
    // SAFETY: tests resume each claim that they leaked once.
    unsafe { seqcast::testing::resume(publisher, sequence) }
}

pub(crate) fn stop_in_a_walk<S: Storage>(ring: &Ring<S>) {
    // SAFETY: tests have one thread when they do this.
    unsafe { seqcast::testing::stop_in_a_walk(ring) }
}

pub(crate) fn expire_gate_deadline<S: Storage>(ring: &Ring<S>) {
    // SAFETY: tests expect their gating subscribers to be demoted.
    unsafe { seqcast::testing::expire_gate_deadline(ring) }
}

pub(crate) fn never_parked(builder: Builder) -> Builder {
    // SAFETY: tests only poll rings that they made so.
    unsafe { seqcast::testing::never_parked(builder) }
}

pub(crate) fn with_barrier(builder: Builder) -> Builder {
    // SAFETY: only models do this, in which a fence stands for the barrier.
    unsafe { seqcast::testing::with_barrier(builder) }
}
