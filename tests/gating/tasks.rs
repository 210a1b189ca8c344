//! Tasks that wait for room.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use futures::executor::block_on;
use futures::future::join_all;
use futures::task::Context;
use seqcast::{Boxed, Builder, Inline, SharedPublisher, Subscriber};
use tokio::runtime::{Builder as Runtime, Runtime as Tokio};

use crate::common::panics::throw;
use crate::common::wakers::{Counter, call};
use crate::{full, gated, in_time, returned, start};

#[test]
fn a_task_waits_and_is_woken() {
    let (publisher, mut gating) = gated(2);
    let publisher = publisher.share();
    let writing = thread::spawn(move || {
        futures::executor::block_on(async {
            for next in 0..1000 {
                assert_eq!(publisher.publish_async(next).await, Ok(next));
            }
        });
    });
    assert!(gating.iter().map(Result::unwrap).eq(0..1000));
    writing.join().unwrap();
}

/// Dropping a future, before or after it is woken, never costs another future its wake-up.
#[test]
fn a_future_that_is_dropped_takes_no_wake_up_along() {
    for first in 0..6 {
        let (publisher, mut gating) = full(2);
        let counters: Vec<_> = (0..6).map(|_| Counter::new()).collect();
        let poll = |at: usize, future: &mut seqcast::Publish<'_, Inline<u64>>| {
            future.poll_unpin(&mut Context::from_waker(&counters[at].waker()))
        };
        let mut futures: Vec<_> = (10..16).map(|message| Some(publisher.publish_async(message))).collect();
        for (at, future) in futures.iter_mut().enumerate() {
            assert!(poll(at, future.as_mut().unwrap()).is_pending());
            assert_eq!(Arc::strong_count(&counters[at]), 2);
        }
        for at in [first, (first + 3) % 6] {
            futures[at] = None;
            assert_eq!(Arc::strong_count(&counters[at]), 1, "the future must drop its waker");
        }
        for (sequence, turn) in (2..).zip(0..2) {
            assert_eq!(gating.try_recv(), Ok(turn));
            for (at, counter) in counters.iter().enumerate() {
                assert_eq!(counter.take() > 0, futures[at].is_some(), "wake-up of future {at}");
            }
            // This future is dropped after its wake-up, without a poll.
            let mut left = (0..6).filter(|at| futures[*at].is_some()).collect::<Vec<_>>();
            futures[left.remove(0)] = None;
            // One future uses the room. The others wait again.
            let lucky = left.remove(0);
            assert_eq!(poll(lucky, futures[lucky].as_mut().unwrap()), std::task::Poll::Ready(Ok(sequence)));
            futures[lucky] = None;
            for at in left {
                assert!(poll(at, futures[at].as_mut().unwrap()).is_pending());
            }
        }
        assert!(futures.iter().all(Option::is_none));
    }
}

/// Futures are polled a few times and dropped while threads and other tasks wait. The reader
/// receives exactly what was published.
#[test]
fn futures_are_dropped_while_others_wait() {
    in_time(|| {
        for capacity in [2, 8] {
            let (publisher, mut gating) = gated(capacity);
            let publisher = publisher.share();
            let mut writers = Vec::new();
            for id in 0..6_u64 {
                let publisher = publisher.clone();
                writers.push(start(move || {
                    let mut published = Vec::new();
                    for number in 0..500 {
                        let message = id << 32 | number;
                        let outcome = match id {
                            0 => Some(publisher.publish(message)),
                            1 => Some(block_on(publisher.publish_async(message))),
                            2 => publisher.publish_async(message).now_or_never(),
                            _ => block_on(async {
                                let mut future = publisher.publish_async(message);
                                let polls = std::iter::repeat_n((), (number % 4) as usize);
                                for () in polls {
                                    if let Some(outcome) = (&mut future).now_or_never() {
                                        return Some(outcome);
                                    }
                                    thread::yield_now();
                                }
                                None
                            }),
                        };
                        if outcome.map(Result::unwrap).is_some() {
                            published.push(message);
                        }
                    }
                    published
                }));
            }
            let reading = start(move || {
                let read: Vec<_> = gating.iter().map(Result::unwrap).collect();
                (read, gating.missed())
            });
            let mut published: Vec<_> = writers.into_iter().flat_map(returned).collect();
            publisher.close();
            let (mut read, missed) = returned(reading);
            published.sort_unstable();
            read.sort_unstable();
            assert!(missed == 0 && read == published && read.len() >= 1000);
        }
    });
}

