//! Every message of a boxed ring is dropped exactly once (law 8), whatever the user's code does meanwhile (law 6).
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::counted::{Counted, Ledger, throw, throws};
use common::testing;
use common::{CAPACITIES, FIRSTS, eventually, seed};
use futures::FutureExt;
use seqcast::{Boxed, Builder, Closed, Publisher, RecvError, Ref, SharedPublisher, Start, Subscriber, TryRecvError};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

type S = Boxed<Counted>;

/// More publishes than a publisher of a ring of `capacity` keeps back: from then on each one drops a message.
fn warm(capacity: usize) -> usize {
    capacity + 2 * 64 + 1
}

fn make(ledger: &Arc<Ledger>, count: usize) -> impl Iterator<Item = Counted> {
    (0..count).map(|_| ledger.make())
}

#[test]
fn every_message_is_dropped_once_however_many_there_are() {
    for capacity in CAPACITIES {
        for first in FIRSTS {
            for count in [0, 1, capacity - 1, capacity, capacity + 1, 2 * capacity + 63, 3 * capacity + 200] {
                let ledger = Ledger::new();
                let (mut publisher, mut subscriber) = Builder::new(capacity).first_sequence(first).boxed();
                let mut clones = Vec::new();
                for number in 0..count {
                    assert_eq!(publisher.publish(ledger.make()), first + number as u64);
                    match number % 5 {
                        0 => clones.extend(subscriber.try_recv()),
                        1 => assert!(subscriber.try_recv_ref().unwrap().verify() >= number as u64),
                        _ => assert!(subscriber.latest_ref().is_ok()),
                    }
                }
                let publisher = publisher.share();
                assert_eq!(publisher.publish_many(make(&ledger, count)), count);
                // Whichever handle is the last one.
                if count % 2 == 0 {
                    drop(publisher);
                    drop(subscriber);
                } else {
                    let ring = subscriber.ring();
                    drop(subscriber);
                    drop(publisher);
                    drop(ring);
                }
                assert_eq!(ledger.live(), clones.len() as i64);
                drop(clones);
                ledger.settle();
            }
        }
    }
}

