//! Runs: `publish_many` of a shared publisher claims sequences for several messages at once.

use crate::common::testing;
use crate::common::wakers::call;
use crate::common::{Account, eventually, model::LAST};
use seqcast::{Builder, Inline, SharedPublisher, Start, Subscriber, TryRecvError};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

fn ring(capacity: usize) -> (SharedPublisher<Inline<u64>>, Subscriber<Inline<u64>>) {
    let (publisher, subscriber) = seqcast::inline(capacity);
    (publisher.share(), subscriber)
}

/// The tails that an iterator of `count` messages loads, one before each message.
fn tails<T: seqcast::Plain>(builder: Builder, message: T, count: usize) -> Vec<u64> {
    let (publisher, _subscriber) = builder.inline::<T>();
    let (ring, publisher, tails) = (publisher.ring(), publisher.share(), RefCell::new(Vec::new()));
    let messages = std::iter::repeat_n(message, count).inspect(|_| tails.borrow_mut().push(ring.next_sequence()));
    assert_eq!(publisher.publish_many(messages), count);
    assert_eq!(ring.next_sequence(), count as u64);
    tails.into_inner()
}

pub(crate) fn in_runs_of(length: u64, count: u64) -> Vec<u64> {
    (0..count).map(|at| at / length * length).collect()
}

#[test]
fn messages_of_a_known_length_are_published_in_runs() {
    assert_eq!(tails(Builder::new(64), 0_u64, 40), in_runs_of(16, 40));
    assert_eq!(tails(Builder::new(64), [0_u64; 8], 40), in_runs_of(16, 40));
    assert_eq!(tails(Builder::new(64), [0_u64; 9], 40), in_runs_of(8, 40));
    assert_eq!(tails(Builder::new(64), [0_u8; 256], 40), in_runs_of(4, 40));
    assert_eq!(tails(Builder::new(64), [0_u8; 512], 40), in_runs_of(2, 40));
    assert_eq!(tails(Builder::new(64), [0_u8; 513], 40), in_runs_of(1, 40));
    assert_eq!(tails(Builder::new(64).gated(), 0_u64, 40), in_runs_of(16, 40));
    assert_eq!(tails(Builder::new(64), 0_u64, 7), in_runs_of(1, 7), "few messages must not make a run");
}

#[test]
fn a_run_is_a_quarter_of_the_ring_at_most() {
    assert_eq!(tails(Builder::new(32), 0_u64, 40), in_runs_of(8, 40));
    assert_eq!(tails(Builder::new(8), 0_u64, 40), in_runs_of(2, 40));
    assert_eq!(tails(Builder::new(4), 0_u64, 40), in_runs_of(1, 40));
    assert_eq!(tails(Builder::new(2), 0_u64, 40), in_runs_of(1, 40));
}

#[test]
fn a_ring_with_a_deadline_claims_one_by_one() {
    // At each expired deadline, publishers get room for one message.
    let builder = Builder::new(64).gated().gate_deadline(Duration::from_secs(1));
    assert_eq!(tails(builder, 0_u64, 40), in_runs_of(1, 40));
}

#[test]
fn an_iterator_of_unknown_length_may_wait_for_its_reader() {
    let (publisher, mut subscriber) = ring(64);
    let mut next = 0;
    let values = std::iter::from_fn(|| {
        if next > 0 {
            assert_eq!(subscriber.try_recv(), Ok(next - 1));
        }
        next += 1;
        (next <= 40).then_some(next - 1)
    });
    assert_eq!(publisher.publish_many(values), 40);
}

/// An iterator whose `size_hint` differs from its number of messages.
struct Liar(std::ops::Range<u64>, usize);

impl Iterator for Liar {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.1, Some(self.1))
    }
}

#[test]
fn a_wrong_length_loses_nothing() {
    for (said, count) in [(20, 3), (20, 0), (16, 40), (8, 17), (usize::MAX, 5)] {
        let (publisher, mut subscriber) = ring(64);
        assert_eq!(publisher.publish_many(Liar(0..count, said)), count as usize);
        assert!(subscriber.try_iter().map(Result::unwrap).eq(0..count));
    }
}

