//! A task that wakes the others. A lost wake-up is a deadlock, which loom reports.
//!
//! Models with several messages or tasks run the driver and the readers on one thread, like a
//! runtime with one worker. With a thread for each, there are too many interleavings.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use loom::future::block_on;
use loom::thread;
use seqcast::{Inline, Publisher, RecvError, Ring};

use crate::wakers::{Counter, park};
use crate::{Pair, Reader, explore, id, pair, parking_ring};

/// Spawns a thread that drives until the ring is closed.
fn driver(ring: &Ring<Inline<Pair>>) -> thread::JoinHandle<()> {
    let drive = ring.drive_wakes();
    thread::spawn(move || block_on(drive))
}

/// Whether a task must be polled.
struct Flag {
    is_woken: AtomicBool,
    worker: Waker,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::Relaxed);
        self.worker.wake_by_ref();
    }
}

/// Polls the driver and `tasks`, each after a wake, until all tasks are ready. Then drops the
/// driver.
fn run<const N: usize>(ring: &Ring<Inline<Pair>>, tasks: [Pin<&mut dyn Future<Output = ()>>; N]) {
    let mut drive = pin!(ring.drive_wakes());
    let mut tasks: Vec<Option<Pin<&mut dyn Future<Output = ()>>>> = tasks.into_iter().map(Some).collect();
    let mut flags = Vec::new();
    block_on(poll_fn(|cx| {
        if flags.is_empty() {
            let flag = || Arc::new(Flag { is_woken: AtomicBool::new(true), worker: cx.waker().clone() });
            flags = (0..=N).map(|_| flag()).collect();
        }
        while let Some(woken) = flags.iter().position(|flag| flag.is_woken.swap(false, Ordering::Relaxed)) {
            let waker = Waker::from(Arc::clone(&flags[woken]));
            let mut cx = Context::from_waker(&waker);
            if woken == N {
                assert!(drive.as_mut().poll(&mut cx).is_pending(), "the driver ended although the ring is open");
            } else if let Some(task) = &mut tasks[woken] {
                if task.as_mut().poll(&mut cx).is_ready() {
                    tasks[woken] = None;
                }
            }
        }
        if tasks.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
    }));
}

/// Publishes `count` messages on another thread. The thread returns the handle, which keeps the
/// ring open.
fn writer(mut publisher: Publisher<Inline<Pair>>, count: u64) -> thread::JoinHandle<Publisher<Inline<Pair>>> {
    thread::spawn(move || {
        (0..count).for_each(|number| assert_eq!(publisher.publish(pair(number)), number));
        publisher
    })
}

#[test]
fn a_driver_wakes_a_parked_task() {
    explore(2, || {
        let (publisher, mut subscriber) = parking_ring(4);
        let driver = driver(&publisher.ring());
        let writer = writer(publisher, 1);
        assert_eq!(block_on(subscriber.recv_async()).map(id), Ok(0));
        drop(writer.join().unwrap());
        driver.join().unwrap();
    });
}

/// The ring is large enough that the publisher leaves the wake to the driver.
#[test]
fn a_driver_wakes_a_parked_task_each_time() {
    explore(2, || {
        let (publisher, mut subscriber) = parking_ring(8);
        let ring = publisher.ring();
        let writer = writer(publisher, 2);
        let reads = pin!(async {
            for number in 0..2 {
                assert_eq!(subscriber.recv_async().await.map(id), Ok(number));
            }
        });
        run(&ring, [reads]);
        writer.join().unwrap();
    });
}

/// The driver wakes one task at each poll. It is polled again for the second.
#[test]
fn a_driver_wakes_all_tasks() {
    explore(2, || {
        let (publisher, subscriber) = parking_ring(8);
        let ring = publisher.ring();
        let writer = writer(publisher, 2);
        let reads = |count| {
            let mut subscriber = subscriber.clone();
            async move {
                for number in 0..count {
                    assert_eq!(subscriber.recv_async().await.map(id), Ok(number));
                }
            }
        };
        run(&ring, [pin!(reads(2)), pin!(reads(1))]);
        writer.join().unwrap();
    });
}

/// A publisher laps the ring meanwhile, and wakes tasks if the driver is late.
#[test]
fn a_driver_beside_a_publisher_that_laps() {
    let outcomes = explore(2, || {
        let (publisher, subscriber) = parking_ring(2);
        let ring = publisher.ring();
        let writer = writer(publisher, 3);
        let mut reader = Reader::new(subscriber);
        let reads = async {
            while reader.subscriber.next_sequence() < 3 {
                match reader.subscriber.recv_async().await {
                    Ok(message) => reader.take(message),
                    Err(RecvError::Lagged(lagged)) => reader.account.lagged(&reader.subscriber, lagged),
                    Err(RecvError::Closed) => panic!("closed although a publisher exists"),
                }
            }
        };
        run(&ring, [pin!(reads)]);
        drop(writer.join().unwrap());
        reader.settle();
        (reader.account.received, reader.account.missed)
    });
    assert_eq!(outcomes, BTreeSet::from([(2, 1), (3, 0)]));
}

