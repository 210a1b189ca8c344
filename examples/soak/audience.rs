//! Those who receive: they come, are cloned, leaked, dropped, or read to the end.

use std::ops::ControlFlow;
use std::sync::Arc;

use seqcast::{Start, SubscribeError, Subscriber};

use crate::message::Carry;
use crate::reader::Reader;
use crate::stage::{Stage, lock};
use crate::watch::{catch, throw, violation};
use crate::{receiving, tasks};

/// Handles that a ring's life may leak.
const LEAKED_HANDLES: usize = 16;

/// Where a subscriber lives.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Home {
    Thread,
    Task,
}

impl Home {
    async fn act<S: Carry>(self, reader: &mut Reader<S>, random: &mut fastrand::Rng) -> ControlFlow<()> {
        match self {
            Self::Thread => receiving::act(reader, random),
            Self::Task => tasks::act(reader, random).await,
        }
    }
}

/// Receives in all ways until the ring ends, which it must see; then comes once more, for what is retained.
pub(crate) async fn attend<S: Carry>(
    stage: Arc<Stage<S>>,
    home: Home,
    first: Option<Subscriber<S>>,
    mut random: fastrand::Rng,
) {
    let mut reader = Reader::new(&stage, first.unwrap_or_else(|| subscribe(&stage, &mut random)));
    'life: loop {
        let stays = stage.is_over();
        let mut acts = random.u32(1..40);
        while stays || acts > 0 {
            acts = acts.saturating_sub(1);
            if home.act(&mut reader, &mut random).await.is_break() {
                break 'life;
            }
        }
        reader = go_on(reader, &mut random);
    }
    reader.at_end();
    let mut late = Reader::new(&stage, subscribe(&stage, &mut random));
    while home.act(&mut late, &mut random).await.is_continue() {}
    late.at_end();
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
fn go_on<S: Carry>(reader: Reader<S>, random: &mut fastrand::Rng) -> Reader<S> {
    let stage = Arc::clone(&reader.stage);
    match random.u32(0..7) {
        0 => return reader,
        1 | 2 => return reader.fork(),
        3 if lock(&stage.morgue).len() < LEAKED_HANDLES => {
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
    Reader::new(&stage, subscribe(&stage, random))
}
