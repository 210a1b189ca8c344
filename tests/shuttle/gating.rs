//! Gated rings: publishers and gating subscribers that wait for each other, join, leave and are
//! demoted.

use std::collections::BTreeSet;

use seqcast::{Builder, RecvError, SharedPublisher, Start};

use crate::common::{Account, Carry, block_on, read_to_end, sign, testing, thread, verify};
use crate::{Owning, Plain, explore};

/// Publishes `count` messages. A thread or a task waits for room.
fn publishes<S: Carry>(publisher: &SharedPublisher<S>, id: u64, count: u64) -> thread::JoinHandle<u64> {
    let publisher = publisher.clone();
    thread::spawn(move || {
        let publish = |number| {
            let message = S::wrap(sign(id, number));
            if id % 2 == 0 { publisher.publish(message) } else { block_on(publisher.publish_async(message)) }
        };
        (0..count).map_while(|number| publish(number).ok()).count() as u64
    })
}

/// Three threads publish. One gating subscriber receives everything, one leaves early, one joins
/// late. Publishers do not wait for a lossy one. Returns whether the one that joined missed the
/// beginning, and whether the lossy one missed anything.
fn crowd<S: Carry>(capacity: usize) -> [bool; 2] {
    let (publisher, mut lossy) = S::ring(Builder::new(capacity).gated());
    let publisher = publisher.share();
    let ring = publisher.ring();
    let mut gates: Vec<_> = [0, 2, S::PATHS - 1]
        .into_iter()
        .map(|path| {
            let mut gate = ring.subscribe_gating().unwrap();
            thread::spawn(move || {
                let mut account = Account::new(&gate);
                let mut next = [0; 3];
                read_to_end(&mut gate, path, &mut account, |_, message| {
                    let (id, number) = verify(message);
                    assert_eq!(number, next[id as usize], "each message must be received once, in order");
                    next[id as usize] += 1;
                });
                assert_eq!(account.missed, 0);
                account.start + account.received + gate.holes()
            })
        })
        .collect();
    let writers: Vec<_> = (0..3).map(|id| publishes(&publisher, id, 4)).collect();
    let leaving = {
        let mut gate = ring.subscribe_gating().unwrap();
        thread::spawn(move || {
            let _ = gate.try_recv();
            thread::yield_now();
        })
    };
    let joining = {
        let ring = ring.clone();
        thread::spawn(move || {
            let gate = ring.subscribe_gating().unwrap();
            let start = gate.start_sequence();
            let mut clone = gate.clone();
            drop(gate);
            let mut account = Account::new(&clone);
            read_to_end(&mut clone, 1, &mut account, |_, message| _ = verify(message));
            assert_eq!(account.missed, 0);
            start
        })
    };
    let written: u64 = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
    assert_eq!(written, 12);
    leaving.join().unwrap();
    publisher.close();
    let end = ring.next_sequence();
    for gate in gates.drain(..) {
        assert_eq!(gate.join().unwrap(), end);
    }
    let late = joining.join().unwrap() > 0;
    let mut account = Account::new(&lossy);
    read_to_end(&mut lossy, 0, &mut account, |_, message| _ = verify(message));
    [late, account.missed > 0]
}

#[test]
fn gates_lose_nothing_beside_those_who_join_and_leave() {
    for outcomes in [explore(1_500, || crowd::<Plain>(2)), explore(800, || crowd::<Owning>(2))] {
        assert!(outcomes.contains(&[true, true]) && outcomes.contains(&[false, true]), "{outcomes:?}");
    }
    explore(1_000, || crowd::<Plain>(4));
}

/// A gating subscriber that never receives is demoted while three publishers wait. They continue,
/// and it receives a report of its loss.
fn stuck<S: Carry>() -> u64 {
    let (publisher, _) = S::ring(Builder::new(2).gated());
    let publisher = publisher.share();
    let ring = publisher.ring();
    let mut gate = ring.subscribe_gating().unwrap();
    let writers: Vec<_> = (0..3).map(|id| publishes(&publisher, id, 2)).collect();
    let demoting = {
        let ring = ring.clone();
        thread::spawn(move || {
            while ring.next_sequence() < 2 {
                thread::yield_now();
            }
            loop {
                testing::expire_gate_deadline(&ring);
                if ring.stats().subscribers[0].demoted {
                    break;
                }
                thread::yield_now();
            }
        })
    };
    assert_eq!(writers.into_iter().map(|writer| writer.join().unwrap()).sum::<u64>(), 6);
    demoting.join().unwrap();
    publisher.close();
    let mut account = Account::new(&gate);
    read_to_end(&mut gate, 0, &mut account, |_, message| _ = verify(message));
    assert!(!gate.is_gating());
    account.missed
}

#[test]
fn a_stuck_gate_is_demoted_beside_those_who_wait() {
    let outcomes = explore(2_000, stuck::<Plain>);
    assert!(outcomes.iter().all(|missed| *missed >= 4), "{outcomes:?}");
    explore(1_000, stuck::<Owning>);
}

/// The ring is closed while publishers wait. Acknowledged messages are received, and the others are
/// returned.
fn ends<S: Carry>() -> u64 {
    let (publisher, _) = S::ring(Builder::new(2).gated());
    let publisher = publisher.share();
    let ring = publisher.ring();
    let mut gate = ring.subscribe_gating_at(Start::Oldest).unwrap();
    let writers: Vec<_> = (0..3).map(|id| publishes(&publisher, id, 2)).collect();
    let closing = {
        let publisher = publisher.clone();
        thread::spawn(move || publisher.close())
    };
    let mut received = 0;
    loop {
        match gate.recv() {
            Ok(message) => {
                verify(S::open(message));
                received += 1;
            }
            Err(RecvError::Closed) => break,
            Err(RecvError::Lagged(lagged)) => panic!("{lagged}"),
        }
    }
    closing.join().unwrap();
    assert_eq!(writers.into_iter().map(|writer| writer.join().unwrap()).sum::<u64>(), received);
    received
}

#[test]
fn the_end_returns_the_values_of_those_who_wait() {
    let all: BTreeSet<_> = explore(3_000, ends::<Plain>).into_iter().chain(explore(1_500, ends::<Owning>)).collect();
    assert!(all.contains(&0) && all.contains(&6), "{all:?}");
}
