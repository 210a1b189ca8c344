//! `select!` of tokio and of `futures`, with two rings and with timeouts.

use std::time::Duration;

use futures::future::{Either, FutureExt, select};
use futures::{StreamExt, pin_mut};
use seqcast::{Boxed, Inline, Publisher, RecvError, Subscriber};

use crate::executors::Spawner;
use crate::yield_now;

on_each_executor! {
    tokio_select_reads_two_rings,
    a_biased_tokio_select_reads_two_rings,
    futures_select_reads_two_rings,
    a_biased_futures_select_reads_two_rings,
    a_select_between_receiving_and_publishing,
    timeouts_between_messages_lose_none,
    a_select_loop_with_a_signal_ends_at_the_signal,
}

const MESSAGES: u64 = 300;

/// Two rings that hold all messages, and a task that publishes to both and closes them.
fn two_rings(spawner: &Spawner) -> (Subscriber<Inline<u64>>, Subscriber<Boxed<String>>) {
    let ((mut numbers, first), (mut texts, second)) = (seqcast::inline(512), seqcast::boxed(512));
    drop(spawner.spawn(async move {
        for number in 0..MESSAGES {
            numbers.publish(number);
            if number % 7 == 0 {
                yield_now().await;
            }
            texts.publish(number.to_string());
            if number % 5 == 0 {
                yield_now().await;
            }
        }
    }));
    (first, second)
}

/// What was read from two rings.
#[derive(Default)]
struct Both {
    numbers: Vec<u64>,
    texts: Vec<String>,
}

impl Both {
    #[track_caller]
    fn check(self) {
        assert!(self.numbers.into_iter().eq(0..MESSAGES));
        assert!(self.texts.into_iter().eq((0..MESSAGES).map(|number| number.to_string())));
    }
}

/// Each ring is read until it ends. A disabled arm is not polled.
macro_rules! read_by_tokio_select {
    ($first:ident, $second:ident $(, $biased:tt)*) => {{
        let (mut both, mut open) = (Both::default(), [true; 2]);
        while open != [false; 2] {
            tokio::select! {
                $($biased)*
                received = $first.recv_async(), if open[0] => match received {
                    Ok(number) => both.numbers.push(number),
                    Err(error) => open[0] = !error.is_closed(),
                },
                received = $second.next_ref_async(), if open[1] => match received {
                    Some(text) => both.texts.push(text.unwrap().clone()),
                    None => open[1] = false,
                },
            }
        }
        both.check();
    }};
}

async fn tokio_select_reads_two_rings(spawner: Spawner) {
    let (mut first, mut second) = two_rings(&spawner);
    spawner.spawn(async move { read_by_tokio_select!(first, second) }).await;
}

async fn a_biased_tokio_select_reads_two_rings(spawner: Spawner) {
    let (mut first, mut second) = two_rings(&spawner);
    spawner.spawn(async move { read_by_tokio_select!(first, second, biased, ;) }).await;
}

macro_rules! read_by_futures_select {
    ($first:ident, $second:ident, $select:ident) => {{
        let mut both = Both::default();
        loop {
            futures::$select! {
                number = $first.select_next_some() => both.numbers.push(number.unwrap()),
                text = $second.select_next_some() => both.texts.push(text.unwrap()),
                complete => break,
            }
        }
        both.check();
    }};
}

async fn futures_select_reads_two_rings(spawner: Spawner) {
    let (mut first, mut second) = two_rings(&spawner);
    spawner.spawn(async move { read_by_futures_select!(first, second, select) }).await;
}

async fn a_biased_futures_select_reads_two_rings(spawner: Spawner) {
    let (mut first, mut second) = two_rings(&spawner);
    spawner.spawn(async move { read_by_futures_select!(first, second, select_biased) }).await;
}

/// One task does both ends of a full gated ring, and never waits for itself.
async fn a_select_between_receiving_and_publishing(spawner: Spawner) {
    let (publisher, _) = seqcast::Builder::new(2).gated().inline::<u64>();
    let mut gating = publisher.ring().subscribe_gating().unwrap();
    let publisher = publisher.share();
    let task = async move {
        let (mut sent, mut received) = (0, 0);
        while received < MESSAGES {
            tokio::select! {
                published = publisher.publish_async(sent), if sent < MESSAGES => {
                    assert_eq!(published, Ok(sent), "a publish that was dropped has published nothing");
                    sent += 1;
                }
                message = gating.recv_async() => {
                    assert_eq!(message, Ok(received));
                    received += 1;
                }
            }
        }
        assert_eq!((sent, publisher.next_sequence(), gating.missed()), (MESSAGES, MESSAGES, 0));
    };
    spawner.spawn(task).await;
}

/// Timeouts that are over at once, and one that is long.
async fn timeouts_between_messages_lose_none(spawner: Spawner) {
    let (publisher, subscriber): (Publisher<Inline<u64>>, _) = seqcast::inline(512);
    let (mut publisher, mut subscriber) = (publisher, subscriber);
    let reading = spawner.spawn(async move {
        let (mut timeouts, mut next) = (0, 0);
        loop {
            let timer = smol::Timer::after(if next % 3 == 0 { Duration::ZERO } else { Duration::from_secs(60) });
            match select(subscriber.recv_async(), timer).await {
                Either::Left((Ok(message), _)) => {
                    assert_eq!(message, next);
                    next += 1;
                }
                Either::Left((Err(error), _)) => {
                    assert_eq!(error, RecvError::Closed);
                    return (next, timeouts);
                }
                Either::Right(_) => {
                    timeouts += 1;
                    yield_now().await;
                }
            }
        }
    });
    // Nothing is published yet: the first timeouts are over before there is a message.
    yield_now().await;
    for message in 0..MESSAGES {
        publisher.publish(message);
        yield_now().await;
    }
    publisher.close();
    let (received, _timeouts) = reading.await;
    assert_eq!(received, MESSAGES);
}

async fn a_select_loop_with_a_signal_ends_at_the_signal(spawner: Spawner) {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(8);
    let (ring, mut reader) = (publisher.ring(), subscriber);
    let (stop, stopped) = futures::channel::oneshot::channel::<()>();
    let reading = spawner.spawn(async move {
        let stopped = stopped.fuse();
        pin_mut!(stopped);
        let mut received = 0;
        loop {
            futures::select_biased! {
                message = reader.next() => received += message.unwrap().unwrap(),
                _ = stopped => break,
            }
        }
        (received, reader)
    });
    publisher.publish_many([1, 2, 3]);
    crate::all_wait(&ring, 1).await;
    stop.send(()).unwrap();
    let (received, mut reader) = reading.await;
    assert_eq!(received, 6);
    // The subscriber is as good as before.
    publisher.publish(4);
    assert_eq!(reader.recv_async().await, Ok(4));
}
