//! A small program of two or three real threads, run for real; at the end everything adds up. No program is made that could
//! wait for ever: whoever is stopped with a slot in hand goes on before its thread ends, and one slot at least is always free.
#![no_main]
#![allow(clippy::pedantic, reason = "as the tests it shares")]

#[path = "../../tests/common/mod.rs"]
mod common;

use common::testing;
use arbitrary::{Arbitrary, Unstructured};
use common::{Account, Carry, Signed, look, receive, sign, verify};
use libfuzzer_sys::fuzz_target;
use seqcast::{Boxed, Builder, Inline, Publisher, RecvError, Ring, SharedPublisher, Start, Subscriber};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread;

/// What a publisher does next.
#[derive(Arbitrary, Debug)]
enum Act {
    Publish(u8),
    Many(u8),
    Yield,
    /// Stops between the claim and its slot, or in it, until the next `Resume` or the end.
    Stall {
        before: bool,
    },
    Resume,
    Clone,
    Close,
}

#[derive(Debug)]
struct Writing {
    exclusive: bool,
    /// One of them at least.
    publishers: Vec<Vec<Act>>,
}

#[derive(Arbitrary, Debug)]
struct Reading {
    path: u8,
    /// Joins when it runs, rather than before.
    late: Option<u8>,
    /// Leaves after so many receives.
    leaves: Option<u8>,
    /// Asks for the newest now and then.
    latest: bool,
    yields: bool,
}

fuzz_target!(|data: &[u8]| {
    let _ = program(&mut Unstructured::new(data));
});

fn program(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let boxed = bytes.arbitrary()?;
    let capacity = 2 << bytes.int_in_range(0..=2)?;
    let first = if bytes.ratio(1, 4)? { common::FIRSTS[1] } else { 0 };
    let builder = Builder::new(capacity).first_sequence(first).lag_slack(bytes.int_in_range(0..=1)?);
    let publishers = bytes.int_in_range(1..=2)?;
    let readers = bytes.int_in_range(1..=3 - publishers)?;
    let exclusive = publishers == 1 && bytes.arbitrary()?;
    let readings = (0..readers).map(|_| bytes.arbitrary()).collect::<Result<Vec<Reading>, _>>()?;
    let acts = |bytes: &mut Unstructured<'_>| {
        let count = bytes.int_in_range(1..=24)?;
        (0..count).map(|_| bytes.arbitrary()).collect::<arbitrary::Result<Vec<Act>>>()
    };
    let publishers = (0..publishers).map(|_| acts(bytes)).collect::<Result<Vec<_>, _>>()?;
    let writing = Writing { exclusive, publishers };
    if boxed {
        run::<Boxed<Tracked>>(builder, writing, readings);
        assert_eq!(LIVE.load(Ordering::SeqCst), 0, "messages that are left, or were dropped twice");
    } else {
        run::<Inline<Signed>>(builder, writing, readings);
    }
    Ok(())
}

/// What publishers did, all of them together.
#[derive(Default)]
struct Done {
    published: AtomicU64,
    /// Claims in slow motion: all, and those that got no slot.
    claims: AtomicU64,
    refused: AtomicU64,
}

fn run<S: Carry>(builder: Builder, writing: Writing, readings: Vec<Reading>) {
    let (publisher, mut idle) = S::ring(builder);
    let (ring, done) = (publisher.ring(), Done::default());
    let (first, capacity) = (ring.next_sequence(), ring.capacity());
    let start = Barrier::new(writing.publishers.len() + readings.len());
    let seen = thread::scope(|scope| {
        let (done, start) = (&done, &start);
        let readers: Vec<_> = readings
            .into_iter()
            .map(|reading| {
                let (ring, early) = (ring.clone(), reading.late.is_none().then(|| ring.subscribe()));
                scope.spawn(move || {
                    start.wait();
                    read(early, &ring, &reading)
                })
            })
            .collect();
        let mut writers = Vec::new();
        if writing.exclusive {
            let acts = writing.publishers.into_iter().next().unwrap();
            writers.push(scope.spawn(move || {
                start.wait();
                alone(publisher, acts, done);
            }));
        } else {
            let publisher = publisher.share();
            // A slot stays free, whoever is stopped.
            let stalls = capacity > writing.publishers.len();
            for (id, acts) in writing.publishers.into_iter().enumerate() {
                let (publisher, stalls) = (publisher.clone(), stalls || id == 0);
                writers.push(scope.spawn(move || {
                    start.wait();
                    beside(publisher, id as u64, acts, stalls, done);
                }));
            }
        }
        // Joined one by one: a scope ends before its threads have freed all they had, which looks like a leak.
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>()
    });
    // Law 2, of two subscribers.
    let mut witness = HashMap::new();
    for (sequence, name) in seen.into_iter().flatten() {
        assert_eq!(*witness.entry(sequence).or_insert(name), name, "two messages under one sequence");
    }
    // One that did not look until now.
    let mut account = Account::new(&idle);
    common::read_to_end(&mut idle, 0, &mut account, |_, message| {
        verify(message);
    });
    assert_eq!(idle.next_sequence(), ring.next_sequence());
    let (stats, drawn) = (ring.stats(), ring.next_sequence() - first);
    assert_eq!(account.received + account.missed + idle.holes(), drawn, "law 1");
    let [published, claims, refused] = [&done.published, &done.claims, &done.refused].map(|n| n.load(Ordering::SeqCst));
    assert_eq!(stats.published + stats.skipped, drawn);
    // Of the claims that got no slot, some are holes, and some were too late.
    let least = published + claims - refused;
    assert!((least..=least + refused).contains(&stats.published), "{published} {claims} {refused}: {stats:?}");
    assert!(stats.closed && stats.subscribers.len() == 1);
}

