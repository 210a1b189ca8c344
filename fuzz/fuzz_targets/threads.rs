//! A small program of two to four real threads. After they have ended, all counts must add up.
//!
//! No program can wait forever. A publisher that is suspended in its slot resumes before its thread
//! ends, and at least one slot is always free. On a gated ring, a publisher that has a suspended
//! publish does not wait for room: a gating subscriber may be waiting for that message.
#![no_main]
#![allow(clippy::pedantic, reason = "as the tests it shares")]

#[path = "../../tests/common/mod.rs"]
mod common;

use arbitrary::{Arbitrary, Unstructured};
use common::testing;
use common::{Account, Carry, Signed, block_on, lock, look, receive, sign, verify};
use libfuzzer_sys::fuzz_target;
use seqcast::{
    Boxed, Builder, Inline, Publisher, RecvError, Ring, SharedPublisher, Start, SubscribeError, Subscriber,
    TryPublishError,
};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

/// Longer than any wait of a program.
const LONG: Duration = Duration::from_secs(10);

/// A message: its publisher, and its number among that publisher's messages.
type Name = (u64, u64);

/// What a publisher does next.
#[derive(Arbitrary, Debug)]
enum Act {
    Publish(u8),
    Many(u8),
    Yield,
    /// Suspends the publisher between the claim and the write, or inside the write, until the next
    /// `Resume` or the end.
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
    /// At least one.
    publishers: Vec<Vec<Act>>,
}

#[derive(Arbitrary, Debug)]
struct Reading {
    /// The way to receive. Its two highest bits are options for gated rings.
    path: u8,
    /// Subscribes when it runs, not before.
    late: Option<u8>,
    /// Leaves after so many receives.
    leaves: Option<u8>,
    /// Sometimes receives the newest message.
    latest: bool,
    yields: bool,
}

impl Reading {
    /// Whether it gates, on a gated ring.
    fn gates(&self) -> bool {
        self.path & 0x80 != 0
    }

    /// Whether a gating subscriber is replaced by its clone now and then.
    fn is_cloned(&self) -> bool {
        self.path & 0x40 != 0
    }
}

fuzz_target!(|data: &[u8]| {
    let _ = program(&mut Unstructured::new(data));
});

fn program(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let boxed = bytes.arbitrary()?;
    let kind = bytes.int_in_range(0..=5)?;
    let (capacity, gated) = (2 << (kind % 3), kind >= 3);
    let first = if bytes.ratio(1, 4)? { common::FIRSTS[1] } else { 0 };
    let builder = Builder::new(capacity).first_sequence(first).lag_slack(bytes.int_in_range(0..=1)?);
    let (builder, threads) = if gated { (builder.gated(), 4) } else { (builder, 3) };
    let publishers = bytes.int_in_range(1..=threads - 1)?;
    let readers = bytes.int_in_range(1..=threads - publishers)?;
    let exclusive = publishers == 1 && bytes.arbitrary()?;
    let readings = (0..readers).map(|_| bytes.arbitrary()).collect::<Result<Vec<Reading>, _>>()?;
    let acts = |bytes: &mut Unstructured<'_>| {
        let count = bytes.int_in_range(1..=24)?;
        (0..count).map(|_| bytes.arbitrary()).collect::<arbitrary::Result<Vec<Act>>>()
    };
    let publishers = (0..publishers).map(|_| acts(bytes)).collect::<Result<Vec<_>, _>>()?;
    let writing = Writing { exclusive, publishers };
    if boxed {
        run::<Boxed<Tracked>>(builder, gated, writing, readings);
        assert_eq!(LIVE.load(Ordering::SeqCst), 0, "messages that are left, or were dropped twice");
    } else {
        run::<Inline<Signed>>(builder, gated, writing, readings);
    }
    Ok(())
}

/// What all publishers did.
#[derive(Default)]
struct Done {
    published: Mutex<Vec<Name>>,
    /// Claims in slow motion that got no slot.
    refused: AtomicU64,
}

impl Done {
    /// Takes no lock while the iterator runs: it may publish, and wait for another publisher.
    fn published(&self, names: impl IntoIterator<Item = Name>) {
        let names: Vec<_> = names.into_iter().collect();
        lock(&self.published).extend(names);
    }
}

/// What a reader received.
#[derive(Default)]
struct Seen {
    /// Messages by sequence, where the sequence is known.
    under: Vec<(u64, Name)>,
    /// All messages, if the reader must have received every one.
    all: Option<Vec<Name>>,
}

