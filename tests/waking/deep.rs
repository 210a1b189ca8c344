//! What a publish deep inside other calls of wakers leaves to those is done when they return.

use crate::common::wakers::{Counter, call, park};
use seqcast::{Inline, SharedPublisher, Subscriber};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

/// Parks a subscriber whose waker publishes, once for each of `depth`, so that they nest; the
/// innermost runs `inside`.
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
    // Deep enough that what is owed is left to the publish around; there, two more groups park and
    // are published to, and so are two on a ring of which no publish is around.
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
    assert_eq!(publisher.next_sequence(), 103, "each of the nested was woken");
    assert_eq!(counter.count(), 9);
}

/// So deep that a publish leaves those whom it should wake to the calls around.
const DEPTH: usize = 128;

/// Runs `code` from within this many calls of wakers, each of a ring of its own.
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
    // Deep inside, a ring is published to and dropped, its subscriber too. The calls around return
    // to nothing.
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
    assert_eq!(woken.count(), 0, "its subscriber was gone");
}

#[test]
fn from_deep_inside_others_are_woken_that_a_stopped_publisher_owes() {
    let (publisher, mut first) = seqcast::inline::<u64>(4);
    let publisher = publisher.share();
    let mut second = first.clone();
    let counter = Counter::new();
    park(&mut first, &counter.waker());
    // On top of the list: its waker takes its time, and the other is owed.
    let (begun, stopped) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let waits = {
        let (begun, stopped) = (Arc::clone(&begun), Arc::clone(&stopped));
        move || {
            begun.wait();
            stopped.wait();
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
    assert_eq!(counter.count(), 1, "it was not woken");
    stopped.wait();
    slow.join().unwrap();
}

#[test]
fn from_within_a_call_of_its_own_ring_others_are_woken_when_that_returns() {
    // Less deep than `DEPTH`: the call around is left what the publish within owes, and nobody else
    // comes back for it.
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
            assert_eq!(counter.count(), 0, "it was woken within, which this test is not about");
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
    // Its drop closes the ring, and so wakes: not before the end.
    let _kept = publisher.clone();
    let counter = Counter::new();
    park(&mut subscriber, &counter.waker());
    thread::spawn(move || {
        let publish = Arc::new(move || {
            publisher.publish(1).unwrap();
        });
        LAST.with(|last| last.0.replace(Some(Box::new(move || from_within(DEPTH, publish)))));
        // What the thread keeps for itself is made after what runs last, and so would go before it.
        from_within(DEPTH, Arc::new(|| {}));
    })
    .join()
    .unwrap();
    assert_eq!(counter.count(), 1, "it was not woken");
}
