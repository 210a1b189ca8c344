//! Drivers whose wakers use the ring, nest deeply, panic, or are dropped at a bad time.

use crate::common::wakers::{Counter, call, owning, park};
use crate::deep::from_within;
use crate::driver::parked;
use seqcast::{DriveWakes, Inline, Ring};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, RawWaker, RawWakerVTable, Wake, Waker};

fn poll(drive: &mut DriveWakes<Inline<u64>>, waker: &Waker) -> bool {
    Pin::new(drive).poll(&mut Context::from_waker(waker)).is_pending()
}

/// A publish calls a driver whose waker, inside `depth` nested calls, runs `code` and drops the
/// driver. Returns the wake-ups of three tasks.
fn in_the_call_of_the_driver(depth: usize, code: Arc<dyn Fn() + Send + Sync>) -> usize {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    let drive = Arc::new(Mutex::new(Some(publisher.ring().drive_wakes())));
    let dropping = Arc::clone(&drive);
    let waker = call(move || {
        let (dropping, code) = (Arc::clone(&dropping), Arc::clone(&code));
        from_within(
            depth,
            Arc::new(move || {
                code();
                drop(dropping.lock().unwrap().take());
            }),
        );
    });
    assert!(poll(drive.lock().unwrap().as_mut().unwrap(), &waker));
    let (_subscribers, woken) = parked(&subscriber, 3);
    publisher.publish(1);
    assert!(drive.lock().unwrap().is_none());
    woken.count()
}

#[test]
fn a_driver_that_is_dropped_deep_within_its_own_call_wakes() {
    for depth in [0, 10, 31, 40, 100, 126, 127] {
        assert_eq!(in_the_call_of_the_driver(depth, Arc::new(|| {})), 3, "at depth {depth}");
    }
}

#[test]
fn a_close_deep_within_the_call_of_the_driver_wakes() {
    for depth in [0, 31, 40] {
        let (publisher, subscriber) = seqcast::inline::<u64>(64);
        let publisher = publisher.share();
        let mut drive = publisher.ring().drive_wakes();
        let closing = publisher.clone();
        let waker = call(move || {
            let closing = closing.clone();
            from_within(
                depth,
                Arc::new(move || {
                    closing.close();
                }),
            )
        });
        assert!(poll(&mut drive, &waker));
        let (_subscribers, woken) = parked(&subscriber, 3);
        publisher.publish(1).unwrap();
        assert!(subscriber.ring().is_closed());
        assert_eq!(woken.count(), 3, "at depth {depth}: tasks stay parked in a closed ring");
    }
}

/// A waker that runs its task in the call, as often as it is woken.
struct InPlace {
    drive: Mutex<Option<DriveWakes<Inline<u64>>>>,
    running: AtomicBool,
    woken: AtomicBool,
    polls: AtomicUsize,
}

impl InPlace {
    fn new(ring: &Ring<Inline<u64>>) -> Self {
        Self {
            drive: Mutex::new(Some(ring.drive_wakes())),
            running: AtomicBool::new(false),
            woken: AtomicBool::new(false),
            polls: AtomicUsize::new(0),
        }
    }
}

impl Wake for InPlace {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        if self.running.swap(true, Ordering::SeqCst) {
            return;
        }
        let waker = Waker::from(Arc::clone(&self));
        while self.woken.swap(false, Ordering::SeqCst) {
            assert!(self.polls.fetch_add(1, Ordering::SeqCst) < 10_000, "the driver spins");
            if !poll(self.drive.lock().unwrap().as_mut().unwrap(), &waker) {
                break;
            }
        }
        self.running.store(false, Ordering::SeqCst);
    }
}

#[test]
fn a_driver_that_is_run_in_place_does_not_spin() {
    for depth in [10, 100, 125, 126, 127, 128] {
        let (publisher, subscriber) = seqcast::inline::<u64>(64);
        let publisher = publisher.share();
        let task = Arc::new(InPlace::new(&publisher.ring()));
        Arc::clone(&task).wake();
        let (_subscribers, woken) = parked(&subscriber, 3);
        let publishing = publisher.clone();
        from_within(
            depth,
            Arc::new(move || {
                publishing.publish(1).unwrap();
            }),
        );
        assert!(task.polls.load(Ordering::SeqCst) < 10_000, "at depth {depth}: the driver spun");
        assert_eq!(woken.count(), 3);
    }
}