/// A panic of a waker is caught in the reader that calls it, and the other publishers are woken.
#[test]
fn a_waker_that_panics_takes_no_wake_up_along() {
    in_time(|| {
        for bad in 0..5 {
            let (publisher, mut gating) = full(2);
            let other = publisher.clone();
            let thread = start(move || other.publish(0));
            let counter = Counter::new();
            let mut futures: Vec<_> = (0..5).map(|message| publisher.publish_async(message)).collect();
            for (at, future) in futures.iter_mut().enumerate() {
                let waker = if at == bad { call(|| throw()) } else { counter.waker() };
                assert!(future.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
            }
            assert_eq!(gating.try_recv(), Ok(0));
            assert_eq!(counter.take(), 4);
            assert_eq!(gating.try_recv(), Ok(1));
            drop(gating);
            returned(thread).unwrap();
            // The future with the panicking waker also publishes when it is polled.
            for future in futures {
                assert!(block_on(future).is_ok());
            }
        }
    });
}

/// A waker publishes inside a reader's receive.
#[test]
fn a_waker_may_call_back_into_the_ring() {
    in_time(|| {
        let (publisher, mut gating) = full(4);
        let (other, counter) = (publisher.clone(), Counter::new());
        let publishing = call(move || assert!(other.try_publish(77).is_ok()));
        let mut futures: Vec<_> = (0..3).map(|message| publisher.publish_async(message)).collect();
        let waker = counter.waker();
        for (future, waker) in futures.iter_mut().zip([&waker, &publishing, &waker]) {
            assert!(future.poll_unpin(&mut Context::from_waker(waker)).is_pending());
        }
        assert_eq!(gating.try_recv(), Ok(0));
        assert_eq!(counter.count(), 2);
        assert!(
            futures.iter_mut().all(|future| future.now_or_never().is_none()),
            "a future found room, although the waker used it"
        );
        assert!((1..4).all(|message| gating.try_recv() == Ok(message)));
        assert_eq!(gating.try_recv(), Ok(77));
        assert!(futures.into_iter().all(|future| matches!(future.now_or_never(), Some(Ok(_)))));
    });
}

#[test]
fn a_publisher_polls_for_room() {
    let (mut publisher, mut gating) = gated(2);
    let counter = Counter::new();
    let waker = counter.waker();
    let cx = &mut Context::from_waker(&waker);
    assert!(publisher.poll_ready(cx).is_ready());
    publisher.publish_many([0, 1]);
    assert!(publisher.poll_ready(cx).is_pending() && publisher.poll_ready(cx).is_pending());
    assert_eq!(gating.try_recv(), Ok(0));
    assert_eq!(counter.take(), 1);
    assert!(publisher.poll_ready(cx).is_ready());
    // A publisher that is dropped while it waits releases its waker.
    publisher.publish(2);
    assert!(publisher.poll_ready(cx).is_pending());
    assert_eq!(Arc::strong_count(&counter), 3);
    drop(publisher);
    assert_eq!(Arc::strong_count(&counter), 2);
}

const TASKS: u64 = 100;
const EACH: u64 = 50;

/// A hundred tasks publish. Gating readers, in tasks and on a thread, receive the messages of each
/// task in order.
async fn hundred(publisher: SharedPublisher<Boxed<u64>>, gating: Subscriber<Boxed<u64>>) {
    let readers: Vec<_> = (0..2).map(|_| tokio::spawn(read(gating.clone()))).collect();
    drop(gating);
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let publisher = publisher.clone();
            tokio::spawn(async move {
                for number in 0..EACH {
                    publisher.publish_async(task * EACH + number).await.unwrap();
                }
            })
        })
        .collect();
    drop(publisher);
    for task in join_all(tasks).await {
        task.unwrap();
    }
    for reader in readers {
        all_in_order(&reader.await.unwrap());
    }
}

