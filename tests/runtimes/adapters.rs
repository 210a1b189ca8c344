//! `futures::StreamExt` over subscribers.

use std::future::ready;

use futures::StreamExt;
use futures::channel::oneshot;
use futures::stream::{self, FusedStream, SelectAll};
use seqcast::{Inline, Lagged, Subscriber};

use crate::executors::Spawner;
use crate::{all_wait, yield_now};

on_each_executor! {
    items_are_mapped_and_filtered,
    a_stream_is_taken_until_a_signal_and_goes_on_afterwards,
    chunks_hold_all_messages,
    ready_chunks_hold_what_is_there,
    zip_pairs_two_rings,
    select_merges_rings,
    select_all_merges_many_rings_and_ends_with_the_last,
    buffered_futures_of_messages_run_side_by_side,
    a_fused_or_peeked_stream_ends_once,
    a_loss_is_an_item_like_others,
    a_stream_of_rings_is_flattened,
}

/// A task that publishes these numbers, and lets others run in between. The ring holds them all.
fn numbers(spawner: &Spawner, numbers: std::ops::Range<u64>) -> Subscriber<Inline<u64>> {
    let (mut publisher, subscriber) = seqcast::inline(1024);
    drop(spawner.spawn(async move {
        for number in numbers {
            publisher.publish(number);
            if number % 4 == 0 {
                yield_now().await;
            }
        }
    }));
    subscriber
}

async fn items_are_mapped_and_filtered(spawner: Spawner) {
    let odd_squares = numbers(&spawner, 0..200)
        .map(Result::unwrap)
        .filter_map(|number| ready((number % 2 == 1).then_some(number * number)))
        .enumerate()
        .skip(1)
        .take_while(|(_, square)| ready(*square < 10_000))
        .then(|(place, square)| async move {
            yield_now().await;
            (place as u64, square)
        });
    let all = spawner.spawn(odd_squares.collect::<Vec<_>>()).await;
    assert!(all.into_iter().eq((1..50).map(|place| (place, (2 * place + 1) * (2 * place + 1)))));
}

async fn a_stream_is_taken_until_a_signal_and_goes_on_afterwards(spawner: Spawner) {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(16);
    let ring = publisher.ring();
    let (stop, stopped) = oneshot::channel::<()>();
    let reading = spawner.spawn(async move {
        let before: Vec<_> = subscriber.by_ref().take_until(stopped).map(Result::unwrap).collect().await;
        (before, subscriber)
    });
    publisher.publish_many(0..3);
    all_wait(&ring, 1).await;
    stop.send(()).unwrap();
    let (before, mut subscriber) = reading.await;
    assert_eq!((before, subscriber.is_terminated()), (vec![0, 1, 2], false));
    publisher.publish_many(3..5);
    publisher.close();
    assert_eq!(subscriber.by_ref().map(Result::unwrap).collect::<Vec<_>>().await, [3, 4]);
    assert!(subscriber.is_terminated());
}

async fn chunks_hold_all_messages(spawner: Spawner) {
    let chunks = numbers(&spawner, 0..100).map(Result::unwrap).chunks(7);
    let chunks = spawner.spawn(chunks.collect::<Vec<_>>()).await;
    assert!(chunks.iter().map(Vec::len).eq([7; 14].into_iter().chain([2])));
    assert!(chunks.into_iter().flatten().eq(0..100));
}

/// At most 128 in a row, as a task yields then.
async fn ready_chunks_hold_what_is_there(spawner: Spawner) {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(1024);
    publisher.publish_many(0..300);
    publisher.close();
    let chunks = spawner.spawn(subscriber.map(Result::unwrap).ready_chunks(1000).collect::<Vec<_>>()).await;
    assert!(chunks.iter().map(Vec::len).eq([128, 128, 44]));
    assert!(chunks.into_iter().flatten().eq(0..300));
}

async fn zip_pairs_two_rings(spawner: Spawner) {
    let (first, second) = (numbers(&spawner, 0..80), numbers(&spawner, 1000..1060));
    let pairs = first.map(Result::unwrap).zip(second.map(Result::unwrap));
    let pairs = spawner.spawn(pairs.collect::<Vec<_>>()).await;
    assert!(pairs.into_iter().eq((0..60).zip(1000..1060)));
}

/// Whether each of these ranges is in there, in order.
#[track_caller]
fn check_merged(merged: &[u64], ranges: impl IntoIterator<Item = std::ops::Range<u64>>) {
    let mut count = 0;
    for range in ranges {
        count += range.clone().count();
        assert!(merged.iter().filter(|number| range.contains(number)).copied().eq(range.clone()), "{range:?}");
    }
    assert_eq!(merged.len(), count);
}

