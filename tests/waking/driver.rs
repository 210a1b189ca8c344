//! `Ring::drive_wakes`: publishers wake one task, which wakes the others.

use crate::common::wakers::{Counter, call, park};
use crate::common::{eventually, seed};
use seqcast::{DriveWakes, Inline, RecvError, Subscriber};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

/// The number of tasks that a driver wakes per poll.
const SLICE: usize = 64;

/// A driver with its waker. The test polls it.
struct Driver {
    drive: DriveWakes<Inline<u64>>,
    woken: Arc<Counter>,
}

impl Driver {
    fn new(ring: &seqcast::Ring<Inline<u64>>) -> Self {
        let mut driver = Self { drive: ring.drive_wakes(), woken: Counter::new() };
        assert!(driver.poll().is_pending());
        driver
    }

    fn poll(&mut self) -> Poll<()> {
        self.woken.take();
        Pin::new(&mut self.drive).poll(&mut Context::from_waker(&self.woken.waker()))
    }

    /// Polls the driver as often as it is woken.
    fn run(&mut self) -> usize {
        let mut polls = 0;
        while self.woken.count() > 0 {
            assert!(self.poll().is_pending());
            polls += 1;
        }
        polls
    }
}

/// Makes parked subscribers, and a counter of their wake-ups.
pub(crate) fn parked(
    subscriber: &Subscriber<Inline<u64>>,
    count: usize,
) -> (Vec<Subscriber<Inline<u64>>>, Arc<Counter>) {
    let woken = Counter::new();
    let mut subscribers: Vec<_> = (0..count).map(|_| subscriber.clone()).collect();
    subscribers.iter_mut().for_each(|subscriber| park(subscriber, &woken.waker()));
    (subscribers, woken)
}

#[test]
fn publishers_wake_the_driver_once_and_it_wakes_all() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    let mut driver = Driver::new(&publisher.ring());
    publisher.publish(0);
    assert_eq!(driver.woken.count(), 0, "the driver was woken although no task is parked");
    drop(subscriber);
    for round in 0..5 {
        let (mut subscribers, woken) = parked(&publisher.subscribe(), 3 * SLICE + 1);
        // A burst of less than half a ring.
        publisher.publish_many(0..10);
        for number in 10..20 {
            publisher.publish(number);
        }
        assert_eq!(
            (driver.woken.count(), woken.count()),
            (1, 0),
            "publishers must only wake the driver, round {round}"
        );
        assert!(driver.poll().is_pending());
        assert_eq!(woken.count(), SLICE, "the driver must yield after a slice");
        assert_eq!(driver.run(), 3);
        assert_eq!(woken.count(), 3 * SLICE + 1, "each task must be woken once for the burst");
        for subscriber in &mut subscribers {
            assert!(subscriber.try_iter().map(Result::unwrap).eq(0..20));
        }
    }
}

/// A task that was woken and parks again is not woken again for messages that it has read. The
/// other tasks come first.
#[test]
fn those_who_sleep_again_leave_the_others_their_turn() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(1024);
    let mut driver = Driver::new(&publisher.ring());
    let mut quick: Vec<_> = (0..2 * SLICE).map(|_| (subscriber.clone(), Counter::new())).collect();
    let (_slow, slow_woken) = parked(&subscriber, SLICE);
    for message in 0..4 {
        for (subscriber, woken) in &mut quick {
            while subscriber.try_recv().is_ok() {}
            park(subscriber, &woken.waker());
        }
        // Tasks that parked last are first on the list. One slice is woken, and parks again.
        publisher.publish(message);
        assert!(driver.poll().is_pending());
    }
    assert_eq!(slow_woken.count(), SLICE, "each slow task must be woken within four slices");
    assert!(driver.run() <= 3, "the driver must stop waking itself");
    for (subscriber, woken) in &mut quick {
        assert!((1..=4).contains(&woken.count()), "woken {} times for four messages", woken.count());
        while subscriber.try_recv().is_ok() {}
    }
}

