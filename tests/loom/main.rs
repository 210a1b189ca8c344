//! The real crate under the model checker: every interleaving (up to a bound on preemptions) of small programs.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --features _models --test loom`
//!
//! loom keeps stale values and reorders as the language allows, except that it never lets a load see a later store (no load
//! buffering), and that a `SeqCst` fence orders a little more than the language promises. Each model also asserts which
//! outcomes it reached, so that one that explores nothing fails; and one that fails prints the interleaving in which it did (`explore.rs`). `LOOM_MAX_PREEMPTIONS` overrides the bounds.

#![cfg(loom)]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]
#![allow(clippy::drop_non_drop, clippy::forget_non_drop, reason = "says where a publisher is stopped for good")]

#[path = "../common/account.rs"]
mod account;
mod accounts;
mod batches;
mod boxed;
mod boxed_pools;
mod broadcast;
mod disarming;
mod driver;
mod eager;
mod end;
mod explore;
mod gating;
mod gating_waits;
mod joining;
mod laps;
mod message;
mod parking;
mod slots;
#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
mod stacks;
#[path = "../common/testing.rs"]
mod testing;
#[path = "../common/wakers.rs"]
mod wakers;

use account::Account;
use explore::explore;
use seqcast::{Builder, Inline, Publisher, Subscriber, TryRecvError};

/// Two words, so that a torn read shows.
type Pair = [u64; 2];

fn pair(id: u64) -> Pair {
    [id, !id]
}

fn id([id, check]: Pair) -> u64 {
    assert_eq!(check, !id, "torn");
    id
}

/// A ring on which nobody parks, so that no fence of the wake-up orders what must be ordered without it.
fn ring(capacity: usize) -> (Publisher<Inline<Pair>>, Subscriber<Inline<Pair>>) {
    testing::never_parked(Builder::new(capacity)).inline()
}

/// A ring for readers that wait.
fn parking_ring(capacity: usize) -> (Publisher<Inline<Pair>>, Subscriber<Inline<Pair>>) {
    Builder::new(capacity).inline()
}

/// A subscriber with its account, and what it got.
struct Reader {
    subscriber: Subscriber<Inline<Pair>>,
    account: Account,
    /// Sequences and names.
    got: Vec<(u64, u64)>,
}

impl Reader {
    fn new(subscriber: Subscriber<Inline<Pair>>) -> Self {
        Self { account: Account::new(&subscriber), subscriber, got: Vec::new() }
    }

    fn take(&mut self, message: Pair) {
        self.account.received(&self.subscriber, 1);
        self.got.push((self.account.last.unwrap(), id(message)));
    }

    /// One try, which may bring a message or a loss.
    fn poll(&mut self) -> Result<(), TryRecvError> {
        let received = self.subscriber.try_recv();
        match received {
            Ok(message) => self.take(message),
            Err(TryRecvError::Lagged(lagged)) => self.account.lagged(&self.subscriber, lagged),
            Err(other) => return Err(other),
        }
        Ok(())
    }

    /// Reads all there is, then settles the account.
    fn settle(&mut self) -> TryRecvError {
        let end = loop {
            if let Err(end) = self.poll() {
                break end;
            }
        };
        self.account.settle(&self.subscriber);
        assert_eq!(self.subscriber.skipped_by_choice(), 0, "it never asks for the newest");
        end
    }

    /// Blocks for message after message until the end.
    fn read_to_end(&mut self) {
        loop {
            match self.subscriber.recv() {
                Ok(message) => self.take(message),
                Err(seqcast::RecvError::Lagged(lagged)) => self.account.lagged(&self.subscriber, lagged),
                Err(seqcast::RecvError::Closed) => break,
            }
        }
        assert_eq!(self.settle(), TryRecvError::Closed);
    }

    fn ids(&self) -> Vec<u64> {
        self.got.iter().map(|got| got.1).collect()
    }
}
