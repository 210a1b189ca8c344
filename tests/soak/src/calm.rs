//! When no publisher publishes, every subscriber must reach the last message. This detects lost
//! wake-ups: while others publish, the next wake-up would hide a lost one.

use crate::common::testing;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use seqcast::SharedPublisher;

use crate::message::Carry;
use crate::publishing::{self, Outlet, Pen};
use crate::stage::Stage;
use crate::stalling::finish;
use crate::{hang, watch};

/// Waits until each subscriber has been at the end once.
pub(crate) fn catch_up<S: Carry>(stage: &Stage<S>) {
    let began = Instant::now();
    let mut behind = stage.behind(0);
    while !behind.is_empty() && !watch::is_over() {
        if began.elapsed() > hang::patience() {
            hang::end(stage.lane, format!("no publisher publishes, and subscribers {behind:?} did not catch up"));
        }
        thread::sleep(Duration::from_micros(50));
        let still = stage.behind(0);
        behind.retain(|id| still.contains(id));
        hang::beat(stage.lane);
    }
}

/// Publishes one message after another, each after all subscribers have received the one before.
/// Many subscribers are parked then.
pub(crate) fn one_at_a_time<S: Carry>(outlet: &mut impl Outlet<S>, pen: &mut Pen<S>) {
    let stage = std::sync::Arc::clone(&pen.stage);
    catch_up(&stage);
    for _ in 0..pen.random.u32(1..64) {
        if watch::is_over() {
            return;
        }
        publishing::burst(outlet, pen, 1);
        catch_up(&stage);
    }
}

/// Like `catch_up`, but the last sequence is a hole, after which its publisher does not continue.
pub(crate) fn catch_up_over_hole<S: Carry>(publisher: &SharedPublisher<S>, pen: &mut Pen<S>) {
    let stage = std::sync::Arc::clone(&pen.stage);
    // A gating subscriber would wait at the held slot, and this thread for the subscriber.
    if stage.manner.gated() || !stage.permit() {
        return catch_up(&stage);
    }
    let name = pen.name();
    let Some(claim) = testing::claim(publisher) else { return };
    let a_lap_later = claim.sequence() + stage.capacity;
    let held = claim.begin();
    let mut other = publisher.clone();
    while other.next() < a_lap_later {
        publishing::burst(&mut other, pen, 1);
    }
    // Gives subscribers time to park at the held slot.
    thread::sleep(Duration::from_micros(pen.random.u64(0..2000)));
    if other.next() == a_lap_later {
        let name = pen.name();
        if let Some(write) = testing::claim(publisher).and_then(testing::Claim::begin) {
            finish(&stage, Some(write), name);
        }
    }
    catch_up(&stage);
    finish(&stage, held, name);
    stage.permits.fetch_add(1, Relaxed);
}
