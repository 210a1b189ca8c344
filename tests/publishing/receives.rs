//! Receiving many messages: the cursor moves once per run, and the account stays exact.

use crate::common::Account;
use crate::common::testing;
use crate::common::wakers::Counter;
use seqcast::{Builder, Inline, SharedPublisher, Subscriber, TryRecvError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::thread;

fn full(capacity: usize, count: u64) -> (SharedPublisher<Inline<u64>>, Subscriber<Inline<u64>>) {
    let (mut publisher, subscriber) = seqcast::inline(capacity);
    publisher.publish_many(0..count);
    (publisher.share(), subscriber)
}

#[test]
fn a_run_ends_at_its_limit_or_where_nothing_is_there() {
    let (publisher, mut subscriber) = full(1024, 300);
    let mut buffer = vec![7];
    assert_eq!(subscriber.try_recv_many(&mut buffer, 0), Ok(0));
    assert_eq!(subscriber.try_recv_many(&mut buffer, 130), Ok(130));
    assert_eq!((subscriber.next_sequence(), subscriber.received()), (130, 130));
    assert_eq!(subscriber.try_recv_many(&mut buffer, 1000), Ok(170));
    assert!(buffer.drain(1..).eq(0..300));
    assert_eq!(subscriber.try_recv_many(&mut buffer, 1000), Err(TryRecvError::Empty));
    publisher.close();
    assert_eq!(subscriber.try_recv_many(&mut buffer, 1000), Err(TryRecvError::Closed));
    assert_eq!((buffer, subscriber.last_sequence()), (vec![7], Some(299)));
}

#[test]
fn nothing_makes_no_buffer_grow() {
    let (_publisher, mut subscriber) = full(64, 0);
    let mut buffer = Vec::new();
    assert_eq!(subscriber.try_recv_many(&mut buffer, 64), Err(TryRecvError::Empty));
    assert_eq!(buffer.capacity(), 0);
    let (_publisher, mut subscriber) = full(64, 10);
    let mut buffer = Vec::with_capacity(10);
    assert_eq!(subscriber.try_recv_many(&mut buffer, 64), Ok(10));
    assert_eq!(buffer.capacity(), 10);
}

#[test]
fn messages_without_size_are_counted() {
    let (mut publisher, mut subscriber) = seqcast::inline::<()>(64);
    publisher.publish_many([(); 50]);
    let mut buffer = Vec::new();
    assert_eq!(subscriber.try_recv_many(&mut buffer, 30), Ok(30));
    assert_eq!(subscriber.try_recv_many(&mut buffer, 30), Ok(20));
    assert_eq!((buffer.len(), subscriber.received()), (50, 50));
}

#[test]
fn a_run_goes_over_holes_and_ends_before_a_loss() {
    // The slot of 0 is held, so 16 is a hole.
    let (publisher, _) = full(16, 0);
    let _held = testing::claim(&publisher).unwrap().begin().unwrap();
    assert_eq!(publisher.publish_many(1..16), 15);
    let mut subscriber = publisher.subscribe_at(seqcast::Start::At(8));
    assert_eq!(publisher.publish_many(17..22), 5);
    let mut account = Account::new(&subscriber);
    let mut buffer = Vec::new();
    assert_eq!(subscriber.try_recv_many(&mut buffer, 100), Ok(13));
    account.received(&subscriber, 13);
    assert!(buffer.drain(..).eq((8..16).chain(17..22)));
    assert_eq!(subscriber.holes(), 1);
    publisher.publish_many(22..40);
    assert!(subscriber.try_recv_many(&mut buffer, 100).unwrap_err().is_lagged());
    assert!(buffer.is_empty());
}

#[test]
fn a_run_wakes_publishers_that_wait_for_room_once() {
    let (publisher, _lossy) = Builder::new(256).gated().inline::<u64>();
    let mut publisher = publisher.share();
    let mut gating = publisher.ring().subscribe_gating().unwrap();
    publisher.publish_many(0..256);
    let woken = Counter::new();
    assert_eq!(publisher.poll_ready(&mut Context::from_waker(&woken.waker())), Poll::Pending);
    let mut buffer = Vec::with_capacity(64);
    assert_eq!(gating.try_recv_many(&mut buffer, 64), Ok(64));
    assert_eq!(woken.count(), 1);
    assert_eq!(publisher.publish_many(0..64), 64);
    assert!(publisher.try_publish(0).unwrap_err().is_full());
}

#[test]
fn a_gate_moves_in_the_middle_of_a_long_receive() {
    // A publisher waits while one call receives more than the ring holds.
    let (mut publisher, _lossy) = Builder::new(16).gated().inline::<u64>();
    let mut gating = publisher.ring().subscribe_gating().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || publisher.publish_many(0..10_000));
        let mut buffer = Vec::new();
        while gating.recv_many(&mut buffer, usize::MAX).is_ok() {}
        assert!(buffer.into_iter().eq(0..10_000));
    });
}

