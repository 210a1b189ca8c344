//! Gating subscribers that join a running ring lose nothing from their start on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use seqcast::{Boxed, Builder, Inline, RecvError, Ring, Start, SubscribeError, Subscriber};

use crate::common::panics::{throw, throws};
use crate::common::{Account, Carry, Signed, receive, seed, sign, verify};
use crate::{in_time, publish};

/// Receives `count` messages. None is lost: the numbers of each publisher are consecutive.
fn reads_without_loss<S: Carry>(subscriber: &mut Subscriber<S>, last: &mut [Option<u64>; 3], count: u64, path: u64) {
    let mut buffer = Vec::new();
    let goal = subscriber.next_sequence() + count;
    while subscriber.next_sequence() < goal {
        receive(subscriber, path, &mut buffer).expect("a gating subscriber must lose nothing");
        for message in buffer.drain(..) {
            let (publisher, number) = verify(S::open(message));
            if let Some(last) = last[publisher as usize].replace(number) {
                assert_eq!(number, last + 1, "a message of publisher {publisher} was lost");
            }
        }
    }
}

/// Joins at a random sequence. Messages before the tail may be lost. They are received here, so the
/// caller starts where the guarantee starts.
fn join<S: Carry>(ring: &Ring<S>, random: &mut fastrand::Rng) -> Subscriber<S> {
    let before = ring.next_sequence();
    let mut gating = loop {
        let next = ring.next_sequence();
        let start = match random.u8(0..6) {
            0 => Start::Oldest,
            1 => Start::At(next.saturating_sub(random.u64(0..4))),
            // Beyond the tail, unless the tail advances meanwhile.
            2 => Start::At(next + random.u64(0..8)),
            _ => {
                let gating = ring.subscribe_gating().unwrap();
                assert!(gating.next_sequence() >= before);
                return gating;
            }
        };
        match (ring.subscribe_gating_at(start), start) {
            (Ok(gating), _) => break gating,
            (Err(SubscribeError::Evicted { oldest }), Start::At(asked)) => {
                assert!(asked < oldest, "{start:?}, {oldest}")
            }
            (Err(error), _) => panic!("{error} ({start:?})"),
        }
    };
    let guaranteed = ring.next_sequence();
    let mut account = Account::new(&gating);
    while gating.next_sequence() < guaranteed {
        match gating.recv() {
            Ok(_) => account.received(&gating, 1),
            Err(RecvError::Lagged(lagged)) => account.lagged(&gating, lagged),
            Err(RecvError::Closed) => panic!("closed"),
        }
    }
    account.settle(&gating);
    gating
}

fn leave<S: Carry>(gating: Subscriber<S>, random: &mut fastrand::Rng) {
    if random.u8(0..4) == 0 {
        assert!(throws(move || {
            let _gating = gating;
            throw();
        }));
    }
}

fn comes_and_goes<S: Carry>(ring: &Ring<S>, rounds: u64, mut random: fastrand::Rng) {
    for _ in 0..rounds {
        let mut gating = join(ring, &mut random);
        let (mut last, missed) = ([None; 3], gating.missed());
        let count = random.u64(0..3 * ring.capacity() as u64 + 2);
        reads_without_loss(&mut gating, &mut last, count, random.u64(..S::PATHS));
        if random.bool() {
            // A clone starts at the cursor of the original. Either of the two may be slower.
            let (mut clone, mut lasts) = (gating.clone(), last);
            assert!(clone.is_gating() && clone.next_sequence() == gating.next_sequence());
            thread::scope(|scope| {
                scope.spawn(move || reads_without_loss(&mut clone, &mut lasts, count, 0));
                reads_without_loss(&mut gating, &mut last, count, 2);
            });
        }
        assert_eq!(gating.missed(), missed);
        leave(gating, &mut random);
    }
}

fn running<S: Carry>(capacity: usize, rounds: u64) {
    let mut random = fastrand::Rng::with_seed(seed());
    let (publisher, lossy) = S::ring(Builder::new(capacity).gated());
    let (publisher, over) = (publisher.share(), AtomicBool::new(false));
    let (ring, published) = (publisher.ring(), AtomicU64::new(0));
    thread::scope(|scope| {
        for id in 0..3 {
            let (publisher, over, published) = (publisher.clone(), &over, &published);
            scope.spawn(move || {
                for number in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    publish(&publisher, number / 16, S::wrap(sign(id, number))).unwrap();
                    published.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let comers: Vec<_> = (0..3)
            .map(|_| {
                let (ring, random) = (&ring, random.fork());
                scope.spawn(move || comes_and_goes(ring, rounds, random))
            })
            .collect();
        let comers: Vec<_> = comers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        over.store(true, Ordering::Relaxed);
        assert!(comers.iter().all(Result::is_ok), "a reader panicked");
    });
    drop((publisher, lossy));
    assert_eq!(ring.stats().published, published.into_inner());
}

#[test]
fn a_subscriber_that_joins_a_running_ring_loses_nothing() {
    in_time(|| {
        running::<Inline<Signed>>(2, 300);
        running::<Inline<Signed>>(8, 300);
        running::<Boxed<Box<Signed>>>(4, 200);
    });
}

/// Without a gating subscriber, the publisher does not wait. So it often laps a subscriber that is
/// about to join.
#[test]
fn a_subscriber_that_joins_beside_an_exclusive_publisher_loses_nothing() {
    in_time(|| {
        for capacity in [2, 64] {
            let (mut publisher, _lossy) = Builder::new(capacity).gated().inline::<Signed>();
            let (ring, over) = (publisher.ring(), AtomicBool::new(false));
            thread::scope(|scope| {
                let over = &over;
                scope.spawn(move || {
                    for number in 0.. {
                        if over.load(Ordering::Relaxed) {
                            break;
                        }
                        publisher.publish(sign(0, number));
                    }
                });
                let joined = scope.spawn(move || {
                    for round in 0..5_000 {
                        let mut gating = ring.subscribe_gating().unwrap();
                        let start = gating.next_sequence();
                        for sequence in start..start + 3 {
                            assert_eq!(gating.recv().map(verify), Ok((0, sequence)), "round {round}");
                        }
                    }
                });
                let joined = joined.join();
                over.store(true, Ordering::Relaxed);
                joined.unwrap();
            });
        }
    });
}

/// The original receives immediately and is dropped. The clone still receives every message.
#[test]
fn a_clone_that_is_left_behind_loses_nothing() {
    in_time(|| {
        let (mut publisher, _lossy) = Builder::new(2).gated().inline::<u64>();
        let (ring, over) = (publisher.ring(), AtomicBool::new(false));
        thread::scope(|scope| {
            let over = &over;
            let mut gating = ring.subscribe_gating().unwrap();
            scope.spawn(move || {
                for message in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    publisher.publish(message);
                }
            });
            let relay = scope.spawn(move || {
                for _ in 0..200_000 {
                    let clone = gating.clone();
                    for sequence in gating.next_sequence()..gating.next_sequence() + 2 {
                        assert_eq!(gating.recv(), Ok(sequence));
                    }
                    gating = clone;
                    let sequence = gating.next_sequence();
                    assert_eq!(gating.recv(), Ok(sequence));
                }
            });
            let relay = relay.join();
            over.store(true, Ordering::Relaxed);
            relay.unwrap();
        });
    });
}
