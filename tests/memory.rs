//! A boxed ring never keeps more messages than its capacity, the borrowed ones, and a few per
//! publisher (law 8). No handle waits for another one meanwhile.
#![cfg(not(loom))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod common;

use common::counted::{Counted, Ledger};
use common::eventually;
use seqcast::{Boxed, Builder, Ref, SharedPublisher, Start, Subscriber, TryRecvError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What law 8 allows in addition to the capacity and the live borrows (`docs/boxed.md`). For each
/// publisher: 64, or one per subscriber if that is more, and what was borrowed at its last scan,
/// which is one per subscriber. Once for the ring: 64, and one per subscriber.
fn allowance(publishers: usize, subscribers: usize) -> usize {
    publishers * (subscribers.max(64) + subscribers) + 64 + subscribers
}

/// A message that counts its live values.
struct Light(&'static AtomicUsize);

impl Light {
    fn new(count: &'static AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Light {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn count() -> &'static AtomicUsize {
    static COUNTS: [AtomicUsize; 64] = [const { AtomicUsize::new(0) }; 64];
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    &COUNTS[NEXT.fetch_add(1, Ordering::Relaxed)]
}

#[track_caller]
fn at_most(live: &AtomicUsize, most: usize) {
    let live = live.load(Ordering::SeqCst);
    assert!(live <= most, "{live} messages are alive, more than {most}");
}

#[test]
fn a_million_messages_behind_one_borrow() {
    for share in [false, true] {
        let live = count();
        let (mut publisher, mut subscriber) = seqcast::boxed(64);
        publisher.publish(Light::new(live));
        let held = subscriber.try_recv_ref().unwrap();
        let most = 64 + 1 + allowance(1, 1);
        let mut exclusive = None;
        let mut shared = None;
        if share {
            shared = Some(publisher.share())
        } else {
            exclusive = Some(publisher)
        }
        for _ in 0..1_000_000 {
            let message = Light::new(live);
            match (&mut exclusive, &shared) {
                (Some(publisher), _) => publisher.publish(message),
                (None, publisher) => publisher.as_ref().unwrap().publish(message).unwrap_or_else(|_| panic!("closed")),
            };
            at_most(live, most);
        }
        assert_eq!(Ref::sequence(&held), 0);
        drop(held);
        drop((exclusive, shared));
        // What was borrowed when the publisher was dropped belongs to the ring. There was one such
        // message.
        at_most(live, 64 + 1);
        drop(subscriber);
        at_most(live, 0);
    }
}

#[test]
fn a_borrow_given_back_is_given_back() {
    let live = count();
    let (mut publisher, subscriber) = seqcast::boxed(16);
    let mut readers: Vec<_> = (0..100).map(|_| subscriber.clone()).collect();
    let most = 16 + allowance(1, 101);
    {
        // A hundred different messages.
        let _held: Vec<_> = readers
            .iter_mut()
            .map(|reader| {
                publisher.publish(Light::new(live));
                reader.latest_ref().unwrap()
            })
            .collect();
        for _ in 0..100_000 {
            publisher.publish(Light::new(live));
            at_most(live, most + 100);
        }
        assert!(live.load(Ordering::SeqCst) >= 16 + 100, "a borrowed message was dropped");
    }
    for _ in 0..1_000 {
        publisher.publish(Light::new(live));
    }
    // As many more as there are subscribers are ready for the next time that all of them borrow.
    at_most(live, 16 + 101 + 101);
    drop((readers, subscriber));
    for _ in 0..1_000 {
        publisher.publish(Light::new(live));
    }
    at_most(live, 16 + 64);
    let ring = publisher.ring();
    drop(publisher);
    at_most(live, 16);
    drop(ring);
    at_most(live, 0);
}

#[test]
fn a_million_messages_behind_a_leaked_borrow() {
    let live = count();
    let (mut publisher, mut subscriber) = seqcast::boxed(64);
    publisher.publish(Light::new(live));
    std::mem::forget(subscriber.try_recv_ref().unwrap());
    for _ in 0..1_000_000 {
        publisher.publish(Light::new(live));
        at_most(live, 64 + 1 + allowance(1, 1));
    }
    drop(publisher);
    at_most(live, 64 + 1);
    drop(subscriber);
    at_most(live, 0);
}

#[test]
fn a_thousand_idle_subscribers_keep_nothing() {
    let live = count();
    let (mut publisher, subscriber) = seqcast::boxed(64);
    let idle: Vec<_> = (0..1_000).map(|_| subscriber.clone()).collect();
    for _ in 0..100_000 {
        publisher.publish(Light::new(live));
        at_most(live, 64 + allowance(1, 1_001));
    }
    drop(idle);
    for _ in 0..3_000 {
        publisher.publish(Light::new(live));
    }
    at_most(live, 64 + 64 + 1);
    drop((publisher, subscriber));
    at_most(live, 0);
}

#[test]
fn publishers_that_take_turns_keep_a_few_each() {
    let live = count();
    let (publisher, subscriber) = seqcast::boxed(64);
    let publisher = publisher.share();
    let publishers: Vec<_> = (0..8).map(|_| publisher.clone()).collect();
    for round in 0..200_000 {
        publishers[round / 100 % 8].publish(Light::new(live)).ok().unwrap();
        at_most(live, 64 + allowance(9, 1));
    }
    let ring = subscriber.ring();
    drop((publisher, subscriber));
    drop(publishers);
    at_most(live, 64);
    drop(ring);
    at_most(live, 0);
}

#[test]
fn publishers_that_take_turns_do_not_keep_what_was_borrowed_once() {
    // Each publisher becomes idle while all subscribers borrow what it removed. Then all release
    // it, and borrow elsewhere.
    const PUBLISHERS: usize = 8;
    const SUBSCRIBERS: usize = 100;
    let live = count();
    let (publisher, subscriber) = seqcast::boxed(16);
    let publisher = publisher.share();
    let publishers: Vec<_> = (0..PUBLISHERS).map(|_| publisher.clone()).collect();
    let mut readers: Vec<_> = (0..SUBSCRIBERS).map(|_| subscriber.clone()).collect();
    for publisher in &publishers {
        let _held: Vec<_> = readers
            .iter_mut()
            .map(|reader| {
                publisher.publish(Light::new(live)).ok().unwrap();
                reader.latest_ref().unwrap()
            })
            .collect();
        for _ in 0..2_000 {
            publisher.publish(Light::new(live)).ok().unwrap();
            at_most(live, 16 + SUBSCRIBERS + allowance(PUBLISHERS + 1, SUBSCRIBERS + 1));
        }
    }
    drop((publisher, publishers, subscriber, readers));
    at_most(live, 0);
}

#[test]
fn one_publisher_used_by_four_threads() {
    let live = count();
    let (publisher, subscriber) = seqcast::boxed(64);
    let publisher = publisher.share();
    let mut readers = [subscriber.clone(), subscriber];
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100_000 {
                    publisher.publish(Light::new(live)).ok().unwrap();
                    // Each of the others may be suspended while it drops what was left: as much
                    // again.
                    at_most(live, 64 + 2 + allowance(1, 2) + 4 * (64 + 2));
                }
            });
        }
        for reader in &mut readers {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    drop(reader.latest_ref());
                }
            });
        }
    });
    for _ in 0..1_000 {
        publisher.publish(Light::new(live)).ok().unwrap();
    }
    at_most(live, 64 + allowance(1, 2));
    let ring = publisher.ring();
    drop((publisher, readers));
    at_most(live, 64);
    drop(ring);
    at_most(live, 0);
}

