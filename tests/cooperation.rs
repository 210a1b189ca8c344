//! A task whose ring is never empty yields from time to time, in every async way of receiving.
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

#[path = "common/wakers.rs"]
mod wakers;

use futures::{Stream, StreamExt};
use seqcast::{Boxed, Inline, Subscriber};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use wakers::Counter;

/// Results in a row before a task yields.
const BUDGET: usize = 128;

/// Messages in the ring of every reader below.
const THERE: u64 = 1024;

/// Polls until the first `Pending`, and returns the number of results before it. The `Pending` must
/// have woken the task once, and lost nothing.
fn results_in_a_row(mut poll: impl FnMut(&mut Context<'_>) -> Poll<usize>) -> usize {
    let woken = Counter::new();
    let waker = woken.waker();
    let mut results = 0;
    loop {
        assert!(results < 10 * THERE as usize, "the task does not yield");
        match poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(messages) => results += messages,
            Poll::Pending => {
                assert_eq!(woken.count(), 1, "a yield must wake the task once");
                return results;
            }
        }
        assert_eq!(woken.count(), 0, "the task was woken although it did not yield");
    }
}

fn inline() -> (seqcast::Publisher<Inline<u64>>, Subscriber<Inline<u64>>) {
    let (mut publisher, subscriber) = seqcast::inline(THERE as usize);
    publisher.publish_many(0..THERE);
    (publisher, subscriber)
}

fn boxed() -> (seqcast::Publisher<Boxed<u64>>, Subscriber<Boxed<u64>>) {
    let (mut publisher, subscriber) = seqcast::boxed(THERE as usize);
    publisher.publish_many(0..THERE);
    (publisher, subscriber)
}

/// The task yields after each budget, continues where it was, and at the end waits without a
/// wake-up.
fn yields<S>(mut subscriber: Subscriber<S>, mut poll: impl FnMut(&mut Subscriber<S>, &mut Context<'_>) -> Poll<usize>)
where
    S: seqcast::Receive<Item = u64>,
{
    let rounds = THERE as usize / BUDGET;
    for round in 1..=rounds {
        assert_eq!(results_in_a_row(|cx| poll(&mut subscriber, cx)), BUDGET);
        assert_eq!(subscriber.received(), (round * BUDGET) as u64, "a yield lost a message");
    }
    let woken = Counter::new();
    assert!(poll(&mut subscriber, &mut Context::from_waker(&woken.waker())).is_pending());
    assert_eq!(woken.count(), 0, "a waiting task must not be woken");
}

fn one<R>(_: R) -> usize {
    1
}

#[test]
fn every_way_of_receiving_yields() {
    let polled = |future: &mut dyn FnMut(&mut Context<'_>) -> Poll<()>, cx: &mut Context<'_>| future(cx).map(one);
    yields(inline().1, |subscriber, cx| subscriber.poll_recv(cx).map(one));
    yields(inline().1, |subscriber, cx| pin!(subscriber.recv_async()).poll(cx).map(one));
    yields(inline().1, |subscriber, cx| Pin::new(subscriber).poll_next(cx).map(one));
    yields(boxed().1, |subscriber, cx| subscriber.poll_recv(cx).map(one));
    yields(boxed().1, |subscriber, cx| subscriber.poll_recv_ref(cx).map(one));
    yields(boxed().1, |subscriber, cx| polled(&mut |cx| pin!(subscriber.recv_ref_async()).poll(cx).map(drop), cx));
    yields(boxed().1, |subscriber, cx| polled(&mut |cx| pin!(subscriber.next_ref_async()).poll(cx).map(drop), cx));
}

#[test]
fn a_stream_without_losses_yields() {
    let (_publisher, subscriber) = inline();
    let mut stream = subscriber.skip_lagged();
    for _ in 0..THERE as usize / BUDGET {
        assert_eq!(results_in_a_row(|cx| Pin::new(&mut stream).poll_next(cx).map(one)), BUDGET);
    }
}

/// Skips inside a poll count as well. Otherwise one poll could last as long as publishers overwrite
/// the message that it is about to read.
#[test]
fn a_stream_that_skips_losses_counts_them() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    let mut stream = subscriber.skip_lagged();
    for _ in 0..3 {
        let results = results_in_a_row(|cx| {
            publisher.publish_many(0..5);
            Pin::new(&mut stream).poll_next(cx).map(one)
        });
        assert_eq!(results, BUDGET / 2, "each poll must count a loss and a message");
    }
}

#[test]
fn the_newest_message_yields() {
    let (mut publisher, mut subscriber) = inline();
    for _ in 0..3 {
        let results = results_in_a_row(|cx| {
            publisher.publish(1);
            pin!(subscriber.recv_latest_async()).poll(cx).map(one)
        });
        assert_eq!(results, BUDGET);
    }
}

#[test]
fn batches_count_by_messages() {
    for limit in [1, 7, 64, 127] {
        let (_publisher, mut subscriber) = inline();
        let mut buffer = Vec::new();
        let results = results_in_a_row(|cx| {
            buffer.clear();
            pin!(subscriber.recv_many_async(&mut buffer, limit)).poll(cx).map(Result::unwrap)
        });
        assert!((BUDGET..BUDGET + limit).contains(&results), "{results} results in batches of {limit}");
    }
    // One call may receive everything, if its caller wants that. The next call yields.
    let (_publisher, mut subscriber) = inline();
    let mut buffer = Vec::new();
    let results = results_in_a_row(|cx| {
        pin!(subscriber.recv_many_async(&mut buffer, THERE as usize / 2)).poll(cx).map(Result::unwrap)
    });
    assert_eq!(results, THERE as usize / 2);
}

#[test]
fn one_who_waits_has_the_whole_budget_again() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(256);
    let woken = Counter::new();
    let waker = woken.waker();
    let mut cx = Context::from_waker(&waker);
    for _ in 0..20 {
        assert!(subscriber.poll_recv(&mut cx).is_pending());
        assert_eq!(woken.take(), 0, "on an empty ring the task must wait, not yield");
        publisher.publish_many(0..100);
        assert_eq!(woken.take(), 1);
        for _ in 0..100 {
            assert!(subscriber.poll_recv(&mut cx).is_ready());
        }
    }
}

#[test]
fn the_end_is_told_without_a_yield() {
    let (publisher, mut subscriber) = seqcast::inline::<u64>(2);
    drop(publisher);
    let mut cx = Context::from_waker(std::task::Waker::noop());
    for _ in 0..3 * BUDGET {
        assert!(subscriber.poll_recv(&mut cx).is_ready());
        assert_eq!(Pin::new(&mut subscriber).poll_next(&mut cx), Poll::Ready(None));
    }
}

/// If the waker panics while the task yields, the panic reaches the task, and nothing is lost.
#[test]
fn a_waker_that_panics_at_a_yield_loses_nothing() {
    let (_publisher, mut subscriber) = inline();
    let waker = wakers::call(|| std::panic::resume_unwind(Box::new(())));
    let mut cx = Context::from_waker(&waker);
    for _ in 0..BUDGET {
        assert!(subscriber.poll_recv(&mut cx).is_ready());
    }
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| subscriber.poll_recv(&mut cx)));
    assert!(polled.is_err());
    assert_eq!(subscriber.poll_recv(&mut cx), Poll::Ready(Ok(BUDGET as u64)));
}