#[test]
fn sharing_and_taking_back_loses_nothing() {
    let ledger = Ledger::new();
    let (mut publisher, mut subscriber) = seqcast::boxed(4);
    for round in 0..200 {
        publisher.publish_many(make(&ledger, round % 7));
        let shared = publisher.share();
        let other = shared.clone();
        shared.publish(ledger.make()).unwrap();
        other.publish_many(make(&ledger, round % 5));
        let shared = shared.try_into_exclusive().unwrap_err();
        drop(other);
        let held = subscriber.latest_ref().unwrap();
        publisher = shared.try_into_exclusive().unwrap();
        publisher.publish_many(make(&ledger, 9));
        held.verify();
    }
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn a_closed_ring_gives_the_value_back() {
    let ledger = Ledger::new();
    let (publisher, mut subscriber) = seqcast::boxed(4);
    let publisher = publisher.share();
    // Cold and warm: what a publish has ready to drop is not what it gives back.
    for count in [0, warm(4)] {
        let publisher = if count == 0 { publisher.clone() } else { seqcast::boxed(4).0.share() };
        publisher.publish_many(make(&ledger, count));
        let live = ledger.live();
        assert!(publisher.close());
        let message = ledger.make();
        let id = message.id;
        let Err(Closed(back)) = publisher.publish(message) else { panic!("published") };
        assert_eq!(back.verify(), id);
        drop(back);
        assert!(publisher.try_publish(ledger.make()).is_err());
        assert_eq!(publisher.publish_many(make(&ledger, 10)), 0);
        assert!(ledger.live() <= live, "what was given back is still there");
    }
    assert_eq!(subscriber.try_recv_ref().unwrap_err(), TryRecvError::Closed);
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn no_message_is_forgotten_near_the_last_sequence() {
    const LAST: u64 = (1 << 63) - (1 << 32) - 1;
    for capacity in [2, 4, 64] {
        for left in [1, 2, 3, capacity as u64, capacity as u64 + 1, 200] {
            let ledger = Ledger::new();
            let (publisher, subscriber) = Builder::new(capacity).first_sequence(LAST + 1 - left).boxed();
            let publisher = publisher.share();
            // One publisher takes a slot and commits only after the ring is used up; one never takes its slot.
            let late = testing::claim(&publisher).unwrap().begin().unwrap();
            let _ = if left > 2 { testing::claim(&publisher) } else { None };
            let published = publisher.publish_many(make(&ledger, left as usize + 10));
            assert!((published as u64) < left, "{published} messages, of {left}");
            assert!(publisher.publish(ledger.make()).is_err());
            late.commit(ledger.make());
            let live = ledger.live();
            assert!(live > 0 && live <= capacity as i64 + 2 * 64 + 1, "{live} messages");
            drop((publisher, subscriber));
            ledger.settle();
        }
    }
}

#[test]
fn stopped_and_overrun_publishers_take_no_message_along() {
    for capacity in [2, 4, 64] {
        let ledger = Ledger::new();
        let (publisher, mut subscriber) = seqcast::boxed::<Counted>(capacity);
        let publisher = publisher.share();
        publisher.publish_many(make(&ledger, warm(capacity)));
        // Stopped for good before the slot, stopped for good in it, and back after a few laps from either.
        let _ = testing::claim(&publisher).unwrap();
        let _ = testing::claim(&publisher).unwrap().begin().unwrap();
        let early = testing::claim(&publisher).unwrap();
        let late = testing::claim(&publisher).unwrap().begin();
        publisher.publish_many(make(&ledger, 5 * capacity));
        assert!(early.begin().is_none(), "not overrun");
        if let Some(late) = late {
            late.commit(ledger.make());
        }
        publisher.publish_many(make(&ledger, 5 * capacity));
        assert!(publisher.ring().stats().skipped > 0);
        assert!(matches!(subscriber.try_recv_ref(), Err(TryRecvError::Lagged(_))));
        while let Ok(message) = subscriber.try_recv_ref() {
            message.verify();
        }
        drop((publisher, subscriber));
        ledger.settle();
    }
}

#[test]
fn a_drop_that_panics_does_so_alone() {
    for nth in [1, 2, 3, 64] {
        let ledger = Ledger::new();
        ledger.on_drop(move |id| {
            if id % nth == 0 {
                throw();
            }
        });
        let (mut publisher, mut subscriber) = seqcast::boxed(8);
        let mut received = 0;
        for number in 0..500 {
            assert_eq!(publisher.publish(ledger.make()), number);
            received += u64::from(subscriber.try_recv_ref().is_ok_and(|message| message.verify() == number));
        }
        assert_eq!(received, 500);
        assert_eq!(publisher.publish_many(make(&ledger, 500)), 500..1000);
        let publisher = publisher.share();
        let other = publisher.clone();
        for number in 1000..1500 {
            assert_eq!(publisher.publish(ledger.make()).unwrap(), number);
        }
        assert_eq!(other.publish_many(make(&ledger, 500)), 500);
        assert_eq!(subscriber.latest_ref().unwrap().verify(), 1999);
        drop(other);
        drop(publisher);
        drop(subscriber);
        assert_eq!(ledger.made(), 2000);
        ledger.settle();
    }
}

#[test]
fn a_drop_that_panics_with_what_panics_when_dropped_does_so_alone() {
    struct Thrown(u32, Arc<AtomicU64>);
    impl Drop for Thrown {
        fn drop(&mut self) {
            self.1.fetch_add(1, Ordering::SeqCst);
            if self.0 > 0 {
                std::panic::resume_unwind(Box::new(Thrown(self.0 - 1, Arc::clone(&self.1))));
            }
        }
    }
    struct Message(Arc<AtomicU64>);
    impl Drop for Message {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new(Thrown(1, Arc::clone(&self.0))));
        }
    }
    let thrown = Arc::new(AtomicU64::new(0));
    let (mut publisher, subscriber) = seqcast::boxed(4);
    for number in 0..200 {
        assert_eq!(publisher.publish(Message(Arc::clone(&thrown))), number);
    }
    drop((publisher, subscriber));
    assert_eq!(thrown.load(Ordering::SeqCst), 400);
    assert_eq!(Arc::strong_count(&thrown), 1);
}

/// A ring with `count` messages, of which message 1 cannot be cloned.
fn with_a_stubborn_message(count: usize) -> (Arc<Ledger>, Publisher<S>, Subscriber<S>) {
    let ledger = Ledger::new();
    ledger.on_clone(|id| {
        if id == 1 {
            throw();
        }
    });
    let (mut publisher, subscriber) = seqcast::boxed(8);
    publisher.publish_many(make(&ledger, count));
    (ledger, publisher, subscriber)
}

