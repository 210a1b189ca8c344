//! Wakers that do what they like.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::thread;

use crate::common::lock;
use crate::common::wakers::call;
use crate::message::{Carry, name};
use crate::reader::Reader;
use crate::stage::Stage;
use crate::tally::{self, Count};
use crate::watch::{catch, throw};

/// Polls with such wakers; `Break` is the end of the ring.
pub(crate) fn act<S: Carry>(reader: &mut Reader<S>) -> ControlFlow<()> {
    reader.doing("polls with a waker of its own");
    for _ in 0..reader.random.u32(1..8) {
        let stage = &reader.stage;
        let waker = match reader.random.u32(0..3) {
            0 => call(|| throw()),
            1 => publishing(stage, &mut reader.random).unwrap_or_else(|| subscribing(stage)),
            _ => subscribing(stage),
        };
        for _ in 0..1000 {
            // To register a waker at the very moment of a wake-up is to be woken right here.
            let polled = catch(|| reader.subscriber.poll_recv(&mut Context::from_waker(&waker)));
            let Some(Poll::Ready(received)) = polled else { break };
            let sequence = reader.subscriber.next_sequence().wrapping_sub(1);
            reader.note(received.map(|message| (sequence, S::name(&message))).map_err(Into::into))?;
        }
        thread::yield_now();
    }
    ControlFlow::Continue(())
}

/// Publishes once: several polls may register one waker, and each has it called.
///
/// Few of these: numbers of publishers are scarce. And only where nobody waits for the last publisher to be dropped.
fn publishing<S: Carry>(stage: &Arc<Stage<S>>, random: &mut fastrand::Rng) -> Option<Waker> {
    if !stage.manner.closed_by_call() || stage.is_over() || random.u32(0..4) > 0 {
        return None;
    }
    let publisher = lock(&stage.source).clone()?;
    let (stage, id, done) = (Arc::clone(stage), stage.enrol()?, AtomicBool::new(false));
    Some(call(move || {
        if done.swap(true, Relaxed) {
            return;
        }
        // It must not wait: the thread may belong to the gating subscriber that it would wait for.
        if let Ok(sequence) = publisher.try_publish(S::make(name(id, 0), stage.ledger)) {
            tally::add(Count::NestedPublishes, 1);
            stage.published(1, sequence + 1);
        }
    }))
}

fn subscribing<S: Carry>(stage: &Arc<Stage<S>>) -> Waker {
    let stage = Arc::clone(stage);
    call(move || drop(stage.ring.subscribe()))
}