/// The same at the depth limit of one ring: a driver that begins inside 40 calls, one of them of
/// its own ring.
#[test]
fn a_driver_that_begins_within_a_call_of_its_ring_does_not_spin() {
    let (publisher, subscriber) = seqcast::inline::<u64>(64);
    let publisher = publisher.share();
    let task = Arc::new(InPlace::new(&publisher.ring()));
    let (_subscribers, woken) = parked(&subscriber, 3);
    let starting = Arc::clone(&task);
    let mut starter = subscriber.clone();
    park(
        &mut starter,
        &call(move || {
            let starting = Arc::clone(&starting);
            from_within(40, Arc::new(move || Arc::clone(&starting).wake()));
        }),
    );
    publisher.publish(1).unwrap();
    assert!(task.polls.load(Ordering::SeqCst) < 10_000, "the driver spun");
    assert_eq!(woken.count(), 3);
}

#[test]
fn a_waker_that_panics_when_it_is_cloned_spoils_no_later_driver() {
    const VTABLE: RawWakerVTable = RawWakerVTable::new(|_| panic!("clone"), |_| {}, |_| {}, |_| {});
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    let mut first = publisher.ring().drive_wakes();
    // SAFETY: the functions do not use the pointer.
    #[allow(unsafe_code, reason = "a waker whose clone panics")]
    let bad = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) };
    let polled = catch_unwind(AssertUnwindSafe(|| poll(&mut first, &bad)));
    assert!(polled.is_err());
    drop(first);
    let mut second = publisher.ring().drive_wakes();
    let called = Counter::new();
    let drives = poll(&mut second, &called.waker());
    called.take();
    let (_subscribers, woken) = parked(&subscriber, 3);
    publisher.publish(1);
    let expected = if drives { (1, 0) } else { (0, 3) };
    assert_eq!(
        (called.count(), woken.count()),
        expected,
        "either the second driver is called, or the tasks are woken without a driver"
    );
}

/// Dropping the driver's waker runs user code. Parked tasks must be woken before that.
#[test]
fn the_end_of_a_driver_wakes_before_it_drops_its_waker() {
    struct Looks(Arc<Counter>, Arc<AtomicUsize>);
    impl Drop for Looks {
        fn drop(&mut self) {
            self.1.store(self.0.count(), Ordering::SeqCst);
        }
    }
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    let mut drive = publisher.ring().drive_wakes();
    let seen = Arc::new(AtomicUsize::new(99));
    let woken = Counter::new();
    let waker = owning(Looks(Arc::clone(&woken), Arc::clone(&seen)));
    assert!(poll(&mut drive, &waker));
    let mut subscribers: Vec<_> = (0..3).map(|_| subscriber.clone()).collect();
    subscribers.iter_mut().for_each(|subscriber| park(subscriber, &woken.waker()));
    // The driver was called for the first message, polled again, and not called since. So its waker
    // is still registered.
    publisher.publish(0);
    assert!(poll(&mut drive, &waker));
    for subscriber in &mut subscribers {
        let _ = subscriber.try_recv();
        park(subscriber, &woken.waker());
    }
    woken.take();
    drop(waker);
    drop(drive);
    assert_eq!((woken.count(), seen.load(Ordering::SeqCst)), (3, 3));
}

/// A batch of no messages.
#[test]
fn an_empty_batch_does_not_take_the_work_from_the_driver() {
    let (publisher, subscriber) = seqcast::inline::<u64>(64);
    let publisher = publisher.share();
    let mut drive = publisher.ring().drive_wakes();
    let called = Counter::new();
    publisher.publish_many(0..100);
    assert!(poll(&mut drive, &called.waker()));
    drop(subscriber);
    let (_subscribers, woken) = parked(&publisher.subscribe(), 3);
    publisher.publish_many([]);
    assert_eq!(called.count(), 0, "the driver was called for an empty batch");
    publisher.publish(1).unwrap();
    assert_eq!(woken.count(), 0, "the publisher woke the tasks instead of the driver");
}