#[test]
fn a_message_whose_clone_panics_is_not_received() {
    type Path = fn(&mut Subscriber<S>);
    let paths: [Path; 11] = [
        |s| drop(s.try_recv()),
        |s| drop(s.recv()),
        |s| drop(s.recv_timeout(std::time::Duration::MAX)),
        |s| drop(s.recv_deadline(std::time::Instant::now())),
        |s| assert!(s.recv_many(&mut Vec::new(), 5).is_err()),
        |s| assert!(s.try_recv_many(&mut Vec::new(), 5).is_err()),
        |s| drop(s.recv_async().now_or_never()),
        |s| assert!(s.recv_many_async(&mut Vec::new(), 5).now_or_never().is_none()),
        |s| drop(s.poll_recv(&mut Context::from_waker(Waker::noop()))),
        |s| drop(s.iter().next()),
        |s| drop(s.try_iter().next()),
    ];
    let (ledger, mut publisher, mut subscriber) = with_a_stubborn_message(3);
    assert_eq!(subscriber.try_recv().unwrap().id, 3);
    let live = ledger.live();
    for path in paths {
        // Each call tries again.
        assert!(throws(|| path(&mut subscriber)));
        assert_eq!((subscriber.next_sequence(), subscriber.last_sequence()), (1, Some(0)));
        assert_eq!((subscriber.missed(), subscriber.lag(), ledger.live()), (0, 2, live));
        assert!(!publisher.ring().stats().subscribers[0].parked);
    }
    // A look at it gets past it.
    assert_eq!(subscriber.try_recv_ref().unwrap().verify(), 1);
    assert_eq!(subscriber.next_sequence(), 2);
    assert!(subscriber.try_recv().is_ok());
    assert_eq!(subscriber.try_recv().unwrap_err(), TryRecvError::Empty);
    publisher.publish(ledger.make());
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn the_newest_message_is_not_received_when_its_clone_panics() {
    let (ledger, mut publisher, mut subscriber) = with_a_stubborn_message(2);
    for _ in 0..3 {
        assert!(throws(|| drop(subscriber.latest())));
        // What was jumped over stays so.
        assert_eq!((subscriber.next_sequence(), subscriber.skipped_by_choice()), (1, 1));
    }
    publisher.publish(ledger.make());
    assert!(subscriber.latest().is_ok());
    assert_eq!((subscriber.next_sequence(), subscriber.skipped_by_choice()), (3, 2));
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn what_was_pushed_before_a_clone_panics_stays_pushed() {
    for many in [true, false] {
        let (ledger, publisher, mut subscriber) = with_a_stubborn_message(3);
        let mut buffer = Vec::new();
        let mut receive = |subscriber: &mut Subscriber<S>| {
            throws(|| {
                if many {
                    subscriber.try_recv_many(&mut buffer, 9).ok()
                } else {
                    subscriber.recv_many(&mut buffer, 9).ok()
                }
            })
        };
        assert!(receive(&mut subscriber));
        assert_eq!(subscriber.next_sequence(), 1);
        assert!(receive(&mut subscriber));
        drop(subscriber.try_recv_ref().unwrap());
        assert!(!receive(&mut subscriber));
        assert_eq!(buffer.len(), 2);
        drop((publisher, subscriber, buffer));
        ledger.settle();
    }
}

#[test]
fn a_message_whose_clone_panics_is_let_go_of() {
    let (ledger, mut publisher, mut subscriber) = with_a_stubborn_message(2);
    drop(subscriber.try_recv());
    assert!(throws(|| drop(subscriber.try_recv())));
    publisher.publish_many(make(&ledger, warm(8)));
    assert!(ledger.was_dropped(1), "still held by who failed to clone it");
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn a_parked_reader_whose_clone_panics_goes_on() {
    let (ledger, mut publisher, mut subscriber) = with_a_stubborn_message(1);
    drop(subscriber.try_recv());
    let ring = publisher.ring();
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            assert!(throws(|| drop(subscriber.recv())));
            drop(subscriber.recv_ref().unwrap());
            // Parks again.
            subscriber.recv_ref().unwrap().verify()
        });
        eventually("parked", || ring.stats().subscribers[0].parked);
        let message = ledger.make();
        let (stubborn, id) = (message.id, ledger.made());
        ledger.on_clone(move |id| {
            if id == stubborn {
                throw();
            }
        });
        publisher.publish(message);
        eventually("read and parked again", || {
            let stats = ring.stats();
            stats.subscribers[0].parked && stats.subscribers[0].next_sequence == 2
        });
        publisher.publish(ledger.make());
        assert_eq!(reader.join().unwrap(), id);
    });
    drop((publisher, subscriber, ring));
    ledger.settle();
}