#[test]
fn after_the_publishers_only_the_ring_and_what_is_borrowed_is_left() {
    let ledger = Ledger::new();
    let (publisher, subscriber) = seqcast::boxed::<Counted>(32);
    let publisher = publisher.share();
    let mut readers: Vec<Subscriber<Boxed<Counted>>> = (0..10).map(|_| subscriber.clone()).collect();
    let held: Vec<_> = readers
        .iter_mut()
        .map(|reader| {
            publisher.publish(ledger.make()).unwrap();
            reader.latest_ref().unwrap()
        })
        .collect();
    let publishers: Vec<SharedPublisher<_>> = (0..5).map(|_| publisher.clone()).collect();
    for round in 0..10_000 {
        publishers[round % 5].publish(ledger.make()).unwrap();
    }
    drop((publisher, publishers));
    assert_eq!(ledger.live(), 32 + 10);
    assert_eq!(held.iter().map(|message| message.verify()).sum::<u64>(), 45);
    drop(held);
    drop((readers, subscriber));
    ledger.settle();
}

#[test]
fn slow_clones_take_place_side_by_side_and_hold_nobody_up() {
    let ledger = Ledger::new();
    let (mut publisher, subscriber) = seqcast::boxed::<Counted>(64);
    let cloning = Arc::new(AtomicUsize::new(0));
    let one_is_done = Arc::new(AtomicBool::new(false));
    ledger.on_clone({
        let (cloning, one_is_done) = (Arc::clone(&cloning), Arc::clone(&one_is_done));
        move |_| {
            cloning.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(300));
            one_is_done.store(true, Ordering::SeqCst);
        }
    });
    let mut readers: [_; 4] = std::array::from_fn(|_| subscriber.clone());
    publisher.publish(ledger.make());
    let began = Instant::now();
    thread::scope(|scope| {
        for reader in &mut readers {
            scope.spawn(|| drop(reader.try_recv().unwrap()));
        }
        eventually("all readers are cloning", || cloning.load(Ordering::SeqCst) == 4);
        for _ in 0..1_000 {
            publisher.publish(ledger.make());
        }
        assert!(!one_is_done.load(Ordering::SeqCst), "the publisher waited for a clone");
        assert!(!ledger.was_dropped(0), "the message was dropped while it was cloned");
    });
    let elapsed = began.elapsed();
    assert!(elapsed < Duration::from_millis(900), "the four clones were not parallel: {elapsed:?}");
    drop((publisher, subscriber, readers));
    ledger.settle();
}

