//! `Ring::drive_wakes`, on the executor where the subscribers are.

use futures::future::join_all;
use seqcast::RecvError;

use crate::all_wait;
use crate::executors::Spawner;

on_each_executor! {
    a_driver_wakes_all_and_ends_with_the_ring,
    tasks_wake_without_the_driver_that_was_dropped,
    a_second_driver_ends_at_once,
}

/// More than it wakes in one poll.
const TASKS: usize = 150;

async fn a_driver_wakes_all_and_ends_with_the_ring(spawner: Spawner) {
    // `futures::block_on` has a thread for each task.
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    let ring = publisher.ring();
    let driver = spawner.spawn(ring.drive_wakes());
    let reading: Vec<_> = (0..TASKS)
        .map(|_| {
            let mut subscriber = subscriber.clone();
            spawner.spawn(async move {
                for message in 0..3 {
                    assert_eq!(subscriber.recv_async().await, Ok(message));
                }
                subscriber.recv_async().await
            })
        })
        .collect();
    drop(subscriber);
    for message in 0..3 {
        all_wait(&ring, TASKS).await;
        publisher.publish(message);
    }
    all_wait(&ring, TASKS).await;
    publisher.close();
    assert!(join_all(reading).await.into_iter().all(|last| last == Err(RecvError::Closed)));
    driver.await;
    assert_eq!(ring.stats().totals.received, 3 * TASKS as u64);
}

async fn tasks_wake_without_the_driver_that_was_dropped(spawner: Spawner) {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    let ring = publisher.ring();
    let (stop, stopped) = futures::channel::oneshot::channel::<()>();
    let driver = spawner.spawn(futures::future::select(ring.drive_wakes(), stopped));
    let reading: Vec<_> = (0..TASKS)
        .map(|_| {
            let mut subscriber = subscriber.clone();
            spawner.spawn(async move { (subscriber.recv_async().await, subscriber.recv_async().await) })
        })
        .collect();
    drop(subscriber);
    all_wait(&ring, TASKS).await;
    publisher.publish(0);
    stop.send(()).unwrap();
    drop(driver.await);
    publisher.publish(1);
    assert!(join_all(reading).await.into_iter().all(|both| both == (Ok(0), Ok(1))));
}

async fn a_second_driver_ends_at_once(spawner: Spawner) {
    let (publisher, mut subscriber) = seqcast::inline::<u64>(64);
    let (mut publisher, ring) = (publisher, subscriber.ring());
    let mut first = ring.drive_wakes();
    assert!(futures::poll!(&mut first).is_pending());
    spawner.spawn(ring.drive_wakes()).await;
    let first = spawner.spawn(first);
    let reading = spawner.spawn(async move { subscriber.recv_async().await });
    publisher.publish(1);
    assert_eq!(reading.await, Ok(1));
    publisher.close();
    first.await;
}