fn run<S: Carry>(builder: Builder, gated: bool, writing: Writing, readings: Vec<Reading>) {
    let (publisher, mut idle) = S::ring(builder);
    let (ring, done) = (publisher.ring(), Done::default());
    let (first, capacity) = (ring.next_sequence(), ring.capacity());
    let start = Barrier::new(writing.publishers.len() + readings.len());
    let seen = thread::scope(|scope| {
        let (done, start) = (&done, &start);
        let readers: Vec<_> = readings
            .into_iter()
            .map(|reading| {
                let (ring, gates) = (ring.clone(), gated && reading.gates());
                let early = reading.late.is_none().then(|| match gates {
                    true => ring.subscribe_gating().unwrap(),
                    false => ring.subscribe(),
                });
                scope.spawn(move || {
                    start.wait();
                    read(early, gates, &ring, &reading)
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
            // One slot stays free, whichever publishers are suspended.
            let stalls = capacity > writing.publishers.len();
            for (id, acts) in writing.publishers.into_iter().enumerate() {
                let (publisher, stalls) = (publisher.clone(), stalls || id == 0);
                writers.push(scope.spawn(move || {
                    start.wait();
                    beside(publisher, id as u64, acts, stalls, done);
                }));
            }
        }
        // Joined one by one. A scope ends before its threads have freed everything, which looks like a leak.
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>()
    });
    // Law 2, of two subscribers.
    let mut witness = HashMap::new();
    for (sequence, name) in seen.iter().flat_map(|seen| seen.under.iter().copied()) {
        assert_eq!(*witness.entry(sequence).or_insert(name), name, "two messages under one sequence");
    }
    let mut published = done.published.into_inner().unwrap();
    published.sort_unstable();
    for mut all in seen.into_iter().filter_map(|seen| seen.all) {
        all.sort_unstable();
        assert_eq!(all, published, "a gating subscriber did not receive each message once");
    }
    // A subscriber that has not received until now.
    let mut account = Account::new(&idle);
    common::read_to_end(&mut idle, 0, &mut account, |_, message| {
        verify(message);
    });
    assert_eq!(idle.next_sequence(), ring.next_sequence());
    let (stats, drawn) = (ring.stats(), ring.next_sequence() - first);
    assert_eq!(account.received + account.missed + idle.holes(), drawn, "law 1");
    assert_eq!(stats.published + stats.skipped, drawn);
    // Of the claims without a slot, some are holes, and some came after the end.
    let (least, refused) = (published.len() as u64, done.refused.into_inner());
    assert!((least..=least + refused).contains(&stats.published), "{least} {refused}: {stats:?}");
    assert!(stats.closed && stats.subscribers.len() == 1);
}

fn alone<S: Carry>(mut publisher: Publisher<S>, acts: Vec<Act>, done: &Done) {
    let mut next = 0;
    for act in acts {
        match act {
            Act::Publish(count) => {
                let names = (next..).zip(0..count % 16).map(|(number, _)| (0, number));
                done.published(names.filter(|(_, number)| one_alone(&mut publisher, *number)));
                next += u64::from(count % 16);
            }
            Act::Many(count) => {
                let numbers = next..next + u64::from(count % 16);
                let messages = numbers.clone().map(|number| S::wrap(sign(0, number)));
                if count / 16 % 2 == 0 {
                    publisher.publish_many(messages);
                } else {
                    let mut batch = publisher.batch();
                    messages.for_each(|message| {
                        batch.publish(message);
                    });
                }
                next = numbers.end;
                done.published(numbers.map(|number| (0, number)));
            }
            Act::Close => break,
            _ => thread::yield_now(),
        }
    }
}

/// Publishes one message, in one of the ways. Returns whether it was published.
fn one_alone<S: Carry>(publisher: &mut Publisher<S>, number: u64) -> bool {
    let message = S::wrap(sign(0, number));
    match number % 4 {
        0 => drop(publisher.publish(message)),
        1 => drop(block_on(publisher.publish_async(message))),
        2 => drop(publisher.publish_timeout(message, LONG).unwrap()),
        _ => return publisher.try_publish(message).is_ok(),
    }
    true
}

/// As `one_alone`, by a shared publisher. Does not wait for room if it `must_not_wait`.
fn one_beside<S: Carry>(publisher: &SharedPublisher<S>, (id, number): Name, must_not_wait: bool) -> bool {
    let message = S::wrap(sign(id, number));
    match number % 4 {
        0 if !must_not_wait => publisher.publish(message).is_ok(),
        1 if !must_not_wait => block_on(publisher.publish_async(message)).is_ok(),
        2 if !must_not_wait => match publisher.publish_timeout(message, LONG) {
            Ok(_) => true,
            Err(error) => {
                assert!(error.is_closed(), "{error}");
                false
            }
        },
        _ => match publisher.try_publish(message) {
            Ok(_) => true,
            Err(TryPublishError::Closed(_)) => false,
            Err(TryPublishError::Full(_)) => {
                thread::yield_now();
                false
            }
        },
    }
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

fn resume<S: Carry>(stalled: Option<Stalled<'_, S>>, (id, number): Name, done: &Done) {
    let write = match stalled {
        Some(Stalled::Before(claim)) => begin(claim, done),
        Some(Stalled::In(write)) => Some(write),
        None => None,
    };
    if let Some(write) = write {
        write.commit(S::wrap(sign(id, number)));
        done.published([(id, number)]);
    }
}

fn beside<S: Carry>(publisher: SharedPublisher<S>, id: u64, acts: Vec<Act>, stalls: bool, done: &Done) {
    let (mut next, mut late, mut stalled) = (0, 0.., None);
    // A resumed message is out of order, as if from another publisher.
    let mut late = || (id + 8, late.next().unwrap());
    let other = publisher.clone();
    let mut current = publisher.clone();
    for act in acts {
        match act {
            Act::Many(count) if stalled.is_none() => {
                let numbers = next..next + u64::from(count % 16);
                let messages = numbers.clone().map(|number| S::wrap(sign(id, number)));
                // An iterator of known length is published in runs.
                let published = match count / 16 % 3 {
                    0 => current.publish_many(messages),
                    1 => current.publish_many(messages.filter(|_| true)),
                    _ => {
                        let mut batch = current.batch();
                        messages.map_while(|message| batch.publish(message).ok()).count()
                    }
                };
                next = numbers.end;
                done.published(numbers.take(published).map(|number| (id, number)));
            }
            Act::Publish(count) | Act::Many(count) => {
                let names = (next..).zip(0..count % 16).map(|(number, _)| (id, number));
                done.published(names.filter(|name| one_beside(&current, *name, stalled.is_some())));
                next += u64::from(count % 16);
            }
            Act::Stall { before } if stalls && stalled.is_none() => {
                if let Some(claim) = testing::claim(&other) {
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
}

/// Subscribes while others publish. If the subscriber gates, it loses nothing from the returned
/// sequence on.
fn join<S: Carry>(gates: bool, ring: &Ring<S>, late: Option<u8>) -> (Subscriber<S>, u64) {
    let start = match late {
        Some(0..64) => Start::Oldest,
        Some(late @ 64..128) => Start::At(ring.next_sequence().saturating_sub(u64::from(late - 64))),
        _ => Start::Latest,
    };
    let (subscriber, start) = match gates.then(|| ring.subscribe_gating_at(start)) {
        Some(Ok(subscriber)) => (subscriber, start),
        Some(Err(SubscribeError::Evicted { .. })) => (ring.subscribe_gating().unwrap(), Start::Latest),
        Some(Err(error)) => panic!("{error}"),
        None => (ring.subscribe_at(start), start),
    };
    let kept = if start == Start::Latest { subscriber.next_sequence() } else { ring.next_sequence() };
    (subscriber, kept)
}

fn read<S: Carry>(early: Option<Subscriber<S>>, gates: bool, ring: &Ring<S>, reading: &Reading) -> Seen {
    let from_the_start = early.is_some();
    let (mut subscriber, kept) = early.map_or_else(
        || join(gates, ring, reading.late),
        |subscriber| {
            let next = subscriber.next_sequence();
            (subscriber, next)
        },
    );
    let mut account = Account::new(&subscriber);
    let (mut seen, mut last, mut buffer) = (Seen::default(), HashMap::new(), Vec::new());
    let mut all = Vec::new();
    let limit = reading.leaves.map_or(usize::MAX, usize::from);
    let mut newest = None;
    for turn in 0..limit {
        if gates && reading.is_cloned() && turn % 8 == 5 {
            subscriber = subscriber.clone();
            account = Account::new(&subscriber);
        }
        if reading.latest && turn % 4 == 3 {
            if let Ok(message) = subscriber.latest() {
                buffer.push(message);
                account.received(&subscriber, 1);
            }
        } else {
            match receive(&mut subscriber, u64::from(reading.path), &mut buffer) {
                Ok(count) => account.received(&subscriber, count),
                Err(RecvError::Lagged(lagged)) => {
                    assert!(!gates || lagged.resumed_at <= kept, "{lagged}, and publishers had to keep {kept}");
                    account.lagged(&subscriber, lagged);
                }
                Err(RecvError::Closed) => {
                    assert_eq!(subscriber.next_sequence(), ring.next_sequence(), "law 4");
                    newest = Some(subscriber.try_recv().is_err());
                    seen.all = (gates && from_the_start && !reading.latest).then(|| std::mem::take(&mut all));
                    break;
                }
            }
        }
        let alone = buffer.len() == 1;
        for message in buffer.drain(..) {
            let (publisher, number) = verify(S::open(message));
            assert!(last.insert(publisher, number) < Some(number), "out of its publisher's order");
            all.push((publisher, number));
            if alone {
                seen.under.push((subscriber.last_sequence().unwrap(), (publisher, number)));
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

/// The number of live messages.
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