#[test]
fn before_the_first_poll_and_after_the_drop_publishers_wake() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    let drive = publisher.ring().drive_wakes();
    let (_subscribers, woken) = parked(&subscriber, 3);
    publisher.publish(1);
    assert_eq!(woken.take(), 3, "publishers must wake if the driver was never polled");
    drop(drive);
    let driver = Driver::new(&publisher.ring());
    let (_subscribers, woken) = parked(&subscriber.ring().subscribe(), 3);
    publisher.publish(2);
    assert_eq!(woken.count(), 0);
    drop(driver);
    assert_eq!(woken.take(), 3, "the drop must do the wake-ups that the driver was called for");
    let (_subscribers, woken) = parked(&subscriber.ring().subscribe(), 3);
    publisher.publish(3);
    assert_eq!(woken.count(), 3);
    // Then another driver may drive.
    let mut driver = Driver::new(&publisher.ring());
    let (_subscribers, woken) = parked(&subscriber.ring().subscribe(), 3);
    publisher.publish(4);
    driver.run();
    assert_eq!(woken.count(), 3);
}

#[test]
fn a_second_driver_is_ready_at_once() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    let mut driver = Driver::new(&publisher.ring());
    let mut second = pin!(publisher.ring().drive_wakes());
    assert_eq!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(()));
    let (_subscribers, woken) = parked(&subscriber, 3);
    publisher.publish(1);
    assert_eq!(woken.count(), 0, "the first driver must continue to drive");
    assert_eq!(driver.run(), 1);
    assert_eq!(woken.count(), 3);
}

#[test]
fn a_driver_that_is_not_polled_delays_tasks_by_half_a_lap() {
    for capacity in [2, 4, 64] {
        let (mut publisher, subscriber) = seqcast::inline::<u64>(capacity);
        let mut driver = Driver::new(&publisher.ring());
        for _ in 0..3 {
            let (mut subscribers, woken) = parked(&subscriber.ring().subscribe(), 3);
            for message in 0..capacity as u64 / 2 {
                publisher.publish(message);
                assert_eq!(woken.count(), 0);
            }
            publisher.publish(0);
            assert_eq!(woken.count(), 3, "a publisher must wake the tasks, in a ring of {capacity}");
            assert!(subscribers.iter_mut().all(|subscriber| subscriber.try_recv().is_ok()), "a message was lost");
            assert!(driver.poll().is_pending());
        }
    }
}

#[test]
fn the_end_wakes_tasks_without_the_driver_and_ends_the_driver() {
    let (publisher, subscriber) = seqcast::inline::<u64>(64);
    let mut driver = Driver::new(&publisher.ring());
    let (mut subscribers, woken) = parked(&subscriber, 2 * SLICE);
    publisher.close();
    assert_eq!((woken.count(), driver.woken.count()), (2 * SLICE, 1));
    assert!(driver.poll().is_ready());
    assert!(subscribers.iter_mut().all(|subscriber| subscriber.try_recv().is_err_and(|error| error.is_closed())));
    // A driver of a closed ring is ready, even if it is polled again.
    assert!(driver.poll().is_ready());
    assert!(
        Pin::new(&mut subscribers[0].ring().drive_wakes()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    );
}

#[test]
fn threads_are_woken_by_publishers() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(64);
    let _driver = Driver::new(&publisher.ring());
    let ring = publisher.ring();
    let reader = thread::spawn(move || subscriber.recv());
    eventually("the reader is parked", || ring.stats().subscribers[0].parked);
    publisher.publish(7);
    assert_eq!(reader.join().unwrap(), Ok(7));
}

/// A blocked waker blocks the driver, and delays other tasks by at most half a lap.
#[test]
fn a_waker_that_blocks_in_the_driver_holds_up_its_own_task() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(8);
    let ring = publisher.ring();
    let (blocked, release) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (is_blocked, is_released) = (Arc::clone(&blocked), Arc::clone(&release));
    let mut driver = Driver::new(&ring);
    let (_subscribers, woken) = parked(&subscriber, 3);
    let mut blocking = subscriber.clone();
    park(
        &mut blocking,
        &call(move || {
            is_blocked.store(true, Ordering::Relaxed);
            eventually("released", || is_released.load(Ordering::Relaxed));
        }),
    );
    publisher.publish(0);
    let driving = thread::spawn(move || {
        driver.run();
        driver
    });
    eventually("the driver blocks", || blocked.load(Ordering::Relaxed));
    for message in 1..=8 {
        publisher.publish(message);
    }
    assert_eq!(woken.count(), 3, "a publisher must wake the other tasks");
    release.store(true, Ordering::Relaxed);
    drop(driving.join().unwrap());
}

