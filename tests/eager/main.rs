//! Rings that drop a message when every subscriber has read it.
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

#[path = "../common/mod.rs"]
mod common;
mod hostile;

use common::testing;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use seqcast::{Boxed, Builder, Lagged, Publisher, Start, Subscriber, TryRecvError};

/// Counts its clones: those in the ring, and those of the test.
type Token = Arc<()>;

fn ring(capacity: usize) -> (Publisher<Boxed<Token>>, Subscriber<Boxed<Token>>) {
    Builder::new(capacity).eager_drop().boxed()
}

/// The number of clones of `token` in the ring.
fn left(token: &Token) -> usize {
    Arc::strong_count(token) - 1
}

#[test]
fn the_last_receive_drops_a_message() {
    let (mut publisher, mut first) = ring(8);
    let mut second = first.clone();
    let token = Token::default();
    for _ in 0..3 {
        publisher.publish(Arc::clone(&token));
    }
    assert_eq!(first.try_iter().count(), 3);
    assert_eq!(left(&token), 3);
    for still in [2, 1, 0] {
        second.try_recv().unwrap();
        assert_eq!(left(&token), still);
    }
    assert_eq!((publisher.ring().oldest_sequence(), publisher.next_sequence()), (3, 3));
}

#[test]
fn the_last_borrow_drops_a_message() {
    let (mut publisher, mut first) = ring(8);
    let mut second = first.clone();
    let token = Token::default();
    publisher.publish(Arc::clone(&token));
    let one = first.try_recv_ref().unwrap();
    let two = second.try_recv_ref().unwrap();
    drop(two);
    assert_eq!(left(&token), 1);
    drop(one);
    assert_eq!(left(&token), 0);
}

#[test]
fn a_message_that_is_overwritten_while_it_is_borrowed_is_dropped_with_the_borrow() {
    let (mut publisher, mut subscriber) = ring(2);
    let token = Token::default();
    publisher.publish(Arc::clone(&token));
    let borrowed = subscriber.try_recv_ref().unwrap();
    for _ in 0..5 {
        publisher.publish(Token::default());
    }
    assert_eq!(left(&token), 1);
    drop(borrowed);
    assert_eq!(left(&token), 0);
}

#[test]
fn the_last_subscriber_to_leave_drops_what_is_left() {
    let (mut publisher, first) = ring(4);
    let second = first.clone();
    let token = Token::default();
    for _ in 0..7 {
        publisher.publish(Arc::clone(&token));
    }
    assert_eq!(left(&token), 4, "an overwritten message was not dropped");
    drop(first);
    assert_eq!(left(&token), 4);
    drop(second);
    assert_eq!(left(&token), 0);
}

#[test]
fn without_subscribers_a_publish_drops_its_message() {
    let (mut publisher, subscriber) = ring(4);
    drop(subscriber);
    let token = Token::default();
    for _ in 0..7 {
        publisher.publish(Arc::clone(&token));
        assert_eq!(left(&token), 0);
    }
    let mut subscriber = publisher.ring().subscribe_at(Start::Oldest);
    publisher.publish(Arc::clone(&token));
    assert_eq!(subscriber.try_iter().map(|got| got.map(|_| ())).collect::<Vec<_>>(), [Ok(())]);
}

#[test]
fn a_message_that_comes_when_it_can_be_read_no_more_is_dropped() {
    for leaves_before in [true, false] {
        let (publisher, subscriber) = ring(2);
        let (publisher, token) = (publisher.share(), Token::default());
        publisher.publish(Arc::clone(&token)).unwrap();
        publisher.publish(Arc::clone(&token)).unwrap();
        // A publisher is suspended in the write, and others publish a lap more.
        let write = testing::claim(&publisher).unwrap().begin().unwrap();
        publisher.publish(Arc::clone(&token)).unwrap();
        publisher.publish(Arc::clone(&token)).unwrap();
        assert_eq!(publisher.ring().stats().skipped, 1);
        if leaves_before {
            drop(subscriber);
            write.commit(Arc::clone(&token));
        } else {
            write.commit(Arc::clone(&token));
            drop(subscriber);
        }
        assert_eq!(left(&token), 0, "the subscriber leaves before the commit: {leaves_before}");
    }
}

