//! Batches: each message is readable immediately, and subscribers are woken once.

use crate::common::wakers::Counter;
use seqcast::{Batch, Boxed, Builder, Closed, Inline, Publisher, RecvError, SharedBatch, SharedPublisher, Subscriber};
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

/// Polls a subscriber that finds nothing, so it is woken by the next wake-up.
fn park(subscriber: &mut Subscriber<Inline<u32>>, woken: &Arc<Counter>) {
    let waker = woken.waker();
    assert_eq!(subscriber.poll_recv(&mut Context::from_waker(&waker)), Poll::Pending);
}

fn shared() -> (SharedPublisher<Inline<u32>>, Subscriber<Inline<u32>>) {
    let (publisher, subscriber) = seqcast::inline(8);
    (publisher.share(), subscriber)
}

#[test]
fn a_batch_is_read_at_once_and_wakes_at_its_end() {
    let (mut publisher, mut parked) = seqcast::inline::<u32>(8);
    let (mut awake, woken) = (parked.clone(), Counter::new());
    park(&mut parked, &woken);
    let mut batch = publisher.batch();
    assert_eq!((batch.publish(1), batch.publish(2)), (0, 1));
    assert_eq!((awake.try_recv(), awake.try_recv()), (Ok(1), Ok(2)));
    assert_eq!(woken.count(), 0);
    drop(batch);
    assert_eq!(woken.count(), 1);
    assert_eq!((publisher.publish(3), parked.try_iter().count()), (2, 3));
}

#[test]
fn a_shared_batch_is_read_at_once_and_wakes_at_its_end() {
    let (publisher, mut parked) = shared();
    let (mut awake, woken) = (parked.clone(), Counter::new());
    park(&mut parked, &woken);
    let mut batch = publisher.batch();
    assert_eq!((batch.publish(1), batch.publish(2)), (Ok(0), Ok(1)));
    assert_eq!((awake.try_recv(), awake.try_recv()), (Ok(1), Ok(2)));
    assert_eq!(woken.count(), 0);
    drop(batch);
    assert_eq!((woken.count(), parked.try_iter().count()), (1, 2));
}

#[test]
fn a_panic_wakes_for_a_batch() {
    let (mut publisher, mut parked) = seqcast::inline::<u32>(8);
    let woken = Counter::new();
    park(&mut parked, &woken);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut batch = publisher.batch();
        batch.publish(1);
        assert_eq!(woken.count(), 0);
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(panicked.is_err());
    assert_eq!(woken.count(), 1);
    let publisher = publisher.share();
    parked.try_recv().unwrap();
    park(&mut parked, &woken);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut batch = publisher.batch();
        batch.publish(2).unwrap();
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(panicked.is_err());
    assert_eq!(woken.count(), 2);
}

#[test]
fn an_empty_batch_wakes_nobody() {
    let (mut publisher, mut parked) = seqcast::inline::<u32>(8);
    let woken = Counter::new();
    // The message is readable, and no subscriber was woken for it. So the next wake-up wakes this
    // one.
    park(&mut parked, &woken);
    std::mem::forget({
        let mut batch = publisher.batch();
        batch.publish(1);
        batch
    });
    drop(publisher.batch());
    publisher.publish_many([]);
    let publisher = publisher.share();
    drop(publisher.batch());
    publisher.publish_many([]);
    assert_eq!(woken.count(), 0);
    publisher.publish(2).unwrap();
    assert_eq!((woken.count(), parked.try_iter().count()), (1, 2));
}

#[test]
fn a_leaked_batch_is_woken_for_at_the_end() {
    let (publisher, mut parked) = shared();
    let woken = Counter::new();
    park(&mut parked, &woken);
    let mut batch = publisher.batch();
    batch.publish(1).unwrap();
    std::mem::forget(batch);
    assert_eq!(woken.count(), 0);
    drop(publisher);
    assert_eq!((woken.count(), parked.recv(), parked.recv()), (1, Ok(1), Err(RecvError::Closed)));
}

