//! The real crate under the model checker: every interleaving (up to a bound on preemptions) of small programs.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --test loom`
//!
//! loom keeps stale values and reorders as the language allows, except that it never lets a load see a later store (no load
//! buffering), and that a `SeqCst` fence orders a little more than the language promises. Each model also asserts which
//! outcomes it reached, so that one that explores nothing fails. `LOOM_MAX_PREEMPTIONS` overrides the bounds.

#![cfg(loom)]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use loom::future::block_on;
use loom::thread;
use seqcast::{Builder, Inline, Publisher, Start, Subscriber, TryRecvError, testing};

/// Two words, so that a torn read shows.
type Pair = [u64; 2];

fn pair(id: u64) -> Pair {
    [id, !id]
}

fn id([id, check]: Pair) -> u64 {
    assert_eq!(check, !id, "torn");
    id
}

/// A ring on which nobody parks, so that no fence of the wake-up orders what must be ordered without it.
fn ring(capacity: usize) -> (Publisher<Inline<Pair>>, Subscriber<Inline<Pair>>) {
    Builder::new(capacity).never_parked().inline()
}

/// A ring for readers that wait.
fn parking_ring(capacity: usize) -> (Publisher<Inline<Pair>>, Subscriber<Inline<Pair>>) {
    Builder::new(capacity).inline()
}

/// Runs `program` in every interleaving with at most `preemptions`, and returns the outcomes.
fn explore<O: Ord + Send + 'static>(
    preemptions: usize,
    program: impl Fn() -> O + Send + Sync + 'static,
) -> BTreeSet<O> {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    let outcomes = Arc::new(Mutex::new(BTreeSet::new()));
    let (seen, runs) = (Arc::clone(&outcomes), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&runs);
    builder.check(move || {
        let outcome = program();
        count.fetch_add(1, Ordering::Relaxed);
        seen.lock().unwrap().insert(outcome);
    });
    println!("{} interleavings", runs.load(Ordering::Relaxed));
    Arc::into_inner(outcomes).unwrap().into_inner().unwrap()
}

/// A subscriber that keeps the account of law 1 and checks law 2.
struct Account {
    subscriber: Subscriber<Inline<Pair>>,
    start: u64,
    got: Vec<(u64, u64)>,
    missed: u64,
}

impl Account {
    fn new(subscriber: Subscriber<Inline<Pair>>) -> Self {
        Self { start: subscriber.next_sequence(), subscriber, got: Vec::new(), missed: 0 }
    }

    fn take(&mut self, message: Pair) {
        let sequence = self.subscriber.last_sequence().unwrap();
        assert!(self.got.last().is_none_or(|last| last.0 < sequence), "out of order");
        self.got.push((sequence, id(message)));
    }

