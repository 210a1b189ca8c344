//! A receiver as a `Stream`: tokio's wrapper, or the receiver itself.

use super::broadcast::channel;
use super::stream;
use crate::common::block_on;
use crate::common::wakers::{Counter, past_yields};
use crate::poll;
use futures::{Stream, StreamExt};
use std::pin::{Pin, pin};
use std::task::Poll;

#[test]
fn a_stream_yields_the_values_in_order_and_ends_with_the_close() {
    let (tx, rx) = channel(8);
    for value in 0..5 {
        tx.send(value).unwrap();
    }
    drop(tx);
    let all: Vec<_> = block_on(stream(rx).collect());
    assert_eq!(all, [Ok(0), Ok(1), Ok(2), Ok(3), Ok(4)]);
}

#[test]
fn a_stream_begins_where_its_receiver_is() {
    let (tx, mut rx) = channel(8);
    tx.send(0).unwrap();
    tx.send(1).unwrap();
    rx.try_recv().unwrap();
    assert_eq!(block_on(stream(rx).next()), Some(Ok(1)));
}

#[test]
fn a_lag_is_an_item_and_not_the_end() {
    let (tx, rx) = channel(2);
    for value in 0..7 {
        tx.send(value).unwrap();
    }
    let mut stream = stream(rx);
    assert_eq!(block_on(stream.next()), Some(Err(5)));
    assert_eq!(block_on(stream.next()), Some(Ok(5)));
    for value in 7..10 {
        tx.send(value).unwrap();
    }
    assert_eq!(block_on(stream.next()), Some(Err(2)));
    drop(tx);
    assert_eq!(block_on(stream.collect::<Vec<_>>()), [Ok(8), Ok(9)]);
}

#[test]
fn a_stream_that_has_ended_stays_ended() {
    let (tx, rx) = channel::<u8>(2);
    let mut stream = stream(rx);
    drop(tx);
    for _ in 0..300 {
        assert_eq!(block_on(stream.next()), None);
    }
}

#[test]
fn a_stream_waits_and_is_woken_by_a_send_and_by_the_close() {
    let (tx, rx) = channel(4);
    let mut stream = stream(rx);
    let woken = Counter::new();
    for value in 0..5 {
        assert!(poll(pin!(stream.next()), &woken).is_pending());
        woken.take();
        tx.send(value).unwrap();
        assert!(woken.count() > 0);
        assert_eq!(poll(pin!(stream.next()), &woken), Poll::Ready(Some(Ok(value))));
    }
    assert!(poll(pin!(stream.next()), &woken).is_pending());
    woken.take();
    drop(tx);
    assert!(woken.count() > 0);
    assert_eq!(poll(pin!(stream.next()), &woken), Poll::Ready(None));
}

#[test]
fn a_stream_that_changes_its_task_wakes_the_last_one() {
    let (tx, rx) = channel(4);
    let mut stream = stream(rx);
    let (before, after) = (Counter::new(), Counter::new());
    assert!(poll(pin!(stream.next()), &before).is_pending());
    assert!(poll(pin!(stream.next()), &after).is_pending());
    tx.send(1).unwrap();
    assert_eq!(before.count(), 0);
    assert!(after.count() > 0);
}

#[test]
fn a_stream_is_a_receiver_among_others() {
    let (tx, mut rx) = channel(4);
    let mut stream = stream(tx.subscribe());
    assert_eq!(tx.receiver_count(), 2);
    tx.send(1).unwrap();
    assert_eq!(block_on(stream.next()), Some(Ok(1)));
    assert_eq!(tx.len(), 1);
    assert_eq!(rx.try_recv(), Ok(1));
    tx.send(2).unwrap();
    assert_eq!(rx.try_recv(), Ok(2));
    drop(stream);
    assert_eq!((tx.receiver_count(), tx.len()), (1, 0));
}

#[test]
fn streams_of_many_channels_can_be_merged() {
    let channels: Vec<_> = (0..10).map(|_| channel(4)).collect();
    let (senders, receivers): (Vec<_>, Vec<_>) = channels.into_iter().unzip();
    let merged = futures::stream::select_all(receivers.into_iter().map(stream));
    for (number, tx) in senders.into_iter().enumerate() {
        tx.send(number).unwrap();
        tx.send(number + 100).unwrap();
    }
    let mut all: Vec<_> = block_on(merged.map(Result::unwrap).collect());
    all.sort_unstable();
    assert!(all.into_iter().eq((0..10).chain(100..110)));
}

#[test]
fn many_items_in_a_row_lose_nothing() {
    let (tx, rx) = channel(1024);
    for value in 0..1024 {
        tx.send(value).unwrap();
    }
    let (mut stream, woken) = (stream(rx), Counter::new());
    for value in 0..1024 {
        assert_eq!(past_yields(&woken, |cx| Pin::new(&mut stream).poll_next(cx)), Poll::Ready(Some(Ok(value))));
    }
}

#[tokio::test]
async fn a_task_can_stream_while_another_sends() {
    let (tx, rx) = channel(4);
    let reader = tokio::spawn(stream(rx).collect::<Vec<_>>());
    for value in 0..20 {
        tx.send(value).unwrap();
        tokio::task::yield_now().await;
    }
    drop(tx);
    assert!(reader.await.unwrap().into_iter().eq((0..20).map(Ok)));
}
