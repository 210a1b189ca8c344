//! Eager-drop rings, with other options, suspended threads, and misused handles.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use seqcast::{Boxed, Builder, Lagged, Publisher, Ref, Start, Subscriber, TryRecvError};

use crate::{Token, left};

fn settled<S: seqcast::Storage>(subscriber: &Subscriber<S>, before: [u64; 3]) {
    let [missed, holes, skipped] = before;
    let counted = subscriber.received()
        + (subscriber.missed() - missed)
        + (subscriber.holes() - holes)
        + (subscriber.skipped_by_choice() - skipped);
    assert_eq!(counted, subscriber.next_sequence() - subscriber.start_sequence(), "{subscriber:?}");
}

#[test]
fn slack_does_not_lead_past_the_tail() {
    for slack in 0..8 {
        let (mut publisher, mut reader) = Builder::new(8).lag_slack(slack).eager_drop().boxed::<Token>();
        publisher.publish_many((0..5).map(|_| Token::default()));
        assert_eq!(reader.try_iter().count(), 5);
        let mut late = publisher.ring().subscribe_at(Start::At(0));
        assert_eq!(late.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 5, resumed_at: 5 })), "slack {slack}");
        publisher.publish(Token::default());
        assert!(late.try_recv().is_ok());
    }
}

#[test]
fn slack_loses_no_more_than_would_be_overwritten() {
    let (mut publisher, mut reader) = Builder::new(8).lag_slack(3).eager_drop().boxed::<Token>();
    publisher.publish_many((0..5).map(|_| Token::default()));
    reader.try_recv().unwrap();
    let mut late = publisher.ring().subscribe_at(Start::At(0));
    // Four more messages fit before message 1 is overwritten.
    assert_eq!(late.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 1, resumed_at: 1 })));
}

/// A message with a number, which records its drop.
struct Numbered {
    number: Box<u64>,
    alive: Arc<Mutex<BTreeSet<u64>>>,
}

impl Drop for Numbered {
    fn drop(&mut self) {
        assert!(self.alive.lock().unwrap().remove(&self.number), "a message was dropped twice");
    }
}

impl Numbered {
    fn new(number: u64, alive: &Arc<Mutex<BTreeSet<u64>>>) -> Self {
        assert!(alive.lock().unwrap().insert(number));
        Self { number: Box::new(number), alive: Arc::clone(alive) }
    }
}

type Reader = (Subscriber<Boxed<Numbered>>, [u64; 3], Option<u64>);

/// On one thread, after each step: the live messages are exactly those that a subscriber may read,
/// or has borrowed and leaked.
#[test]
fn the_ring_holds_what_somebody_may_read_whatever_they_do() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..400 {
        let capacity = 1_u64 << random.u64(0..4);
        let (gated, leaks) = (random.bool(), random.bool());
        let slack = if random.bool() { 0 } else { random.usize(..capacity as usize) };
        let mut builder = Builder::new(capacity as usize).lag_slack(slack).eager_drop();
        if gated {
            builder = builder.gated();
        }
        let (publisher, first) = builder.boxed::<Numbered>();
        let publisher = publisher.share();
        let shown = publisher.ring();
        let alive = Arc::new(Mutex::new(BTreeSet::new()));
        // Each has the counts from before its account began, and the message that it leaked.
        let mut subscribers: Vec<Reader> = vec![(first, [0; 3], None)];
        let (mut dropped, mut oldest) = (0, 0);
        for _ in 0..200 {
            let count = subscribers.len();
            let any = if count > 0 { random.usize(..count) } else { 0 };
            let anywhere = Start::At(random.u64(..shown.next_sequence() + 2));
            let start = random.choice([Start::Latest, Start::Oldest, anywhere]).unwrap();
            match random.usize(0..14) {
                0..5 => {
                    let _ = publisher.try_publish(Numbered::new(shown.next_sequence(), &alive)).map_err(drop);
                }
                5..8 if count > 0 => {
                    let (subscriber, _, leaked) = &mut subscribers[any];
                    // A receive may change the pin, whatever it returns.
                    *leaked = None;
                    if let Ok(message) = subscriber.try_recv_ref() {
                        assert_eq!(*message.number, Ref::sequence(&message));
                        if leaks && random.u32(..8) == 0 {
                            *leaked = Some(*message.number);
                            std::mem::forget(message);
                        }
                    }
                }
                8 if count > 0 => {
                    let (subscriber, _, leaked) = &mut subscribers[any];
                    drop(subscriber.latest_ref());
                    *leaked = None;
                }
                9 if count > 0 => {
                    let (subscriber, counts, _) = &mut subscribers[any];
                    subscriber.seek(start);
                    *counts = [subscriber.missed(), subscriber.holes(), subscriber.skipped_by_choice()];
                }
                10 if count > 0 && count < 20 => {
                    let clone = subscribers[any].0.clone();
                    subscribers.push((clone, [0; 3], None));
                }
                11 if count < 20 => {
                    if gated && random.bool() {
                        subscribers
                            .extend(shown.subscribe_gating_at(start).ok().map(|subscriber| (subscriber, [0; 3], None)));
                    } else if random.bool() {
                        subscribers
                            .extend(shown.try_subscribe_at(start).ok().map(|subscriber| (subscriber, [0; 3], None)));
                    } else {
                        subscribers.push((shown.subscribe_at(start), [0; 3], None));
                    }
                }
                12 | 13 if count > 0 => drop(subscribers.swap_remove(any)),
                _ => {}
            }
            let tail = shown.next_sequence();
            for (subscriber, counts, _) in &subscribers {
                settled(subscriber, *counts);
                assert!(subscriber.next_sequence() <= tail, "{subscriber:?} is past the tail {tail}");
            }
            assert!(shown.oldest_sequence() >= oldest);
            oldest = shown.oldest_sequence();
            let positions = subscribers.iter().map(|(s, _, leaked)| s.next_sequence().min(leaked.unwrap_or(u64::MAX)));
            let needed = positions.min().unwrap_or(tail);
            dropped = dropped.max(needed).max(tail.saturating_sub(capacity));
            let leaked: BTreeSet<u64> = subscribers.iter().filter_map(|(_, _, leaked)| *leaked).collect();
            let alive = alive.lock().unwrap();
            let expected: BTreeSet<u64> = (dropped..tail).collect();
            assert!(alive.is_superset(&expected), "lost: {alive:?} {expected:?} {subscribers:?}");
            if leaks {
                continue;
            }
            // Messages that were overwritten before they were read.
            let rest: Vec<_> = alive.iter().filter(|q| !expected.contains(q) && !leaked.contains(q)).collect();
            assert!(rest.len() <= 20 / 8, "{rest:?}: {subscribers:?}");
            assert!(
                rest.iter().all(|q| **q < tail.saturating_sub(capacity)),
                "kept: {rest:?} {dropped} {tail} {capacity} {leaked:?} {subscribers:?}"
            );
            assert_eq!(shown.oldest_sequence(), dropped, "{subscribers:?}");
        }
        // All subscribers receive to the end.
        for (subscriber, _, _) in &mut subscribers {
            while let Ok(_) | Err(TryRecvError::Lagged(_)) = subscriber.try_recv_ref() {}
        }
        for (subscriber, counts, _) in &mut subscribers {
            assert!(subscriber.try_recv_ref().is_err());
            settled(subscriber, *counts);
        }
        assert!(leaks || alive.lock().unwrap().is_empty(), "{subscribers:?}");
        drop(subscribers);
        drop((publisher, shown));
        assert!(alive.lock().unwrap().is_empty());
    }
}

