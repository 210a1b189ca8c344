//! Publishers as sinks.

use std::pin::Pin;
use std::sync::Arc;

use futures::executor::block_on;
use futures::sink::{Sink, SinkExt};
use futures::stream::{self, StreamExt};
use futures::task::{Context, Poll};
use seqcast::{Builder, Closed};

use crate::common::wakers::Counter;
use crate::{full, gated, in_time, returned, start};

#[test]
fn a_sink_sends_one_message_after_the_other() {
    in_time(|| {
        let (mut publisher, gating) = gated(2);
        let reading = start(move || gating.into_iter().map(Result::unwrap).collect::<Vec<_>>());
        block_on(async {
            for message in 0..500 {
                publisher.send(message).await.unwrap();
            }
            // Closing a sink flushes it and leaves the ring open.
            SinkExt::close(&mut publisher).await.unwrap();
            publisher.send(500).await.unwrap();
        });
        drop(publisher);
        assert!(returned(reading).into_iter().eq(0..=500));
    });
}

#[test]
fn a_sink_sends_a_stream() {
    in_time(|| {
        let (publisher, gating) = gated(4);
        let mut shared = publisher.share();
        let reading = start(move || gating.into_iter().map(Result::unwrap).collect::<Vec<_>>());
        block_on(async {
            shared.send_all(&mut stream::iter((0..300).map(Ok))).await.unwrap();
            let publisher = shared.try_into_exclusive().unwrap();
            // `forward` drops the sink at the end, which closes the ring.
            stream::iter((300..600).map(Ok)).forward(publisher).await.unwrap();
        });
        assert!(returned(reading).into_iter().eq(0..600));
    });
}

/// After a flush, all messages passed to `feed` are published.
#[test]
fn a_sink_is_fed_and_flushed() {
    in_time(|| {
        let (mut publisher, gating) = gated(2);
        let ring = publisher.ring();
        let reading = start(move || gating.into_iter().map(Result::unwrap).collect::<Vec<_>>());
        block_on(async {
            for batch in 0..20 {
                for message in 0..10 {
                    publisher.feed(10 * batch + message).await.unwrap();
                }
                publisher.flush().await.unwrap();
                assert_eq!(ring.next_sequence(), 10 * (batch + 1));
            }
        });
        drop(publisher);
        assert!(returned(reading).into_iter().eq(0..200));
    });
}

/// Two sinks find room for one message. One publishes. The other holds its message until it is
/// woken.
#[test]
fn a_sink_that_lost_the_room_holds_its_message() {
    let (first, mut gating) = full(2);
    let (mut second, mut first) = (first.clone(), first);
    let counter = Counter::new();
    let waker = counter.waker();
    let cx = &mut Context::from_waker(&waker);
    assert!(first.poll_ready_unpin(cx).is_pending() && second.poll_ready_unpin(cx).is_pending());
    assert_eq!((gating.try_recv(), counter.take()), (Ok(0), 2));
    assert!(first.poll_ready_unpin(cx).is_ready() && second.poll_ready_unpin(cx).is_ready());
    first.start_send_unpin(2).unwrap();
    second.start_send_unpin(3).unwrap();
    assert_eq!(gating.ring().next_sequence(), 3);
    assert!(first.poll_flush_unpin(cx).is_ready());
    assert!(second.poll_flush_unpin(cx).is_pending() && second.poll_ready_unpin(cx).is_pending());
    assert_eq!(gating.try_recv(), Ok(1));
    assert_eq!(counter.take(), 1);
    assert!(second.poll_ready_unpin(cx).is_pending(), "the sink must wait, because its message used the room");
    assert!(second.poll_flush_unpin(cx).is_ready());
    assert_eq!((gating.try_recv(), gating.try_recv()), (Ok(2), Ok(3)));
}

/// After a close, the sink returns the message that it holds or receives.
#[test]
fn a_closed_ring_returns_the_message() {
    let (first, mut gating) = full(2);
    let (mut second, mut third) = (first.clone(), first.clone());
    let cx = &mut Context::from_waker(std::task::Waker::noop());
    assert!(gating.try_recv().is_ok());
    assert!(second.poll_ready_unpin(cx).is_ready() && third.poll_ready_unpin(cx).is_ready());
    second.start_send_unpin(2).unwrap();
    third.start_send_unpin(3).unwrap();
    assert!(third.poll_flush_unpin(cx).is_pending());
    assert!(first.close());
    assert_eq!(third.poll_flush_unpin(cx), Poll::Ready(Err(Closed(Some(3)))));
    assert_eq!(third.poll_flush_unpin(cx), Poll::Ready(Ok(())), "the error must be returned only once");
    assert_eq!(second.poll_ready_unpin(cx), Poll::Ready(Err(Closed(None))));
    assert_eq!(second.start_send_unpin(4), Err(Closed(Some(4))));
    assert_eq!(block_on(third.send(5)), Err(Closed(None)));
    let forwarded = block_on(stream::iter([6, 7].map(Ok)).forward(second));
    assert_eq!(forwarded, Err(Closed(None)));
}

/// Dropping a publisher drops the message that it holds.
#[test]
fn a_message_that_is_held_is_dropped_once() {
    let (publisher, _) = Builder::new(2).gated().boxed::<Arc<u32>>();
    let mut publisher = publisher.share();
    let gating = publisher.ring().subscribe_gating().unwrap();
    let mut other = publisher.clone();
    let (one, held) = (Arc::new(1), Arc::new(2));
    let cx = &mut Context::from_waker(std::task::Waker::noop());
    publisher.publish(Arc::clone(&one)).unwrap();
    assert!(Pin::new(&mut publisher).poll_ready(cx).is_ready() && Pin::new(&mut other).poll_ready(cx).is_ready());
    Pin::new(&mut publisher).start_send(Arc::clone(&one)).unwrap();
    Pin::new(&mut other).start_send(Arc::clone(&held)).unwrap();
    assert_eq!((Arc::strong_count(&one), Arc::strong_count(&held)), (3, 2));
    drop(other);
    assert_eq!(Arc::strong_count(&held), 1);
    drop((publisher, gating));
    assert_eq!(Arc::strong_count(&one), 1);
}

#[test]
#[should_panic = "`start_send` called without `poll_ready`"]
fn start_send_needs_poll_ready() {
    let (mut publisher, _gating) = full(2);
    publisher.start_send_unpin(2).unwrap();
    let _ = publisher.start_send_unpin(3);
}

/// An ordinary ring is always ready.
#[test]
fn a_sink_of_an_ordinary_ring_never_waits() {
    let (publisher, subscriber) = seqcast::boxed::<u64>(1024);
    block_on(stream::iter((0..100).map(Ok)).forward(publisher)).unwrap();
    assert!(subscriber.into_iter().map(Result::unwrap).eq(0..100));
}
