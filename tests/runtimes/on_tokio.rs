//! What only tokio has: `spawn`, `LocalSet`, `timeout`, and the adapters of `tokio_stream`.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use seqcast::{Boxed, Inline, Lagged, Subscriber};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::timeout;
use tokio_stream::{StreamExt, StreamMap};

/// A closed ring with these messages in it.
fn closed(messages: impl IntoIterator<Item = u64>) -> Subscriber<Inline<u64>> {
    let (mut publisher, subscriber) = seqcast::inline(1024);
    publisher.publish_many(messages);
    subscriber
}

/// A subscriber and its futures are `Send`: the task may move between workers.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_subscriber_is_spawned() {
    let (mut publisher, subscriber) = seqcast::boxed::<String>(64);
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let mut subscriber: Subscriber<Boxed<String>> = subscriber.clone();
        tasks.spawn(async move {
            let mut length = 0;
            while let Some(message) = subscriber.next_ref_async().await {
                length += message.unwrap().len();
                tokio::task::yield_now().await;
            }
            length
        });
    }
    publisher.publish_many((0..50).map(|number| format!("{number:03}")));
    publisher.close();
    assert!(tasks.join_all().await.into_iter().all(|length| length == 150));
}

/// Beside what is not `Send`.
#[tokio::test]
async fn a_subscriber_is_spawned_on_a_local_set() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    let (local, seen) = (LocalSet::new(), Rc::new(RefCell::new(Vec::new())));
    for _ in 0..3 {
        let (mut subscriber, seen) = (subscriber.clone(), Rc::clone(&seen));
        local.spawn_local(async move {
            while let Some(message) = subscriber.next().await {
                seen.borrow_mut().push(message.unwrap());
            }
        });
    }
    local.spawn_local(async move {
        for message in 0..10 {
            publisher.publish(message);
            tokio::task::yield_now().await;
        }
    });
    local.await;
    seen.borrow_mut().sort_unstable();
    assert!(seen.borrow().iter().copied().eq((0..10).flat_map(|message| [message; 3])));
}

#[tokio::test]
async fn an_aborted_task_takes_its_subscriber_along() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    let ring = publisher.ring();
    let (mut first, mut second) = (subscriber.clone(), subscriber);
    let aborted = tokio::spawn(async move { first.recv_async().await });
    let other = tokio::spawn(async move { second.recv_async().await });
    crate::all_wait(&ring, 2).await;
    aborted.abort();
    assert!(aborted.await.unwrap_err().is_cancelled());
    assert_eq!(ring.subscriber_count(), 1);
    publisher.publish(1);
    assert_eq!(other.await.unwrap(), Ok(1));
}

/// A timeout of zero polls once: either there is a message or not.
#[tokio::test]
async fn a_timeout_loses_nothing() {
    let (mut publisher, mut subscriber) = seqcast::boxed::<u64>(64);
    let mut buffer = Vec::new();
    for round in 0..20 {
        assert!(timeout(Duration::ZERO, subscriber.recv_async()).await.is_err());
        assert!(timeout(Duration::ZERO, subscriber.recv_many_async(&mut buffer, 4)).await.is_err());
        assert!(timeout(Duration::ZERO, subscriber.recv_latest_async()).await.is_err());
        assert!(timeout(Duration::ZERO, subscriber.next_ref_async()).await.is_err());
        publisher.publish(round);
        let message = timeout(Duration::ZERO, subscriber.next_ref_async()).await;
        assert_eq!(*message.unwrap().unwrap().unwrap(), round);
    }
    assert!(buffer.is_empty());
    // A select with a timer that is over.
    tokio::select! {
        biased;
        message = subscriber.recv_async() => panic!("{message:?}"),
        () = tokio::time::sleep(Duration::from_millis(1)) => {}
    }
    publisher.publish(20);
    assert_eq!(subscriber.recv_async().await, Ok(20));
}

#[tokio::test]
async fn a_stream_with_timeouts_goes_on_after_one() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    publisher.publish(1);
    let mut stream = std::pin::pin!(subscriber.timeout(Duration::from_millis(5)));
    assert_eq!(stream.next().await, Some(Ok(Ok(1))));
    assert!(stream.next().await.unwrap().is_err(), "the time is over");
    publisher.publish(2);
    assert_eq!(stream.next().await, Some(Ok(Ok(2))));
    publisher.close();
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn chunks_with_a_timeout_hold_all_messages() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    publisher.publish_many(0..10);
    let mut chunks = std::pin::pin!(subscriber.map(Result::unwrap).chunks_timeout(4, Duration::from_millis(5)));
    assert_eq!(chunks.next().await, Some(vec![0, 1, 2, 3]));
    assert_eq!(chunks.next().await, Some(vec![4, 5, 6, 7]));
    // What is there when the time is over.
    assert_eq!(chunks.next().await, Some(vec![8, 9]));
    publisher.publish(10);
    publisher.close();
    assert_eq!((chunks.next().await, chunks.next().await), (Some(vec![10]), None));
}

#[tokio::test]
async fn adapters_of_tokio_stream() {
    let merged: Vec<_> = closed(0..100).merge(closed(100..150)).map(Result::unwrap).collect().await;
    assert_eq!(merged.len(), 150);
    let chained: Vec<_> = closed(0..3).chain(closed(7..9)).filter_map(Result::ok).collect().await;
    assert_eq!(chained, [0, 1, 2, 7, 8]);
    let some: Vec<_> = closed(0..9).map_while(Result::ok).skip_while(|n| *n < 2).take_while(|n| *n < 5).collect().await;
    assert_eq!(some, [2, 3, 4]);
    assert_eq!(closed(0..9).map(Result::unwrap).fold(0, |sum, number| sum + number).await, 36);
    let mut peeked = closed(0..1).peekable();
    assert_eq!(peeked.peek().await, Some(&Ok(0)));
    assert_eq!((peeked.next().await, peeked.next().await), (Some(Ok(0)), None));
}

/// `collect` into a `Result` and `try_next` in a `while let` end at the first loss, as in `futures`.
#[tokio::test]
async fn results_of_tokio_stream_end_at_a_loss() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    publisher.publish_many(0..6);
    publisher.close();
    let lagged = Lagged { missed: 2, resumed_at: 2 };
    let collected: Result<Vec<u64>, _> = subscriber.clone().collect().await;
    assert_eq!(collected, Err(lagged));
    assert_eq!(subscriber.try_next().await, Err(lagged));
    assert_eq!(subscriber.try_next().await, Ok(Some(2)));
    let rest: Result<Vec<u64>, _> = subscriber.collect().await;
    assert_eq!(rest, Ok(vec![3, 4, 5]));
}

/// Rings come and go by name; one that ends is removed.
#[tokio::test]
async fn a_stream_map_of_rings() {
    let mut map = StreamMap::new();
    map.insert("short", closed(0..3));
    map.insert("long", closed(10..30));
    let (mut open, subscriber) = seqcast::inline::<u64>(64);
    map.insert("open", subscriber);
    let mut seen = Vec::new();
    while seen.len() < 23 {
        let (name, message) = map.next().await.unwrap();
        seen.push((name, message.unwrap()));
    }
    for (name, range) in [("short", 0..3), ("long", 10..30)] {
        assert!(seen.iter().filter(|(of, _)| *of == name).map(|(_, message)| *message).eq(range));
    }
    open.publish(7);
    assert_eq!(map.next().await, Some(("open", Ok(7))));
    let subscriber = map.remove("open").unwrap();
    assert_eq!((map.next().await, map.len(), subscriber.received()), (None, 0, 1));
}
