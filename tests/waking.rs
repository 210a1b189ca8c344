//! Parking and waking (laws 5 to 7): no wake-up is lost, wakers are the user's code and treated as such.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::eventually;
use futures::FutureExt;
use futures::task::noop_waker_ref;
use seqcast::{Inline, RecvTimeoutError, SharedPublisher, Start, Subscriber, TryRecvError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// A waker that runs a closure.
struct Call<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for Call<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

fn call(f: impl Fn() + Send + Sync + 'static) -> Waker {
    Waker::from(Arc::new(Call(f)))
}

fn park(subscriber: &mut Subscriber<Inline<u64>>, waker: &Waker) {
    assert_eq!(subscriber.poll_recv(&mut Context::from_waker(waker)), Poll::Pending);
}

/// Counts its wakes; its reference count tells who holds it.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Counter {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[test]
fn a_parked_thread_uses_no_processor_time() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let ring = publisher.ring();
    let reader = thread::spawn(move || {
        // One that timed out must not spoil the next.
        assert!(subscriber.recv_timeout(Duration::from_millis(300)).is_err());
        let received = subscriber.recv();
        (received, thread_time())
    });
    thread::sleep(Duration::from_millis(400));
    eventually("parked", || ring.stats().subscribers[0].parked);
    thread::sleep(Duration::from_millis(500));
    publisher.publish(1);
    let (received, used) = reader.join().unwrap();
    assert_eq!(received, Ok(1));
    assert!(used < Duration::from_millis(100), "{used:?} of processor time to sleep for most of a second");
    assert!(!ring.stats().subscribers.iter().any(|subscriber| subscriber.parked));
}

/// Processor time of the calling thread, where the system tells it.
fn thread_time() -> Duration {
    let Ok(stat) = std::fs::read_to_string("/proc/thread-self/stat") else { return Duration::ZERO };
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

#[test]
fn timeouts_and_deadlines_end_waits() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let began = Instant::now();
    assert_eq!(subscriber.recv_timeout(Duration::from_millis(30)), Err(RecvTimeoutError::Timeout));
    assert_eq!(subscriber.recv_deadline(began + Duration::from_millis(60)), Err(RecvTimeoutError::Timeout));
    assert!(began.elapsed() >= Duration::from_millis(60));
    assert_eq!(subscriber.recv_deadline(began), Err(RecvTimeoutError::Timeout));
    assert_eq!(subscriber.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
    assert!(!publisher.ring().stats().subscribers[0].parked);
    publisher.publish_many([1, 2, 3]);
    assert_eq!(subscriber.recv_timeout(Duration::ZERO), Ok(1));
    assert_eq!(subscriber.recv_deadline(began), Ok(2));
    assert_eq!(subscriber.recv_timeout(Duration::MAX), Ok(3));
    thread::scope(|scope| {
        let reader = scope.spawn(|| subscriber.recv_timeout(Duration::MAX));
        eventually("parked", || publisher.ring().stats().subscribers[0].parked);
        publisher.publish(4);
        assert_eq!(reader.join().unwrap(), Ok(4));
    });
}

#[test]
fn a_timeout_takes_nothing_of_the_users_own_parking() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let reader = thread::spawn(move || {
        thread::current().unpark();
        assert_eq!(subscriber.recv(), Ok(1));
        let began = Instant::now();
        thread::park_timeout(Duration::from_secs(20));
        assert!(began.elapsed() < Duration::from_secs(10), "the token was eaten");
    });
    thread::sleep(Duration::from_millis(20));
    publisher.publish(1);
    reader.join().unwrap();
}

#[test]
fn messages_reach_threads_and_tasks_back_and_forth() {
    // Every message is waited for: each lost wake-up would hang it.
    const ROUNDS: u64 = 20_000;
    let (mut there, mut far) = seqcast::inline::<u64>(4);
    let (back, mut near) = seqcast::inline::<u64>(4);
    let back = back.share();
    thread::scope(|scope| {
        scope.spawn(move || {
            for expected in 0..ROUNDS {
                let got = if expected % 2 == 0 { far.recv() } else { futures::executor::block_on(far.recv_async()) };
                assert_eq!(got, Ok(expected));
                back.publish(expected).unwrap();
            }
        });
        for round in 0..ROUNDS {
            there.publish(round);
            let got = if round % 3 == 0 { futures::executor::block_on(near.recv_async()) } else { near.recv() };
            assert_eq!(got, Ok(round));
        }
    });
}