#[test]
fn a_closed_ring_gives_the_values_of_a_batch_back() {
    let (publisher, mut subscriber) = shared();
    let mut batch = publisher.batch();
    assert_eq!(batch.publish(1), Ok(0));
    publisher.close();
    assert_eq!(batch.publish(2), Err(Closed(2)));
    drop(batch);
    assert_eq!(subscriber.iter().map(Result::unwrap).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_batch_larger_than_the_ring_overwrites_its_start() {
    let (mut publisher, mut parked) = seqcast::inline::<u32>(4);
    let woken = Counter::new();
    park(&mut parked, &woken);
    let mut batch = publisher.batch();
    (0..6).for_each(|value| assert_eq!(batch.publish(value), value.into()));
    drop(batch);
    assert_eq!(woken.count(), 1);
    assert!(parked.try_recv().unwrap_err().is_lagged());
    assert_eq!(parked.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [2, 3, 4, 5]);
}

/// A reader that is parked at the start of a batch larger than the gated ring.
fn wakes_before_it_waits(publish: impl FnOnce(Publisher<Inline<u32>>) + Send) {
    let (publisher, _lossy) = Builder::new(16).gated().inline::<u32>();
    let mut gating = publisher.ring().subscribe_gating().unwrap();
    thread::scope(|scope| {
        let ring = publisher.ring();
        let reader = scope.spawn(move || gating.iter().map(Result::unwrap).collect::<Vec<_>>());
        while !ring.stats().subscribers.iter().any(|subscriber| subscriber.gating && subscriber.parked) {
            thread::sleep(Duration::from_millis(1));
        }
        publish(publisher);
        assert_eq!(reader.join().unwrap(), (0..30).collect::<Vec<_>>());
    });
}

#[test]
fn a_batch_wakes_before_it_waits_for_room() {
    wakes_before_it_waits(|mut publisher| {
        let mut batch = publisher.batch();
        (0..30).for_each(|value| assert_eq!(batch.publish(value), value.into()));
    });
}

#[test]
fn a_shared_batch_wakes_before_it_waits_for_room() {
    wakes_before_it_waits(|publisher| {
        let publisher = publisher.share();
        let mut batch = publisher.batch();
        (0..30).for_each(|value| assert_eq!(batch.publish(value), Ok(value.into())));
    });
}

#[test]
fn a_run_wakes_before_it_waits_for_room() {
    wakes_before_it_waits(|publisher| assert_eq!(publisher.share().publish_many(0..30), 30));
}

#[test]
fn a_shared_batch_wakes_at_once_while_publishers_wait() {
    // The code between two messages of a batch may wait for a publisher that waits for a reader of
    // the first message.
    let (publisher, _lossy) = Builder::new(4).gated().inline::<u32>();
    let publisher = publisher.share();
    let mut gating = publisher.ring().subscribe_gating().unwrap();
    assert_eq!(publisher.publish_many(0..4), 4);
    let mut other = publisher.clone();
    let (waiting, woken) = (Counter::new(), Counter::new());
    assert_eq!(other.poll_ready(&mut Context::from_waker(&waiting.waker())), Poll::Pending);
    assert_eq!(gating.try_iter().count(), 4);
    park(&mut gating, &woken);
    let mut batch = publisher.batch();
    batch.publish(4).unwrap();
    assert_eq!(woken.count(), 1);
    drop(batch);
    assert_eq!(woken.count(), 1, "the reader was woken again for the same message");
    assert_eq!(gating.try_recv(), Ok(4));
    park(&mut gating, &woken);
    publisher.publish_many(5..8);
    assert_eq!((woken.count(), gating.try_iter().count()), (2, 3));
}

#[test]
fn a_batch_of_a_boxed_ring_drops_each_message_once() {
    let (mut publisher, mut subscriber) = seqcast::boxed::<Arc<()>>(4);
    let message = Arc::new(());
    let mut batch = publisher.batch();
    (0..9).for_each(|at| assert_eq!(batch.publish(Arc::clone(&message)), at));
    drop(batch);
    assert!(subscriber.try_recv().unwrap_err().is_lagged());
    assert_eq!(subscriber.try_iter().count(), 4);
    let publisher = publisher.share();
    publisher.batch().publish(Arc::clone(&message)).unwrap();
    drop((publisher, subscriber));
    assert_eq!(Arc::strong_count(&message), 1);
}

#[test]
fn batches_show_themselves_and_cross_threads() {
    fn promises<T: Send + Sync + UnwindSafe + RefUnwindSafe + std::fmt::Debug>(value: T) -> String {
        format!("{value:?}")
    }
    let (mut publisher, _subscriber) = seqcast::inline::<u32>(4);
    let batch: Batch<'_, Inline<u32>> = publisher.batch();
    assert_eq!(promises(batch), "Batch { next_sequence: 0, .. }");
    let publisher = publisher.share();
    let mut batch: SharedBatch<'_, Inline<u32>> = publisher.batch();
    batch.publish(1).unwrap();
    assert_eq!(promises(batch), "SharedBatch { unwoken: 0..1, .. }");
    let (mut boxed, _subscriber) = seqcast::boxed::<String>(4);
    let batch: Batch<'_, Boxed<String>> = boxed.batch();
    assert_eq!(promises(batch), "Batch { next_sequence: 0, .. }");
    promises(boxed.share().batch());
}

#[test]
fn a_gated_batch_returns_its_sequences() {
    let (mut publisher, _lossy) = Builder::new(4).gated().inline::<u32>();
    assert_eq!(publisher.publish_many(0..3), 0..3);
    assert_eq!(publisher.batch().publish(3), 3);
    assert_eq!(publisher.publish_many(std::iter::empty()), 4..4);
}

#[test]
fn a_batch_pays_before_it_drops_what_it_displaced() {
    // Records the number of wake-ups at the drop of a message.
    struct Message(Arc<Counter>, Arc<AtomicUsize>);
    impl Drop for Message {
        fn drop(&mut self) {
            self.1.store(self.0.count() + 1, Ordering::Relaxed);
        }
    }
    for batch in [false, true] {
        let (publisher, _lossy) = Builder::new(4).gated().boxed::<Message>();
        let mut publisher = publisher.share();
        let mut gating = publisher.ring().subscribe_gating().unwrap();
        let (woken, seen) = (Counter::new(), Arc::new(AtomicUsize::new(0)));
        let message = || Message(Arc::clone(&woken), Arc::clone(&seen));
        // A publisher waits for room, which arms the ring for publishers.
        for _ in 0..4 {
            assert!(publisher.try_publish(message()).is_ok());
        }
        let waits = Counter::new();
        assert_eq!(publisher.poll_ready(&mut Context::from_waker(&waits.waker())), Poll::Pending);
        while gating.try_recv_ref().is_ok() {}
        // The gating subscriber is parked.
        assert!(gating.poll_recv_ref(&mut Context::from_waker(&woken.waker())).is_pending());
        let mut tries = 0;
        while seen.load(Ordering::Relaxed) == 0 && tries < 200 {
            tries += 1;
            woken.take();
            while gating.try_recv_ref().is_ok() {}
            assert!(gating.poll_recv_ref(&mut Context::from_waker(&woken.waker())).is_pending());
            if batch {
                let mut batch = publisher.batch();
                assert!(batch.publish(message()).is_ok());
                assert_eq!(woken.count(), 1, "the subscriber must be woken immediately");
            } else {
                assert!(publisher.publish(message()).is_ok());
            }
        }
        assert_eq!(seen.load(Ordering::Relaxed), 2, "the wake-up must be before the drop, in a batch: {batch}");
    }
}