#[test]
fn what_was_dropped_counts_as_overwritten() {
    let (mut publisher, mut subscriber) = ring(8);
    for _ in 0..5 {
        publisher.publish(Token::default());
    }
    assert_eq!(subscriber.try_iter().take(3).count(), 3);
    assert_eq!(publisher.ring().oldest_sequence(), 3);
    let mut late = publisher.ring().subscribe_at(Start::At(1));
    assert_eq!(late.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 2, resumed_at: 3 })));
    late.try_recv().unwrap();
    late.seek(Start::At(0));
    assert_eq!(late.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 3, resumed_at: 3 })));
    late.seek(Start::At(0));
    assert!(late.latest().is_ok());
    assert_eq!(late.last_sequence(), Some(4));
    subscriber.try_iter().count();
    subscriber.seek(Start::At(2));
    assert_eq!(subscriber.latest(), Err(TryRecvError::Empty));
    assert_eq!(subscriber.next_sequence(), 5);
    assert!(publisher.ring().try_subscribe_at(Start::At(4)).unwrap_err().is_evicted());
}

#[test]
fn a_subscriber_that_goes_back_is_waited_for() {
    let (mut publisher, mut first) = ring(8);
    let mut second = first.clone();
    let token = Token::default();
    for _ in 0..3 {
        publisher.publish(Arc::clone(&token));
    }
    first.try_iter().count();
    first.seek(Start::At(1));
    second.try_iter().count();
    assert_eq!(left(&token), 2);
    first.try_iter().count();
    assert_eq!(left(&token), 0);
}

#[test]
fn a_clone_that_panics_keeps_the_message() {
    struct Fragile(Token, Arc<AtomicUsize>);
    impl Clone for Fragile {
        fn clone(&self) -> Self {
            assert!(self.1.fetch_sub(1, Ordering::Relaxed) > 1, "the clone panics");
            Self(Arc::clone(&self.0), Arc::clone(&self.1))
        }
    }
    let (mut publisher, mut subscriber) = Builder::new(4).eager_drop().boxed();
    let (token, clones) = (Token::default(), Arc::new(AtomicUsize::new(1)));
    publisher.publish(Fragile(Arc::clone(&token), Arc::clone(&clones)));
    let attempt = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| subscriber.try_recv().is_ok()));
    assert!(attempt.is_err());
    assert_eq!(left(&token), 1);
    clones.store(5, Ordering::Relaxed);
    drop(subscriber.try_recv().unwrap_or_else(|error| panic!("{error}")));
    assert_eq!(left(&token), 0);
}

#[test]
fn a_drop_may_use_the_ring() {
    // The drop of each message receives from the same ring, and publishes to it.
    struct Busy(std::sync::Weak<std::sync::Mutex<Handles>>, usize, Token);
    struct Handles {
        publisher: seqcast::SharedPublisher<Boxed<Busy>>,
        subscriber: Subscriber<Boxed<Busy>>,
    }
    impl Drop for Busy {
        fn drop(&mut self) {
            let Some(handles) = self.0.upgrade() else { return };
            if let (Ok(mut handles), true) = (handles.try_lock(), self.1 > 0) {
                let _ = handles.publisher.publish(Busy(self.0.clone(), self.1 - 1, Arc::clone(&self.2)));
                let _ = handles.subscriber.try_recv_ref().map(drop);
            }
        }
    }
    let (publisher, subscriber) = Builder::new(2).eager_drop().boxed();
    let (publisher, token) = (publisher.share(), Token::default());
    let mut reader = subscriber.clone();
    let handles = Arc::new(std::sync::Mutex::new(Handles { publisher: publisher.clone(), subscriber }));
    publisher.publish(Busy(Arc::downgrade(&handles), 200, Arc::clone(&token))).unwrap();
    for _ in 0..300 {
        let _ = reader.try_recv_ref().map(drop);
        let _ = handles.lock().unwrap().subscriber.try_recv_ref().map(drop);
    }
    drop((reader, handles, publisher));
    assert_eq!(left(&token), 0);
}

/// All operations run on one thread. After each step, the ring holds exactly the messages that a
/// subscriber may still read.
#[test]
fn the_ring_holds_what_somebody_may_read() {
    const MOST: usize = 20;
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..200 {
        let capacity = 1 << random.u64(0..4);
        let (mut publisher, first) = ring(capacity as usize);
        let shown = publisher.ring();
        let token = Token::default();
        let mut subscribers = vec![first];
        // The number of messages before the first undropped one.
        let mut dropped = 0;
        for _ in 0..150 {
            let count = subscribers.len();
            match random.usize(0..10) {
                0..4 => {
                    publisher.publish(Arc::clone(&token));
                }
                4..7 if count > 0 => drop(subscribers[random.usize(..count)].try_recv()),
                7 if count > 0 => drop(subscribers[random.usize(..count)].latest()),
                8 if count < MOST => {
                    let at = Start::At(random.u64(..shown.next_sequence() + 2));
                    let start = random.choice([Start::Latest, Start::Oldest, at]).unwrap();
                    subscribers.push(shown.subscribe_at(start));
                }
                9 if count > 0 => drop(subscribers.swap_remove(random.usize(..count))),
                _ => {}
            }
            let tail = shown.next_sequence();
            let needed = subscribers.iter().map(Subscriber::next_sequence).min().unwrap_or(tail);
            dropped = dropped.max(needed).max(tail.saturating_sub(capacity));
            // Some of the messages that were overwritten unread stay: at most an eighth of the
            // number of subscribers.
            let overwritten = left(&token) as u64 - (tail - dropped);
            assert!(overwritten <= MOST as u64 / 8, "{overwritten}: {subscribers:?}");
            assert_eq!(shown.oldest_sequence(), dropped);
        }
    }
}

