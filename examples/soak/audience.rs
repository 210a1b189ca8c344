//! Threads that receive: subscribers come, are cloned, leaked, dropped, or read to the end.

use std::any::Any;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use seqcast::{Start, SubscribeError, Subscriber};

use crate::message::Carry;
use crate::reader::Reader;
use crate::receiving;
use crate::stage::{Stage, lock};
use crate::watch::{catch, throw, violation};

/// Handles that a ring's life may leak.
const LEAKED_HANDLES: usize = 16;

static FOR_GOOD: Mutex<Vec<Box<dyn Any + Send>>> = Mutex::new(Vec::new());

/// Keeps something for ever, and reachable.
pub(crate) fn keep_for_good(thing: impl Any + Send) {
    lock(&FOR_GOOD).push(Box::new(thing));
}

/// Receives in all ways until the ring ends, which it must see.
pub(crate) fn attend<S: Carry>(stage: &Arc<Stage<S>>, subscriber: Option<Subscriber<S>>, mut random: fastrand::Rng) {
    let mut reader = Reader::new(stage, subscriber.unwrap_or_else(|| subscribe(stage, &mut random)));
    loop {
        let stays = stage.is_over();
        let mut acts = random.u32(1..40);
        while stays || acts > 0 {
            acts = acts.saturating_sub(1);
            if receiving::act(&mut reader, &mut random) {
                reader.at_end();
                return check_late_joiner(stage, &mut random);
            }
        }
        reader = go_on(reader, &mut random);
    }
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

/// Goes on as another, or as itself.
fn go_on<S: Carry>(mut reader: Reader<S>, random: &mut fastrand::Rng) -> Reader<S> {
    let stage = Arc::clone(&reader.stage);
    match random.u32(0..8) {
        0 => reader,
        1 | 2 => reader.fork(),
        3 => {
            // Dropped while it is registered.
            let _ =
                reader.subscriber.poll_recv(&mut Context::from_waker(Waker::noop())).map(|received| match received {
                    Ok(message) => reader.took(&message),
                    Err(seqcast::RecvError::Lagged(lagged)) => reader.lagged(lagged),
                    Err(seqcast::RecvError::Closed) => reader.at_end(),
                });
            drop(reader);
            Reader::new(&stage, subscribe(&stage, random))
        }
        4 if lock(&stage.morgue).len() < LEAKED_HANDLES => {
            let next = reader.fork();
            reader.settle();
            stage.leak_subscriber(reader.subscriber.clone());
            next
        }
        5 => {
            let fork = reader.fork();
            catch(move || {
                let _reader = reader;
                throw();
            });
            fork
        }
        _ => {
            drop(reader);
            Reader::new(&stage, subscribe(&stage, random))
        }
    }
}

/// Who comes after the end reads what is retained.
fn check_late_joiner<S: Carry>(stage: &Arc<Stage<S>>, random: &mut fastrand::Rng) {
    let mut late = Reader::new(stage, subscribe(stage, random));
    receiving::finish(&mut late, random);
}