struct Loud;

impl Wake for Loud {
    fn wake(self: Arc<Self>) {
        throw();
    }
}

#[test]
fn a_waker_that_panics_costs_no_message() {
    let ledger = Ledger::new();
    let (mut publisher, mut subscriber) = seqcast::boxed::<Counted>(4);
    let waker = Waker::from(Arc::new(Loud));
    for number in 0..300 {
        assert!(subscriber.poll_recv_ref(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(publisher.publish(ledger.make()), number);
        let Poll::Ready(Ok(message)) = subscriber.poll_recv_ref(&mut Context::from_waker(&waker)) else { panic!() };
        assert_eq!(message.verify(), number);
    }
    assert!(ledger.live() <= 4 + 2 * 64);
    let publisher = publisher.share();
    for _ in 0..300 {
        assert!(subscriber.poll_recv(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(publisher.publish_many(make(&ledger, 3)), 3);
        assert!((0..3).all(|_| subscriber.try_recv_ref().is_ok()));
    }
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn what_an_iterator_gave_before_it_panicked_is_published() {
    let ledger = Ledger::new();
    let (mut publisher, mut subscriber) = seqcast::boxed(256);
    let stops = |count: usize| {
        let ledger = Arc::clone(&ledger);
        (0..).map(move |number| {
            if number == count {
                throw();
            }
            ledger.make()
        })
    };
    for count in [0, 1, 7, 100] {
        assert!(throws(|| publisher.publish_many(stops(count))));
        assert_eq!((0..).take_while(|_| subscriber.try_recv_ref().is_ok()).count(), count);
    }
    let publisher = publisher.share();
    for count in [0, 1, 7, 100] {
        assert!(throws(|| publisher.publish_many(stops(count))));
        assert_eq!((0..).take_while(|_| subscriber.try_recv_ref().is_ok()).count(), count);
    }
    publisher.publish_many(make(&ledger, 1000));
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn a_drop_may_use_the_ring_that_its_message_was_in() {
    let ledger = Ledger::new();
    let (publisher, mut subscriber) = seqcast::boxed::<Counted>(16);
    let handle = Arc::new(OnceLock::<SharedPublisher<S>>::new());
    let within = Arc::new(AtomicU64::new(0));
    let publisher = publisher.share();
    assert!(handle.set(publisher.clone()).is_ok());
    ledger.on_drop({
        let (maker, handle, within) = (Arc::downgrade(&ledger), Arc::clone(&handle), Arc::clone(&within));
        move |id| {
            let (Some(ledger), Some(publisher)) = (maker.upgrade(), handle.get()) else { return };
            let mut subscriber = publisher.subscribe_at(Start::Oldest);
            let _ = subscriber.try_recv_ref().map(|message| message.verify());
            assert!(publisher.ring().stats().subscribers.len() >= 2);
            // Not each one, or it would never end.
            if id % 3 == 0 {
                publisher.publish(ledger.make()).unwrap();
                within.fetch_add(1, Ordering::SeqCst);
            }
            let another = publisher.clone();
            assert!(another.ring().next_sequence() > 0);
        }
    });
    for _ in 0..2_000 {
        publisher.publish(ledger.make()).unwrap();
        let _ = subscriber.try_recv_ref().map(|message| message.verify());
    }
    assert!(within.load(Ordering::SeqCst) > 500);
    ledger.unhook();
    drop((publisher, subscriber, handle));
    ledger.settle();
}

#[test]
fn drops_that_publish_do_not_pile_up_on_the_stack() {
    // Each drop publishes, which drops the next message, and so on: a ring full of them must not become a stack full of them.
    for clone in [false, true] {
        let ledger = Ledger::new();
        let budget = Arc::new(AtomicI64::new(0));
        let (publisher, subscriber) = seqcast::boxed::<Counted>(1024);
        let publisher = publisher.share();
        // Through the publisher that is dropping, or through another one.
        let inner = Arc::new(publisher);
        let outer = if clone { (*inner).clone() } else { seqcast::boxed(2).0.share() };
        ledger.on_drop({
            let (maker, inner, budget) = (Arc::downgrade(&ledger), Arc::clone(&inner), Arc::clone(&budget));
            move |_| {
                let Some(ledger) = maker.upgrade() else { return };
                if budget.fetch_sub(1, Ordering::SeqCst) > 0 {
                    inner.publish(ledger.make()).unwrap();
                }
            }
        });
        let small = thread::Builder::new().stack_size(256 << 10);
        let publishing = small.spawn({
            let (ledger, inner, budget) = (Arc::clone(&ledger), Arc::clone(&inner), Arc::clone(&budget));
            move || {
                let publisher = if clone { &outer } else { &*inner };
                publisher.publish_many(make(&ledger, warm(1024)));
                budget.store(100_000, Ordering::SeqCst);
                for _ in 0..3 * 1024 {
                    publisher.publish(ledger.make()).unwrap();
                }
                // Whatever is left of it must not be spent on a ring that is going away.
                budget.swap(0, Ordering::SeqCst)
            }
        });
        let left = publishing.unwrap().join().unwrap();
        assert!(left < 90_000, "{left} of 100 000 not published");
        ledger.unhook();
        drop((inner, subscriber));
        ledger.settle();
    }
}

#[test]
fn handles_that_go_may_drop_messages_that_publish() {
    // A publisher that goes drops what it kept; each of those publishes through the other one.
    let ledger = Ledger::new();
    let budget = Arc::new(AtomicI64::new(50_000));
    let (publisher, subscriber) = seqcast::boxed::<Counted>(64);
    let publisher = Arc::new(publisher.share());
    ledger.on_drop({
        let (maker, publisher, budget) = (Arc::downgrade(&ledger), Arc::clone(&publisher), Arc::clone(&budget));
        move |_| {
            let Some(ledger) = maker.upgrade() else { return };
            if budget.fetch_sub(1, Ordering::SeqCst) > 0 {
                // A handle that comes and goes in each.
                SharedPublisher::clone(&publisher).publish(ledger.make()).unwrap();
            }
        }
    });
    let small = thread::Builder::new().stack_size(256 << 10);
    let (maker, one) = (Arc::clone(&ledger), Arc::clone(&publisher));
    let publishing = small.spawn(move || {
        for _ in 0..100 {
            let leaving = SharedPublisher::clone(&one);
            leaving.publish_many(make(&maker, 200));
        }
    });
    publishing.unwrap().join().unwrap();
    assert!(budget.load(Ordering::SeqCst) < 40_000);
    ledger.unhook();
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn a_drop_may_drop_the_last_publisher() {
    let ledger = Ledger::new();
    let (publisher, mut subscriber) = seqcast::boxed::<Counted>(4);
    let publisher = publisher.share();
    let last = Arc::new(Mutex::new(None));
    publisher.publish_many(make(&ledger, warm(4)));
    *last.lock().unwrap() = Some(publisher.clone());
    let ring = Mutex::new(Some(subscriber.ring()));
    ledger.on_drop({
        let last = Arc::clone(&last);
        move |_| {
            let gone = last.lock().unwrap().take();
            let _ = ring.lock().unwrap().take();
            drop(gone);
        }
    });
    assert!(!subscriber.is_closed());
    // It drops what it kept, the first of which closes the ring.
    drop(publisher);
    assert!(last.lock().unwrap().is_none());
    assert!(subscriber.is_closed());
    assert!(matches!(subscriber.try_recv_ref(), Err(TryRecvError::Lagged(_))));
    assert_eq!((0..).take_while(|_| subscriber.try_recv_ref().is_ok()).count(), 4);
    assert_eq!(subscriber.try_recv_ref().unwrap_err(), TryRecvError::Closed);
    drop(subscriber);
    ledger.settle();
}

#[test]
fn a_message_may_own_handles_of_its_ring() {
    #[expect(clippy::large_enum_variant, reason = "few are made")]
    enum Message {
        Publisher { _handle: SharedPublisher<Boxed<Message>>, _counted: Counted },
        Subscriber { _handle: Subscriber<Boxed<Message>>, _counted: Counted },
        Plain { _counted: Counted },
    }
    let ledger = Ledger::new();
    let (publisher, mut subscriber) = seqcast::boxed::<Message>(4);
    let publisher = publisher.share();
    for _ in 0..1_000 {
        let _ = publisher.publish(Message::Publisher { _handle: publisher.clone(), _counted: ledger.make() });
        let _ = publisher.publish(Message::Subscriber { _handle: subscriber.clone(), _counted: ledger.make() });
        assert!(subscriber.latest_ref().is_ok());
    }
    // They keep each other alive until they are overwritten.
    let _ = publisher.publish_many((0..4 * warm(4)).map(|_| Message::Plain { _counted: ledger.make() }));
    assert_eq!(publisher.subscriber_count(), 1);
    let exclusive = publisher.try_into_exclusive();
    assert!(exclusive.is_ok(), "a publisher is still in a message");
    drop((exclusive, subscriber));
    ledger.settle();
}

#[test]
fn a_hundred_thousand_subscribers_come_borrow_and_go_while_publishers_run() {
    let ledger = Ledger::new();
    let (publisher, subscriber) = seqcast::boxed::<Counted>(64);
    let publisher = publisher.share();
    let ring = subscriber.ring();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            let (publisher, ledger, over) = (publisher.clone(), &ledger, &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    publisher.publish(ledger.make()).unwrap();
                }
            });
        }
        let comers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut borrowed = 0;
                    for _ in 0..50_000 {
                        let mut subscriber = ring.subscribe_at(Start::Oldest);
                        if let Ok(message) = subscriber.try_recv_ref() {
                            message.verify();
                            borrowed += 1;
                        }
                    }
                    borrowed
                })
            })
            .collect();
        let borrowed: u64 = comers.into_iter().map(|comer| comer.join().unwrap()).sum();
        over.store(true, Ordering::Relaxed);
        assert!(borrowed > 0);
    });
    drop((publisher, subscriber));
    drop(ring);
    ledger.settle();
}