fn alone<S: Carry>(mut publisher: Publisher<S>, acts: Vec<Act>, done: &Done) {
    let mut number = 0..;
    let mut message = || S::wrap(sign(0, number.next().unwrap()));
    for act in acts {
        match act {
            Act::Publish(count) => (0..count % 16).for_each(|_| {
                publisher.publish(message());
            }),
            Act::Many(count) => drop(publisher.publish_many((0..count % 16).map(|_| message()))),
            Act::Close => break,
            _ => thread::yield_now(),
        }
    }
    done.published.store(number.start, Ordering::SeqCst);
}

enum Stalled<'a, S: Carry> {
    Before(testing::Claim<'a, S>),
    In(testing::Write<'a, S>),
}

fn begin<'a, S: Carry>(claim: testing::Claim<'a, S>, done: &Done) -> Option<testing::Write<'a, S>> {
    let write = claim.begin();
    done.refused.fetch_add(u64::from(write.is_none()), Ordering::SeqCst);
    write
}

fn resume<S: Carry>(stalled: Option<Stalled<'_, S>>, signed: Signed, done: &Done) {
    let write = match stalled {
        Some(Stalled::Before(claim)) => begin(claim, done),
        Some(Stalled::In(write)) => Some(write),
        None => None,
    };
    if let Some(write) = write {
        write.commit(S::wrap(signed));
    }
}

fn beside<S: Carry>(publisher: SharedPublisher<S>, id: u64, acts: Vec<Act>, stalls: bool, done: &Done) {
    let (mut number, mut late, mut published, mut stalled) = (0.., 0.., 0, None);
    // What was stopped comes out of its turn, as from somebody else.
    let mut late = || sign(id + 8, late.next().unwrap());
    let other = publisher.clone();
    let mut message = || S::wrap(sign(id, number.next().unwrap()));
    let mut current = publisher.clone();
    for act in acts {
        match act {
            Act::Publish(count) => {
                (0..count % 16).for_each(|_| published += u64::from(current.publish(message()).is_ok()))
            }
            Act::Many(count) => published += current.publish_many((0..count % 16).map(|_| message())) as u64,
            Act::Stall { before } if stalls && stalled.is_none() => {
                if let Some(claim) = testing::claim(&other) {
                    done.claims.fetch_add(1, Ordering::SeqCst);
                    stalled = if before { Some(Stalled::Before(claim)) } else { begin(claim, done).map(Stalled::In) };
                }
            }
            Act::Resume => resume(stalled.take(), late(), done),
            Act::Clone => current = publisher.clone(),
            Act::Close => drop(current.close()),
            _ => thread::yield_now(),
        }
    }
    resume(stalled.take(), late(), done);
    done.published.fetch_add(published, Ordering::SeqCst);
}

/// Returns what it saw under which sequence, where that is known.
fn read<S: Carry>(early: Option<Subscriber<S>>, ring: &Ring<S>, reading: &Reading) -> Vec<(u64, (u64, u64))> {
    let mut subscriber = early.unwrap_or_else(|| {
        ring.subscribe_at(match reading.late {
            Some(0..64) => Start::Oldest,
            Some(late @ 64..128) => Start::At(ring.next_sequence().saturating_sub(u64::from(late - 64))),
            _ => Start::Latest,
        })
    });
    let mut account = Account::new(&subscriber);
    let (mut seen, mut last, mut buffer) = (Vec::new(), HashMap::new(), Vec::new());
    let limit = reading.leaves.map_or(usize::MAX, usize::from);
    let mut newest = None;
    for turn in 0..limit {
        if reading.latest && turn % 4 == 3 {
            if let Ok(message) = subscriber.latest() {
                buffer.push(message);
                account.received(&subscriber, 1);
            }
        } else {
            match receive(&mut subscriber, u64::from(reading.path), &mut buffer) {
                Ok(count) => account.received(&subscriber, count),
                Err(RecvError::Lagged(lagged)) => account.lagged(&subscriber, lagged),
                Err(RecvError::Closed) => {
                    assert_eq!(subscriber.next_sequence(), ring.next_sequence(), "law 4");
                    newest = Some(subscriber.try_recv().is_err());
                    break;
                }
            }
        }
        let alone = buffer.len() == 1;
        for message in buffer.drain(..) {
            let (publisher, number) = verify(S::open(message));
            assert!(last.insert(publisher, number) < Some(number), "out of its publisher's order");
            if alone {
                seen.push((subscriber.last_sequence().unwrap(), (publisher, number)));
            }
        }
        account.settle(&subscriber);
        if reading.yields {
            thread::yield_now();
        }
    }
    assert_ne!(newest, Some(false), "closed, and then not");
    account.settle(&subscriber);
    seen
}

/// Messages there are.
static LIVE: AtomicI64 = AtomicI64::new(0);

/// A message that is counted.
struct Tracked(Box<Signed>);

impl Tracked {
    fn new(signed: Signed) -> Self {
        LIVE.fetch_add(1, Ordering::SeqCst);
        Self(Box::new(signed))
    }
}

impl Clone for Tracked {
    fn clone(&self) -> Self {
        Self::new(*self.0)
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        verify(*self.0);
        LIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Deref for Tracked {
    type Target = Signed;

    fn deref(&self) -> &Signed {
        &self.0
    }
}

impl Carry for Boxed<Tracked> {
    const PATHS: u64 = 8;

    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>) {
        builder.boxed()
    }

    fn wrap(signed: Signed) -> Tracked {
        Tracked::new(signed)
    }

    fn open(message: Tracked) -> Signed {
        *message.0
    }

    fn borrow(subscriber: &mut Subscriber<Self>, path: u64) -> Result<Signed, RecvError> {
        look(subscriber, path)
    }
}
