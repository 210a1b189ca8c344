//! Publishing and receiving never allocate on an inline ring. On a boxed ring, publishing stops
//! allocating after roughly the first lap.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]
#![allow(unsafe_code, reason = "a global allocator that counts")]

#[path = "common/testing.rs"]
mod testing;
#[path = "common/wakers.rs"]
mod wakers;

use seqcast::{Boxed, SharedPublisher};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::time::Duration;
use wakers::{call, owning, park};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    /// Allocated and not freed by this thread.
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

// SAFETY: forwards every call to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        LIVE.set(LIVE.get() + layout.size() as i64);
        // SAFETY: the caller guarantees what the system's allocator requires.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get() - layout.size() as i64);
        // SAFETY: the caller guarantees what the system's allocator requires.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[track_caller]
fn none<R>(what: &str, f: impl FnOnce() -> R) -> R {
    let before = ALLOCATIONS.get();
    let result = f();
    assert_eq!(ALLOCATIONS.get() - before, 0, "{what} allocates");
    result
}

#[test]
fn neither_publishing_nor_receiving_allocates() {
    // Each call is the first of its kind on a new thread, so lazy allocation would be noticed, too.
    std::thread::spawn(|| {
        let (mut publisher, mut subscriber) = seqcast::inline::<[u64; 9]>(64);
        let mut parked = subscriber.clone();
        let mut buffer = Vec::with_capacity(100);
        let mut cx = Context::from_waker(Waker::noop());
        none("publish", || publisher.publish([1; 9]));
        none("publish_many", || publisher.publish_many([[1; 9]; 9]));
        none("try_recv", || subscriber.try_recv()).unwrap();
        none("recv", || subscriber.recv()).unwrap();
        none("recv_timeout", || subscriber.recv_timeout(Duration::from_millis(1))).unwrap();
        none("try_recv_many", || subscriber.try_recv_many(&mut buffer, 2)).unwrap();
        none("latest", || subscriber.latest()).unwrap();
        none("a timeout", || subscriber.recv_timeout(Duration::from_millis(1))).unwrap_err();
        none("poll_recv", || assert_eq!(subscriber.poll_recv(&mut cx), Poll::Pending));
        none("draining", || parked.try_iter().count());
        none("poll_recv", || assert_eq!(parked.poll_recv(&mut cx), Poll::Pending));
        none("a publish that wakes", || publisher.publish([2; 9]));
        none("a lag", || publisher.publish_many((0..100).map(|_| [3; 9])));
        none("a lag told", || subscriber.recv()).unwrap_err();
        let publisher = none("share", || publisher.share());
        none("a shared publish", || publisher.publish([4; 9])).unwrap();
        let _held = none("claim", || testing::claim(&publisher).unwrap().begin());
        none("a skip", || publisher.publish_many([[5; 9]; 100]));
        none("a hole", || parked.try_iter().count());
        none("recv_async", || futures::FutureExt::now_or_never(subscriber.recv_async()));
        none("close", || publisher.close());
    })
    .join()
    .unwrap();
}

#[test]
fn subscribers_that_wait_and_go_leave_nothing_behind() {
    // No publisher publishes. A dropped subscriber must not stay on the wait list until one does.
    std::thread::spawn(|| {
        let (publisher, subscriber) = seqcast::inline::<u64>(8);
        let comes_and_goes = || {
            let mut subscriber = publisher.subscribe();
            assert!(subscriber.poll_recv(&mut Context::from_waker(Waker::noop())).is_pending());
        };
        (0..1_000).for_each(|_| comes_and_goes());
        let before = LIVE.get();
        (0..20_000).for_each(|_| comes_and_goes());
        let grown = LIVE.get() - before;
        assert!(grown < 100_000, "{grown} bytes were leaked by 20 000 dropped subscribers");
        drop((publisher, subscriber));
    })
    .join()
    .unwrap();
}

#[test]
fn a_ring_frees_all_it_took() {
    std::thread::spawn(|| {
        let life = || {
            let (mut publisher, mut subscriber) = seqcast::inline::<[u64; 9]>(64);
            let mut parked = publisher.subscribe();
            parked.set_name("parked");
            assert!(parked.poll_recv(&mut Context::from_waker(Waker::noop())).is_pending());
            publisher.publish([1; 9]);
            let mut again = subscriber.clone();
            assert!(subscriber.recv_timeout(Duration::from_millis(1)).is_ok());
            assert!(subscriber.recv_timeout(Duration::from_millis(1)).is_err());
            drop(publisher);
            assert!(again.recv().is_ok());
        };
        life(); // what the thread itself keeps
        let before = LIVE.get();
        (0..100).for_each(|_| life());
        assert_eq!(LIVE.get(), before);
    })
    .join()
    .unwrap();
}

