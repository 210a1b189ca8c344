//! Wakers that do what they like.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use seqcast::{SharedPublisher, Storage};

use crate::message::{Carry, name};
use crate::reader::Reader;
use crate::stage::{Stage, lock};
use crate::tally::{self, Count};
use crate::watch::{catch, throw};

/// What a waker does when it is called.
struct Mischief<S: Storage> {
    stage: Arc<Stage<S>>,
    kind: Kind<S>,
}

enum Kind<S: Storage> {
    /// Publishes as this publisher, once: several polls may register one waker, and each has it called.
    Publish(SharedPublisher<S>, u64, AtomicBool),
    Panic,
    Subscribe,
}

impl<S: Carry> Wake for Mischief<S> {
    fn wake(self: Arc<Self>) {
        match &self.kind {
            Kind::Publish(_, _, done) if done.swap(true, Relaxed) => {}
            Kind::Publish(publisher, id, _) => {
                if let Ok(sequence) = publisher.publish(S::make(name(*id, 0), self.stage.ledger)) {
                    tally::add(Count::NestedPublishes, 1);
                    self.stage.published(1, sequence + 1);
                }
            }
            Kind::Panic => throw(),
            Kind::Subscribe => drop(self.stage.ring.subscribe()),
        }
    }
}

/// Polls with such wakers; `Break` is the end of the ring.
pub(crate) fn act<S: Carry>(reader: &mut Reader<S>) -> ControlFlow<()> {
    reader.doing("polls with a waker of its own");
    for _ in 0..reader.random.u32(1..8) {
        let stage = Arc::clone(&reader.stage);
        let kind = match reader.random.u32(0..3) {
            0 => Kind::Panic,
            1 => publishing(&stage, &mut reader.random).unwrap_or(Kind::Subscribe),
            _ => Kind::Subscribe,
        };
        let waker = Waker::from(Arc::new(Mischief { stage, kind }));
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

/// Few of these: numbers of publishers are scarce. And only where nobody waits for the last publisher to be dropped.
fn publishing<S: Carry>(stage: &Stage<S>, random: &mut fastrand::Rng) -> Option<Kind<S>> {
    if !stage.manner.closed_by_call() || stage.is_over() || random.u32(0..4) > 0 {
        return None;
    }
    let publisher = lock(&stage.source).clone()?;
    Some(Kind::Publish(publisher, stage.enrol()?, AtomicBool::new(false)))
}
