//! Wakers that panic, block, or use the ring. Only their own subscriber is affected.

use crate::common::eventually;
use crate::common::wakers::{Counter, call, owning, park};
use seqcast::{Inline, SharedPublisher, TryRecvError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::thread;
use std::time::Duration;

#[test]
fn a_panicking_waker_costs_nobody_else_anything() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    let counter = Counter::new();
    let mut subscribers: Vec<_> = (0..9).map(|_| subscriber.clone()).collect();
    for round in 0..3 {
        for (at, subscriber) in subscribers.iter_mut().enumerate() {
            let good = counter.waker();
            let bad = call(|| panic!("the waker panics"));
            park(subscriber, if at % 3 == 1 { &bad } else { &good });
        }
        publisher.publish(round);
        assert_eq!(counter.count(), 6 * (usize::try_from(round).unwrap() + 1));
        assert!(subscribers.iter_mut().all(|subscriber| subscriber.try_recv() == Ok(round)));
    }
    // A waker whose panic payload panics when dropped.
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    park(&mut subscribers[0], &call(|| std::panic::panic_any(Bomb)));
    publisher.publish(3);
    publisher.close();
}

#[test]
fn a_waker_may_call_back_into_the_ring() {
    let (publisher, mut subscriber) = seqcast::inline::<u64>(16);
    let publisher = publisher.share();
    let mut bystander = subscriber.clone();
    let counter = Counter::new();
    park(&mut bystander, &counter.waker());
    let (handle, victim) = (publisher.clone(), Mutex::new(Some(subscriber.clone())));
    park(
        &mut subscriber,
        &call(move || {
            // Inside another thread's publish, it publishes, subscribes, drops a subscriber, and
            // reads the statistics.
            let mut own = handle.subscribe();
            handle.publish(100).unwrap();
            assert_eq!(own.try_recv(), Ok(100));
            drop(victim.lock().unwrap().take());
            assert!(handle.ring().stats().published >= 2);
        }),
    );
    publisher.publish(1).unwrap();
    assert_eq!(counter.count(), 1);
    for subscriber in [&mut subscriber, &mut bystander] {
        assert_eq!((subscriber.try_recv(), subscriber.try_recv()), (Ok(1), Ok(100)));
        assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn a_slow_waker_holds_nobody_else() {
    // The publisher that calls the waker blocks in it. The next publisher wakes all other parked
    // subscribers.
    let (publisher, mut slow) = seqcast::inline::<u64>(16);
    let publisher = publisher.share();
    let (stuck, free) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let mut others: Vec<_> = (0..5).map(|_| (slow.clone(), Counter::new())).collect();
    // The list is last in, first out, so the slow waker is in the middle.
    for (at, (other, counter)) in others.iter_mut().enumerate() {
        if at == 2 {
            let (stuck, free) = (Arc::clone(&stuck), Arc::clone(&free));
            park(
                &mut slow,
                &call(move || {
                    stuck.store(true, Ordering::SeqCst);
                    while !free.load(Ordering::SeqCst) {
                        thread::yield_now();
                    }
                }),
            );
        }
        park(other, &counter.waker());
    }
    thread::scope(|scope| {
        scope.spawn(|| publisher.publish(1).unwrap());
        eventually("the publisher is blocked in the waker", || stuck.load(Ordering::SeqCst));
        assert!(others.iter().any(|(_, counter)| counter.count() == 0));
        publisher.publish(2).unwrap();
        let woken = others.iter().all(|(_, counter)| counter.count() == 1);
        free.store(true, Ordering::SeqCst);
        assert!(woken, "the waker of another subscriber delayed the wake-up");
    });
}

#[test]
fn a_waker_may_panic_when_it_is_cloned() {
    // The clone of a waker panics. That affects its poll only: the ring and all other subscribers
    // continue.
    const VTABLE: RawWakerVTable = RawWakerVTable::new(|_| panic!("clone"), |_| {}, |_| {}, |_| {});
    #[allow(unsafe_code)]
    // SAFETY: the functions use no data, and may be called from any thread.
    let bad = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) };
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let mut other = subscriber.clone();
    let counter = Counter::new();
    assert!(catch_unwind(AssertUnwindSafe(|| subscriber.poll_recv(&mut Context::from_waker(&bad)))).is_err());
    park(&mut other, &counter.waker());
    publisher.publish(1);
    assert_eq!((subscriber.try_recv(), other.try_recv(), counter.count()), (Ok(1), Ok(1), 1));
    // Its own subscriber can still be woken afterwards.
    thread::scope(|scope| {
        let reader = scope.spawn(|| (subscriber.recv(), futures::executor::block_on(subscriber.recv_async())));
        for message in 2..4 {
            thread::sleep(Duration::from_millis(30));
            publisher.publish(message);
        }
        assert_eq!(reader.join().unwrap(), (Ok(2), Ok(3)));
    });
}

#[test]
#[allow(unsafe_code)]
fn a_waker_may_panic_when_it_is_dropped() {
    // A message is published while the waker is registered. So the poll that registered it receives
    // the message and drops the waker, whose drop panics. The message must not be lost.
    type Context_ = SharedPublisher<Inline<u64>>;
    const CLONED: RawWakerVTable = RawWakerVTable::new(
        |data| RawWaker::new(data, &CLONED),
        |_| {},
        |_| {},
        |_| panic!("the drop of the waker panics"),
    );
    const FIRST: RawWakerVTable = RawWakerVTable::new(
        |data| {
            // SAFETY: `data` is the publisher below, which outlives the wakers.
            let publisher = unsafe { &*data.cast::<Context_>() };
            publisher.publish(42).unwrap();
            RawWaker::new(data, &CLONED)
        },
        |_| {},
        |_| {},
        |_| {},
    );
    let (publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let publisher = publisher.share();
    // SAFETY: the functions use no data except the publisher, which is `Sync` and outlives the
    // waker.
    let waker = unsafe { Waker::from_raw(RawWaker::new((&raw const publisher).cast(), &FIRST)) };
    assert_eq!(subscriber.poll_recv(&mut Context::from_waker(&waker)), Poll::Ready(Ok(42)));
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn a_panicking_drop_of_a_waker_ends_nobody_elses_wake_up() {
    // The clone of one waker panics while it replaces another one, whose drop panics. Then the
    // subscriber is dropped while it is queued, so the list owns the rest of it.
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the drop of the waker panics");
        }
    }
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    let counter = Counter::new();
    let mut others: Vec<_> = (0..4).map(|_| subscriber.clone()).collect();
    park(&mut others[0], &counter.waker());
    park(&mut others[1], &counter.waker());
    let mut victim = subscriber.clone();
    park(&mut victim, &owning(Bomb));
    let second = owning(Bomb);
    assert!(catch_unwind(AssertUnwindSafe(|| victim.poll_recv(&mut Context::from_waker(&second)))).is_err());
    let _ = catch_unwind(AssertUnwindSafe(|| drop(second)));
    let _ = catch_unwind(AssertUnwindSafe(|| drop(victim)));
    park(&mut others[2], &counter.waker());
    park(&mut others[3], &counter.waker());
    publisher.publish(1);
    assert_eq!(counter.count(), 4);
}