#[test]
fn a_thread_that_stops_in_a_walk_costs_a_bounded_number_of_messages() {
    const CAPACITY: usize = 16;
    let (publisher, mut reader) = Builder::new(CAPACITY).eager_drop().boxed::<Token>();
    let (publisher, token) = (publisher.share(), Token::default());
    publisher.publish(Arc::clone(&token)).unwrap();
    // SAFETY: no other walk is in progress.
    #[allow(unsafe_code, reason = "simulates a suspended thread")]
    unsafe {
        seqcast::testing::stop_in_a_walk(&publisher.ring());
    }
    for _ in 0..10_000 {
        publisher.publish(Arc::clone(&token)).unwrap();
        if fastrand::bool() {
            drop(reader.try_recv());
        }
        assert!(left(&token) <= 2 * CAPACITY + 64 + 2, "{}", left(&token));
    }
    publisher.close();
    while !matches!(reader.try_recv(), Err(TryRecvError::Closed)) {}
    drop((publisher, reader));
    assert_eq!(left(&token), 0);
}

#[test]
#[allow(unsafe_code, reason = "splits a publish into its steps")]
fn a_message_that_comes_after_a_lap_is_dropped_by_its_publish() {
    let (publisher, subscriber) = Builder::new(2).eager_drop().boxed::<Token>();
    let (publisher, token) = (publisher.share(), Token::default());
    drop(subscriber);
    // SAFETY: one publish is left unfinished, and the ring has two slots.
    let late = unsafe { seqcast::testing::claim(&publisher) }.unwrap().begin().unwrap();
    for _ in 0..2 {
        publisher.publish(Token::default()).unwrap();
    }
    assert_eq!((publisher.ring().stats().skipped, publisher.ring().oldest_sequence()), (1, 4));
    late.commit(Arc::clone(&token));
    assert_eq!(left(&token), 0);
}

#[test]
fn a_subscriber_that_tries_to_subscribe_at_the_latest_misses_nothing() {
    let (mut publisher, mut reader) = Builder::new(64).eager_drop().boxed::<Token>();
    let (ring, done) = (publisher.ring(), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..300_000 {
                publisher.publish(Token::default());
                drop(reader.try_recv().unwrap());
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            let mut late = ring.try_subscribe_at(Start::Latest).unwrap();
            if late.lag() < 32 {
                if let Err(error) = late.try_recv() {
                    assert!(error.is_empty() || late.lag() > 8, "{error}");
                }
            }
        }
    });
}