async fn read(mut gating: Subscriber<Boxed<u64>>) -> Vec<u64> {
    let mut read = Vec::new();
    while let Ok(message) = gating.recv_async().await {
        read.push(message);
    }
    assert_eq!(gating.missed(), 0);
    read
}

fn all_in_order(read: &[u64]) {
    let mut next = [0; TASKS as usize];
    for message in read {
        let (task, number) = ((message / EACH) as usize, message % EACH);
        assert_eq!(number, next[task]);
        next[task] += 1;
    }
    assert!(next.into_iter().all(|next| next == EACH));
}

fn on(runtime: &Tokio) {
    for capacity in [2, 8, 64] {
        let (publisher, _) = Builder::new(capacity).gated().boxed::<u64>();
        let publisher = publisher.share();
        let gating = publisher.ring().subscribe_gating().unwrap();
        let thread = gating.clone();
        let thread = start(move || thread.into_iter().map(Result::unwrap).collect::<Vec<_>>());
        runtime.block_on(hundred(publisher, gating));
        all_in_order(&returned(thread));
    }
}

#[test]
fn a_hundred_tasks_publish_on_one_thread() {
    in_time(|| on(&Runtime::new_current_thread().enable_all().build().unwrap()));
}

#[test]
fn a_hundred_tasks_publish_on_several_threads() {
    in_time(|| on(&Runtime::new_multi_thread().worker_threads(2).enable_all().build().unwrap()));
}

/// Timeouts of the runtime drop futures that wait. The other futures publish.
#[test]
fn a_runtime_cancels_futures_while_others_wait() {
    in_time(|| {
        let runtime = Runtime::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (publisher, gating) = full(4);
        let mut gating = Some(gating);
        runtime.block_on(async {
            let patient: Vec<_> = (0..8)
                .map(|message| {
                    let publisher = publisher.clone();
                    tokio::spawn(async move { publisher.publish_async(message).await.is_ok() })
                })
                .collect();
            let hasty: Vec<_> = (0..50)
                .map(|message| {
                    let publisher = publisher.clone();
                    let patience = Duration::from_micros(100 * message);
                    tokio::spawn(async move {
                        let _ = tokio::time::timeout(patience, publisher.publish_async(message)).await;
                    })
                })
                .collect();
            tokio::time::sleep(Duration::from_millis(2)).await;
            let mut gating = gating.take().unwrap();
            let reading = tokio::spawn(async move { while gating.recv_async().await.is_ok() {} });
            for task in join_all(hasty).await {
                task.unwrap();
            }
            assert!(join_all(patient).await.into_iter().all(|published| published.unwrap()));
            publisher.close();
            reading.await.unwrap();
        });
    });
}

/// Tasks that publish continuously on one thread all make progress, with every capacity.
#[test]
fn no_task_starves_another() {
    for capacity in [2, 16, 64] {
        in_time(move || {
            let (publisher, mut gating) = gated(capacity);
            let publisher = publisher.share();
            let runtime = Runtime::new_current_thread().build().unwrap();
            let mut received = [0; 20];
            runtime.block_on(async {
                let publishing: Vec<_> = (0..20)
                    .map(|id| {
                        let publisher = publisher.clone();
                        tokio::spawn(async move { while publisher.publish_async(id).await.is_ok() {} })
                    })
                    .collect();
                for _ in 0..20_000 {
                    received[gating.recv_async().await.unwrap() as usize] += 1;
                }
                publisher.close();
                drop(gating);
                for task in publishing {
                    task.await.unwrap();
                }
            });
            assert!(received.iter().all(|count| *count > 500), "capacity {capacity}: {received:?}");
        });
    }
}
