//! What several tests share. `model.rs` is the obviously right ring that the real one is compared with; `stress.rs` runs everything
//! at once.
#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod model;
pub(crate) mod stress;

use seqcast::{Inline, RecvError, Storage, Subscriber, TryRecvError};

/// The capacities that every law is tried with.
pub(crate) const CAPACITIES: [usize; 4] = [2, 4, 64, 1024];

/// First sequences: the ordinary one, and one close to the largest.
pub(crate) const FIRSTS: [u64; 2] = [0, (1 << 63) - (1 << 32) - 1_000_000];

/// A seed, from `SEQCAST_SEED` or the clock, printed so that a failure can be run again.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("SEQCAST_SEED").map_or_else(
        |_| std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs(),
        |seed| seed.parse().expect("SEQCAST_SEED is a number"),
    );
    println!("SEQCAST_SEED={seed}");
    seed
}

/// Asks again until it holds; fails after half a minute.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !holds() {
        assert!(began.elapsed().as_secs() < 30, "never: {what}");
        std::thread::yield_now();
    }
}

/// A message that says who sent it, as which of his, and whether it is whole.
pub(crate) type Signed = [u64; 3];

pub(crate) fn sign(publisher: u64, number: u64) -> Signed {
    [publisher, number, publisher.rotate_left(32) ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15)]
}

#[track_caller]
pub(crate) fn verify(message: Signed) -> (u64, u64) {
    let [publisher, number, _] = message;
    assert_eq!(message, sign(publisher, number), "torn");
    (publisher, number)
}

/// What law 1 counts, kept beside a subscriber.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) start: u64,
    pub(crate) received: u64,
    pub(crate) missed: u64,
    last: Option<u64>,
}

impl Account {
    pub(crate) fn new<S: Storage>(subscriber: &Subscriber<S>) -> Self {
        Self { start: subscriber.next_sequence(), received: 0, missed: 0, last: None }
    }

    /// `count` messages were received.
    #[track_caller]
    pub(crate) fn received<S: Storage>(&mut self, subscriber: &Subscriber<S>, count: usize) {
        let last = subscriber.last_sequence();
        assert!(count == 0 || self.last < last, "law 2: {last:?} after {:?}", self.last);
        self.last = last;
        self.received += count as u64;
    }

    #[track_caller]
    pub(crate) fn lagged<S: Storage>(&mut self, subscriber: &Subscriber<S>, lagged: seqcast::Lagged) {
        assert!(lagged.missed > 0);
        assert_eq!(lagged.resumed_at, subscriber.next_sequence());
        self.missed += lagged.missed;
    }

    #[track_caller]
    pub(crate) fn settle<S: Storage>(&self, subscriber: &Subscriber<S>) {
        assert_eq!(self.missed, subscriber.missed(), "missed as told and as counted");
        let sum = self.received + self.missed + subscriber.holes() + subscriber.skipped_by_choice();
        assert_eq!(sum, subscriber.next_sequence() - self.start, "law 1: {self:?} of {subscriber:?}");
    }
}

/// Reads to the end of the ring, by one of the receiving paths; the account is settled on the way.
pub(crate) fn read_to_end(
    subscriber: &mut Subscriber<Inline<Signed>>,
    path: u64,
    account: &mut Account,
    mut each: impl FnMut(&Subscriber<Inline<Signed>>, Signed),
) {
    let mut buffer = Vec::new();
    loop {
        let received = match path % 5 {
            0 => subscriber.recv().map(|message| buffer.push(message)).map(|()| 1),
            1 => subscriber.recv_many(&mut buffer, 7),
            2 => futures::executor::block_on(subscriber.recv_async()).map(|message| buffer.push(message)).map(|()| 1),
            3 => futures::executor::block_on(subscriber.recv_many_async(&mut buffer, 3)),
            _ => loop {
                match subscriber.try_recv() {
                    Ok(message) => {
                        buffer.push(message);
                        break Ok(1);
                    }
                    Err(TryRecvError::Empty) => std::thread::yield_now(),
                    Err(TryRecvError::Closed) => break Err(RecvError::Closed),
                    Err(TryRecvError::Lagged(lagged)) => break Err(RecvError::Lagged(lagged)),
                }
            },
        };
        match received {
            Ok(count) => {
                assert_eq!(count, buffer.len());
                account.received(subscriber, count);
                buffer.drain(..).for_each(|message| each(subscriber, message));
            }
            Err(RecvError::Lagged(lagged)) => account.lagged(subscriber, lagged),
            Err(RecvError::Closed) => break,
        }
        account.settle(subscriber);
    }
    account.settle(subscriber);
}
