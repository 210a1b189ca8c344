//! Runs the crate under the model checker: every interleaving of small programs, up to a bound on
//! preemptions.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --features _models --test loom`
//!
//! loom returns stale values and reorders as the language allows, with two exceptions. A load never
//! returns a later store (no load buffering), and a `SeqCst` fence orders slightly more than the
//! language guarantees. Each model also asserts which outcomes it reached, so a model that explores
//! nothing fails. A model that fails prints its interleaving (`explore.rs`). `LOOM_MAX_PREEMPTIONS`
//! overrides the bounds.

#![cfg(loom)]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]
#![allow(clippy::drop_non_drop, clippy::forget_non_drop, reason = "marks where a publisher is suspended forever")]

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

/// Two words, so that a torn read is detected.
type Pair = [u64; 2];

fn pair(id: u64) -> Pair {
    [id, !id]
}

fn id([id, check]: Pair) -> u64 {
    assert_eq!(check, !id, "torn");
    id
}

/// A ring without parking: no fence of the wake-up hides a missing ordering.
fn ring(capacity: usize) -> (Publisher<Inline<Pair>>, Subscriber<Inline<Pair>>) {
    testing::never_parked(Builder::new(capacity)).inline()
}

/// A ring for readers that wait.
fn parking_ring(capacity: usize) -> (Publisher<Inline<Pair>>, Subscriber<Inline<Pair>>) {
    Builder::new(capacity).inline()
}

/// A subscriber with its account and its messages.
struct Reader {
    subscriber: Subscriber<Inline<Pair>>,
    account: Account,
    /// Sequences and numbers.
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

    /// One `try_recv`, which may return a message or a loss.
    fn poll(&mut self) -> Result<(), TryRecvError> {
        let received = self.subscriber.try_recv();
        match received {
            Ok(message) => self.take(message),
            Err(TryRecvError::Lagged(lagged)) => self.account.lagged(&self.subscriber, lagged),
            Err(other) => return Err(other),
        }
        Ok(())
    }

    /// Receives everything, then settles the account.
    fn settle(&mut self) -> TryRecvError {
        let end = loop {
            if let Err(end) = self.poll() {
                break end;
            }
        };
        self.account.settle(&self.subscriber);
        assert_eq!(self.subscriber.skipped_by_choice(), 0, "the reader never receives the newest");
        end
    }

    /// Blocks for each message until the end.
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
