//! Many publishers in parallel with gating and lossy subscribers. Each gating subscriber receives
//! every message once, in order.

use std::thread;

use seqcast::{Boxed, Builder, Inline, Subscriber};

use crate::common::{Account, Carry, FIRSTS, Signed, read_to_end, sign, verify};
use crate::{in_time, publish};

const PUBLISHERS: u64 = 16;
const SUBSCRIBERS: u64 = 4;

/// What a subscriber received: the publisher and number of each message, and the count of lost
/// messages.
struct Log {
    messages: Vec<(u64, u64)>,
    missed: u64,
    holes: u64,
    gating: bool,
}

fn log<S: Carry>(mut subscriber: Subscriber<S>, path: u64) -> Log {
    let mut account = Account::new(&subscriber);
    let mut messages = Vec::new();
    read_to_end(&mut subscriber, path, &mut account, |_, message| messages.push(verify(message)));
    Log { messages, missed: subscriber.missed(), holes: subscriber.holes(), gating: subscriber.is_gating() }
}

/// Whether the messages of each publisher are in the order of publishing.
fn in_order(log: &Log) -> bool {
    let mut last = [None; PUBLISHERS as usize];
    log.messages.iter().all(|&(publisher, number)| last[publisher as usize].replace(number) < Some(number))
}

/// The first subscriber receives by `path`, the others by the paths after it.
fn crowd<S: Carry>(capacity: usize, messages: u64, first: u64, path: u64) {
    let (publisher, lossy) = S::ring(Builder::new(capacity).gated().first_sequence(first));
    let publisher = publisher.share();
    let ring = publisher.ring();
    let gates: Vec<_> = (0..SUBSCRIBERS)
        .map(|at| {
            let gating = ring.subscribe_gating().unwrap();
            thread::spawn(move || log(gating, path + at))
        })
        .collect();
    let lossies: Vec<_> = (0..SUBSCRIBERS)
        .map(|at| {
            let lossy = lossy.clone();
            thread::spawn(move || log(lossy, path + SUBSCRIBERS + at))
        })
        .collect();
    let writers: Vec<_> = (0..PUBLISHERS)
        .map(|id| {
            let publisher = publisher.clone();
            thread::spawn(move || {
                (0..messages)
                    .map(|number| publish(&publisher, id + number / 64, S::wrap(sign(id, number))).unwrap())
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let sequences: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
    drop((publisher, lossy));
    let gates: Vec<_> = gates.into_iter().map(|reader| reader.join().unwrap()).collect();
    let total = PUBLISHERS * messages;
    for gate in &gates {
        assert_eq!((gate.messages.len() as u64, gate.missed, gate.holes), (total, 0, 0));
        assert!(gate.gating && in_order(gate));
        assert!(gate.messages == gates[0].messages, "two gating subscribers received the messages in different orders");
    }
    for (id, sequences) in (0..).zip(&sequences) {
        for (number, &sequence) in (0..).zip(sequences) {
            // `publish_many` does not return a sequence: `publish` gives `u64::MAX`.
            let message = gates[0].messages.get((sequence - first) as usize);
            assert!(
                message.is_none_or(|message| *message == (id, number)) && message.is_some() == (sequence != u64::MAX)
            );
        }
    }
    for lossy in lossies {
        let lossy = lossy.join().unwrap();
        assert_eq!((lossy.messages.len() as u64 + lossy.missed, lossy.holes), (total, 0));
        assert!(!lossy.gating && in_order(&lossy));
    }
    let stats = ring.stats();
    assert_eq!((stats.published, stats.skipped, ring.next_sequence()), (total, 0, first + total));
}

fn crowds<S: Carry>() {
    for (at, (capacity, messages)) in [(2, 300), (8, 500), (1024, 1_000)].into_iter().enumerate() {
        for first in FIRSTS {
            crowd::<S>(capacity, messages, first, 3 * at as u64);
        }
    }
}

#[test]
fn each_gate_of_a_crowd_receives_every_message_once() {
    in_time(crowds::<Inline<Signed>>);
}

#[test]
fn each_gate_of_a_crowd_receives_every_message_of_a_boxed_ring_once() {
    in_time(crowds::<Boxed<Box<Signed>>>);
}

/// An exclusive publisher checks the limit in code of its own.
#[test]
fn each_gate_of_an_exclusive_publisher_receives_every_message_once() {
    fn alone<S: Carry>(messages: u64) {
        for capacity in [2, 8, 1024] {
            let (mut publisher, lossy) = S::ring(Builder::new(capacity).gated());
            let ring = publisher.ring();
            let gates: Vec<_> = (0..SUBSCRIBERS)
                .map(|path| {
                    let gating = ring.subscribe_gating().unwrap();
                    thread::spawn(move || log(gating, path + capacity as u64))
                })
                .collect();
            let lossy = thread::spawn(move || log(lossy, 0));
            let mut numbers = 0..messages;
            while let Some(number) = numbers.next() {
                assert_eq!(publisher.publish(S::wrap(sign(0, number))), number);
                if number % 64 == 0 {
                    publisher.publish_many(numbers.by_ref().take(100).map(|number| S::wrap(sign(0, number))));
                }
            }
            drop(publisher);
            for gate in gates {
                let gate = gate.join().unwrap();
                assert!(gate.messages.into_iter().eq((0..messages).map(|number| (0, number))));
                assert_eq!((gate.missed, gate.holes), (0, 0));
            }
            let lossy = lossy.join().unwrap();
            assert_eq!((lossy.messages.len() as u64 + lossy.missed, lossy.holes), (messages, 0));
        }
    }
    in_time(|| {
        alone::<Inline<Signed>>(10_000);
        alone::<Boxed<Box<Signed>>>(5_000);
    });
}