#[test]
fn publishers_that_come_publish_once_and_go_leave_little_behind() {
    let ledger = Ledger::new();
    let (publisher, mut subscriber) = seqcast::boxed(16);
    let publisher = publisher.share();
    for _ in 0..20_000 {
        let short = publisher.clone();
        short.publish(ledger.make()).unwrap();
        let _ = subscriber.latest_ref().map(|message| message.verify());
    }
    let most = ledger.most();
    assert!(most <= 16 + 64 + 64 + 64 + 2, "{most} messages at once in a ring of 16");
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn a_leaked_borrow_keeps_its_message_until_the_subscriber_goes_on() {
    let ledger = Ledger::new();
    let (mut publisher, mut subscriber) = seqcast::boxed(4);
    publisher.publish(ledger.make());
    std::mem::forget(subscriber.try_recv_ref().unwrap());
    publisher.publish_many(make(&ledger, 1_000));
    assert!(!ledger.was_dropped(0));
    assert!(ledger.was_dropped(500));
    assert!(matches!(subscriber.try_recv_ref(), Err(TryRecvError::Lagged(_))));
    let at = {
        let message = subscriber.try_recv_ref().unwrap();
        let at = message.verify();
        std::mem::forget(message);
        at
    };
    publisher.publish_many(make(&ledger, 1_000));
    assert!(ledger.was_dropped(0) && !ledger.was_dropped(at));
    drop(subscriber);
    publisher.publish_many(make(&ledger, 1_000));
    assert!(ledger.was_dropped(at));
    drop(publisher);
    ledger.settle();
}

#[test]
fn a_leaked_borrow_outlives_the_publisher() {
    let ledger = Ledger::new();
    let (mut publisher, mut subscriber) = seqcast::boxed(4);
    publisher.publish(ledger.make());
    std::mem::forget(subscriber.try_recv_ref().unwrap());
    publisher.publish_many(make(&ledger, 200));
    drop(publisher);
    assert!(!ledger.was_dropped(0));
    assert_eq!(ledger.live(), 5);
    drop(subscriber);
    ledger.settle();
}

#[test]
fn a_leaked_subscriber_keeps_one_message_for_ever() {
    let ledger = Ledger::new();
    let (mut publisher, mut subscriber) = seqcast::boxed(4);
    publisher.publish(ledger.make());
    let mut leaked = subscriber.clone();
    std::mem::forget(leaked.try_recv_ref().unwrap());
    std::mem::forget(leaked);
    for number in 1..10_000 {
        publisher.publish(ledger.make());
        assert_eq!(subscriber.latest_ref().unwrap().verify(), number);
    }
    assert!(!ledger.was_dropped(0));
    assert!(ledger.most() <= 4 + 1 + 2 * 64);
    drop((publisher, subscriber));
    // The ring is leaked with it: what it holds, and the one.
    assert_eq!(ledger.live(), 5);
}

#[test]
fn a_publisher_kept_by_a_thread_cleans_up_at_its_end() {
    thread_local! {
        static KEPT: RefCell<Option<SharedPublisher<S>>> = const { RefCell::new(None) };
    }
    let ledger = Ledger::new();
    let (publisher, mut subscriber) = seqcast::boxed(4);
    let publisher = publisher.share();
    let maker = Arc::clone(&ledger);
    thread::spawn(move || {
        publisher.publish_many(make(&maker, warm(4)));
        KEPT.set(Some(publisher));
        KEPT.with_borrow(|publisher| publisher.as_ref().unwrap().publish(maker.make())).unwrap();
    })
    .join()
    .unwrap();
    assert_eq!(ledger.live(), 4);
    assert_eq!(subscriber.latest_ref().unwrap().verify(), warm(4) as u64);
    assert_eq!(subscriber.recv_ref().unwrap_err(), RecvError::Closed);
    drop(subscriber);
    ledger.settle();
}

/// Waits in a drop until `subscriber` has got the message `goal`, in a thread of its own.
fn outlasts(
    ledger: &Arc<Ledger>,
    mut subscriber: Subscriber<S>,
    goal: impl FnOnce(&mut Subscriber<S>) + Send + 'static,
) -> thread::JoinHandle<bool> {
    let got = Arc::new(AtomicBool::new(false));
    let waited = Arc::new(AtomicBool::new(false));
    ledger.on_drop({
        let (got, waited) = (Arc::clone(&got), Arc::clone(&waited));
        move |_| {
            // What is thrown in here ends in the ring: it shows in that `waited` is not set.
            eventually("the reader got the message", || got.load(Ordering::SeqCst));
            waited.store(true, Ordering::SeqCst);
        }
    });
    thread::spawn(move || {
        goal(&mut subscriber);
        got.store(true, Ordering::SeqCst);
        eventually("the drop saw it", || waited.load(Ordering::SeqCst));
        drop(subscriber);
        true
    })
}

#[test]
fn a_slow_drop_delays_no_message_and_no_wake_up() {
    for shared in [false, true] {
        let ledger = Ledger::new();
        let (mut publisher, subscriber) = seqcast::boxed(4);
        publisher.publish_many(make(&ledger, warm(4)));
        let (ring, goal) = (publisher.ring(), ledger.made());
        let subscriber = {
            drop(subscriber);
            ring.subscribe()
        };
        let reader = outlasts(&ledger, subscriber, move |subscriber| {
            assert_eq!(subscriber.recv_ref().unwrap().verify(), goal);
        });
        eventually("parked", || ring.stats().subscribers[0].parked);
        let shared = if shared {
            let publisher = publisher.share();
            publisher.publish(ledger.make()).unwrap();
            Ok(publisher)
        } else {
            publisher.publish(ledger.make());
            Err(publisher)
        };
        assert!(reader.join().unwrap());
        ledger.unhook();
        drop(shared);
        drop(ring);
        ledger.settle();
    }
}

#[test]
fn a_slow_drop_does_not_delay_the_end() {
    let ledger = Ledger::new();
    let (mut publisher, subscriber) = seqcast::boxed(4);
    publisher.publish_many(make(&ledger, warm(4)));
    let ring = publisher.ring();
    drop(subscriber);
    let reader = outlasts(&ledger, ring.subscribe(), |subscriber| {
        assert_eq!(subscriber.recv_ref().unwrap_err(), RecvError::Closed);
    });
    eventually("parked", || ring.stats().subscribers[0].parked);
    // It drops what it kept back, after everybody was told.
    drop(publisher);
    assert!(reader.join().unwrap());
    drop(ring);
    ledger.settle();
}

#[test]
fn everything_at_once() {
    let mut random = fastrand::Rng::with_seed(seed());
    for capacity in [2, 16, 256] {
        let ledger = Ledger::new();
        let (publisher, subscriber) = seqcast::boxed::<Counted>(capacity);
        let publisher = publisher.share();
        thread::scope(|scope| {
            let writers: [_; 3] = std::array::from_fn(|_| {
                let (publisher, ledger, mut random) = (publisher.clone(), &ledger, random.fork());
                scope.spawn(move || {
                    for _ in 0..3_000 {
                        match random.u8(0..40) {
                            0 => drop(publisher.clone().publish(ledger.make())),
                            1 => drop(publisher.publish_many(make(ledger, random.usize(0..100)))),
                            2 => assert!(testing::claim(&publisher).is_some()),
                            3 => {
                                let write = testing::claim(&publisher).and_then(testing::Claim::begin);
                                thread::yield_now();
                                if let Some(write) = write {
                                    write.commit(ledger.make());
                                }
                            }
                            _ => drop(publisher.publish(ledger.make()).unwrap()),
                        }
                    }
                })
            });
            for _ in 0..3 {
                let (mut subscriber, mut random) = (subscriber.clone(), random.fork());
                scope.spawn(move || {
                    let mut last = None;
                    loop {
                        let received = match random.u8(0..10) {
                            0 => subscriber.recv().map(drop),
                            1 => {
                                subscriber = subscriber.clone();
                                continue;
                            }
                            2 => subscriber.recv_ref().map(std::mem::forget),
                            _ => subscriber.recv_ref().map(|message| {
                                assert!(last < Some(Ref::sequence(&message)));
                                last = Some(Ref::sequence(&message));
                                let id = message.verify();
                                for _ in 0..random.u8(0..3) {
                                    thread::yield_now();
                                }
                                assert_eq!(message.verify(), id);
                            }),
                        };
                        if received == Err(RecvError::Closed) {
                            break;
                        }
                    }
                });
            }
            for writer in writers {
                writer.join().unwrap();
            }
            // Past the last claim that nobody fills.
            publisher.publish_many(make(&ledger, 3 * capacity));
            drop(publisher);
        });
        drop(subscriber);
        ledger.settle();
    }
}

/// Both ends of a ring.
type Ends<T> = (Publisher<Boxed<T>>, Subscriber<Boxed<T>>);

/// A message that owns a ring of such messages.
struct Link(#[allow(dead_code, reason = "owned")] Option<Ends<Link>>, Arc<AtomicU64>);

impl Drop for Link {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_chain_of_rings_is_dropped_one_by_one() {
    // Each ring is owned by a message of the one before. With the stack that threads have by default.
    const RINGS: u64 = 50_000;
    let dropped = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&dropped);
    let chain = move || {
        let mut inner = None;
        for _ in 0..RINGS {
            let (mut publisher, subscriber) = seqcast::boxed(2);
            publisher.publish(Link(inner, Arc::clone(&count)));
            inner = Some((publisher, subscriber));
        }
        drop(inner);
    };
    thread::Builder::new().stack_size(2 << 20).spawn(chain).unwrap().join().unwrap();
    assert_eq!(dropped.load(Ordering::Relaxed), RINGS);
}

/// A message whose drop publishes to the next of some rings.
struct Domino {
    at: usize,
    rings: Weak<Vec<seqcast::SharedPublisher<Boxed<Domino>>>>,
}

impl Drop for Domino {
    fn drop(&mut self) {
        if let Some(next) = self.rings.upgrade().as_ref().and_then(|rings| rings.get(self.at + 1)) {
            let _ = next.publish(Domino { at: self.at + 1, rings: Weak::clone(&self.rings) });
        }
    }
}

#[test]
fn drops_that_publish_along_many_rings_do_not_nest_without_bound() {
    let fall = || {
        let mut subscribers = Vec::new();
        let rings = Arc::new_cyclic(|all| {
            let ring = |at| {
                let (publisher, subscriber) = seqcast::boxed::<Domino>(2);
                let publisher = publisher.share();
                // Warm: each publish drops a message.
                publisher.publish_many((0..200).map(|_| Domino { at, rings: Weak::new() }));
                publisher.publish_many((0..200).map(|_| Domino { at, rings: Weak::clone(all) }));
                subscribers.push(subscriber);
                publisher
            };
            (0..3_000).map(ring).collect::<Vec<_>>()
        });
        let end = |at: usize| rings[at].next_sequence();
        let before = (end(1), end(2_999));
        for _ in 0..200 {
            rings[0].publish(Domino { at: 0, rings: Weak::new() }).unwrap();
        }
        assert!(end(1) > before.0 && end(2_999) > before.1, "no drop came to publish");
    };
    thread::Builder::new().stack_size(2 << 20).spawn(fall).unwrap().join().unwrap();
}

/// A message whose drop publishes through a handle of its own.
struct Echo;

static ECHO: OnceLock<seqcast::SharedPublisher<Boxed<Echo>>> = OnceLock::new();

impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(publisher) = ECHO.get() {
            let _ = publisher.clone().publish(Echo);
        }
    }
}

#[test]
fn drops_that_publish_through_handles_of_their_own_do_not_branch() {
    let publisher = ECHO.get_or_init(|| seqcast::boxed::<Echo>(2).0.share());
    for _ in 0..300 {
        publisher.publish(Echo).unwrap();
    }
    assert!(publisher.next_sequence() < 300 * 40, "{} were published", publisher.next_sequence());
    publisher.close();
}