/// The driver is polled once, with a waker that counts, then dropped at any time. Its drop does the
/// wakes for which it was called.
#[test]
fn a_driver_that_is_dropped_leaves_nobody_asleep() {
    let outcomes = explore(2, || {
        let (publisher, mut subscriber) = parking_ring(4);
        let drive = publisher.ring().drive_wakes();
        let woken = Counter::new();
        let waker = woken.waker();
        let driver = thread::spawn(move || {
            let mut drive = drive;
            assert!(pin!(&mut drive).poll(&mut Context::from_waker(&waker)).is_pending());
            drop(drive);
        });
        let writer = writer(publisher, 1);
        assert_eq!(block_on(subscriber.recv_async()).map(id), Ok(0));
        driver.join().unwrap();
        writer.join().unwrap();
        woken.count() > 0
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]), "whether the driver was called");
}

/// The driver is polled once and never again, as by a runtime that makes no progress. The
/// publishers wake the task half a lap later.
#[test]
fn a_driver_that_does_not_run_holds_nobody_up_for_longer_than_half_a_lap() {
    explore(2, || {
        let (publisher, mut subscriber) = parking_ring(4);
        let mut drive = pin!(publisher.ring().drive_wakes());
        assert_eq!(drive.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
        let writer = writer(publisher, 3);
        assert_eq!(block_on(subscriber.recv_async()).map(id), Ok(0));
        writer.join().unwrap();
    });
}

/// Two publishers: one may be suspended between its call and the driver's wake-up, while the other
/// publishes half a lap.
#[test]
fn two_publishers_and_one_call() {
    explore(1, || {
        let (publisher, mut subscriber) = parking_ring(8);
        let publisher = publisher.share();
        let driver = driver(&publisher.ring());
        let other = publisher.clone();
        let writer = thread::spawn(move || other.publish(pair(0)).unwrap());
        publisher.publish(pair(1)).unwrap();
        let received = [(); 2].map(|()| block_on(subscriber.recv_async()).map(id).unwrap());
        assert!(received == [0, 1] || received == [1, 0]);
        writer.join().unwrap();
        drop(publisher);
        driver.join().unwrap();
    });
}

#[test]
fn the_end_wakes_the_driver_and_the_tasks() {
    explore(2, || {
        let (publisher, mut subscriber) = parking_ring(4);
        let driver = driver(&publisher.ring());
        let closer = thread::spawn(move || drop(publisher));
        assert_eq!(block_on(subscriber.recv_async()).map(id), Err(RecvError::Closed));
        closer.join().unwrap();
        driver.join().unwrap();
    });
}

/// The driver that begins first drives, and the other is ready at once.
#[test]
fn one_of_two_drivers_drives() {
    explore(2, || {
        let (publisher, _subscriber) = parking_ring(4);
        let ended = Arc::new(AtomicUsize::new(0));
        let polls = [(); 2].map(|()| {
            let (mut drive, ended) = (publisher.ring().drive_wakes(), Arc::clone(&ended));
            move || {
                if pin!(&mut drive).poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                    ended.fetch_add(1, Ordering::Relaxed);
                }
                drive
            }
        });
        let [first, second] = polls;
        let first = thread::spawn(first);
        let second = second();
        let first = first.join().unwrap();
        assert_eq!(ended.load(Ordering::Relaxed), 1);
        drop((first, second));
    });
}

/// A driver that begins while another ends keeps its waker.
#[test]
fn a_driver_that_follows_another_is_called() {
    let outcomes = explore(2, || {
        let (mut publisher, mut subscriber) = parking_ring(8);
        let mut first = publisher.ring().drive_wakes();
        assert!(pin!(&mut first).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let mut second = publisher.ring().drive_wakes();
        let dropper = thread::spawn(move || drop(first));
        let (called, task) = (Counter::new(), Counter::new());
        let drives = pin!(&mut second).poll(&mut Context::from_waker(&called.waker())).is_pending();
        dropper.join().unwrap();
        if drives {
            park(&mut subscriber, &task.waker());
            publisher.publish(pair(0));
            assert_eq!((task.count(), called.count()), (0, 1), "the second driver was not called");
        }
        drives
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]), "whether the second driver drives");
}

/// A publisher calls the first driver, at any time while that one ends and another begins.
#[test]
fn a_publisher_beside_a_change_of_drivers_leaves_the_second_its_waker() {
    explore(2, || {
        let (publisher, mut subscriber) = parking_ring(8);
        let ring = publisher.ring();
        let mut first = ring.drive_wakes();
        assert!(pin!(&mut first).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let (called, task) = (Counter::new(), Counter::new());
        park(&mut subscriber, &task.waker());
        let writer = writer(publisher, 1);
        let dropper = thread::spawn(move || drop(first));
        let mut second = ring.drive_wakes();
        let mut drives = pin!(&mut second).poll(&mut Context::from_waker(&called.waker())).is_pending();
        dropper.join().unwrap();
        let mut publisher = writer.join().unwrap();
        while drives && called.take() > 0 {
            drives = pin!(&mut second).poll(&mut Context::from_waker(&called.waker())).is_pending();
        }
        assert_eq!(task.take(), 1, "the task was not woken although there is a message");
        assert_eq!(subscriber.try_recv().map(id), Ok(0));
        park(&mut subscriber, &task.waker());
        publisher.publish(pair(1));
        let expected = if drives { (0, 1) } else { (1, 0) };
        assert_eq!((task.count(), called.count()), expected);
    });
}
