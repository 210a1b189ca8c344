//! Subscribers in async runtimes.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::{Account, sign, verify};
use futures::StreamExt;
use futures::executor::block_on;
use futures::stream::FusedStream;
use seqcast::{Inline, RecvError, Start, Subscriber};
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
    // A receive that is cancelled repeatedly, by `timeout` and by `select!`.
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
    // Not boxed, so the handle's own methods can be called.
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

/// A closed ring with these messages in it.
fn closed(messages: impl IntoIterator<Item = u64>) -> Subscriber<Inline<u64>> {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    publisher.publish_many(messages);
    subscriber
}

#[test]
fn a_stream_is_terminated_once_it_said_so() {
    let mut subscriber = closed([1]);
    assert!(!subscriber.is_terminated());
    assert_eq!(block_on(subscriber.next()), Some(Ok(1)));
    assert!(!subscriber.is_terminated(), "the stream has not returned `None` yet");
    assert_eq!(block_on(subscriber.next()), None);
    assert!(subscriber.is_terminated());
    assert_eq!(block_on(subscriber.next()), None);
    // A clone is not terminated yet, and a subscriber that seeks back has more to receive.
    assert!(!subscriber.clone().is_terminated());
    subscriber.seek(Start::Oldest);
    assert!(!subscriber.is_terminated());
    assert_eq!(block_on(subscriber.next()), Some(Ok(1)));

    let mut skipping = closed([]).skip_lagged();
    assert!(!skipping.is_terminated());
    assert_eq!(block_on(skipping.next()), None);
    assert!(skipping.is_terminated());
    skipping.get_mut().seek(Start::Latest);
    assert!(!skipping.is_terminated());
}

#[test]
fn select_learns_of_the_end() {
    // The macro does not poll terminated streams, and panics if all are.
    let mut subscriber = closed([1, 2]);
    let mut received = Vec::new();
    block_on(async {
        loop {
            futures::select! {
                message = subscriber.next() => match message {
                    Some(message) => received.push(message.unwrap()),
                    None => break,
                },
            }
        }
    });
    assert_eq!(received, [1, 2]);
    // Another branch stays alive.
    let (mut subscriber, mut ticks) = (closed([1, 2]).skip_lagged(), futures::stream::repeat(()).fuse());
    let mut received = 0;
    block_on(async {
        for _ in 0..1000 {
            futures::select! {
                message = subscriber.next() => match message {
                    Some(_) => received += 1,
                    None => return,
                },
                () = ticks.select_next_some() => {}
            }
        }
        panic!("the stream did not end");
    });
    assert_eq!(received, 2);
}

#[test]
fn select_next_some_and_fuse_come_to_the_end() {
    let (mut first, mut second) = (closed([1, 2]), closed([3]).fuse());
    let mut sum = 0;
    block_on(async {
        loop {
            futures::select! {
                message = first.select_next_some() => sum += message.unwrap(),
                message = second.select_next_some() => sum += message.unwrap(),
                complete => break,
            }
        }
    });
    assert_eq!(sum, 6);
}

#[tokio::test]
async fn tokio_select_learns_of_the_end() {
    let (mut first, mut second) = (closed([1, 2]), closed([3]).skip_lagged());
    let mut sum = 0;
    let mut open = [true; 2];
    while open != [false; 2] {
        tokio::select! {
            message = first.next(), if open[0] => match message {
                Some(message) => sum += message.unwrap(),
                None => open[0] = false,
            },
            message = second.next(), if open[1] => match message {
                Some(message) => sum += message,
                None => open[1] = false,
            },
        }
    }
    assert_eq!(sum, 6);
}

#[tokio::test]
async fn merged_and_mapped_streams_come_to_the_end() {
    let merged = tokio_stream::StreamExt::merge(closed([1, 2]), closed([3]));
    assert_eq!(merged.map(Result::unwrap).collect::<Vec<_>>().await.len(), 3);
    let mut map = tokio_stream::StreamMap::new();
    map.insert("first", closed([1, 2]));
    map.insert("second", closed([3]));
    let all: Vec<_> = StreamExt::collect(map).await;
    assert_eq!(all.len(), 3);
}

#[test]
fn a_loop_over_borrows_ends_with_the_ring_and_not_with_a_loss() {
    let (mut publisher, mut subscriber) = seqcast::boxed::<String>(4);
    let mut waiting = subscriber.clone();
    publisher.publish_many((0..10).map(|number| number.to_string()));
    publisher.close();
    let (mut text, mut missed) = (String::new(), 0);
    while let Some(message) = subscriber.next_ref() {
        match message {
            Ok(message) => text.push_str(&message),
            Err(lagged) => missed += lagged.missed,
        }
    }
    assert_eq!((text.as_str(), missed), ("6789", 6));
    assert!(subscriber.next_ref().is_none());
    let (mut text, mut missed) = (String::new(), 0);
    block_on(async {
        while let Some(message) = waiting.next_ref_async().await {
            match message {
                Ok(message) => text.push_str(&message),
                Err(lagged) => missed += lagged.missed,
            }
        }
    });
    assert_eq!((text.as_str(), missed), ("6789", 6));
}
