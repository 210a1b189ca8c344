//! What no model checker covers: the kernel's barrier, locked instructions, and the store buffers
//! of this machine. Each test repeats a race of a few nanoseconds, so often that it would fail many
//! times if the barrier were missing.
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

#[path = "common/wakers.rs"]
mod wakers;

use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::Context;
use std::thread;

use seqcast::{Builder, Inline, Publisher, Start, Subscriber};
use wakers::Counter;

/// A barrier at which two threads wait for each other, repeatedly.
#[derive(Default)]
struct Meeting(AtomicUsize);

impl Meeting {
    fn wait(&self, round: usize) {
        self.0.fetch_add(1, Ordering::AcqRel);
        let mut polls = 0;
        while self.0.load(Ordering::Acquire) < 2 * (round + 1) {
            polls += 1;
            // The other thread may need this core.
            if polls > 2_000 { thread::yield_now() } else { spin_loop() }
        }
    }
}

/// Waits some nanoseconds.
fn dawdle(steps: usize) {
    for step in 0..steps {
        black_box(step);
    }
}

#[test]
fn who_parks_first_is_woken() {
    const ROUNDS: usize = 20_000;
    let rings = (0..ROUNDS).map(|_| Builder::new(2).inline::<u64>());
    let (mut publishers, mut subscribers): (Vec<Publisher<_>>, Vec<Subscriber<Inline<u64>>>) = rings.unzip();
    let counters: Vec<_> = (0..ROUNDS).map(|_| Counter::new()).collect();
    let meeting = Meeting::default();
    let pending = thread::scope(|scope| {
        scope.spawn(|| {
            for (round, publisher) in publishers.iter_mut().enumerate() {
                meeting.wait(round);
                dawdle(round * 7 % 900);
                publisher.publish(7);
            }
        });
        let mut pending = Vec::new();
        for (round, subscriber) in subscribers.iter_mut().enumerate() {
            let waker = counters[round].waker();
            meeting.wait(round);
            if subscriber.poll_recv(&mut Context::from_waker(&waker)).is_pending() {
                pending.push(round);
            }
        }
        pending
    });
    println!("{} found the message, {} parked", ROUNDS - pending.len(), pending.len());
    let lost = pending.iter().filter(|&&round| counters[round].count() == 0).count();
    assert_eq!(lost, 0, "tasks were not woken for their message, of {} that parked", pending.len());
}

#[test]
fn what_is_borrowed_is_not_used_again() {
    const ROUNDS: u64 = 20_000;
    // A publisher scans for borrows once in so many messages. It uses free nodes again within as
    // many more.
    const PERIOD: u64 = 64;
    let critical = |round: u64| 2 * round * PERIOD + 1;
    let (mut publisher, mut subscriber) = Builder::new(2).boxed::<u64>();
    let (meeting, done, ring) = (Meeting::default(), AtomicU64::new(0), publisher.ring());
    let (borrowed, changed) = thread::scope(|scope| {
        scope.spawn(|| {
            let mut publish_up_to = |end| {
                (publisher.next_sequence()..end).for_each(|number| assert_eq!(publisher.publish(number), number));
            };
            publish_up_to(critical(1));
            for round in 1..=ROUNDS {
                meeting.wait(2 * round as usize - 2);
                // The subscriber's next store must fetch its cache line back, which takes time.
                black_box(ring.stats());
                // The first of these removes the message that is borrowed meanwhile from its slot,
                // and scans.
                publish_up_to(critical(round + 1));
                done.store(round, Ordering::Release);
                meeting.wait(2 * round as usize - 1);
            }
        });
        let (mut borrowed, mut changed, mut late) = (0, 0, 0);
        for round in 1..=ROUNDS {
            subscriber.seek(Start::At(critical(round) - 2));
            meeting.wait(2 * round as usize - 2);
            dawdle(late + round as usize % 16);
            let next = subscriber.next_sequence();
            if let Ok(message) = subscriber.try_recv_ref() {
                // In time. Start later the next time, so that half of the attempts are slightly too
                // late.
                borrowed += 1;
                late += 4;
                let mut same = true;
                while done.load(Ordering::Acquire) < round {
                    same &= *black_box(&*message) == next;
                }
                same &= *black_box(&*message) == next;
                changed += u64::from(!same);
            } else {
                late = late.saturating_sub(4);
            }
            meeting.wait(2 * round as usize - 1);
        }
        (borrowed, changed)
    });
    println!("{borrowed} of {ROUNDS} were borrowed");
    assert_eq!(changed, 0, "messages were reused while borrowed, of {borrowed} borrowed ones");
}
