//! Many subscribers, in every way of receiving.

use futures::future::join_all;
use seqcast::{Lagged, RecvError, Ring, Start};

use crate::common::sign;
use crate::executors::Spawner;
use crate::reading::{Way, read};
use crate::{all_wait, yield_now};

on_each_executor! {
    every_subscriber_accounts_for_every_message,
    a_ring_that_holds_all_messages_loses_none,
    closing_ends_all_that_wait,
    dropping_the_publisher_ends_all_that_wait,
    a_loss_is_reported_once_with_its_size,
    batches_take_what_is_there,
    the_newest_message_replaces_the_others,
    a_task_that_panics_ends_no_other,
    two_tasks_that_answer_each_other_miss_no_wake_up,
}

/// Three publishers in tasks, which let others run in between. The result is the end of the ring.
async fn publish_and_read(
    spawner: Spawner,
    capacity: usize,
    readers: usize,
) -> (u64, Vec<(Way, crate::reading::Summary)>) {
    let (publisher, subscriber) = seqcast::boxed(capacity);
    let publisher = publisher.share();
    let reading: Vec<_> =
        Way::several(readers).map(|way| (way, spawner.spawn(read(subscriber.clone(), way)))).collect();
    drop(subscriber);
    let writing: Vec<_> = (0..3)
        .map(|id| {
            let publisher = publisher.clone();
            spawner.spawn(async move {
                for number in 0..200 {
                    publisher.publish(sign(id, number)).unwrap();
                    if number % 20 == 0 {
                        yield_now().await;
                    }
                }
            })
        })
        .collect();
    join_all(writing).await;
    let end = publisher.next_sequence();
    drop(publisher);
    let mut summaries = Vec::new();
    for (way, reading) in reading {
        summaries.push((way, reading.await));
    }
    (end, summaries)
}

async fn every_subscriber_accounts_for_every_message(spawner: Spawner) {
    let (end, summaries) = publish_and_read(spawner, 16, 42).await;
    for (way, summary) in summaries {
        assert_eq!(summary.sequences(), end, "{way:?}");
        summary.check_order(3);
    }
}

async fn a_ring_that_holds_all_messages_loses_none(spawner: Spawner) {
    let (_, summaries) = publish_and_read(spawner, 1024, 14).await;
    for (way, summary) in summaries {
        assert_eq!(summary.missed, 0, "{way:?}");
        assert_eq!(summary.messages.len() as u64 + summary.skipped, 600, "{way:?}");
        assert!(summary.skipped == 0 || matches!(way, Way::Newest), "{way:?}");
        summary.check_order(3);
    }
}

async fn closing_ends_all_that_wait(spawner: Spawner) {
    let (publisher, subscriber) = seqcast::boxed(8);
    let (publisher, ring) = (publisher.share(), subscriber.ring());
    let reading: Vec<_> = Way::several(21).map(|way| spawner.spawn(read(subscriber.clone(), way))).collect();
    drop(subscriber);
    all_wait(&ring, 21).await;
    publisher.publish(sign(0, 0)).unwrap();
    all_wait(&ring, 21).await;
    assert!(publisher.close());
    for summary in join_all(reading).await {
        assert_eq!((summary.messages.len(), summary.sequences()), (1, 1));
    }
    assert_eq!(ring.subscriber_count(), 0);
}

async fn dropping_the_publisher_ends_all_that_wait(spawner: Spawner) {
    let (publisher, subscriber) = seqcast::boxed(8);
    let ring = subscriber.ring();
    let reading: Vec<_> = Way::several(14).map(|way| spawner.spawn(read(subscriber.clone(), way))).collect();
    drop(subscriber);
    all_wait(&ring, 14).await;
    // In a task, so that the end comes from another thread where there is one.
    spawner.spawn(async move { drop(publisher) }).await;
    for summary in join_all(reading).await {
        assert_eq!(summary.sequences(), 0);
    }
}