#[test]
fn what_a_panicking_iterator_gave_is_published() {
    for gated in [false, true] {
        for end in [0, 1, 15, 16, 21] {
            let builder = if gated { Builder::new(64).gated() } else { Builder::new(64) };
            let (publisher, mut subscriber) = builder.inline::<u64>();
            let publisher = publisher.share();
            let values = (0..40).inspect(|&value| {
                if value == end {
                    std::panic::resume_unwind(Box::new(()));
                }
            });
            assert!(catch_unwind(AssertUnwindSafe(|| publisher.publish_many(values))).is_err());
            assert!(subscriber.try_iter().map(Result::unwrap).eq(0..end));
            assert_eq!(publisher.next_sequence(), end);
        }
    }
}

#[test]
fn a_message_whose_slot_is_held_goes_to_the_next_one() {
    // Runs of 4. The slots of 18 and 21 are held, inside two runs, and that of 24 at the beginning
    // of a third.
    let (publisher, mut subscriber) = ring(16);
    let held = [2, 5, 8];
    for sequence in 0..16 {
        let claim = testing::claim(&publisher).unwrap();
        assert_eq!(claim.sequence(), sequence);
        let write = claim.begin().unwrap();
        if held.contains(&sequence) { std::mem::forget(write) } else { write.commit(sequence) }
    }
    subscriber.seek(Start::At(16));
    let mut account = Account::new(&subscriber);
    assert_eq!(publisher.publish_many(100..110), 10);
    assert_eq!((publisher.next_sequence(), publisher.ring().stats().skipped), (29, 3));
    let mut received = Vec::new();
    while let Ok(message) = subscriber.try_recv() {
        account.received(&subscriber, 1);
        received.push((account.last.unwrap(), message));
    }
    let sequences = (16..29).filter(|sequence| !held.contains(&(sequence - 16)));
    assert!(received.iter().copied().eq(sequences.zip(100..110)), "{received:?}");
    assert_eq!(subscriber.holes(), 3);
    account.settle(&subscriber);
}

#[test]
fn no_waker_runs_between_a_claim_and_its_commit() {
    // The slot of 17 is held, so the first run wakes subscribers for its hole.
    let (publisher, mut parked) = ring(16);
    for sequence in 0..16 {
        let write = testing::claim(&publisher).unwrap().begin().unwrap();
        if sequence == 1 { std::mem::forget(write) } else { write.commit(sequence) }
    }
    parked.seek(Start::Latest);
    let (ring, seen) = (publisher.ring(), Arc::new(Mutex::new(Vec::new())));
    let looks = Arc::clone(&seen);
    let waker = call(move || {
        let mut reader = ring.subscribe_at(Start::At(16));
        let tail = ring.next_sequence();
        let read = reader.try_iter().map(Result::unwrap).count();
        assert_eq!(reader.try_recv(), Err(TryRecvError::Empty));
        looks.lock().unwrap().push((tail, read, reader.next_sequence()));
    });
    assert_eq!(parked.poll_recv(&mut Context::from_waker(&waker)), Poll::Pending);
    assert_eq!(publisher.publish_many(0..8), 8);
    assert_eq!(
        *seen.lock().unwrap(),
        [(20, 3, 20)],
        "at the wake-up, every claimed sequence must be committed or a hole"
    );
}

#[test]
fn a_closed_ring_publishes_nothing_of_a_run() {
    let (publisher, mut subscriber) = ring(64);
    let other = publisher.clone();
    let values = (0..40).inspect(|&value| {
        if value == 20 {
            assert!(other.close());
        }
    });
    assert_eq!(publisher.publish_many(values), 16);
    assert_eq!(publisher.next_sequence(), 16);
    assert!(subscriber.iter().map(Result::unwrap).eq(0..16));
}

#[test]
fn a_run_is_cut_at_the_last_sequence() {
    for gated in [false, true] {
        for left in [1, 3, 4, 6] {
            let builder = Builder::new(16).first_sequence(LAST + 1 - left);
            let (publisher, mut subscriber) = if gated { builder.gated() } else { builder }.inline::<u64>();
            let publisher = publisher.share();
            assert_eq!(publisher.publish_many(0..20), left as usize);
            assert!(publisher.is_closed());
            assert_eq!((publisher.next_sequence(), publisher.publish_many(0..20)), (LAST + 1, 0));
            assert!(subscriber.iter().map(Result::unwrap).eq(0..left));
            assert_eq!(publisher.ring().stats().published, left);
        }
    }
}

