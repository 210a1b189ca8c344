//! Subscribers in async runtimes.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::{Account, sign, verify};
use futures::StreamExt;
use seqcast::{Inline, RecvError, Subscriber};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_tasks_read_everything() {
    let (publisher, subscriber) = seqcast::inline(1024);
    let publisher = publisher.share();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let mut subscriber = subscriber.clone();
            tokio::spawn(async move {
                let mut account = Account::new(&subscriber);
                while let Some(message) = subscriber.next().await {
                    match message {
                        Ok(message) => {
                            verify(message);
                            account.received(&subscriber, 1);
                        }
                        Err(lagged) => account.lagged(&subscriber, lagged),
                    }
                }
                account.settle(&subscriber);
                account.received + account.missed + subscriber.holes()
            })
        })
        .collect();
    let writers: Vec<_> = (0..4)
        .map(|id| {
            let publisher = publisher.clone();
            tokio::spawn(async move {
                for number in 0..500 {
                    publisher.publish(sign(id, number)).unwrap();
                    if number % 50 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let end = publisher.next_sequence();
    drop(publisher);
    for task in tasks {
        assert_eq!(task.await.unwrap(), end);
    }
}

#[tokio::test]
async fn combinators_and_timeouts_lose_nothing() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(64);
    // A receive that is cancelled again and again, by `timeout` and by `select!`.
    for round in 0..20 {
        assert!(tokio::time::timeout(Duration::from_micros(100), subscriber.recv_async()).await.is_err());
        tokio::select! {
            biased;
            () = std::future::ready(()) => {}
            got = subscriber.recv_async() => panic!("{got:?}"),
        }
        publisher.publish(round);
        assert_eq!(subscriber.recv_async().await, Ok(round));
    }
    publisher.publish_many(0..5);
    publisher.close();
    let doubled: Vec<_> = subscriber.skip_lagged().map(|n| n * 2).collect().await;
    assert_eq!(doubled, [0, 2, 4, 6, 8]);
}

#[tokio::test]
async fn the_subscriber_itself_is_the_stream() {
    fn is_stream<S: futures::stream::FusedStream + Unpin + Send + 'static>(stream: S) -> S {
        stream
    }
    let (mut publisher, subscriber) = seqcast::inline::<u64>(2);
    publisher.publish_many([1, 2, 3]);
    let mut stream = is_stream(subscriber);
    assert_eq!(stream.next().await.unwrap().unwrap_err().missed, 1);
    // Not boxed: the handle's own methods stay at hand.
    assert_eq!((stream.next().await, stream.missed(), stream.lag()), (Some(Ok(2)), 1, 1));
    let mut stream = is_stream(stream.skip_lagged());
    assert_eq!(stream.next().await, Some(3));
    let mut subscriber: Subscriber<Inline<u64>> = stream.into_inner();
    tokio::spawn(async move { publisher.publish(4) });
    assert_eq!(subscriber.recv_async().await, Ok(4));
    assert_eq!(subscriber.recv_async().await, Err(RecvError::Closed));
}

#[tokio::test]
async fn batches_of_a_task_are_cancel_safe() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(64);
    let mut buffer = Vec::new();
    let timeout = tokio::time::timeout(Duration::from_micros(100), subscriber.recv_many_async(&mut buffer, 8));
    assert!(timeout.await.is_err());
    assert!(buffer.is_empty());
    publisher.publish_many(0..10);
    assert_eq!(subscriber.recv_many_async(&mut buffer, 8).await, Ok(8));
    assert_eq!(subscriber.recv_many_async(&mut buffer, 8).await, Ok(2));
    assert_eq!(buffer, (0..10).collect::<Vec<_>>());
    assert_eq!(subscriber.recv_many_async(&mut buffer, 0).await, Ok(0));
}