#[test]
fn wakers_that_panic_harm_neither_driver_nor_tasks() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(64);
    let mut driver = Driver::new(&publisher.ring());
    let (_subscribers, woken) = parked(&subscriber, 5);
    let mut bad = [subscriber.clone(), subscriber.clone()];
    bad.iter_mut().for_each(|subscriber| park(subscriber, &call(|| std::panic::resume_unwind(Box::new(())))));
    publisher.publish(1);
    assert_eq!(driver.run(), 1);
    assert_eq!(woken.count(), 5);
    // The driver's own waker panics. The publish catches the panic, and publishers wake half a lap
    // later.
    let mut drive = pin!(publisher.ring().drive_wakes());
    drop(driver);
    let panics = call(|| std::panic::resume_unwind(Box::new(())));
    assert!(drive.as_mut().poll(&mut Context::from_waker(&panics)).is_pending());
    let (_subscribers, woken) = parked(&publisher.subscribe(), 5);
    publisher.publish_many(0..20);
    assert_eq!(woken.count(), 0);
    publisher.publish_many(20..60);
    assert_eq!(woken.count(), 5);
}

/// A dropped driver keeps neither its ring nor its waker.
#[test]
fn a_driver_keeps_neither_the_ring_open_nor_its_waker() {
    let (publisher, mut subscriber) = seqcast::inline::<u64>(64);
    let driver = Driver::new(&publisher.ring());
    let woken = Arc::clone(&driver.woken);
    assert_eq!(Arc::strong_count(&woken), 3);
    drop(publisher);
    assert_eq!(subscriber.recv(), Err(RecvError::Closed));
    drop(driver);
    assert_eq!(Arc::strong_count(&woken), 1, "the driver's waker was not dropped");
}

#[test]
fn subscribers_that_leave_take_their_wake_up_along() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(1024);
    let mut driver = Driver::new(&publisher.ring());
    let (subscribers, left) = parked(&subscriber, 3 * SLICE);
    let (_stay, woken) = parked(&subscriber, 3);
    publisher.publish(1);
    assert!(driver.poll().is_pending());
    drop(subscribers);
    driver.run();
    assert_eq!(woken.count(), 3);
    assert!(left.count() <= SLICE, "dropped subscribers were woken after the first slice");
}

/// Tasks on two workers, bursts from threads, and drivers that start and are dropped. No task stays
/// parked while there is a message.
#[test]
fn nothing_is_lost_while_drivers_come_and_go() {
    fastrand::seed(seed());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let (publisher, subscriber) = seqcast::inline::<u64>(256);
    let publisher = publisher.share();
    let received = Arc::new(AtomicU64::new(0));
    let readers: Vec<_> = (0..100)
        .map(|_| {
            let (mut subscriber, received) = (subscriber.clone(), Arc::clone(&received));
            runtime.spawn(async move {
                let mut sum = 0;
                loop {
                    match subscriber.recv_async().await {
                        Ok(_) => sum += 1,
                        Err(RecvError::Lagged(lagged)) => sum += lagged.missed,
                        Err(RecvError::Closed) => break sum,
                    }
                    received.fetch_max(subscriber.next_sequence(), Ordering::Relaxed);
                }
            })
        })
        .collect();
    drop(subscriber);
    let mut driver = runtime.spawn(publisher.ring().drive_wakes());
    for round in 0..2_000_u64 {
        let burst = fastrand::u64(1..200);
        for number in 0..burst {
            publisher.publish(number).unwrap();
        }
        if round % 16 == 0 {
            // Every reader receives everything, without a further message.
            let end = publisher.next_sequence();
            let ring = publisher.ring();
            eventually("all are at the end", || ring.stats().subscribers.iter().all(|one| one.next_sequence == end));
        }
        if fastrand::u8(..) < 32 {
            // Until this driver is dropped, the next one would be ready at once.
            driver.abort();
            assert!(runtime.block_on(driver).unwrap_err().is_cancelled());
            driver = runtime.spawn(publisher.ring().drive_wakes());
        }
    }
    let end = publisher.next_sequence();
    drop(publisher);
    for reader in readers {
        assert_eq!(runtime.block_on(reader).unwrap(), end);
    }
    runtime.shutdown_timeout(Duration::from_secs(30));
}