async fn select_merges_rings(spawner: Spawner) {
    let merged = stream::select(numbers(&spawner, 0..150), numbers(&spawner, 1000..1100));
    let merged = spawner.spawn(merged.map(Result::unwrap).collect::<Vec<_>>()).await;
    check_merged(&merged, [0..150, 1000..1100]);
}

async fn select_all_merges_many_rings_and_ends_with_the_last(spawner: Spawner) {
    let range = |ring: u64| 1000 * ring..1000 * ring + 10 * ring;
    let mut rings: SelectAll<_> = (0..10).map(|ring| numbers(&spawner, range(ring))).collect();
    // One more, while the others are read.
    let late = numbers(&spawner, range(10));
    let merged = spawner.spawn(async move {
        let mut merged = vec![rings.next().await.unwrap().unwrap()];
        rings.push(late);
        while let Some(number) = rings.next().await {
            merged.push(number.unwrap());
        }
        merged
    });
    check_merged(&merged.await, (0..11).map(range));
}

async fn buffered_futures_of_messages_run_side_by_side(spawner: Spawner) {
    let slow = |number: u64| async move {
        for _ in 0..number % 5 {
            yield_now().await;
        }
        number
    };
    let messages = || numbers(&spawner, 0..100).map(Result::unwrap).map(slow);
    let in_order = spawner.spawn(messages().buffered(8).collect::<Vec<_>>());
    let any_order = spawner.spawn(messages().buffer_unordered(8).collect::<Vec<_>>());
    assert!(in_order.await.into_iter().eq(0..100));
    let mut any_order = any_order.await;
    any_order.sort_unstable();
    assert!(any_order.into_iter().eq(0..100));
    let sum = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let adding = sum.clone();
    let each = messages().for_each_concurrent(8, move |number| {
        let adding = adding.clone();
        async move {
            adding.fetch_add(number.await, std::sync::atomic::Ordering::Relaxed);
        }
    });
    spawner.spawn(each).await;
    assert_eq!(sum.load(std::sync::atomic::Ordering::Relaxed), 99 * 100 / 2);
}

async fn a_fused_or_peeked_stream_ends_once(spawner: Spawner) {
    let mut fused = numbers(&spawner, 0..10).fuse();
    assert!((0..10).eq(fused.by_ref().map(Result::unwrap).collect::<Vec<_>>().await));
    assert!(fused.is_terminated() && fused.next().await.is_none());

    let mut peeked = std::pin::pin!(numbers(&spawner, 0..3).peekable());
    assert_eq!(peeked.as_mut().peek().await, Some(&Ok(0)));
    assert_eq!(peeked.as_mut().next_if(|number| *number == Ok(0)).await, Some(Ok(0)));
    assert_eq!(peeked.by_ref().count().await, 2);
    assert_eq!(peeked.peek().await, None);
}

async fn a_loss_is_an_item_like_others(spawner: Spawner) {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    let (skipping, scanned) = (subscriber.clone().skip_lagged(), subscriber.clone());
    publisher.publish_many(0..10);
    publisher.close();
    let lagged = Lagged { missed: 6, resumed_at: 6 };
    let items = spawner.spawn(subscriber.collect::<Vec<_>>()).await;
    assert_eq!(items, [Err(lagged), Ok(6), Ok(7), Ok(8), Ok(9)]);
    assert_eq!(spawner.spawn(skipping.collect::<Vec<_>>()).await, [6, 7, 8, 9]);
    // Losses counted on the way.
    let counted = scanned.scan(0, |missed, item| {
        *missed += item.err().map_or(0, |lagged| lagged.missed);
        ready(Some((item.ok(), *missed)))
    });
    assert_eq!(counted.collect::<Vec<_>>().await[..2], [(None, 6), (Some(6), 6)]);
}

async fn a_stream_of_rings_is_flattened(spawner: Spawner) {
    let rings = [0..20, 100..130, 200..210].map(|range| numbers(&spawner, range));
    let flat = spawner.spawn(stream::iter(rings).flatten().map(Result::unwrap).collect::<Vec<_>>()).await;
    assert!(flat.into_iter().eq((0..20).chain(100..130).chain(200..210)));
    let rings = [0..20, 100..130, 200..210].map(|range| numbers(&spawner, range));
    let merged = stream::iter(rings).flatten_unordered(None).map(Result::unwrap).collect::<Vec<_>>();
    check_merged(&spawner.spawn(merged).await, [0..20, 100..130, 200..210]);
}
