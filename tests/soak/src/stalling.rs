//! Publishers that stop in the middle of a publish, for a while or for good.

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

/// The longest stall.
const LONGEST: Duration = Duration::from_millis(20);

/// Stops at one of the places where it can.
pub(crate) fn stall<S: Carry>(publisher: &SharedPublisher<S>, pen: &mut Pen<S>) {
    pen.doing("stalls");
    let exact = pen.stage.manner.exact();
    match pen.random.u32(0..8) {
        // Gating subscribers would wait for it forever.
        0 | 1 if exact => pause(publisher, pen, true),
        0 => abandon(publisher, &pen.stage, false, pen.random.bool()),
        1 => abandon(publisher, &pen.stage, true, pen.random.bool()),
        way => pause(publisher, pen, way < 6),
    }
}

/// Claims, perhaps takes the slot, and never comes back.
fn abandon<S: Carry>(publisher: &SharedPublisher<S>, stage: &Stage<S>, in_slot: bool, forget: bool) {
    let mut stalls = lock(&stage.stalls);
    // A slot is held by the write of this lap only: a later one takes another.
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
    tally::add(Count::StallsForGood, 1);
}

/// Stops for a while; meanwhile others publish, and so does this thread.
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
    // Gating subscribers without a deadline wait for this stall, so this thread must not wait for them.
    let joins_in = pen.random.bool() && !pen.stage.manner.exact();
    // A second handle, as the first is borrowed; dropped before the stall ends.
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
    tally::add(Count::Stalls, 1);
}
