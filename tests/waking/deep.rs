//! Deep inside nested calls of wakers, a publish leaves its wake-ups to the calls around it, which
//! do them when they return.

use crate::common::wakers::{Counter, call, park};
use seqcast::{Inline, SharedPublisher, Subscriber};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

/// Parks `depth` subscribers, each with a waker that publishes to wake the next one, so that the
/// calls nest. The innermost call runs `inside`.
fn nest(
    publisher: &SharedPublisher<Inline<u64>>,
    subscribers: &mut Vec<Subscriber<Inline<u64>>>,
    depth: u64,
    inside: impl Fn() + Send + Sync + 'static,
) {
    let inside = Arc::new(Mutex::new(Some(inside)));
    let left = Arc::new(AtomicUsize::new(usize::try_from(depth).unwrap()));
    for _ in 0..depth {
        let mut subscriber = publisher.subscribe();
        let (publisher, inside, left) = (publisher.clone(), Arc::clone(&inside), Arc::clone(&left));
        let waker = call(move || {
            if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                let inside = inside.lock().unwrap().take().unwrap();
                inside();
            }
            publisher.publish(0).unwrap();
        });
        park(&mut subscriber, &waker);
        subscribers.push(subscriber);
    }
}

#[test]
fn from_deep_inside_wakers_everybody_is_woken() {
    // Deep enough that wake-ups are left to the publish around. There, two more groups park and are
    // published to, and so are two on a ring that has no publish around.
    let (publisher, _first) = seqcast::inline::<u64>(1 << 10);
    let (other, _other) = seqcast::inline::<u64>(16);
    let (publisher, other) = (publisher.share(), other.share());
    let late: Arc<Mutex<Vec<_>>> = Arc::default();
    let counter = Counter::new();
    let mut subscribers = Vec::new();
    let inside = {
        let (publisher, late, counter) = (publisher.clone(), Arc::clone(&late), Arc::clone(&counter));
        move || {
            for ring in [&publisher, &publisher, &other] {
                for _ in 0..3 {
                    let mut subscriber = ring.subscribe();
                    park(&mut subscriber, &counter.waker());
                    late.lock().unwrap().push(subscriber);
                }
                ring.publish(1).unwrap();
            }
        }
    };
    nest(&publisher, &mut subscribers, 100, inside);
    publisher.publish(0).unwrap();
    assert_eq!(publisher.next_sequence(), 103, "each nested waker must have published");
    assert_eq!(counter.count(), 9);
}

/// At this depth a publish leaves its wake-ups to the calls around it.
const DEPTH: usize = 128;

/// Runs `code` inside this many calls of wakers, each of another ring.
pub(crate) fn from_within(depth: usize, code: Arc<dyn Fn() + Send + Sync>) {
    if depth == 0 {
        return code();
    }
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(2);
    park(&mut subscriber, &call(move || from_within(depth - 1, Arc::clone(&code))));
    publisher.publish(0);
}

#[test]
fn a_ring_that_is_gone_is_not_come_back_for() {
    // Deep inside, a ring is published to and dropped with its subscriber. The calls around must
    // not use it when they return.
    let woken = Counter::new();
    let waker = woken.waker();
    from_within(
        DEPTH,
        Arc::new(move || {
            let (mut other, mut subscriber) = seqcast::inline::<u64>(2);
            park(&mut subscriber, &waker);
            other.publish(0);
            drop(subscriber);
        }),
    );
    assert_eq!(woken.count(), 0, "a dropped subscriber was woken");
}

#[test]
fn from_deep_inside_others_are_woken_that_a_stopped_publisher_owes() {
    let (publisher, mut first) = seqcast::inline::<u64>(4);
    let publisher = publisher.share();
    let mut second = first.clone();
    let counter = Counter::new();
    park(&mut first, &counter.waker());
    // The first waker on the list blocks, so the wake-up of the other subscriber is delayed.
    let (begun, release) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let waits = {
        let (begun, release) = (Arc::clone(&begun), Arc::clone(&release));
        move || {
            begun.wait();
            release.wait();
        }
    };
    park(&mut second, &call(waits));
    let slow = thread::spawn({
        let publisher = publisher.clone();
        move || publisher.publish(1).unwrap()
    });
    begun.wait();
    let publishing = publisher.clone();
    from_within(
        DEPTH,
        Arc::new(move || {
            publishing.publish(2).unwrap();
        }),
    );
    assert_eq!(counter.count(), 1, "the subscriber was not woken");
    release.wait();
    slow.join().unwrap();
}

#[test]
fn from_within_a_call_of_its_own_ring_others_are_woken_when_that_returns() {
    // Less deep than `DEPTH`: the publish inside leaves its wake-up to the call around it, and no
    // other call does it.
    let (publisher, mut first) = seqcast::inline::<u64>(4);
    let publisher = publisher.share();
    let (counter, kept) = (Counter::new(), Arc::new(Mutex::new(Vec::new())));
    let within = {
        let (publisher, counter, kept) = (publisher.clone(), Arc::clone(&counter), Arc::clone(&kept));
        Arc::new(move || {
            let mut second = publisher.subscribe();
            park(&mut second, &counter.waker());
            publisher.publish(2).unwrap();
            kept.lock().unwrap().push(second);
            assert_eq!(
                counter.count(),
                0,
                "the subscriber was already woken inside, so the test does not reach its case"
            );
        })
    };
    park(&mut first, &call(move || from_within(40, within.clone())));
    publisher.publish(1).unwrap();
    assert_eq!(counter.count(), 1);
}

#[test]
fn at_the_end_of_a_thread_others_are_woken_from_deep_inside() {
    struct AtExit(std::cell::RefCell<Option<Box<dyn FnOnce()>>>);
    impl Drop for AtExit {
        fn drop(&mut self) {
            if let Some(code) = self.0.take() {
                code();
            }
        }
    }
    thread_local!(static LAST: AtExit = const { AtExit(std::cell::RefCell::new(None)) });
    let (publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let publisher = publisher.share();
    // The drop of the handle closes the ring and wakes. The clone delays that to the end of the
    // test.
    let _kept = publisher.clone();
    let counter = Counter::new();
    park(&mut subscriber, &counter.waker());
    thread::spawn(move || {
        let publish = Arc::new(move || {
            publisher.publish(1).unwrap();
        });
        LAST.with(|last| last.0.replace(Some(Box::new(move || from_within(DEPTH, publish)))));
        // The thread's own locals are initialized after the one that runs last, so they are dropped
        // before it.
        from_within(DEPTH, Arc::new(|| {}));
    })
    .join()
    .unwrap();
    assert_eq!(counter.count(), 1, "the subscriber was not woken");
}