#[test]
fn what_starts_at_the_oldest_borrows_within_the_capacity() {
    let live = count();
    let (mut publisher, subscriber) = seqcast::boxed(8);
    for number in 0..10_000_u64 {
        publisher.publish(Light::new(live));
        let mut late = publisher.subscribe_at(Start::Oldest);
        let message = late.try_recv_ref().unwrap();
        assert_eq!(Ref::sequence(&message), number.saturating_sub(7));
        at_most(live, 8 + 1 + allowance(1, 2));
    }
    let mut late = publisher.subscribe();
    assert!(matches!(late.try_recv_ref(), Err(TryRecvError::Empty)));
    drop((publisher, subscriber, late));
    at_most(live, 0);
}

/// Pages that the calling thread has touched for the first time, if the system counts them.
fn page_faults() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(7)?.parse().ok()
}

/// The number of pages that the drop of `handles` touches.
fn faults_of_drop<H>(handles: H) -> Option<u64> {
    let before = page_faults()?;
    drop(handles);
    Some(page_faults()? - before)
}

#[test]
fn the_drop_of_a_large_ring_touches_only_used_slots() {
    // An inline ring of the same size shows what the allocator itself touches. That of a sanitizer
    // touches many pages.
    const SLOTS: usize = 1 << 26;
    let (mut publisher, subscriber) = seqcast::inline::<u64>(SLOTS);
    publisher.publish_many(0..3);
    let allocator = faults_of_drop((publisher, subscriber));
    for first in [0, SLOTS as u64 - 1, (1 << 62) + 7] {
        let live = count();
        let (mut publisher, subscriber) = Builder::new(SLOTS).first_sequence(first).boxed();
        for _ in 0..3 {
            publisher.publish(Light::new(live));
        }
        let boxed = faults_of_drop((publisher, subscriber));
        at_most(live, 0);
        let (Some(boxed), Some(allocator)) = (boxed, allocator) else { continue };
        // All slots together are 262 144 pages, or 512 large ones.
        assert!(boxed <= 2 * allocator + 100, "{boxed} pages with a boxed ring, {allocator} with an inline one");
    }
}