#[test]
fn a_run_takes_the_room_that_there_is() {
    let (publisher, _lossy) = Builder::new(64).gated().inline::<u64>();
    let publisher = publisher.share();
    let ring = publisher.ring();
    let mut gating = ring.subscribe_gating().unwrap();
    assert_eq!(publisher.publish_many(0..60), 60);
    thread::scope(|scope| {
        scope.spawn(move || assert_eq!(publisher.publish_many(60..76), 16));
        eventually("the ring is full", || ring.next_sequence() >= 64);
        assert_eq!(ring.next_sequence(), 64, "a publisher claimed beyond the gating subscriber");
        let mut buffer = Vec::new();
        while gating.recv_many(&mut buffer, 64).is_ok() {}
        assert!(buffer.into_iter().eq(0..76));
    });
}

#[test]
fn runs_of_several_publishers_stay_in_order_and_lose_nothing() {
    let (publisher, _lossy) = Builder::new(64).gated().inline::<[u64; 2]>();
    let publisher = publisher.share();
    let mut gating = publisher.ring().subscribe_gating().unwrap();
    const EACH: u64 = 20_000;
    thread::scope(|scope| {
        for id in 0..3 {
            let publisher = publisher.clone();
            scope.spawn(move || {
                assert_eq!(publisher.publish_many((0..EACH).map(|number| [id, number])), EACH as usize);
            });
        }
        drop(publisher);
        let (mut next, mut buffer) = ([0; 3], Vec::new());
        while gating.recv_many(&mut buffer, 50).is_ok() {
            for [id, number] in buffer.drain(..) {
                assert_eq!(number, next[id as usize]);
                next[id as usize] += 1;
            }
        }
        assert_eq!(next, [EACH; 3]);
    });
}

#[test]
fn the_oldest_is_exact_beyond_any_number_of_claims() {
    // Claims that have reached no slot have overwritten nothing, even laps of them.
    let (publisher, mut subscriber) = ring(4);
    let ring = publisher.ring();
    assert_eq!(publisher.publish_many(0..6), 6);
    for claims in 1..20 {
        std::mem::forget(testing::claim(&publisher).unwrap());
        assert_eq!((ring.next_sequence(), ring.oldest_sequence()), (6 + claims, 2));
        let mut oldest = ring.subscribe_at(Start::Oldest);
        assert!(oldest.try_iter().map(Result::unwrap).eq(2..6));
    }
    let lagged = subscriber.try_recv().unwrap_err();
    assert_eq!(lagged, TryRecvError::Lagged(seqcast::Lagged { missed: 2, resumed_at: 2 }));
    assert!(testing::resume(&publisher, 15).begin().is_some());
    assert_eq!(ring.oldest_sequence(), 12);
}

#[test]
fn latest_finds_the_newest_beyond_any_number_of_claims() {
    // A ring of 16 whose publishers use runs of 4. One publisher is suspended at 0, and 1 is
    // published. Then `runs` publishers are suspended, each after it has claimed its run.
    for runs in 0..12 {
        let (publisher, mut subscriber) = seqcast::inline::<u64>(16);
        let publisher = publisher.share();
        std::mem::forget(testing::claim(&publisher).unwrap());
        assert_eq!(publisher.publish(1), Ok(1));
        for _ in 0..4 * runs {
            std::mem::forget(testing::claim(&publisher).unwrap());
        }
        assert_eq!(subscriber.latest(), Ok(1), "{runs} runs are claimed");
    }
}

#[test]
fn latest_is_not_older_than_what_is_there() {
    let (publisher, mut subscriber) = seqcast::inline::<u64>(16);
    let publisher = publisher.share();
    assert_eq!(publisher.publish(0), Ok(0));
    std::mem::forget(testing::claim(&publisher).unwrap());
    assert_eq!(publisher.publish(2), Ok(2));
    for _ in 0..4 * 9 {
        std::mem::forget(testing::claim(&publisher).unwrap());
    }
    assert_eq!(subscriber.latest(), Ok(2));
}