#[test]
fn threads_leave_nothing_behind() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    for round in 0..30 {
        let (publisher, first) = ring(1 << (round % 5));
        let (publisher, token) = (publisher.share(), Token::default());
        let barrier = Barrier::new(6);
        thread::scope(|scope| {
            for _ in 0..2 {
                let (publisher, token, barrier) = (publisher.clone(), &token, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    for _ in 0..500 {
                        publisher.publish(Arc::clone(token)).unwrap();
                    }
                });
            }
            for reader in 0..4 {
                let (mut subscriber, barrier) = (first.clone(), &barrier);
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed ^ round << 8 ^ reader);
                    barrier.wait();
                    loop {
                        match random.usize(..40) {
                            0 => subscriber = subscriber.clone(),
                            1 => subscriber = subscriber.ring().subscribe_at(Start::Oldest),
                            2 => subscriber = subscriber.ring().subscribe(),
                            3 => drop(subscriber.latest()),
                            _ => {}
                        }
                        if random.bool() {
                            drop(subscriber.try_recv_ref());
                        } else {
                            drop(subscriber.try_recv());
                        }
                        let accounted = subscriber.received()
                            + subscriber.missed()
                            + subscriber.holes()
                            + subscriber.skipped_by_choice();
                        assert_eq!(accounted, subscriber.next_sequence() - subscriber.start_sequence());
                        if subscriber.next_sequence() >= 1000 {
                            break;
                        }
                    }
                });
            }
            drop(first);
        });
        assert_eq!(left(&token), 0, "round {round}: messages are left although all subscribers are gone");
    }
}

#[test]
fn readers_that_rest_at_the_end_leave_nothing() {
    // The last reader of a message drops it, even if two read it at the same time.
    let token = Token::default();
    for round in 0..2_000_u64 {
        let (mut publisher, first) = ring(4);
        let mut readers: Vec<_> = (0..3).map(|_| first.clone()).collect();
        drop(first);
        publisher.publish(Arc::clone(&token));
        publisher.publish(Arc::clone(&token));
        let barrier = Barrier::new(readers.len());
        thread::scope(|scope| {
            for reader in &mut readers {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    for _ in 0..2 {
                        if round % 2 == 0 {
                            drop(reader.try_recv().unwrap());
                        } else {
                            drop(reader.try_recv_ref().unwrap());
                        }
                    }
                });
            }
        });
        // All rings are empty for them. If two have read at the same time, the last one may only
        // find out now.
        assert!(readers.iter_mut().all(|reader| reader.try_recv() == Err(TryRecvError::Empty)));
        assert_eq!(left(&token), 0, "round {round}");
    }
}

#[test]
fn who_subscribes_beside_readers_loses_nothing() {
    let (mut publisher, mut reader) = ring(64);
    let shown = publisher.ring();
    let barrier = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            barrier.wait();
            for _ in 0..20_000 {
                publisher.publish(Token::default());
                drop(reader.try_recv().unwrap());
            }
        });
        scope.spawn(|| {
            barrier.wait();
            while shown.next_sequence() < 20_000 {
                // It lags far less than the ring holds.
                let mut late = shown.subscribe();
                if late.lag() < 32 {
                    if let Err(error) = late.try_recv() {
                        assert!(error.is_empty() || late.lag() > 8, "{error}");
                    }
                }
            }
        });
    });
}

#[test]
fn what_was_in_the_slot_of_a_hole_is_dropped_with_the_hole() {
    let (publisher, mut subscriber) = ring(2);
    let (publisher, token) = (publisher.share(), Token::default());
    let write = testing::claim(&publisher).unwrap().begin().unwrap(); // 0
    publisher.publish(Arc::clone(&token)).unwrap(); // 1
    publisher.publish(Arc::clone(&token)).unwrap(); // skips 2, is 3
    write.commit(Arc::clone(&token));
    assert_eq!(publisher.ring().stats().skipped, 1);
    while !matches!(subscriber.try_recv(), Err(TryRecvError::Empty)) {}
    assert_eq!(left(&token), 0);
}