#[test]
fn a_crowd_that_left_leaves_one_table() {
    std::thread::spawn(|| {
        let (publisher, subscriber) = seqcast::inline::<u64>(2);
        let few = |count| drop((0..count).map(|_| publisher.subscribe()).collect::<Vec<_>>());
        few(900); // what the thread itself keeps
        let before = LIVE.get();
        few(900);
        assert_eq!(LIVE.get(), before, "900 subscribers must not need another table");
        for _ in 0..3 {
            few(20_000);
            let grown = LIVE.get() - before;
            assert!(grown <= 33 << 10, "{grown} bytes remained after 20 000 subscribers were dropped");
        }
        drop(subscriber);
    })
    .join()
    .unwrap();
}

#[test]
fn a_small_ring_takes_little() {
    std::thread::spawn(|| {
        drop(seqcast::inline::<u64>(2)); // what the thread itself keeps
        let before = LIVE.get();
        let _small = seqcast::inline::<u64>(2);
        let taken = LIVE.get() - before;
        assert!(taken <= 6 << 10, "{taken} bytes for a ring of two numbers");
    })
    .join()
    .unwrap();
}

#[test]
fn who_waited_for_what_never_came_is_freed_with_the_ring() {
    std::thread::spawn(|| {
        let life = || {
            let (publisher, mut subscriber) = seqcast::inline::<u64>(4);
            let publisher = publisher.share();
            // A publisher that never resumes, before the end. A subscriber waits for its message,
            // and is not woken.
            assert!(testing::claim(&publisher).unwrap().begin().is_some());
            drop(publisher);
            assert!(subscriber.poll_recv(&mut Context::from_waker(Waker::noop())).is_pending());
        };
        life(); // what the thread itself keeps
        let before = LIVE.get();
        (0..100).for_each(|_| life());
        assert_eq!(LIVE.get(), before);
    })
    .join()
    .unwrap();
}

#[test]
fn a_warm_boxed_ring_allocates_no_more() {
    std::thread::spawn(|| {
        let (mut publisher, mut subscriber) = seqcast::boxed::<[u64; 4]>(64);
        let mut holder = subscriber.clone();
        let mut cx = Context::from_waker(Waker::noop());
        publisher.publish([0; 4]);
        // A scan finds new subscribers, and makes room for their borrows.
        let held = holder.try_recv_ref().unwrap();
        publisher.publish_many([[1; 4]; 64 + 4 * 64]);
        none("publishing behind a borrow", || {
            for number in 0..100_000 {
                publisher.publish([number; 4]);
            }
        });
        assert_eq!(*held, [0; 4]);
        none("giving it back", || drop(held));
        // The borrowed messages are freed: there are more nodes than necessary now.
        publisher.publish_many([[7; 4]; 200]);
        none("further publishing", || assert_eq!(publisher.publish_many([[7; 4]; 1_000]).count(), 1_000));
        none("borrows one after the other", || {
            for number in 0..10_000 {
                publisher.publish([number; 4]);
                assert_eq!(*holder.latest_ref().unwrap(), [number; 4]);
            }
        });
        let publisher = none("share", || publisher.share());
        none("shared publishing", || assert_eq!(publisher.publish_many([[8; 4]; 1_000]), 1_000));

        // By reference or by value, only a clone allocates.
        none("a reported lag", || assert!(subscriber.try_recv_ref().is_err()));
        none("try_recv_ref", || assert!(subscriber.try_recv_ref().is_ok()));
        none("recv_ref", || assert!(subscriber.recv_ref().is_ok()));
        none("recv_ref_timeout", || assert!(subscriber.recv_ref_timeout(Duration::from_millis(1)).is_ok()));
        none("recv_ref_deadline", || assert!(subscriber.recv_ref_deadline(std::time::Instant::now()).is_ok()));
        none("poll_recv_ref", || assert!(subscriber.poll_recv_ref(&mut cx).is_ready()));
        none("recv_ref_async", || assert!(futures::FutureExt::now_or_never(subscriber.recv_ref_async()).is_some()));
        none("try_recv", || assert!(subscriber.try_recv().is_ok()));
        none("latest_ref", || assert!(subscriber.latest_ref().is_ok()));
        none("a timeout", || assert!(subscriber.recv_ref_timeout(Duration::from_millis(1)).is_err()));
        none("poll_recv_ref", || assert!(subscriber.poll_recv_ref(&mut cx).is_pending()));
        none("a publish that wakes", || assert!(publisher.publish([9; 4]).is_ok()));
        none("woken", || assert!(subscriber.poll_recv_ref(&mut cx).is_ready()));
    })
    .join()
    .unwrap();
}

#[test]
fn a_borrow_now_and_then_costs_a_warm_publisher_no_allocation() {
    std::thread::spawn(|| {
        let (mut publisher, mut subscriber) = seqcast::boxed::<[u64; 4]>(64);
        let mut now_and_then = || {
            publisher.publish([0; 4]);
            let held = subscriber.latest_ref().unwrap();
            publisher.publish_many([[1; 4]; 200]);
            drop(held);
            publisher.publish_many([[2; 4]; 200]);
        };
        (0..10).for_each(|_| now_and_then());
        none("publishing while borrows come and go", || (0..100).for_each(|_| now_and_then()));
    })
    .join()
    .unwrap();
}

