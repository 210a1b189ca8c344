//! Readers that sleep until there is a message. Everybody receives everything, checked; nothing is spawned inside the timed region.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::task::yield_now;

use crate::median;
use crate::peer::{Awaits, Blocks};
use crate::per::per;

/// What all readers have received, together.
type Count = Arc<AtomicU64>;

/// Nanoseconds a delivery: `burst` messages to `tasks` tasks on two workers, and the next burst when all have them.
pub fn tasks<P: Awaits>(tasks: u64, burst: u64) -> f64 {
    let bursts = 200_000 / tasks / burst + 4;
    let runtime = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let (mut tx, received) = (P::ring(64), Count::default());
    let started = Count::default();
    for _ in 0..tasks {
        let (mut rx, received, started) = (P::subscribe(&tx), Arc::clone(&received), Arc::clone(&started));
        runtime.spawn(async move {
            started.fetch_add(1, Ordering::Relaxed);
            for round in 0..bursts {
                for value in round * burst..(round + 1) * burst {
                    assert_eq!(P::next(&mut rx).await, value);
                }
                received.fetch_add(burst, Ordering::Release);
            }
        });
    }
    while started.load(Ordering::Relaxed) < tasks {
        thread::yield_now();
    }
    let took = runtime.block_on(async {
        let began = Instant::now();
        for round in 0..bursts {
            P::burst(&mut tx, round * burst..(round + 1) * burst);
            while received.load(Ordering::Acquire) < (round + 1) * burst * tasks {
                yield_now().await;
            }
        }
        began.elapsed()
    });
    per(took, bursts * burst * tasks)
}

/// Microseconds from one publish until all of `threads` parked threads have the message: the median of the rounds.
pub fn parked<P: Blocks>(threads: u64, rounds: u64) -> f64 {
    let (mut tx, received) = (P::ring(64), Count::default());
    let readers: Vec<_> = (0..threads)
        .map(|_| {
            let (mut rx, received) = (P::subscribe(&tx), Arc::clone(&received));
            thread::spawn(move || {
                for round in 0..rounds {
                    assert_eq!(P::wait(&mut rx), round);
                    received.fetch_add(1, Ordering::Release);
                }
            })
        })
        .collect();
    let mut times = Vec::new();
    for round in 0..rounds {
        // Until they are parked again.
        thread::sleep(Duration::from_millis(1));
        let began = Instant::now();
        P::publish(&mut tx, round);
        while received.load(Ordering::Acquire) < (round + 1) * threads {
            thread::yield_now();
        }
        times.push(per(began.elapsed(), 1000));
    }
    for reader in readers {
        reader.join().unwrap();
    }
    median(&times)
}