#[test]
fn each_parked_task_is_woken_once_a_message() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    let mut subscribers: Vec<_> = (0..100).map(|_| (subscriber.clone(), Arc::new(Counter::default()))).collect();
    for round in 1..=5 {
        for (subscriber, counter) in &mut subscribers {
            park(subscriber, &Waker::from(Arc::clone(counter)));
        }
        assert!(publisher.ring().stats().subscribers.iter().skip(1).all(|subscriber| subscriber.parked));
        publisher.publish(round);
        publisher.publish_many([round, round]);
        for (subscriber, counter) in &mut subscribers {
            assert_eq!(counter.count(), usize::try_from(round).unwrap());
            assert_eq!(subscriber.try_iter().count(), 3);
        }
    }
}

#[test]
fn only_the_waker_of_the_last_poll_is_woken() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let (first, second) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
    park(&mut subscriber, &Waker::from(Arc::clone(&first)));
    park(&mut subscriber, &Waker::from(Arc::clone(&second)));
    assert!(publisher.ring().stats().subscribers[0].parked);
    publisher.publish(1);
    assert_eq!((first.count(), second.count()), (0, 1));
    assert!(!publisher.ring().stats().subscribers[0].parked, "it was told to wake");
}

#[test]
fn a_batch_wakes_once_even_when_its_iterator_panics() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(16);
    let counter = Arc::new(Counter::default());
    park(&mut subscriber, &Waker::from(Arc::clone(&counter)));
    let bad = (0..10).inspect(|&n| assert!(n < 3, "the iterator's own affair"));
    assert!(catch_unwind(AssertUnwindSafe(|| publisher.publish_many(bad))).is_err());
    assert_eq!(counter.count(), 1);
    assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(publisher.publish(3), 3);

    let publisher = publisher.share();
    assert_eq!(subscriber.try_recv(), Ok(3));
    park(&mut subscriber, &Waker::from(Arc::clone(&counter)));
    let bad = (4..10).inspect(|&n| assert!(n < 6, "the iterator's own affair"));
    assert!(catch_unwind(AssertUnwindSafe(|| publisher.publish_many(bad))).is_err());
    assert_eq!(counter.count(), 2);
    assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn wakers_are_let_go() {
    let (_publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let counter = Arc::new(Counter::default());
    let waker = Waker::from(Arc::clone(&counter));
    let held = || Arc::strong_count(&counter) - 2;
    // When a future is dropped, and when it is finished by another poll than the one that waited.
    for _ in 0..3 {
        let mut future = subscriber.recv_async();
        assert!(future.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(held(), 1);
        drop(future);
        assert_eq!(held(), 0);
        let mut buffer = Vec::new();
        let mut future = subscriber.recv_many_async(&mut buffer, 3);
        assert!(future.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
        drop(future);
        assert_eq!(held(), 0);
    }
    assert!(!subscriber.ring().stats().subscribers[0].parked);
    // When the subscriber is dropped, however it waited.
    park(&mut subscriber, &waker);
    assert_eq!(held(), 1);
    drop(subscriber);
    assert_eq!(held(), 0);
}

#[test]
fn a_message_that_a_dropped_future_would_have_taken_stays() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let mut future = subscriber.recv_async();
    assert!(future.poll_unpin(&mut Context::from_waker(noop_waker_ref())).is_pending());
    publisher.publish(1);
    drop(future);
    assert_eq!(subscriber.try_recv(), Ok(1));
}

#[test]
fn a_panicking_waker_costs_nobody_else_anything() {
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    let counter = Arc::new(Counter::default());
    let mut subscribers: Vec<_> = (0..9).map(|_| subscriber.clone()).collect();
    for round in 0..3 {
        for (at, subscriber) in subscribers.iter_mut().enumerate() {
            let good = Waker::from(Arc::clone(&counter));
            let bad = call(|| panic!("a waker's own affair"));
            park(subscriber, if at % 3 == 1 { &bad } else { &good });
        }
        publisher.publish(round);
        assert_eq!(counter.count(), 6 * (usize::try_from(round).unwrap() + 1));
        assert!(subscribers.iter_mut().all(|subscriber| subscriber.try_recv() == Ok(round)));
    }
    // One whose payload panics when dropped.
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
    let counter = Arc::new(Counter::default());
    park(&mut bystander, &Waker::from(Arc::clone(&counter)));
    let (handle, victim) = (publisher.clone(), Mutex::new(Some(subscriber.clone())));
    park(
        &mut subscriber,
        &call(move || {
            // Publishes, subscribes, drops a subscriber, and looks around, in the middle of somebody's publish.
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
    // The publisher that calls it is stuck in it; whoever else was parked is woken by the next publisher that comes by.
    let (publisher, mut slow) = seqcast::inline::<u64>(16);
    let publisher = publisher.share();
    let (stuck, free) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let mut others: Vec<_> = (0..5).map(|_| (slow.clone(), Arc::new(Counter::default()))).collect();
    // The list is last in, first out, so the slow one is met in the middle.
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
        park(other, &Waker::from(Arc::clone(counter)));
    }
    thread::scope(|scope| {
        scope.spawn(|| publisher.publish(1).unwrap());
        eventually("stuck in the waker", || stuck.load(Ordering::SeqCst));
        assert!(others.iter().any(|(_, counter)| counter.count() == 0));
        publisher.publish(2).unwrap();
        let woken = others.iter().all(|(_, counter)| counter.count() == 1);
        free.store(true, Ordering::SeqCst);
        assert!(woken, "held by somebody else's waker");
    });
}

#[test]
fn a_waker_may_panic_when_it_is_cloned() {
    use std::task::{RawWaker, RawWakerVTable};
    // A waker whose clone panics: the subscriber's own affair; the ring and everybody else go on.
    const VTABLE: RawWakerVTable = RawWakerVTable::new(|_| panic!("clone"), |_| {}, |_| {}, |_| {});
    #[allow(unsafe_code)]
    // SAFETY: the functions use no data, and may be called from any thread.
    let bad = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) };
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let mut other = subscriber.clone();
    let counter = Arc::new(Counter::default());
    assert!(catch_unwind(AssertUnwindSafe(|| subscriber.poll_recv(&mut Context::from_waker(&bad)))).is_err());
    park(&mut other, &Waker::from(Arc::clone(&counter)));
    publisher.publish(1);
    assert_eq!((subscriber.try_recv(), other.try_recv(), counter.count()), (Ok(1), Ok(1), 1));
    // Nor is its own subscriber deaf afterwards.
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
    use std::task::{RawWaker, RawWakerVTable};
    // A message comes while the waker is put in place, so that the poll that put it there takes the message and lets go of the
    // waker, whose drop panics. The message must not be lost over that.
    type Context_ = SharedPublisher<Inline<u64>>;
    const CLONED: RawWakerVTable =
        RawWakerVTable::new(|data| RawWaker::new(data, &CLONED), |_| {}, |_| {}, |_| panic!("a waker's own affair"));
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
    // SAFETY: the functions use no data but the publisher, which is `Sync` and outlives the waker.
    let waker = unsafe { Waker::from_raw(RawWaker::new((&raw const publisher).cast(), &FIRST)) };
    assert_eq!(subscriber.poll_recv(&mut Context::from_waker(&waker)), Poll::Ready(Ok(42)));
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn wakers_that_publish_do_not_nest_without_bound() {
    const PARKED: u64 = 20_000;
    let (publisher, subscriber) = seqcast::inline::<u64>(4);
    let publisher = publisher.share();
    let mut subscribers: Vec<_> = (0..PARKED).map(|_| subscriber.clone()).collect();
    for (subscriber, id) in subscribers.iter_mut().zip(0..) {
        let publisher = publisher.clone();
        park(
            subscriber,
            &call(move || {
                publisher.publish(id).unwrap();
            }),
        );
    }
    publisher.publish(0).unwrap();
    assert_eq!(publisher.next_sequence(), PARKED + 1, "each was woken");
}

/// Parks a subscriber whose waker publishes, once for each of `depth`, so that they nest; the innermost runs `inside`.
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
    // Deep enough that what is owed is left to the publish around; there, two more groups park and are published to, and so
    // are two on a ring of which no publish is around.
    let (publisher, _first) = seqcast::inline::<u64>(1 << 10);
    let (other, _other) = seqcast::inline::<u64>(16);
    let (publisher, other) = (publisher.share(), other.share());
    let late: Arc<Mutex<Vec<_>>> = Arc::default();
    let counter = Arc::new(Counter::default());
    let mut subscribers = Vec::new();
    let inside = {
        let (publisher, late, counter) = (publisher.clone(), Arc::clone(&late), Arc::clone(&counter));
        move || {
            for ring in [&publisher, &publisher, &other] {
                for _ in 0..3 {
                    let mut subscriber = ring.subscribe();
                    park(&mut subscriber, &Waker::from(Arc::clone(&counter)));
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

#[test]
fn wakers_of_two_rings_do_not_nest_without_bound() {
    const PARKED: u64 = 10_000;
    let rings = [(); 2].map(|()| seqcast::inline::<u64>(4).0.share());
    let mut subscribers = Vec::new();
    for _ in 0..PARKED {
        for (ring, other) in [(&rings[0], &rings[1]), (&rings[1], &rings[0])] {
            let mut subscriber = ring.subscribe();
            let other = other.clone();
            park(
                &mut subscriber,
                &call(move || {
                    other.publish(0).unwrap();
                }),
            );
            subscribers.push(subscriber);
        }
    }
    rings[0].publish(0).unwrap();
    assert_eq!([rings[0].next_sequence(), rings[1].next_sequence()], [PARKED + 1, PARKED]);
}

#[test]
fn who_comes_and_goes_wakes_others_seldom() {
    // 64 may leave their places behind, and one for each that is there.
    for others in [0, 1_000] {
        let (_publisher, mut subscriber) = seqcast::inline::<u64>(4);
        let _others: Vec<_> = (0..others).map(|_| subscriber.clone()).collect();
        let counter = Arc::new(Counter::default());
        for _ in 0..10_000 {
            park(&mut subscriber, &Waker::from(Arc::clone(&counter)));
            park(&mut subscriber.clone(), noop_waker_ref());
        }
        assert_eq!(counter.count(), 10_000 / (64 + others + 1 + 1));
    }
}

#[test]
fn a_panicking_drop_of_a_waker_ends_nobody_elses_wake_up() {
    // The clone of one waker panics as it replaces another, whose drop panics; then its subscriber goes while it is queued, and
    // the list holds the last of it.
    struct Bomb;
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a waker's own affair");
        }
    }
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    let counter = Arc::new(Counter::default());
    let mut others: Vec<_> = (0..4).map(|_| subscriber.clone()).collect();
    park(&mut others[0], &Waker::from(Arc::clone(&counter)));
    park(&mut others[1], &Waker::from(Arc::clone(&counter)));
    let mut victim = subscriber.clone();
    park(&mut victim, &Waker::from(Arc::new(Bomb)));
    let second = Waker::from(Arc::new(Bomb));
    assert!(catch_unwind(AssertUnwindSafe(|| victim.poll_recv(&mut Context::from_waker(&second)))).is_err());
    let _ = catch_unwind(AssertUnwindSafe(|| drop(second)));
    let _ = catch_unwind(AssertUnwindSafe(|| drop(victim)));
    park(&mut others[2], &Waker::from(Arc::clone(&counter)));
    park(&mut others[3], &Waker::from(Arc::clone(&counter)));
    publisher.publish(1);
    assert_eq!(counter.count(), 4);
}

#[test]
fn a_pass_over_many_parked_costs_each_the_same() {
    // A pass that walked the rest of the list for each would cost a hundred times more a waiter here: a factor of twenty is
    // not sharp about time.
    let time = |parked: u32| {
        let (publisher, subscriber) = seqcast::inline::<u64>(4);
        let publisher = publisher.share();
        let mut subscribers: Vec<_> = (0..parked).map(|_| subscriber.clone()).collect();
        (0..5)
            .map(|message| {
                for subscriber in &mut subscribers {
                    while subscriber.try_recv().is_ok() {}
                    park(subscriber, noop_waker_ref());
                }
                let began = Instant::now();
                publisher.publish(message).unwrap();
                began.elapsed() / parked
            })
            .min()
            .unwrap()
    };
    let (few, many) = (time(100), time(20_000));
    assert!(many < few * 20, "{many:?} a waiter with 20 000, {few:?} with 100");
}

/// Whether the kernel runs a barrier on all cores for whoever asks.
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
#[allow(unsafe_code)]
fn has_barrier() -> bool {
    // SAFETY: takes three integers, and only tells what the kernel knows.
    let known = unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_QUERY, 0, 0) };
    known > 0 && known & i64::from(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64", not(miri))))]
fn has_barrier() -> bool {
    false
}

#[test]
fn who_only_looks_does_not_arm_the_ring() {
    use seqcast::testing::is_armed;
    let (_publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let ring = subscriber.ring();
    if !has_barrier() {
        assert!(is_armed(&ring));
        println!("SKIPPED: this system has no barrier, so rings start armed");
        return;
    }
    let _ = (subscriber.try_recv(), subscriber.latest(), subscriber.try_iter().count());
    assert!(subscriber.recv_timeout(Duration::ZERO).is_err());
    assert!(subscriber.recv_deadline(Instant::now()).is_err());
    assert!(!is_armed(&ring));
    assert!(subscriber.recv_timeout(Duration::from_millis(1)).is_err());
    assert!(is_armed(&ring));
}

#[test]
fn a_ring_on_which_nobody_parks_any_more_is_disarmed() {
    use seqcast::testing::is_armed;
    if !has_barrier() {
        println!("SKIPPED: this system has no barrier, so rings stay armed");
        return;
    }
    // In so many sequences once, a publisher asks.
    const PERIOD: u64 = 1 << 14;
    let arm =
        |subscriber: &mut Subscriber<Inline<u64>>| assert!(subscriber.recv_timeout(Duration::from_millis(1)).is_err());

    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let ring = publisher.ring();
    arm(&mut subscriber);
    publisher.publish_many(0..2 * PERIOD - 1);
    assert!(is_armed(&ring), "it asked once, and somebody had parked");
    publisher.publish(0);
    assert!(!is_armed(&ring));

    // One that is parked where nobody comes by keeps it armed; and so does one that parks again and again.
    subscriber.seek(Start::Latest);
    park(&mut subscriber, noop_waker_ref());
    assert!(is_armed(&ring));
    for _ in 0..3 {
        publisher.publish_many(0..PERIOD);
        subscriber.seek(Start::Latest);
        park(&mut subscriber, noop_waker_ref());
        assert!(is_armed(&ring));
    }

    // By shared publishers as well, one message at a time; and who parks then is woken.
    let publisher = publisher.share();
    for number in 0..2 * PERIOD {
        publisher.publish(number).unwrap();
    }
    assert!(!is_armed(&ring));
    subscriber.seek(Start::Latest);
    thread::scope(|scope| {
        let reader = scope.spawn(|| subscriber.recv());
        eventually("parked", || ring.stats().subscribers[0].parked);
        publisher.publish(7).unwrap();
        assert_eq!(reader.join().unwrap(), Ok(7));
    });
}

#[test]
fn the_end_wakes_everybody() {
    let (publisher, subscriber) = seqcast::inline::<u64>(4);
    let publisher = publisher.share();
    let ring = publisher.ring();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..8)
            .map(|at| {
                let mut subscriber = subscriber.clone();
                scope.spawn(move || match at % 2 {
                    0 => subscriber.recv().is_err(),
                    _ => futures::executor::block_on(subscriber.recv_async()).is_err(),
                })
            })
            .collect();
        eventually("all parked", || {
            ring.stats().subscribers.iter().filter(|subscriber| subscriber.parked).count() == 8
        });
        drop(publisher);
        assert!(readers.into_iter().all(|reader| reader.join().unwrap()));
    });
}

#[test]
fn idle_subscribers_cost_publishers_nothing() {
    // Ten thousand that do not wait, of which some did once. A pass over them would cost a thousand times more, so that
    // a factor of twenty tells without being sharp about time.
    let time = |subscribers: usize| {
        let (mut publisher, subscriber) = seqcast::inline::<u64>(1024);
        let mut idle: Vec<_> = (0..subscribers).map(|_| subscriber.clone()).collect();
        for subscriber in idle.iter_mut().step_by(100).take(10) {
            park(subscriber, noop_waker_ref());
        }
        publisher.publish(0);
        (0..9)
            .map(|_| {
                let began = Instant::now();
                publisher.publish_many(0..1000);
                for message in 0..1000 {
                    publisher.publish(message);
                }
                began.elapsed()
            })
            .min()
            .unwrap()
    };
    let (few, many) = (time(1), time(10_000));
    assert!(many < few * 20, "{many:?} with 10 000 idle subscribers, {few:?} with one");
}

/// Runs `code` on a thread with the stack that threads have by default.
fn on_an_ordinary_stack(code: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(2 << 20).spawn(code).unwrap().join().unwrap();
}

#[test]
fn wakers_that_publish_along_many_rings_do_not_nest_without_bound() {
    const RINGS: usize = 30_000;
    on_an_ordinary_stack(|| {
        let rings: Vec<_> = (0..RINGS).map(|_| seqcast::inline::<u64>(2).0.share()).collect();
        let mut subscribers = Vec::new();
        for (ring, next) in rings.iter().zip(&rings[1..]) {
            let (mut subscriber, next) = (ring.subscribe(), next.clone());
            park(
                &mut subscriber,
                &call(move || {
                    next.publish(0).unwrap();
                }),
            );
            subscribers.push(subscriber);
        }
        rings[0].publish(0).unwrap();
        assert!(rings.iter().all(|ring| ring.next_sequence() == 1), "each was woken, and published");
    });
}

#[test]
fn a_ring_that_is_gone_is_not_come_back_for() {
    // Deep inside, a ring is published to and dropped, its subscriber too. The calls around return to nothing.
    let woken = Arc::new(Counter::default());
    let waker = Waker::from(Arc::clone(&woken));
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
fn wakers_that_own_what_others_wait_on_are_dropped_one_by_one() {
    // Each waker owns a subscriber, which keeps the next waker.
    on_an_ordinary_stack(|| {
        let (publisher, subscriber) = seqcast::inline::<u64>(2);
        let mut inner = subscriber;
        for _ in 0..30_000 {
            let mut outer = publisher.subscribe();
            let owned = Mutex::new(inner);
            park(
                &mut outer,
                &call(move || {
                    let _ = owned.is_poisoned();
                }),
            );
            inner = outer;
        }
        drop(inner);
        assert_eq!(publisher.subscriber_count(), 0);
    });
}

/// So deep that a publish leaves those whom it should wake to the calls around.
const DEPTH: usize = 128;

/// Runs `code` from within this many calls of wakers, each of a ring of its own.
fn from_within(depth: usize, code: Arc<dyn Fn() + Send + Sync>) {
    if depth == 0 {
        return code();
    }
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(2);
    park(&mut subscriber, &call(move || from_within(depth - 1, Arc::clone(&code))));
    publisher.publish(0);
}

#[test]
fn from_deep_inside_others_are_woken_that_a_stopped_publisher_owes() {
    let (publisher, mut first) = seqcast::inline::<u64>(4);
    let publisher = publisher.share();
    let mut second = first.clone();
    let counter = Arc::new(Counter::default());
    park(&mut first, &Waker::from(Arc::clone(&counter)));
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
    // Less deep than `DEPTH`: the call around is left what the publish within owes, and nobody else comes back for it.
    let (publisher, mut first) = seqcast::inline::<u64>(4);
    let publisher = publisher.share();
    let counter = Arc::new(Counter::default());
    let kept = Arc::new(Mutex::new(None));
    let within = {
        let (publisher, counter, kept) = (publisher.clone(), Arc::clone(&counter), Arc::clone(&kept));
        Arc::new(move || {
            let mut second = publisher.subscribe();
            park(&mut second, &Waker::from(Arc::clone(&counter)));
            publisher.publish(2).unwrap();
            *kept.lock().unwrap() = Some(second);
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
    let counter = Arc::new(Counter::default());
    park(&mut subscriber, &Waker::from(Arc::clone(&counter)));
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
