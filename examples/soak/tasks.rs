//! Every way to receive in a task.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::StreamExt;
use seqcast::RecvError;
use tokio::time::timeout;

use crate::message::Carry;
use crate::reader::Reader;
use crate::receiving;
use crate::stage::Stage;
use crate::tally::{self, Count};

/// Comes and goes until the ring ends, which it must see.
pub(crate) async fn attend<S: Carry>(stage: Arc<Stage<S>>, mut random: fastrand::Rng) {
    loop {
        let start = receiving::start(stage.ring.next_sequence(), stage.capacity, &mut random);
        let mut reader = Reader::new(&stage, stage.ring.subscribe_at(start));
        let stays = stage.is_over();
        let mut acts = random.u32(1..30);
        while stays || acts > 0 {
            acts = acts.saturating_sub(1);
            let ended = act(&mut reader, &mut random).await;
            reader.settle();
            if ended {
                reader.at_end();
                return;
            }
        }
        tokio::task::yield_now().await;
    }
}

async fn act<S: Carry>(reader: &mut Reader<S>, random: &mut fastrand::Rng) -> bool {
    let count = 1 << random.u32(0..12);
    match random.u32(0..8) {
        0 | 1 => receive(reader, Way::Future, count).await,
        2 => receive(reader, Way::Stream, count).await,
        3 => many(reader, random.usize(0..200)).await,
        4 => receive(reader, Way::Poll, count).await,
        5 => cancelled(reader, random.u32(1..40)).await,
        6 => {
            reader.doing("rests in a task");
            tokio::time::sleep(Duration::from_micros(random.u64(0..2000))).await;
            false
        }
        _ => S::borrow_async(reader, count).await,
    }
}

/// Accounts for what was received; `true` at the end.
fn took<S: Carry>(reader: &mut Reader<S>, received: Result<S::Item, RecvError>) -> bool {
    match received {
        Ok(message) => reader.took(&message),
        Err(RecvError::Lagged(lagged)) => reader.lagged(lagged),
        Err(RecvError::Closed) => return true,
    }
    false
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Future,
    Stream,
    Poll,
}

async fn receive<S: Carry>(reader: &mut Reader<S>, way: Way, count: u64) -> bool {
    reader.doing("receives in a task");
    for at in 1..=count {
        let subscriber = &mut reader.subscriber;
        let received = match way {
            Way::Future => subscriber.recv_async().await,
            Way::Poll => poll_fn(|cx| subscriber.poll_recv(cx)).await,
            Way::Stream => match StreamExt::next(subscriber).await {
                Some(received) => received.map_err(RecvError::Lagged),
                None => Err(RecvError::Closed),
            },
        };
        if took(reader, received) {
            return true;
        }
        // Lets other tasks have the thread: a ring may always have a message.
        if at % 128 == 0 {
            tokio::task::yield_now().await;
        }
    }
    false
}

async fn many<S: Carry>(reader: &mut Reader<S>, limit: usize) -> bool {
    reader.doing("recv_many_async in a task");
    let mut buffer = Vec::new();
    match reader.subscriber.recv_many_async(&mut buffer, limit).await {
        Ok(_) => reader.took_many(&buffer),
        Err(RecvError::Lagged(lagged)) => reader.lagged(lagged),
        Err(RecvError::Closed) => return true,
    }
    false
}

/// Futures that a timeout drops half way.
async fn cancelled<S: Carry>(reader: &mut Reader<S>, count: u32) -> bool {
    reader.doing("lets futures time out");
    for _ in 0..count {
        match timeout(Duration::from_micros(50), reader.subscriber.recv_async()).await {
            Err(_) => tally::add(Count::Cancelled, 1),
            Ok(received) => {
                if took(reader, received) {
                    return true;
                }
            }
        }
    }
    false
}
