//! Wakers that do what they like.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use seqcast::{RecvError, SharedPublisher, Storage};

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
                    tally::add(Count::Published, 1);
                    self.stage.published(1, sequence + 1);
                }
            }
            Kind::Panic => throw(),
            Kind::Subscribe => drop(self.stage.ring.subscribe()),
        }
    }
}

/// Polls with such a waker; `true` at the end of the ring.
pub(crate) fn act<S: Carry>(reader: &mut Reader<S>, random: &mut fastrand::Rng) -> bool {
    reader.doing("polls with a waker of its own");
    for _ in 0..random.u32(1..8) {
        let stage = Arc::clone(&reader.stage);
        let kind = match random.u32(0..3) {
            0 => Kind::Panic,
            1 if stage.manner.closed_by_call && !stage.is_over() => {
                let publisher = lock(&stage.source).clone();
                // Few of them: numbers of publishers are scarce.
                match publisher
                    .filter(|_| random.u32(0..4) == 0)
                    .and_then(|publisher| Some((publisher, stage.enrol()?)))
                {
                    Some((publisher, id)) => Kind::Publish(publisher, id, AtomicBool::new(false)),
                    None => Kind::Subscribe,
                }
            }
            _ => Kind::Subscribe,
        };
        let waker = Waker::from(Arc::new(Mischief { stage, kind }));
        let mut polls = 0;
        loop {
            // To register a waker at the very moment of a wake-up is to be woken right here.
            match catch(|| reader.subscriber.poll_recv(&mut Context::from_waker(&waker))) {
                Some(Poll::Ready(Ok(message))) => reader.took(&message),
                Some(Poll::Ready(Err(RecvError::Lagged(lagged)))) => reader.lagged(lagged),
                Some(Poll::Ready(Err(RecvError::Closed))) => return true,
                None | Some(Poll::Pending) => {
                    thread::yield_now();
                    break;
                }
            }
            polls += 1;
            if polls > 1000 {
                break;
            }
        }
    }
    false
}
