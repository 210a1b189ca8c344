//! Runs of the only publisher: `publish_many` writes several messages, the first of them last.

use crate::common::{Account, model::LAST, seed, sign, verify};
use crate::runs::in_runs_of;
use seqcast::{Builder, RecvError, Start, TryRecvError};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

/// The tails that an iterator of `count` messages loads, one before each message.
fn tails(builder: Builder, count: usize) -> Vec<u64> {
    let (mut publisher, _subscriber) = builder.inline::<u64>();
    let (ring, tails) = (publisher.ring(), RefCell::new(Vec::new()));
    let messages = std::iter::repeat_n(7, count).inspect(|_| tails.borrow_mut().push(ring.next_sequence()));
    assert_eq!(publisher.publish_many(messages), 0..count as u64);
    assert_eq!((ring.next_sequence(), publisher.next_sequence()), (count as u64, count as u64));
    tails.into_inner()
}

#[test]
fn messages_of_a_known_length_are_published_in_runs() {
    assert_eq!(tails(Builder::new(64), 40), in_runs_of(16, 40));
    assert_eq!(tails(Builder::new(64).gated(), 40), in_runs_of(16, 40));
    assert_eq!(tails(Builder::new(8), 40), in_runs_of(2, 40), "a run must be a quarter of the ring");
    assert_eq!(tails(Builder::new(4), 40), in_runs_of(1, 40));
    assert_eq!(tails(Builder::new(64), 7), in_runs_of(1, 7), "few messages must not make a run");
    let deadline = Builder::new(64).gated().gate_deadline(Duration::from_secs(1));
    assert_eq!(tails(deadline, 40), in_runs_of(1, 40));
}

#[test]
fn what_a_panicking_iterator_gave_is_published() {
    for panics_at in [0, 1, 15, 16, 17, 39] {
        let (mut publisher, mut subscriber) = seqcast::inline::<u64>(64);
        let messages = (0..40).map(|at| if at == panics_at { std::panic::resume_unwind(Box::new(())) } else { at });
        assert!(catch_unwind(AssertUnwindSafe(|| publisher.publish_many(messages))).is_err());
        assert_eq!(publisher.publish(99), panics_at);
        assert!(subscriber.try_iter().map(Result::unwrap).eq((0..panics_at).chain([99])));
    }
}

#[test]
fn a_run_takes_the_room_that_there_is() {
    let (mut publisher, _lossy) = Builder::new(64).gated().inline::<u64>();
    let mut gate = publisher.ring().subscribe_gating().unwrap();
    for number in 0..60 {
        publisher.publish(number);
    }
    let writer = thread::spawn(move || publisher.publish_many(60..1000));
    for number in 0..1000 {
        assert_eq!(gate.recv(), Ok(number));
    }
    assert_eq!(writer.join().unwrap(), 60..1000);
    assert_eq!(gate.recv(), Err(RecvError::Closed));
    assert_eq!(gate.missed(), 0);
}

#[test]
fn a_run_is_cut_at_the_last_sequence() {
    for gated in [false, true] {
        let builder = Builder::new(64).first_sequence(LAST - 20);
        let (mut publisher, mut subscriber) = if gated { builder.gated() } else { builder }.inline::<u64>();
        assert!(
            catch_unwind(AssertUnwindSafe(|| publisher.publish_many(0..40))).is_err(),
            "the publish must panic, because the sequences are used up"
        );
        assert_eq!(publisher.ring().stats().published, 21);
        assert!(catch_unwind(AssertUnwindSafe(|| publisher.publish(0))).is_err());
        assert!(subscriber.try_iter().map(Result::unwrap).eq(0..21));
        assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty), "the ring must still be open");
    }
}

/// The iterator's panic is propagated, even if there is no sequence for the messages before it.
#[test]
fn an_iterator_may_panic_at_the_last_sequence() {
    for gated in [false, true] {
        for panics_at in [20, 21, 25, 39] {
            let builder = Builder::new(64).first_sequence(LAST - 20);
            let (mut publisher, mut subscriber) = if gated { builder.gated() } else { builder }.inline::<u64>();
            let messages = (0..40).map(|at| if at == panics_at { std::panic::resume_unwind(Box::new(7)) } else { at });
            let thrown = catch_unwind(AssertUnwindSafe(|| publisher.publish_many(messages))).unwrap_err();
            let used_up = panics_at == 39;
            assert_eq!(thrown.downcast_ref::<i32>(), (!used_up).then_some(&7), "{panics_at}");
            assert!(subscriber.try_iter().map(Result::unwrap).eq(0..panics_at.min(21)));
        }
    }
}

/// Runs repeatedly lap the readers. Each message is whole, in order, and counted.
#[test]
fn runs_beside_readers_that_lag() {
    fastrand::seed(seed());
    for capacity in [8, 64, 1024] {
        let (mut publisher, subscriber) = seqcast::inline(capacity);
        let ring = publisher.ring();
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let mut subscriber = subscriber.clone();
                thread::spawn(move || {
                    let (mut account, mut last) = (Account::new(&subscriber), None);
                    loop {
                        match subscriber.recv() {
                            Ok(message) => {
                                let number = verify(message).1;
                                assert_eq!(Some(number), subscriber.last_sequence());
                                assert!(last.replace(number) < Some(number));
                                account.received(&subscriber, 1);
                            }
                            Err(RecvError::Lagged(lagged)) => account.lagged(&subscriber, lagged),
                            Err(RecvError::Closed) => break,
                        }
                        let ring = subscriber.ring();
                        assert!(ring.next_sequence() >= subscriber.next_sequence());
                        assert!(ring.oldest_sequence() + ring.capacity() as u64 >= subscriber.next_sequence());
                    }
                    account.settle(&subscriber);
                    account.received + account.missed
                })
            })
            .collect();
        let mut published = 0;
        while published < 30_000 {
            let end = published + fastrand::u64(1..100);
            let many = (published..end).map(|number| sign(0, number)).collect::<Vec<_>>();
            assert_eq!(publisher.publish_many(many), published..end);
            published = end;
        }
        drop(publisher);
        assert_eq!(readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>(), [published; 2]);
        let mut late = ring.subscribe_at(Start::Oldest);
        assert_eq!(late.try_iter().count(), capacity.min(usize::try_from(published).unwrap()));
    }
}