/// Runs a timer and a reader on one thread. `read` keeps the reader busy: it publishes two messages
/// for each that it receives, so it never catches up. Returns the maximum delay of the timer.
fn lateness<S, F>(
    (publisher, subscriber): (seqcast::Publisher<S>, Subscriber<S>),
    read: impl FnOnce(Subscriber<S>, Box<dyn Fn() -> bool>) -> F,
) -> Duration
where
    S: seqcast::Receive<Item = u64>,
    F: Future<Output = ()> + 'static,
{
    let publisher = publisher.share();
    let began = Instant::now();
    let refill = Box::new(move || {
        publisher.publish_many([1, 2]);
        // A reader that does not yield fails the test after some time, instead of never.
        began.elapsed().as_secs() < 5
    });
    refill();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let reader = tokio::task::spawn_local(read(subscriber, refill));
        let mut late = Duration::ZERO;
        for _ in 0..5 {
            let began = Instant::now();
            tokio::time::sleep(Duration::from_millis(10)).await;
            late = late.max(began.elapsed().saturating_sub(Duration::from_millis(10)));
        }
        assert!(!reader.is_finished(), "the reader must not end");
        reader.abort();
        late
    })
}

/// The bound is wide: on two busy cores, a release build is 1 to 8 ms late, and a debug build 5 to
/// 25. Without yielding, the timer would never fire.
#[test]
fn a_timer_on_the_worker_of_a_reader_that_never_catches_up_is_in_time() {
    let inline = || seqcast::inline::<u64>(64);
    let boxed = || seqcast::boxed::<u64>(64);
    let all = [
        lateness(inline(), |mut subscriber, refill| async move {
            while refill() {
                let _ = subscriber.recv_async().await;
            }
        }),
        lateness(inline(), |mut subscriber, refill| async move {
            let mut buffer = Vec::new();
            while refill() {
                buffer.clear();
                let _ = subscriber.recv_many_async(&mut buffer, 1).await;
            }
        }),
        lateness(inline(), |mut subscriber, refill| async move {
            while refill() {
                let _ = subscriber.recv_latest_async().await;
            }
        }),
        lateness(
            inline(),
            |mut subscriber, refill| async move { while refill() && subscriber.next().await.is_some() {} },
        ),
        lateness(inline(), |subscriber, refill| async move {
            let mut stream = subscriber.skip_lagged();
            while refill() && stream.next().await.is_some() {}
        }),
        lateness(boxed(), |mut subscriber, refill| async move {
            while refill() {
                let _ = subscriber.recv_ref_async().await;
            }
        }),
        lateness(boxed(), |mut subscriber, refill| async move {
            while refill() && subscriber.next_ref_async().await.is_some() {}
        }),
    ];
    println!("maximum delays in the seven ways: {all:?}");
    assert!(all.iter().all(|late| *late < Duration::from_millis(500)), "{all:?}");
}
