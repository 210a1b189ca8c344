//! Publishers that are suspended in a publish, for some time or forever.

use crate::common::testing;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use seqcast::SharedPublisher;

use crate::common::lock;
use crate::message::Carry;
use crate::publishing::{Outlet, Pen};
use crate::stage::Stage;
use crate::tally::{self, Count};

/// The longest suspension.
const LONGEST: Duration = Duration::from_millis(20);

/// Suspends the publisher before or in its slot.
pub(crate) fn stall<S: Carry>(publisher: &SharedPublisher<S>, pen: &mut Pen<S>) {
    pen.doing("is suspended in a publish");
    let exact = pen.stage.manner.exact();
    match pen.random.u32(0..8) {
        // Gating subscribers would wait for it forever.
        0 | 1 if exact => pause(publisher, pen, true),
        0 => abandon(publisher, &pen.stage, false, pen.random.bool()),
        1 => abandon(publisher, &pen.stage, true, pen.random.bool()),
        way => pause(publisher, pen, way < 6),
    }
}

/// Claims, perhaps takes the slot, and never resumes.
fn abandon<S: Carry>(publisher: &SharedPublisher<S>, stage: &Stage<S>, in_slot: bool, forget: bool) {
    let mut stalls = lock(&stage.stalls);
    // Only the write of this lap holds the slot: a later one takes another.
    if stalls.forbidden || (in_slot && !stage.permit()) {
        return;
    }
    let Some(claim) = testing::claim(publisher) else { return };
    let sequence = claim.sequence();
    stalls.last = stalls.last.max(Some(sequence));
    if !in_slot {
        stage.published.fetch_add(1, Relaxed);
    } else if let Some(write) = claim.begin() {
        stage.published.fetch_add(1, Relaxed);
        if forget {
            std::mem::forget(write);
        }
    } else {
        stage.unclear.fetch_add(1, Relaxed);
        stage.permits.fetch_add(1, Relaxed);
    }
    tally::add(Count::SuspendedForever, 1);
}

/// Suspends the publisher for some time. Meanwhile others publish, perhaps including this thread.
fn pause<S: Carry>(publisher: &SharedPublisher<S>, pen: &mut Pen<S>, in_slot: bool) {
    let stage = std::sync::Arc::clone(&pen.stage);
    if in_slot && !stage.permit() {
        return;
    }
    if let Some(claim) = testing::claim(publisher) {
        let name = pen.name();
        let goal = claim.sequence().saturating_add(pen.random.u64(0..6) * stage.capacity);
        let (claim, taken) = if in_slot { (None, claim.begin()) } else { (Some(claim), None) };
        meanwhile(publisher, pen, goal);
        let write = claim.map_or(taken, testing::Claim::begin);
        finish(&stage, write, name);
    }
    if in_slot {
        stage.permits.fetch_add(1, Relaxed);
    }
}

fn meanwhile<S: Carry>(publisher: &SharedPublisher<S>, pen: &mut Pen<S>, goal: u64) {
    let began = Instant::now();
    // Gating subscribers without a deadline wait for this claim, so this thread must not wait for
    // them.
    let joins_in = pen.random.bool() && !pen.stage.manner.exact();
    // A second handle, because the first is borrowed. It is dropped before the publisher resumes.
    let mut other = publisher.clone();
    while other.next() < goal && !pen.stage.is_over() && !other.is_closed() && began.elapsed() < LONGEST {
        if joins_in {
            let count = pen.random.u64(1..=pen.stage.capacity.min(500));
            let published = other.many(&mut (0..count).map(|_| pen.message()));
            pen.stage.published(published, 0);
        } else {
            thread::yield_now();
        }
    }
}

pub(crate) fn finish<S: Carry>(stage: &Stage<S>, write: Option<testing::Write<'_, S>>, name: u64) {
    if let Some(write) = write {
        write.commit(S::make(name, stage.ledger));
        stage.published(1, 0);
    } else {
        stage.unclear.fetch_add(1, Relaxed);
    }
    tally::add(Count::Suspended, 1);
}
