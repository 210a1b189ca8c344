//! What a subscriber does in a task.

use std::ops::ControlFlow::{self, Continue};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::message::Carry;
use crate::reader::Reader;
use crate::receiving::cancelled;
use crate::ways;

/// Receives for some time. `Break` is the end of the ring.
pub(crate) async fn act<S: Carry>(reader: &mut Reader<S>) -> ControlFlow<()> {
    let count = 1 << reader.random.u32(0..12);
    let outcome = match reader.random.u32(0..8) {
        0..6 => one_by_one(reader, count).await,
        6 => in_a_batch(reader).await,
        _ => {
            reader.doing("pauses in a task");
            sleep(Duration::from_micros(reader.random.u64(0..2000))).await;
            Continue(())
        }
    };
    reader.settle();
    outcome
}

async fn one_by_one<S: Carry>(reader: &mut Reader<S>, count: u64) -> ControlFlow<()> {
    let ways = ways::in_task::<S>();
    let (name, receive) = ways[reader.random.usize(..ways.len())];
    let hurries = reader.random.u32(0..4) == 0;
    reader.doing(name);
    for at in 1..=if hurries { count.min(32) } else { count } {
        let future = receive(&mut reader.subscriber);
        // A timeout drops an unfinished future.
        let received =
            if hurries { timeout(ways::SHORT, future).await.unwrap_or_else(|_| cancelled()) } else { future.await };
        reader.note(received)?;
        // Yields to other tasks, because a ring may always have a message.
        if at % 128 == 0 {
            tokio::task::yield_now().await;
        }
    }
    Continue(())
}

async fn in_a_batch<S: Carry>(reader: &mut Reader<S>) -> ControlFlow<()> {
    reader.doing("recv_many_async in a task");
    let (limit, mut batch) = (reader.random.usize(0..200), Vec::new());
    let received = reader.subscriber.recv_many_async(&mut batch, limit).await;
    reader.took_batch(&mut batch, limit, received.map_err(Into::into))
}