#[test]
fn a_clone_that_panics_leaves_the_account_exact_and_publishers_awake() {
    #[derive(Debug)]
    struct Fragile(u64);
    impl Clone for Fragile {
        fn clone(&self) -> Self {
            if self.0 == 5 {
                std::panic::resume_unwind(Box::new(()));
            }
            Self(self.0)
        }
    }
    let (publisher, _lossy) = Builder::new(8).gated().boxed::<Fragile>();
    let mut publisher = publisher.share();
    let mut gating = publisher.ring().subscribe_gating().unwrap();
    publisher.publish_many((0..8).map(Fragile));
    let woken = Counter::new();
    assert_eq!(publisher.poll_ready(&mut Context::from_waker(&woken.waker())), Poll::Pending);
    let mut buffer = Vec::new();
    assert!(catch_unwind(AssertUnwindSafe(|| gating.try_recv_many(&mut buffer, 8))).is_err());
    assert!(buffer.iter().map(|message| message.0).eq(0..5));
    assert_eq!((gating.received(), gating.next_sequence(), woken.count()), (5, 5, 1));
}

#[test]
fn a_reader_that_is_lapped_in_a_run_counts_what_it_lost() {
    let (publisher, subscriber) = seqcast::inline::<[u64; 4]>(16);
    let publisher = publisher.share();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for id in 0..2 {
            let (publisher, stop) = (publisher.clone(), &stop);
            scope.spawn(move || {
                for round in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let numbers = round * 16..round * 16 + 16;
                    publisher.publish_many(numbers.map(|number| [id, number, !id, !number]));
                }
            });
        }
        let mut subscriber = subscriber;
        let (mut account, mut buffer) = (Account::new(&subscriber), Vec::new());
        let mut last = [None; 2];
        let (mut received, mut lost) = (0, 0);
        while received < 5_000 || lost < 20 {
            match subscriber.try_recv_many(&mut buffer, 12) {
                Ok(count) => account.received(&subscriber, count),
                Err(TryRecvError::Lagged(lagged)) => {
                    lost += 1;
                    account.lagged(&subscriber, lagged);
                }
                Err(_) => thread::yield_now(),
            }
            received += buffer.len();
            for [id, number, not_id, not_number] in buffer.drain(..) {
                assert_eq!((!id, !number), (not_id, not_number), "torn");
                assert!(last[id as usize] < Some(number), "messages of one publisher are out of order");
                last[id as usize] = Some(number);
            }
        }
        stop.store(true, Ordering::Relaxed);
        account.settle(&subscriber);
    });
}

#[test]
fn runs_of_receives_beside_odd_payloads_and_buffers() {
    let (mut publisher, mut subscriber) = seqcast::inline::<[u8; 13]>(64);
    let mut buffer: Vec<[u8; 13]> = Vec::new();
    for round in 0..50_u8 {
        publisher.publish_many((0..30).map(|n| [round ^ n; 13]));
        buffer.shrink_to_fit();
        let before = buffer.len();
        assert_eq!(subscriber.try_recv_many(&mut buffer, usize::MAX), Ok(30));
        assert!(buffer[before..].iter().copied().eq((0..30).map(|n| [round ^ n; 13])));
    }
    let (mut publisher, mut subscriber) = seqcast::inline::<()>(64);
    publisher.publish_many([(); 20]);
    let mut nearly: Vec<()> = vec![(); usize::MAX - 5];
    assert_eq!(subscriber.try_recv_many(&mut nearly, 5), Ok(5));
    assert_eq!(subscriber.next_sequence(), 5);
    let full = catch_unwind(AssertUnwindSafe(|| subscriber.try_recv_many(&mut nearly, 5)));
    assert!(full.is_err());
    assert_eq!((subscriber.next_sequence(), subscriber.received()), (5, 5));
    assert_eq!(subscriber.try_recv_many(&mut Vec::new(), usize::MAX), Ok(15));
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
}