#[test]
fn threads_that_do_everything() {
    // It is borrowed, so the address sanitizer detects a read after the drop.
    struct Checked(Box<[u64; 3]>, Arc<AtomicU64>);
    impl Drop for Checked {
        fn drop(&mut self) {
            assert_eq!(self.0[0] ^ self.0[1], self.0[2]);
            self.0[2] = !self.0[2];
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }
    let look = |message: &Checked| assert_eq!(message.0[0] ^ message.0[1], message.0[2]);
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(20);
    println!("seed {seed}");
    for round in 0..rounds {
        let mut random = fastrand::Rng::with_seed(seed ^ (round << 16));
        let gated = random.bool();
        let mut builder = Builder::new(1 << random.u32(0..6)).eager_drop();
        if gated {
            builder = builder.gated();
        }
        let (publisher, first) = builder.boxed::<Checked>();
        let (publisher, drops, made) = (publisher.share(), Arc::new(AtomicU64::new(0)), AtomicU64::new(0));
        let writing = AtomicU64::new(3);
        thread::scope(|scope| {
            for writer in 0..3 {
                let (publisher, drops, made, writing) = (publisher.clone(), &drops, &made, &writing);
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed ^ (round << 16) ^ (100 + writer));
                    for _ in 0..3_000 {
                        let (a, b) = (random.u64(..), random.u64(..));
                        made.fetch_add(1, Ordering::Relaxed);
                        let _ =
                            publisher.try_publish(Checked(Box::new([a, b, a ^ b]), Arc::clone(drops))).map_err(drop);
                    }
                    writing.fetch_sub(1, Ordering::Relaxed);
                });
            }
            for reader in 0..3 {
                let (mut subscriber, writing) = (first.clone(), &writing);
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed ^ (round << 16) ^ (200 + reader));
                    let mut before = [subscriber.missed(), subscriber.holes(), subscriber.skipped_by_choice()];
                    while writing.load(Ordering::Relaxed) > 0 {
                        let back = Start::At(subscriber.next_sequence().saturating_sub(random.u64(..8)));
                        let start = random.choice([Start::Latest, Start::Oldest, back]).unwrap();
                        let changed = match random.usize(..60) {
                            0 => {
                                subscriber = subscriber.clone();
                                true
                            }
                            1 => {
                                subscriber = subscriber.ring().subscribe_at(start);
                                true
                            }
                            2 => subscriber.ring().try_subscribe_at(start).is_ok_and(|new| {
                                subscriber = new;
                                true
                            }),
                            3 => subscriber.ring().subscribe_gating_at(start).is_ok_and(|new| {
                                subscriber = new;
                                true
                            }),
                            4 => {
                                let _ = subscriber.latest_ref().map(|m| look(&m));
                                false
                            }
                            5 => {
                                let _ = subscriber.try_recv_ref().map(std::mem::forget);
                                false
                            }
                            6 | 7 => {
                                subscriber.seek(start);
                                true
                            }
                            _ => {
                                let _ = subscriber.try_recv_ref().map(|m| look(&m));
                                false
                            }
                        };
                        if changed {
                            before = if matches!(subscriber.received(), 0) {
                                [subscriber.missed(), subscriber.holes(), subscriber.skipped_by_choice()]
                            } else {
                                before
                            };
                        }
                        settled(&subscriber, before);
                    }
                });
            }
            drop(first);
        });
        let made = made.into_inner();
        publisher.publish(Checked(Box::new([1, 2, 3]), Arc::clone(&drops))).ok();
        assert_eq!(
            drops.load(Ordering::Relaxed),
            made + 1,
            "round {round}: messages are left although all subscribers are gone"
        );
    }
}

#[test]
fn a_watcher_whose_waker_panics_may_watch_again() {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::atomic::AtomicUsize;
    use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
    static WOKEN: AtomicUsize = AtomicUsize::new(0);
    static PANICS: AtomicBool = AtomicBool::new(true);
    static TABLE: RawWakerVTable = RawWakerVTable::new(
        |data| {
            assert!(!PANICS.load(Ordering::Relaxed), "the clone panics");
            RawWaker::new(data, &TABLE)
        },
        |_| {
            WOKEN.fetch_add(1, Ordering::Relaxed);
        },
        |_| {
            WOKEN.fetch_add(1, Ordering::Relaxed);
        },
        |_| {},
    );
    let (publisher, subscriber): (Publisher<Boxed<Token>>, _) = Builder::new(4).boxed();
    let ring = publisher.ring();
    let mut watch = pin!(ring.unsubscribed());
    // SAFETY: the functions of the table use no data.
    #[allow(unsafe_code, reason = "a waker that panics")]
    let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &TABLE)) };
    let mut cx = Context::from_waker(&waker);
    let attempt = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| watch.as_mut().poll(&mut cx)));
    assert!(attempt.is_err());
    PANICS.store(false, Ordering::Relaxed);
    assert_eq!(watch.as_mut().poll(&mut cx), Poll::Pending);
    drop(subscriber);
    assert_eq!(WOKEN.load(Ordering::Relaxed), 1);
}