    /// One try, which may bring a message or a loss.
    fn poll(&mut self) -> Result<(), TryRecvError> {
        let received = self.subscriber.try_recv();
        match received {
            Ok(message) => self.take(message),
            Err(TryRecvError::Lagged(lagged)) => {
                assert_eq!(lagged.resumed_at, self.subscriber.next_sequence());
                self.missed += lagged.missed;
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    /// Reads all there is, then settles the account.
    fn settle(&mut self) -> TryRecvError {
        let end = loop {
            if let Err(end) = self.poll() {
                break end;
            }
        };
        assert_eq!(self.missed, self.subscriber.missed());
        assert_eq!(
            self.got.len() as u64 + self.missed + self.subscriber.holes(),
            self.subscriber.next_sequence() - self.start,
            "the account does not add up"
        );
        end
    }

    /// Blocks for message after message until the end.
    fn read_to_end(&mut self) {
        loop {
            match self.subscriber.recv() {
                Ok(message) => self.take(message),
                Err(seqcast::RecvError::Lagged(lagged)) => self.missed += lagged.missed,
                Err(seqcast::RecvError::Closed) => break,
            }
        }
        assert_eq!(self.settle(), TryRecvError::Closed);
    }

    fn ids(&self) -> Vec<u64> {
        self.got.iter().map(|got| got.1).collect()
    }
}

// Slots.

#[test]
fn nothing_is_torn_when_one_publisher_laps() {
    let outcomes = explore(3, || {
        let (mut publisher, subscriber) = ring(2);
        let mut account = Account::new(subscriber);
        let writer = thread::spawn(move || {
            for q in 0..3 {
                publisher.publish(pair(q));
            }
            publisher
        });
        for _ in 0..2 {
            let _ = account.poll();
        }
        let publisher = writer.join().unwrap();
        assert_eq!(account.settle(), TryRecvError::Empty);
        assert!(account.got.iter().all(|got| got.0 == got.1), "wrong message");
        drop(publisher);
        (account.ids(), account.missed)
    });
    assert!(outcomes.contains(&(vec![0, 1, 2], 0)) && outcomes.contains(&(vec![1, 2], 1)), "{outcomes:?}");
}

#[test]
fn nothing_is_torn_when_two_publishers_lap() {
    let outcomes = explore(2, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let mut account = Account::new(subscriber);
        let other = publisher.clone();
        let writer = thread::spawn(move || [other.publish(pair(10)).unwrap(), other.publish(pair(11)).unwrap()]);
        let second = thread::spawn(move || publisher.publish(pair(20)).map(|q| (q, publisher)).unwrap());
        let _ = account.poll();
        let _ = account.poll();
        let mut sequences = writer.join().unwrap().to_vec();
        let (q, publisher) = second.join().unwrap();
        sequences.push(q);
        account.settle();
        let claimed = publisher.next_sequence();
        assert_eq!(account.subscriber.next_sequence(), claimed, "something readable was not read");
        for (sequence, id) in &account.got {
            let expected = sequences.iter().zip([10, 11, 20]).find(|(q, _)| *q == sequence);
            assert_eq!(expected.map(|(_, id)| id), Some(*id), "wrong message");
        }
        (account.got.len(), account.missed, account.subscriber.holes())
    });
    assert!(outcomes.contains(&(3, 0, 0)) && outcomes.contains(&(2, 1, 0)), "{outcomes:?}");
    assert!(outcomes.iter().any(|outcome| outcome.2 > 0), "no hole: {outcomes:?}");
}

#[test]
fn a_stalled_publisher_stops_nobody() {
    // Sequence 0 is claimed and its slot taken for good. 1, 3, 5 come through; 2, 4 are holes; a reader that is woken at the
    // latest a lap later reads on.
    let outcomes = explore(2, || {
        let (publisher, subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let mut account = Account::new(subscriber);
        let stalled = publisher.clone();
        let write = testing::claim(&stalled).unwrap().begin().unwrap();
        let writer = thread::spawn(move || [publisher.publish(pair(7)).unwrap(), publisher.publish(pair(8)).unwrap()]);
        let first = account.subscriber.recv();
        match first {
            Ok(message) => account.take(message),
            Err(seqcast::RecvError::Lagged(lagged)) => account.missed += lagged.missed,
            Err(seqcast::RecvError::Closed) => panic!("closed while a handle is there"),
        }
        assert_eq!(writer.join().unwrap(), [1, 3]);
        account.settle();
        assert_eq!(account.ids().last(), Some(&8));
        drop(write);
        (account.ids(), account.missed, account.subscriber.holes())
    });
    assert!(outcomes.contains(&(vec![8], 2, 1)) || outcomes.contains(&(vec![8], 3, 0)), "{outcomes:?}");
}

#[test]
fn a_stalled_publisher_may_come_back() {
    let outcomes = explore(2, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let mut account = Account::new(subscriber);
        let stalled = publisher.clone();
        let writer = thread::spawn(move || [publisher.publish(pair(7)).unwrap(), publisher.publish(pair(8)).unwrap()]);
        let back = thread::spawn(move || {
            let claim = testing::claim(&stalled).unwrap();
            let sequence = claim.sequence();
            if let Some(write) = claim.begin() {
                write.commit(pair(9));
            }
            (sequence, stalled)
        });
        let _ = account.poll();
        let [seven, eight] = writer.join().unwrap();
        let (nine, _stalled) = back.join().unwrap();
        account.settle();
        let names = [(seven, 7), (eight, 8), (nine, 9)];
        assert!(account.got.iter().all(|got| names.contains(got)), "{:?}", account.got);
        (account.ids().len(), account.missed, account.subscriber.holes())
    });
    assert!(outcomes.len() > 2, "{outcomes:?}");
}

#[test]
fn a_claim_that_is_overrun_harms_nobody() {
    // Claimed, then lapped before it took its slot.
    explore(2, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let mut account = Account::new(subscriber);
        let late = publisher.clone();
        let claim = testing::claim(&late).unwrap();
        let writer = thread::spawn(move || {
            for id in 1..=3 {
                publisher.publish(pair(id)).unwrap();
            }
        });
        let _ = account.poll();
        if let Some(write) = claim.begin() {
            write.commit(pair(0));
        }
        writer.join().unwrap();
        account.settle();
        assert_eq!(account.subscriber.next_sequence(), late.next_sequence());
        assert!(account.got.windows(2).all(|two| two[0].1 < two[1].1));
    });
}

// The end.

#[test]
fn an_acknowledged_publish_lies_before_the_end() {
    let outcomes = explore(3, || {
        let (publisher, subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let mut account = Account::new(subscriber);
        let closer = publisher.clone();
        let writer = thread::spawn(move || publisher.publish(pair(1)).is_ok());
        let reader = thread::spawn(move || {
            account.read_to_end();
            account
        });
        assert!(closer.close());
        let published = writer.join().unwrap();
        let account = reader.join().unwrap();
        assert_eq!(account.ids(), if published { vec![1] } else { vec![] });
        assert_eq!(account.missed, 0);
        published
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn one_of_two_closers_wins() {
    let outcomes = explore(3, || {
        let (publisher, mut subscriber) = ring(2);
        let publisher = publisher.share();
        let other = publisher.clone();
        let second = thread::spawn(move || {
            let won = other.close();
            (won, other.publish(pair(0)).is_err())
        });
        let first = publisher.close();
        assert_eq!(publisher.next_sequence(), 0, "a refused claim counts");
        let (second, refused) = second.join().unwrap();
        assert!(refused);
        assert!(first != second);
        assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(publisher.next_sequence(), 0);
        first
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn who_learns_of_the_end_leaves_nobody_in_the_dark() {
    // The one that closed may be stopped in the middle: whoever was refused, or came second, has made the end known to all.
    let outcomes = explore(3, || {
        let (publisher, mut subscriber) = ring(2);
        let publisher = publisher.share();
        let other = publisher.clone();
        let closing = thread::spawn(move || other.close());
        let refused = publisher.publish(pair(1)).is_err();
        if refused {
            assert!(subscriber.is_closed());
            assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
        } else {
            publisher.close();
            assert_eq!(subscriber.try_recv().map(id), Ok(1));
            assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
        }
        closing.join().unwrap();
        refused
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn a_closer_that_comes_too_late_moves_no_end() {
    let outcomes = explore(3, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let mut account = Account::new(subscriber);
        let other = publisher.clone();
        let closing = thread::spawn(move || other.close());
        let published = publisher.publish_many([pair(0), pair(1)]) as u64;
        let won = publisher.close();
        assert_eq!(publisher.next_sequence(), published);
        assert!(closing.join().unwrap() != won);
        assert_eq!(publisher.next_sequence(), published);
        assert_eq!(account.settle(), TryRecvError::Closed);
        assert_eq!(account.got.len() as u64, published);
        (published, won)
    });
    assert_eq!(outcomes, BTreeSet::from([(0, false), (1, false), (2, false), (2, true)]));
}

#[test]
fn the_last_of_two_publishers_closes() {
    explore(2, || {
        let (publisher, subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let mut account = Account::new(subscriber);
        let other = publisher.clone();
        let first = thread::spawn(move || publisher.publish(pair(1)).unwrap());
        let second = thread::spawn(move || other.publish(pair(2)).unwrap());
        account.read_to_end();
        assert_eq!(account.missed, 0);
        let mut ids = account.ids();
        ids.sort_unstable();
        assert_eq!(ids, [1, 2]);
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn messages_come_before_closed() {
    let outcomes = explore(3, || {
        let (mut publisher, mut subscriber) = ring(2);
        let writer = thread::spawn(move || {
            publisher.publish(pair(1));
        });
        let first = subscriber.try_recv();
        writer.join().unwrap();
        match first {
            Err(TryRecvError::Empty) => assert_eq!(subscriber.try_recv().map(id), Ok(1)),
            first => assert_eq!(first.map(id), Ok(1)),
        }
        assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
        first.is_ok()
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn a_claim_below_the_end_is_waited_for() {
    // The end is set while a message below it is claimed and not committed.
    explore(3, || {
        let (publisher, mut subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let other = publisher.clone();
        std::mem::forget(testing::claim(&other).unwrap());
        let writer = thread::spawn(move || {
            testing::resume(&other, 0).begin().unwrap().commit(pair(5));
            other
        });
        publisher.close();
        assert_eq!(subscriber.recv().map(id), Ok(5));
        assert_eq!(subscriber.recv(), Err(seqcast::RecvError::Closed));
        writer.join().unwrap();
    });
}

#[test]
fn a_closed_ring_is_never_empty_before_its_end() {
    // With several publishers that are all gone, what lies before the end can be read by whoever sees the end.
    let outcomes = explore(3, || {
        let (publisher, mut subscriber) = ring(2);
        let publisher = publisher.share();
        let other = publisher.clone();
        let writer = thread::spawn(move || publisher.publish(pair(1)).unwrap());
        let reader = thread::spawn(move || {
            let closed = subscriber.is_closed();
            if closed {
                assert_eq!(subscriber.try_recv().map(id), Ok(1));
                assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
            }
            closed
        });
        drop(other);
        writer.join().unwrap();
        reader.join().unwrap()
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn marks_of_holes_may_be_made_out_of_order() {
    // Sequence 0 is held for good; 2 and 4 find the slot held, one not knowing of the other. Nothing hides 5.
    explore(3, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let mut account = Account::new(subscriber);
        let held = testing::claim(&publisher).unwrap().begin().unwrap();
        for q in 1..5 {
            let claim = testing::claim(&publisher).unwrap();
            if q % 2 == 1 {
                claim.begin().unwrap().commit(pair(q));
            } else {
                std::mem::forget(claim);
            }
        }
        let other = publisher.clone();
        let second = thread::spawn(move || assert!(testing::resume(&other, 2).begin().is_none()));
        assert!(testing::resume(&publisher, 4).begin().is_none());
        second.join().unwrap();
        publisher.publish(pair(5)).unwrap();
        account.settle();
        assert_eq!(account.subscriber.next_sequence(), 6);
        assert_eq!(account.ids(), [5]);
        drop(held);
    });
}

#[test]
fn a_lap_while_closing_is_told_exactly() {
    // Refused claims count on in the tail; a lapped reader must not take them for messages.
    explore(2, || {
        let (mut publisher, mut subscriber) = ring(2);
        publisher.publish_many((0..3).map(pair));
        let publisher = publisher.share();
        let (closer, ring) = (publisher.clone(), publisher.ring());
        let closing = thread::spawn(move || {
            closer.close();
        });
        let mut last = 2;
        for _ in 0..3 {
            if let Ok(sequence) = publisher.publish(pair(9)) {
                last = sequence;
            }
        }
        let told = subscriber.try_recv();
        let seen = ring.next_sequence();
        closing.join().unwrap();
        assert_eq!((seen, ring.next_sequence()), (last + 1, last + 1));
        let Err(TryRecvError::Lagged(lagged)) = told else { panic!("no loss: {told:?}") };
        assert_eq!(lagged.resumed_at, last - 1);
    });
}

// Joining.

#[test]
fn a_subscriber_that_joins_misses_nothing_after() {
    let outcomes = explore(3, || {
        let (mut publisher, _first) = ring(4);
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher.publish(pair(1));
            publisher
        });
        let mut account = Account::new(ring.subscribe());
        let publisher = writer.join().unwrap();
        account.settle();
        let expected: Vec<_> = (account.start..2).map(|q| (q, q)).collect();
        assert_eq!(account.got, expected);
        drop(publisher);
        account.start
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1, 2]));
}

#[test]
fn what_lies_before_the_tail_can_be_read() {
    let outcomes = explore(3, || {
        let (mut publisher, _first) = ring(2);
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher.publish(pair(1));
            publisher
        });
        let tail = ring.next_sequence();
        let mut subscriber = ring.subscribe_at(Start::At(0));
        for q in 0..tail {
            assert_eq!(subscriber.try_recv().map(id), Ok(q));
        }
        writer.join().unwrap();
        tail
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1, 2]));
}

#[test]
fn what_was_received_lies_before_the_tail() {
    // The exclusive publisher moves the tail after the commit.
    let outcomes = explore(3, || {
        let (mut publisher, mut subscriber) = ring(2);
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher.publish(pair(1));
            publisher
        });
        let there = !subscriber.is_empty();
        let received = subscriber.try_iter().count();
        assert!(received > 0 || !there);
        let next = subscriber.next_sequence();
        assert!(ring.next_sequence() >= next);
        assert!(ring.subscribe().next_sequence() >= next);
        assert_eq!(ring.try_subscribe_at(Start::At(next)).unwrap().next_sequence(), next);
        writer.join().unwrap();
        received
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1, 2]));
}

#[test]
fn a_subscriber_may_join_a_lapped_ring() {
    let outcomes = explore(2, || {
        let (mut publisher, _first) = ring(2);
        let ring = publisher.ring();
        let writer = thread::spawn(move || {
            for q in 0..3 {
                publisher.publish(pair(q));
            }
            publisher
        });
        let mut account = Account::new(ring.subscribe_at(Start::Oldest));
        let joined = ring.try_subscribe_at(Start::At(0));
        let publisher = writer.join().unwrap();
        account.settle();
        assert!(account.got.iter().all(|got| got.0 == got.1));
        assert_eq!(account.subscriber.next_sequence(), 3);
        drop(publisher);
        joined.is_ok()
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn the_exclusive_publisher_follows_the_shared_ones() {
    let outcomes = explore(2, || {
        let (publisher, subscriber) = ring(2);
        let publisher = publisher.share();
        let mut account = Account::new(subscriber);
        let other = publisher.clone();
        let writer = thread::spawn(move || {
            other.publish(pair(0)).unwrap();
            other.publish(pair(1)).unwrap();
        });
        let exclusive = match publisher.try_into_exclusive() {
            Ok(mut publisher) => {
                publisher.publish(pair(2));
                publisher.publish(pair(3));
                assert_eq!(publisher.next_sequence(), 4);
                true
            }
            Err(shared) => {
                shared.publish(pair(2)).unwrap();
                false
            }
        };
        let _ = account.poll();
        writer.join().unwrap();
        assert_eq!(account.settle(), TryRecvError::Closed);
        exclusive
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

// Parking. A lost wake-up is a deadlock, which loom reports.

#[test]
fn a_parked_thread_is_woken_by_a_publish() {
    explore(3, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher
        });
        assert_eq!(subscriber.recv().map(id), Ok(0));
        writer.join().unwrap();
    });
}

#[test]
fn a_parked_thread_is_woken_each_time() {
    explore(2, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher.publish(pair(1));
            publisher
        });
        assert_eq!([subscriber.recv().map(id), subscriber.recv().map(id)], [Ok(0), Ok(1)]);
        writer.join().unwrap();
    });
}

#[test]
fn a_parked_task_is_woken_by_a_publish() {
    explore(3, || {
        let (publisher, mut subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let writer = thread::spawn(move || {
            publisher.publish(pair(0)).unwrap();
            publisher
        });
        assert_eq!(block_on(subscriber.recv_async()).map(id), Ok(0));
        writer.join().unwrap();
    });
}

#[test]
fn a_parked_thread_is_woken_by_a_batch() {
    explore(2, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let writer = thread::spawn(move || {
            publisher.publish_many([pair(0), pair(1)]);
            publisher
        });
        assert_eq!([subscriber.recv().map(id), subscriber.recv().map(id)], [Ok(0), Ok(1)]);
        writer.join().unwrap();
    });
}

#[test]
fn a_parked_thread_is_woken_by_the_last_drop() {
    explore(3, || {
        let (publisher, mut subscriber) = parking_ring(2);
        let closer = thread::spawn(move || drop(publisher));
        assert_eq!(subscriber.recv(), Err(seqcast::RecvError::Closed));
        closer.join().unwrap();
    });
}

#[test]
fn a_parked_task_is_woken_by_close() {
    explore(3, || {
        let (publisher, mut subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let closer = thread::spawn(move || {
            publisher.close();
            publisher
        });
        assert_eq!(block_on(subscriber.recv_async()), Err(seqcast::RecvError::Closed));
        closer.join().unwrap();
    });
}

#[test]
fn a_thread_parked_at_a_hole_is_woken_by_the_skip() {
    // 0 is held for good. The writer of 2 skips and gets no further: the reader must learn that it was lapped.
    explore(3, || {
        let (publisher, mut subscriber) = parking_ring(2);
        let publisher = publisher.share();
        let other = publisher.clone();
        let held = testing::claim(&publisher).unwrap().begin().unwrap();
        let writer = thread::spawn(move || {
            let one = testing::claim(&other).unwrap();
            let two = testing::claim(&other).unwrap();
            std::mem::forget(one);
            assert!(two.begin().is_none());
            other
        });
        assert!(matches!(subscriber.recv(), Err(seqcast::RecvError::Lagged(_))));
        writer.join().unwrap();
        drop(held);
    });
}

#[test]
fn two_parked_threads_are_woken() {
    explore(2, || {
        let (mut publisher, mut first) = parking_ring(2);
        let mut second = first.clone();
        let reader = thread::spawn(move || first.recv().map(id));
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher
        });
        assert_eq!(second.recv().map(id), Ok(0));
        assert_eq!(reader.join().unwrap(), Ok(0));
        writer.join().unwrap();
    });
}

#[test]
fn two_publishers_wake_two_parked_threads() {
    explore(1, || {
        let (publisher, mut first) = parking_ring(4);
        let publisher = publisher.share();
        let other = publisher.clone();
        let mut second = first.clone();
        let readers = [
            thread::spawn(move || first.recv().and_then(|_| first.recv()).is_ok()),
            thread::spawn(move || second.recv().and_then(|_| second.recv()).is_ok()),
        ];
        let writer = thread::spawn(move || other.publish(pair(0)).map(|_| other).unwrap());
        publisher.publish(pair(1)).unwrap();
        for reader in readers {
            assert!(reader.join().unwrap());
        }
        writer.join().unwrap();
    });
}

/// Counts its wakes, and shows by its reference count whether somebody still holds it.
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_queued_subscriber_may_be_dropped() {
    explore(3, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let counter = Arc::new(Counter(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&counter));
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher
        });
        let _ = subscriber.poll_recv(&mut Context::from_waker(&waker));
        drop(subscriber);
        writer.join().unwrap();
        drop(waker);
        assert_eq!(Arc::strong_count(&counter), 1, "the waker of a dropped subscriber is kept");
    });
}

#[test]
fn a_dropped_future_loses_nothing() {
    explore(3, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let counter = Arc::new(Counter(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&counter));
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher
        });
        let mut future = Box::pin(subscriber.recv_async());
        let first = future.as_mut().poll(&mut Context::from_waker(&waker));
        drop(future);
        if first.is_pending() {
            assert_eq!(subscriber.recv().map(id), Ok(0));
        } else {
            assert_eq!(first.map_ok(id), Poll::Ready(Ok(0)));
        }
        writer.join().unwrap();
        drop(waker);
        assert_eq!(Arc::strong_count(&counter), 1, "the waker of a dropped future is kept");
    });
}

#[test]
fn a_pending_poll_is_woken() {
    let outcomes = explore(3, || {
        let (mut publisher, mut subscriber) = parking_ring(2);
        let counter = Arc::new(Counter(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&counter));
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher
        });
        let first = subscriber.poll_recv(&mut Context::from_waker(&waker));
        writer.join().unwrap();
        let woken = counter.0.load(Ordering::SeqCst);
        assert!(first.is_ready() || woken == 1, "pending and never woken");
        (first.is_ready(), woken)
    });
    assert!(outcomes.contains(&(true, 0)) && outcomes.contains(&(false, 1)), "{outcomes:?}");
}

#[test]
fn two_publishers_share_the_lists_of_those_to_wake() {
    // Three wait for the first message; two more wait for the second while the first is being told.
    explore(2, || {
        let (publisher, first) = parking_ring(4);
        let publisher = publisher.share();
        let other = publisher.clone();
        let counters: Vec<_> = (0..5).map(|_| Arc::new(Counter(AtomicUsize::new(0)))).collect();
        let mut subscribers: Vec<_> = (0..5).map(|_| first.clone()).collect();
        let mut park = |at: usize| {
            let waker = Waker::from(Arc::clone(&counters[at]));
            while subscribers[at].poll_recv(&mut Context::from_waker(&waker)).is_ready() {}
        };
        (0..3).for_each(&mut park);
        let writer = thread::spawn(move || other.publish(pair(0)).map(|_| other).unwrap());
        (3..5).for_each(&mut park);
        publisher.publish(pair(1)).unwrap();
        writer.join().unwrap();
        for (subscriber, counter) in subscribers.iter_mut().zip(&counters) {
            assert!(counter.0.load(Ordering::SeqCst) > 0, "never woken");
            while subscriber.try_recv().is_ok() {}
            assert_eq!(subscriber.next_sequence(), 2);
        }
    });
}
