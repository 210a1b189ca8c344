//! Tasks that wait for room in a gated ring.

use futures::StreamExt;
use futures::future::join_all;
use seqcast::{Builder, Closed, Inline, SharedPublisher, Subscriber};

use crate::executors::Spawner;
use crate::{eventually, yield_now};

on_each_executor! {
    gating_subscribers_lose_nothing,
    a_lossy_subscriber_beside_a_gating_one_accounts_for_all,
    closing_returns_what_waits,
    a_gating_subscriber_that_leaves_makes_room,
    #[cfg(feature = "sink")]
    sinks_wait_for_room,
    #[cfg(feature = "sink")]
    a_stream_is_forwarded_to_a_ring_and_from_it_to_another,
}

fn gated(capacity: usize) -> (SharedPublisher<Inline<u64>>, Subscriber<Inline<u64>>) {
    let (publisher, _) = Builder::new(capacity).gated().inline();
    let gating = publisher.ring().subscribe_gating().unwrap();
    (publisher.share(), gating)
}

const EACH: u64 = 150;

/// Publishes the numbers of one publisher.
async fn publish(publisher: SharedPublisher<Inline<u64>>, id: u64) {
    for number in 0..EACH {
        publisher.publish_async(id * EACH + number).await.unwrap();
    }
}

#[track_caller]
fn check_all(mut messages: Vec<u64>, publishers: u64) {
    for id in 0..publishers {
        let of = messages.iter().filter(|message| **message / EACH == id);
        assert!(of.is_sorted(), "the order of one publisher");
    }
    messages.sort_unstable();
    assert!(messages.into_iter().eq(0..publishers * EACH));
}

async fn gating_subscribers_lose_nothing(spawner: Spawner) {
    for capacity in [1, 2, 16] {
        let (publisher, gating) = gated(capacity);
        let reading: Vec<_> = (0..3)
            .map(|slow| {
                let gating = gating.clone();
                spawner.spawn(async move {
                    let mut gating = gating;
                    let mut messages = Vec::new();
                    while let Some(message) = gating.next().await {
                        messages.push(message.unwrap());
                        if messages.len() % 50 < slow {
                            yield_now().await;
                        }
                    }
                    messages
                })
            })
            .collect();
        drop(gating);
        let writing: Vec<_> = (0..4).map(|id| spawner.spawn(publish(publisher.clone(), id))).collect();
        join_all(writing).await;
        drop(publisher);
        for messages in join_all(reading).await {
            check_all(messages, 4);
        }
    }
}

async fn a_lossy_subscriber_beside_a_gating_one_accounts_for_all(spawner: Spawner) {
    let (publisher, gating) = gated(4);
    let mut lossy = publisher.ring().subscribe();
    let counting = spawner.spawn(async move {
        while lossy.next().await.is_some() {}
        lossy.received() + lossy.missed() + lossy.holes()
    });
    let reading = spawner.spawn(gating.map(Result::unwrap).collect::<Vec<_>>());
    join_all((0..2).map(|id| spawner.spawn(publish(publisher.clone(), id)))).await;
    let end = publisher.next_sequence();
    drop(publisher);
    check_all(reading.await, 2);
    assert_eq!(counting.await, end);
}

async fn closing_returns_what_waits(spawner: Spawner) {
    let (publisher, gating) = gated(2);
    publisher.publish_many([0, 1]);
    let waiting: Vec<_> = (2..8)
        .map(|message| {
            let publisher = publisher.clone();
            spawner.spawn(async move { publisher.publish_async(message).await.map_err(Closed::into_inner) })
        })
        .collect();
    yield_now().await;
    assert!(publisher.close());
    for (returned, message) in join_all(waiting).await.into_iter().zip(2..) {
        assert_eq!(returned, Err(message));
    }
    assert!(gating.map(Result::unwrap).collect::<Vec<_>>().await.into_iter().eq(0..2));
}

async fn a_gating_subscriber_that_leaves_makes_room(spawner: Spawner) {
    let (publisher, gating) = gated(2);
    publisher.publish_many([0, 1]);
    let other = publisher.clone();
    let waiting = spawner.spawn(async move { other.publish_async(2).await.is_ok() });
    let stuck = spawner.spawn(async move {
        yield_now().await;
        drop(gating);
    });
    stuck.await;
    assert!(waiting.await);
    eventually("three messages", || publisher.next_sequence() == 3).await;
}

#[cfg(feature = "sink")]
async fn sinks_wait_for_room(spawner: Spawner) {
    use futures::SinkExt;

    let (publisher, gating) = gated(4);
    let reading = spawner.spawn(gating.map(Result::unwrap).collect::<Vec<_>>());
    let writing = (0..3).map(|id| {
        let mut publisher = publisher.clone();
        spawner.spawn(async move {
            let numbers = id * EACH..(id + 1) * EACH;
            match id {
                0 => {
                    for number in numbers {
                        publisher.send(number).await.unwrap();
                    }
                }
                1 => publisher.send_all(&mut futures::stream::iter(numbers.map(Ok))).await.unwrap(),
                _ => {
                    for number in numbers {
                        publisher.feed(number).await.unwrap();
                    }
                    publisher.flush().await.unwrap();
                }
            }
        })
    });
    join_all(writing).await;
    drop(publisher);
    check_all(reading.await, 3);
}

#[cfg(feature = "sink")]
async fn a_stream_is_forwarded_to_a_ring_and_from_it_to_another(spawner: Spawner) {
    let ((first, from_first), (second, from_second)) = (gated(2), gated(4));
    let numbers = futures::stream::iter((0..2 * EACH).map(Ok));
    let writing = spawner.spawn(numbers.forward(first));
    // A gating subscriber that is read in time has no loss.
    let between = spawner.spawn(from_first.map(|message| Ok(message.unwrap())).forward(second));
    check_all(from_second.map(Result::unwrap).collect().await, 2);
    assert!(writing.await.is_ok() && between.await.is_ok());
}
