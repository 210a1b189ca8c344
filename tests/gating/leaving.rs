//! Publishers continue when the gating subscriber that they wait for is dropped, unwound or leaked.

use std::thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use seqcast::{Builder, Inline, Start, Subscriber};

use crate::common::eventually;
use crate::common::panics::throw;
use crate::{LIMIT, in_time, returned, start};

type Stuck = Subscriber<Inline<u64>>;

/// The number of messages that the waiting publishers of [`held_up`] publish.
const PUBLISHED: u64 = 6 + 2 * 20;

/// Publishers wait for a gating subscriber in every way of publishing. `leave` must free them all.
fn held_up(builder: &Builder, rounds: u64, leave: impl Fn(Stuck)) {
    for round in 0..rounds {
        let (publisher, _lossy) = builder.clone().inline::<u64>();
        let publisher = publisher.share();
        let stuck = publisher.ring().subscribe_gating().unwrap();
        while publisher.try_publish(0).is_ok() {}
        let mut waiting = Vec::new();
        for way in 0..8 {
            let publisher = publisher.clone();
            waiting.push(start(move || match way % 4 {
                0 => publisher.publish(way).is_ok(),
                1 => publisher.publish_timeout(way, LIMIT).is_ok(),
                2 => block_on(publisher.publish_async(way)).is_ok(),
                _ => publisher.publish_many(0..20) == 20,
            }));
        }
        // Depending on the round, they spin, arm the ring, or are parked now.
        thread::sleep(Duration::from_micros(50 * (round % 20)));
        leave(stuck);
        assert!(waiting.into_iter().all(returned));
        assert_eq!(publisher.ring().stats().published, publisher.capacity() as u64 + PUBLISHED);
    }
}

#[test]
fn a_drop_frees_all_waiting_publishers() {
    in_time(|| {
        held_up(&Builder::new(2).gated(), 40, drop);
        held_up(&Builder::new(8).gated(), 40, drop);
        held_up(&Builder::new(8).gated().gate_deadline(LIMIT), 20, drop);
    });
}

#[test]
fn a_panic_frees_all_waiting_publishers() {
    in_time(|| {
        held_up(&Builder::new(4).gated(), 40, |stuck| {
            let reader = thread::spawn(move || {
                let _stuck = stuck;
                throw();
            });
            assert!(reader.join().is_err());
        });
    });
}

/// A forward seek also makes room.
#[test]
fn a_jump_frees_all_waiting_publishers() {
    in_time(|| {
        let to_the_newest = |stuck: &mut Stuck| {
            let _ = stuck.latest();
        };
        for jump in [to_the_newest, |stuck: &mut Stuck| stuck.seek(Start::Latest)] {
            held_up(&Builder::new(4).gated(), 10, |mut stuck| {
                while stuck.ring().next_sequence() < 4 + PUBLISHED {
                    jump(&mut stuck);
                    thread::yield_now();
                }
                assert!(stuck.is_gating() && stuck.missed() == 0);
            });
        }
    });
}

#[test]
fn a_leaked_gate_costs_its_deadline() {
    in_time(|| {
        let deadline = Duration::from_millis(5);
        held_up(&Builder::new(4).gated().gate_deadline(deadline), 10, std::mem::forget);
    });
}

/// If only tasks wait, the ring's own thread must notice the expired deadline.
#[test]
fn a_leaked_gate_costs_tasks_its_deadline() {
    in_time(|| {
        let (publisher, _) = Builder::new(2).gated().gate_deadline(Duration::from_millis(5)).inline::<u64>();
        let publisher = publisher.share();
        for _ in 0..5 {
            std::mem::forget(publisher.ring().subscribe_gating().unwrap());
            let tasks: Vec<_> = (0..4)
                .map(|_| {
                    let publisher = publisher.clone();
                    start(move || block_on(async { publisher.publish_async(1).await.is_ok() }))
                })
                .collect();
            assert!(tasks.into_iter().all(returned));
        }
    });
}

/// Subscribers that do not receive are demoted. The one that receives stays gating.
#[test]
fn of_several_gates_the_leaked_ones_are_demoted() {
    in_time(|| {
        let (publisher, _) = Builder::new(4).gated().gate_deadline(Duration::from_secs(1)).inline::<u64>();
        let publisher = publisher.share();
        let ring = publisher.ring();
        let mut alive = ring.subscribe_gating().unwrap();
        for _ in 0..3 {
            std::mem::forget(alive.clone());
        }
        let reading = start(move || {
            let read = alive.iter().map(Result::unwrap).count();
            (read, alive.is_gating())
        });
        let begun = Instant::now();
        for message in 0..100 {
            publisher.publish(message).unwrap();
        }
        assert!(begun.elapsed() >= Duration::from_secs(1));
        eventually("the leaked subscribers are demoted", || {
            ring.stats().subscribers.iter().filter(|subscriber| subscriber.demoted).count() == 3
        });
        publisher.close();
        assert_eq!(returned(reading), (100, true));
    });
}
