//! `futures::TryStreamExt` over subscribers.
//!
//! A subscriber is a stream of results whose errors are losses, and it continues after a loss. Adapters that take a stream of results
//! to be over at the first error end there. They must not own the subscriber: given `by_ref`, they can be called again.

use futures::future::ready;
use futures::{StreamExt, TryStreamExt};
use seqcast::{Inline, Lagged, Subscriber};

use crate::executors::Spawner;

on_each_executor! {
    try_next_goes_on_after_a_loss,
    try_for_each_ends_at_a_loss_and_is_called_again,
    errors_and_messages_are_mapped_and_filtered_without_an_end,
    try_collect_and_try_fold_drop_what_they_have_at_a_loss,
    try_chunks_returns_what_it_has_at_a_loss,
    a_question_mark_in_a_loop_leaves_the_rest_to_the_caller,
    a_stream_without_losses_has_no_errors_to_end_at,
}

const LOSS: Lagged = Lagged { missed: 2, resumed_at: 4 };

/// Two messages, a loss, four messages and the end. The first two were received into the second value.
async fn interrupted() -> (Subscriber<Inline<u64>>, Vec<u64>) {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    publisher.publish_many(0..2);
    let first = [subscriber.try_next().await, subscriber.try_next().await].map(|message| message.unwrap().unwrap());
    publisher.publish_many(2..8);
    publisher.close();
    (subscriber, first.into())
}

async fn try_next_goes_on_after_a_loss(_: Spawner) {
    let (mut subscriber, mut messages) = interrupted().await;
    let mut missed = 0;
    loop {
        match subscriber.try_next().await {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => break,
            Err(lagged) => missed += lagged.missed,
        }
    }
    assert_eq!((messages, missed), (vec![0, 1, 4, 5, 6, 7], 2));
}

async fn try_for_each_ends_at_a_loss_and_is_called_again(_: Spawner) {
    let (mut subscriber, mut messages) = interrupted().await;
    let mut missed = 0;
    while let Err(lagged) = {
        let each = subscriber.by_ref().try_for_each(|message| {
            messages.push(message);
            ready(Ok(()))
        });
        each.await
    } {
        missed += lagged.missed;
    }
    assert_eq!((messages, missed), (vec![0, 1, 4, 5, 6, 7], 2));
    // Given the subscriber itself, it drops it at the loss.
    let (subscriber, _) = interrupted().await;
    let ring = subscriber.ring();
    assert_eq!(subscriber.try_for_each(|_| ready(Ok(()))).await, Err(LOSS));
    assert_eq!(ring.subscriber_count(), 0);
}

async fn errors_and_messages_are_mapped_and_filtered_without_an_end(spawner: Spawner) {
    let (subscriber, _) = interrupted().await;
    let even = subscriber
        .map_ok(|message| 10 * message)
        .try_filter(|message| ready(message % 20 == 0))
        .inspect_err(|lagged| assert_eq!(*lagged, LOSS))
        .map_err(|lagged| format!("{} lost", lagged.missed))
        .and_then(|message| ready(if message == 40 { Err("forty".to_owned()) } else { Ok(message) }));
    let items = spawner.spawn(even.collect::<Vec<_>>()).await;
    assert_eq!(items, [Err("2 lost".to_owned()), Err("forty".to_owned()), Ok(60)]);

    let (subscriber, _) = interrupted().await;
    let recovered = subscriber.or_else(|lagged| ready(Ok::<_, Lagged>(1000 + lagged.missed)));
    assert_eq!(recovered.try_collect::<Vec<_>>().await, Ok(vec![1002, 4, 5, 6, 7]));
}

/// Wrong: what was collected before the loss is gone, though the ring delivered it.
async fn try_collect_and_try_fold_drop_what_they_have_at_a_loss(_: Spawner) {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    publisher.publish_many(0..6);
    publisher.close();
    let (mut folded, mut collected) = (subscriber.clone(), subscriber.clone());
    assert_eq!(collected.by_ref().try_collect::<Vec<_>>().await, Err(Lagged { missed: 2, resumed_at: 2 }));
    assert_eq!(folded.by_ref().try_fold(0, |sum, message| ready(Ok(sum + message))).await.unwrap_err().missed, 2);
    assert_eq!((collected.try_collect::<Vec<_>>().await, folded.count().await), (Ok(vec![2, 3, 4, 5]), 4));
    // Right: losses and messages go to separate places.
    let (mut messages, mut missed) = (Vec::new(), 0);
    while let Some(item) = subscriber.next().await {
        match item {
            Ok(message) => messages.push(message),
            Err(lagged) => missed += lagged.missed,
        }
    }
    assert_eq!((messages, missed), (vec![2, 3, 4, 5], 2));
}

async fn try_chunks_returns_what_it_has_at_a_loss(_: Spawner) {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    let ring = subscriber.ring();
    let mut chunks = subscriber.try_chunks(3);
    publisher.publish_many(0..2);
    assert!(futures::poll!(chunks.next()).is_pending(), "two of three");
    publisher.publish_many(2..8);
    publisher.close();
    let error = chunks.try_next().await.unwrap_err();
    assert_eq!((error.0, error.1), (vec![0, 1], LOSS));
    assert_eq!(chunks.try_next().await.unwrap(), Some(vec![4, 5, 6]));
    assert_eq!(chunks.try_next().await.unwrap(), Some(vec![7]));
    assert_eq!((chunks.try_next().await.unwrap(), ring.stats().totals.missed), (None, 2));
}

/// `?` ends a function that borrows the subscriber. The next call continues where it ended.
async fn a_question_mark_in_a_loop_leaves_the_rest_to_the_caller(spawner: Spawner) {
    async fn sum(subscriber: &mut Subscriber<Inline<u64>>, sum: &mut u64) -> Result<(), Lagged> {
        while let Some(message) = subscriber.try_next().await? {
            *sum += message;
        }
        Ok(())
    }
    let (mut subscriber, _) = interrupted().await;
    let task = async move {
        let mut total = 0;
        assert_eq!(sum(&mut subscriber, &mut total).await, Err(LOSS));
        assert_eq!(sum(&mut subscriber, &mut total).await, Ok(()));
        assert_eq!((total, subscriber.missed()), (4 + 5 + 6 + 7, 2));
    };
    spawner.spawn(task).await;
}

async fn a_stream_without_losses_has_no_errors_to_end_at(_: Spawner) {
    let (subscriber, _) = interrupted().await;
    let mut messages = subscriber.skip_lagged().map(Ok::<_, Lagged>);
    assert_eq!(messages.by_ref().try_collect::<Vec<_>>().await, Ok(vec![4, 5, 6, 7]));
    assert_eq!(messages.into_inner().missed(), 2);
}
