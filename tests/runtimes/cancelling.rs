//! Futures that are dropped after they returned `Pending`.

use futures::{FutureExt, StreamExt, poll};
use seqcast::{Boxed, Builder, RecvError, Subscriber};

use crate::executors::Spawner;
use crate::{all_wait, yield_now};

on_each_executor! {
    a_receive_that_is_dropped_loses_nothing,
    a_receive_that_is_dropped_after_it_was_woken_loses_nothing,
    a_receive_that_is_dropped_passes_no_wake_up_on,
    a_publish_that_is_dropped_publishes_nothing,
    receives_are_dropped_all_the_time,
}

/// Polls one of the futures once. Whether it returned `Pending`.
async fn begin(subscriber: &mut Subscriber<Boxed<u64>>, way: usize) -> bool {
    let mut buffer = Vec::new();
    let pending = match way {
        0 => poll!(subscriber.recv_async()).is_pending(),
        1 => poll!(subscriber.recv_many_async(&mut buffer, 8)).is_pending(),
        2 => poll!(subscriber.recv_latest_async()).is_pending(),
        3 => poll!(subscriber.recv_ref_async()).is_pending(),
        4 => poll!(subscriber.next_ref_async()).is_pending(),
        5 => poll!(subscriber.next()).is_pending(),
        _ => std::future::poll_fn(|cx| std::task::Poll::Ready(subscriber.poll_recv(cx).is_pending())).await,
    };
    assert!(buffer.is_empty());
    pending
}

const WAYS: usize = 7;

async fn a_receive_that_is_dropped_loses_nothing(spawner: Spawner) {
    let (mut publisher, mut subscriber) = seqcast::boxed::<u64>(16);
    let task = async move {
        let mut next = 0;
        for way in 0..WAYS {
            for then in 0..WAYS {
                assert!(begin(&mut subscriber, way).await && begin(&mut subscriber, then).await);
                publisher.publish_many([next, next + 1]);
                assert_eq!(subscriber.recv_async().await, Ok(next));
                assert_eq!(subscriber.next_ref_async().await.unwrap().map(|message| *message), Ok(next + 1));
                next += 2;
            }
        }
        assert_eq!((subscriber.received(), subscriber.missed(), subscriber.skipped_by_choice()), (next, 0, 0));
    };
    spawner.spawn(task).await;
}

async fn a_receive_that_is_dropped_after_it_was_woken_loses_nothing(spawner: Spawner) {
    let (mut publisher, mut subscriber) = seqcast::boxed::<u64>(16);
    let task = async move {
        for round in 0..20 {
            let mut receive = subscriber.recv_async();
            assert!(poll!(&mut receive).is_pending());
            publisher.publish(round); // wakes this task
            drop(receive);
            let mut buffer = Vec::new();
            assert_eq!(subscriber.recv_many_async(&mut buffer, 4).await, Ok(1));
            assert_eq!(buffer, [round]);
        }
    };
    spawner.spawn(task).await;
}

/// Another subscriber that waits is woken all the same.
async fn a_receive_that_is_dropped_passes_no_wake_up_on(spawner: Spawner) {
    let (mut publisher, subscriber) = seqcast::boxed::<u64>(16);
    let ring = subscriber.ring();
    let (mut waiting, mut fickle) = (subscriber.clone(), subscriber);
    let waits = spawner.spawn(async move { waiting.recv_async().await });
    all_wait(&ring, 1).await;
    for way in 0..WAYS {
        assert!(begin(&mut fickle, way).await);
    }
    fickle.forget_waker();
    all_wait(&ring, 1).await;
    publisher.publish(7);
    assert_eq!(waits.await, Ok(7));
    assert_eq!(fickle.try_recv(), Ok(7));
}

async fn a_publish_that_is_dropped_publishes_nothing(spawner: Spawner) {
    let (publisher, _) = Builder::new(2).gated().boxed::<u64>();
    let mut gating = publisher.ring().subscribe_gating().unwrap();
    let publisher = publisher.share();
    let task = async move {
        publisher.publish_many([0, 1]);
        for round in 0..20 {
            let mut dropped = publisher.publish_async(1000);
            assert!(poll!(&mut dropped).is_pending());
            assert_eq!(gating.recv_async().await, Ok(round)); // makes room, and wakes this task
            drop(dropped);
            assert_eq!(publisher.publish_async(round + 2).await, Ok(round + 2));
        }
        publisher.close();
        assert_eq!((gating.recv_async().await, gating.recv_async().await), (Ok(20), Ok(21)));
        assert_eq!(gating.recv_async().await, Err(RecvError::Closed));
    };
    spawner.spawn(task).await;
}

/// In every way of receiving, while another task publishes.
async fn receives_are_dropped_all_the_time(spawner: Spawner) {
    const MESSAGES: u64 = 500;
    let (mut publisher, mut subscriber) = seqcast::boxed::<u64>(512);
    let writing = spawner.spawn(async move {
        for message in 0..MESSAGES {
            publisher.publish(message);
            if message % 3 == 0 {
                yield_now().await;
            }
        }
    });
    let reading = spawner.spawn(async move {
        let mut messages = Vec::new();
        for round in 0.. {
            // A receive that is there wins; another one is dropped by the end of this statement.
            let received = futures::select_biased! {
                received = subscriber.next() => Some(received.transpose().unwrap()),
                () = yield_now().fuse() => None,
            };
            match received {
                Some(Some(message)) => messages.push(message),
                Some(None) => return (messages, subscriber.received()),
                None => {}
            }
            let mut buffer = Vec::new();
            let received = futures::select_biased! {
                received = subscriber.recv_many_async(&mut buffer, round % 4 + 1).fuse() => Some(received),
                () = yield_now().fuse() => None,
            };
            assert_eq!(
                received.and_then(Result::ok).unwrap_or(0),
                buffer.len(),
                "what was dropped has received nothing"
            );
            messages.append(&mut buffer);
        }
        unreachable!();
    });
    writing.await;
    let (messages, received) = reading.await;
    assert!(messages.into_iter().eq(0..MESSAGES));
    assert_eq!(received, MESSAGES);
}
