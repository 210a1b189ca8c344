//! Subscribers: they subscribe, and are cloned, leaked, dropped, or read to the end.

use std::sync::Arc;

use seqcast::{Start, SubscribeError, Subscriber};

use crate::common::lock;
use crate::message::Carry;
use crate::reader::Reader;
use crate::stage::Stage;
use crate::watch::{catch, throw, violation};
use crate::{receiving, tasks};

/// The maximum of leaked handles per ring.
const LEAKED_HANDLES: usize = 16;

/// Whether a subscriber is on a thread or in a task.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Home {
    Thread,
    Task,
}

/// Receives in all ways until the end of the ring, and checks the end. Then subscribes once more,
/// and receives the messages still in the ring.
pub(crate) async fn receive_all<S: Carry>(
    stage: Arc<Stage<S>>,
    home: Home,
    first: Option<Subscriber<S>>,
    mut random: fastrand::Rng,
) {
    let remains = first.as_ref().is_some_and(Subscriber::is_gating);
    let mut reader = match first {
        Some(gating) if remains => Reader::gating(&stage, gating, stage.first, &mut random),
        Some(lossy) => Reader::new(&stage, lossy, &mut random),
        None => join(&stage, &mut random),
    };
    reader.thorough = remains;
    while !stay(&mut reader, home, &mut random).await {
        reader = match random.u32(0..4) {
            // The clone is gating before the original is dropped.
            0 if remains => reader.fork(),
            _ if remains => reader,
            _ => replace(reader, &mut random),
        };
    }
    reader.at_end();
    let mut late = join(&stage, &mut random);
    while !stay(&mut late, home, &mut random).await {}
    late.at_end();
}

/// Receives for some time, or to the end of the ring. Returns `true` at the end.
async fn stay<S: Carry>(reader: &mut Reader<S>, home: Home, random: &mut fastrand::Rng) -> bool {
    let to_the_end = reader.stage.is_over();
    let mut acts = random.u32(1..40);
    while to_the_end || acts > 0 {
        acts = acts.saturating_sub(1);
        let outcome = match home {
            Home::Thread => receiving::act(reader),
            Home::Task => tasks::act(reader).await,
        };
        if outcome.is_break() {
            return true;
        }
    }
    false
}

/// Subscribes. In a gated ring, three of four subscribers are gating.
fn join<S: Carry>(stage: &Arc<Stage<S>>, random: &mut fastrand::Rng) -> Reader<S> {
    if !stage.manner.gated() || random.u32(0..4) == 0 {
        return Reader::new(stage, subscribe(stage, random), random);
    }
    let ring = &stage.ring;
    let start = receiving::start(ring.next_sequence(), stage.capacity, random);
    if start != Start::Latest {
        match (ring.subscribe_gating_at(start), start) {
            // Messages before the tail may be overwritten.
            (Ok(subscriber), _) => return Reader::gating(stage, subscriber, ring.next_sequence(), random),
            (Err(SubscribeError::Evicted { oldest }), Start::At(asked)) if asked < oldest => {}
            (Err(error), _) => violation(format!("{error} ({start:?})")),
        }
    }
    let subscriber = ring.subscribe_gating().expect("the ring must be gated");
    let from = subscriber.next_sequence();
    Reader::gating(stage, subscriber, from, random)
}

fn subscribe<S: Carry>(stage: &Stage<S>, random: &mut fastrand::Rng) -> Subscriber<S> {
    let start = receiving::start(stage.ring.next_sequence(), stage.capacity, random);
    if random.bool() {
        match (stage.ring.try_subscribe_at(start), start) {
            (Ok(subscriber), _) => return subscriber,
            (Err(SubscribeError::Evicted { oldest }), Start::At(asked)) if asked < oldest => {}
            (Err(SubscribeError::Future { tail }), Start::At(asked)) if asked > tail => {}
            (Err(error), _) => violation(format!("{error} ({start:?})")),
        }
    }
    stage.ring.subscribe_at(start)
}

/// Continues with the reader, a clone, or a new subscriber.
fn replace<S: Carry>(mut reader: Reader<S>, random: &mut fastrand::Rng) -> Reader<S> {
    let stage = Arc::clone(&reader.stage);
    match random.u32(0..7) {
        0 => return reader,
        1 | 2 => return reader.fork(),
        // Without a deadline, a leaked gating subscriber blocks publishers forever.
        3 if lock(&stage.leaked).len() < LEAKED_HANDLES && !(stage.manner.exact() && reader.subscriber.is_gating()) => {
            let next = reader.fork();
            stage.leak(stage.never_receives(reader.subscriber.clone()));
            return next;
        }
        4 => {
            let next = reader.fork();
            catch(move || {
                let _reader = reader;
                throw();
            });
            return next;
        }
        _ => {}
    }
    drop(reader);
    join(&stage, random)
}
