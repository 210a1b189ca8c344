//! Wakers that panic, publish or subscribe.

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

/// Polls with such wakers. `Break` is the end of the ring.
pub(crate) fn act<S: Carry>(reader: &mut Reader<S>) -> ControlFlow<()> {
    reader.doing("polls with a custom waker");
    for _ in 0..reader.random.u32(1..8) {
        let stage = &reader.stage;
        let waker = match reader.random.u32(0..3) {
            0 => call(|| throw()),
            1 => publishing(stage, &mut reader.random).unwrap_or_else(|| subscribing(stage)),
            _ => subscribing(stage),
        };
        for _ in 0..1000 {
            // If a message is published while the poll registers, the waker is called inside the
            // poll.
            let polled = catch(|| reader.subscriber.poll_recv(&mut Context::from_waker(&waker)));
            let Some(Poll::Ready(received)) = polled else { break };
            let sequence = reader.subscriber.next_sequence().wrapping_sub(1);
            reader.note(received.map(|message| (sequence, S::name(&message))).map_err(Into::into))?;
        }
        thread::yield_now();
    }
    ControlFlow::Continue(())
}

/// Publishes once: several polls may register the same waker, and each registration may call it.
///
/// Used rarely, because the numbers of publishers are limited. Not used if the ring is closed by
/// the drop of its last publisher.
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