async fn a_loss_is_reported_once_with_its_size(spawner: Spawner) {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    let ring = subscriber.ring();
    let reading: Vec<_> = (0..10)
        .map(|_| {
            let mut subscriber = subscriber.clone();
            spawner.spawn(async move {
                // It sleeps here, and wakes after ten messages.
                let lagged = Lagged { missed: 6, resumed_at: 6 };
                assert_eq!(subscriber.recv_async().await, Err(RecvError::Lagged(lagged)));
                for message in 6..10 {
                    assert_eq!(subscriber.recv_async().await, Ok(message));
                }
                subscriber.recv_async().await
            })
        })
        .collect();
    drop(subscriber);
    all_wait(&ring, 10).await;
    publisher.publish_many(0..10);
    // They have read all of it, and wait again.
    all_wait(&ring, 10).await;
    publisher.close();
    for last in join_all(reading).await {
        assert_eq!(last, Err(RecvError::Closed));
    }
    let totals = ring.stats().totals;
    assert_eq!((totals.received, totals.missed), (40, 60));
}

async fn batches_take_what_is_there(spawner: Spawner) {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    let ring = subscriber.ring();
    let reading = spawner.spawn(async move {
        let (mut subscriber, mut batch, mut sizes) = (subscriber, Vec::new(), Vec::new());
        while let Ok(count) = subscriber.recv_many_async(&mut batch, 8).await {
            sizes.push(count);
        }
        (batch, sizes)
    });
    all_wait(&ring, 1).await;
    publisher.publish_many(0..20);
    all_wait(&ring, 1).await;
    publisher.publish_many(20..23);
    publisher.close();
    let (batch, sizes) = reading.await;
    assert!(batch.into_iter().eq(0..23));
    assert_eq!(sizes, [8, 8, 4, 3]);
}

/// What was jumped over is no loss, and is counted.
async fn the_newest_message_replaces_the_others(spawner: Spawner) {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    let ring = subscriber.ring();
    let reading = spawner.spawn(async move {
        let mut subscriber = subscriber;
        let mut newest = Vec::new();
        while let Ok(message) = subscriber.recv_latest_async().await {
            newest.push(message);
        }
        (newest, subscriber.received(), subscriber.missed(), subscriber.skipped_by_choice())
    });
    for burst in 0..3 {
        all_wait(&ring, 1).await;
        publisher.publish_many(100 * burst..100 * burst + 10);
    }
    publisher.close();
    assert_eq!(reading.await, (vec![9, 109, 209], 3, 0, 27));
}

async fn a_task_that_panics_ends_no_other(spawner: Spawner) {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    let ring: Ring<_> = subscriber.ring();
    let mut panicking = subscriber.clone();
    let mut other = subscriber;
    // The panic stays in the task: not every executor has a place for it.
    let panicking = spawner.spawn(async move {
        let task = std::panic::AssertUnwindSafe(async move {
            panicking.recv_async().await.unwrap();
            crate::common::panics::throw();
        });
        futures::FutureExt::catch_unwind(task).await.is_err()
    });
    let reading = spawner.spawn(async move { (other.recv_async().await, other.recv_async().await) });
    all_wait(&ring, 2).await;
    publisher.publish(1);
    assert!(panicking.await);
    publisher.publish(2);
    assert_eq!(reading.await, (Ok(1), Ok(2)));
    assert_eq!(ring.subscribe_at(Start::Oldest).try_iter().count(), 2);
}

/// Each publishes one message and waits for the answer, so a wake-up that is missed is the last.
async fn two_tasks_that_answer_each_other_miss_no_wake_up(spawner: Spawner) {
    const ROUNDS: u64 = 2000;
    let ((mut questions, mut asked), (mut answers, mut answered)) = (seqcast::inline(4), seqcast::inline(4));
    let answering = spawner.spawn(async move {
        while let Ok(question) = asked.recv_async().await {
            answers.publish(question + 1);
        }
    });
    let asking = spawner.spawn(async move {
        for round in 0..ROUNDS {
            questions.publish(round);
            assert_eq!(answered.recv_async().await, Ok(round + 1));
        }
    });
    asking.await;
    answering.await;
}