#[test]
fn a_boxed_ring_frees_all_it_took() {
    std::thread::spawn(|| {
        let life = |round: usize| {
            let (mut publisher, mut subscriber) = seqcast::boxed::<Vec<u64>>(16);
            publisher.publish_many((0..10 * round).map(|number| vec![number as u64; 3]));
            let mut holder = subscriber.clone();
            let held = holder.latest_ref().map(|message| message.len());
            assert_eq!(held.is_ok(), round > 0);
            let publisher = publisher.share();
            let other = publisher.clone();
            std::mem::forget(holder.latest_ref());
            for number in 0..10 * round {
                other.publish(vec![number as u64; 5]).unwrap();
            }
            std::mem::forget(holder.latest_ref());
            publisher.publish_many((0..10 * round).map(|number| vec![number as u64; 3]));
            assert!(subscriber.recv_timeout(Duration::from_millis(1)).is_err());
            drop(other);
            if round % 2 == 0 {
                drop(publisher);
                drop((holder, subscriber));
            } else {
                drop((holder, subscriber));
                drop(publisher);
            }
        };
        life(20); // what the thread itself keeps
        let before = LIVE.get();
        (0..60).for_each(life);
        assert_eq!(LIVE.get(), before);
    })
    .join()
    .unwrap();
}

/// Publishes through the same handle as the test, from inside a call of that handle, and counts the
/// allocations. A handle that is in use cannot use its pool, so the nested call allocates.
#[derive(Default)]
struct Same {
    handle: OnceLock<SharedPublisher<Boxed<[u64; 4]>>>,
    published: AtomicU64,
    allocated: AtomicU64,
}

impl Same {
    fn publish(&self) {
        let before = ALLOCATIONS.get();
        self.handle.get().unwrap().publish([1; 4]).unwrap();
        self.allocated.fetch_add(ALLOCATIONS.get() - before, Ordering::Relaxed);
        self.published.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of publishes, and what they allocated.
    fn told(&self) -> (u64, u64) {
        (self.published.load(Ordering::Relaxed), self.allocated.load(Ordering::Relaxed))
    }
}

#[test]
fn a_waker_called_in_the_middle_of_a_publish_finds_the_publisher_free() {
    std::thread::spawn(|| {
        let (publisher, mut subscriber) = seqcast::boxed::<[u64; 4]>(4);
        let same = Arc::new(Same::default());
        let publisher = same.handle.get_or_init(|| publisher.share());
        publisher.publish_many([[0; 4]; 1_000]);
        // The slot of the message after the next three is held. Its publisher skips it, and wakes
        // readers for the hole.
        let _held = testing::claim(publisher).unwrap().begin().unwrap();
        publisher.publish_many([[0; 4]; 3]);
        subscriber.seek(seqcast::Start::Latest);
        let within = Arc::clone(&same);
        park(&mut subscriber, &call(move || within.publish()));
        assert_eq!(publisher.publish([0; 4]), Ok(1_006), "the sequence must follow the hole and the waker's message");
        assert_eq!(same.told(), (1, 0));
    })
    .join()
    .unwrap();
}

#[test]
#[allow(unsafe_code, reason = "a waker whose clone panics")]
fn a_waker_dropped_with_the_last_of_its_subscriber_finds_the_publisher_free() {
    struct OnDrop(Arc<Same>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.publish();
        }
    }
    const UNCLONABLE: RawWakerVTable =
        RawWakerVTable::new(|_| panic!("the clone of the waker panics"), |_| {}, |_| {}, |_| {});

    std::thread::spawn(|| {
        let (publisher, subscriber) = seqcast::boxed::<[u64; 4]>(4);
        let same = Arc::new(Same::default());
        let publisher = same.handle.get_or_init(|| publisher.share());
        let mut victim = publisher.subscribe();
        publisher.publish_many([[0; 4]; 1_000]);
        victim.seek(seqcast::Start::Latest);
        // The clone of a waker panics when it replaces another one, which then stays until the
        // subscriber is dropped.
        let first = owning(OnDrop(Arc::clone(&same)));
        park(&mut victim, &first);
        drop(first);
        // SAFETY: the functions use no data, and may be called from any thread.
        let second = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &UNCLONABLE)) };
        let poll = || victim.poll_recv(&mut Context::from_waker(&second)).is_pending();
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll)).is_err());
        publisher.publish([0; 4]).unwrap();
        drop(victim);
        assert_eq!(same.told(), (0, 0), "the publisher must not have noticed the dropped subscriber yet");
        publisher.publish_many([[0; 4]; 200]);
        assert_eq!(same.told(), (1, 0));
        drop(subscriber);
    })
    .join()
    .unwrap();
}
