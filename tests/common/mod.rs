//! What several tests share. `model.rs` is the obviously right ring that the real one is compared with, and `driver/` what compares
//! them; `stress.rs` runs everything at once; `counted.rs` are messages that must be dropped once. The fuzz targets share it too.
#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod counted;
pub(crate) mod driver;
pub(crate) mod model;
pub(crate) mod stress;
pub(crate) mod testing;

/// Threads, and futures on them: under shuttle, its own.
#[cfg(not(shuttle))]
pub(crate) use {futures::executor::block_on, std::thread};
#[cfg(shuttle)]
pub(crate) use {shuttle::future::block_on, shuttle::thread};

use seqcast::{Boxed, Builder, Inline, Publisher, Receive, RecvError, Ref, Storage, Subscriber, TryRecvError};
use std::ops::Deref;

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
        thread::yield_now();
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

/// A storage that carries signed messages.
pub(crate) trait Carry: Receive + Sized {
    /// How many ways there are to receive from it.
    const PATHS: u64;

    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>);
    fn wrap(signed: Signed) -> Self::Item;
    fn open(message: Self::Item) -> Signed;

    /// Looks at one message where it lies.
    fn borrow(subscriber: &mut Subscriber<Self>, path: u64) -> Result<Signed, RecvError>;
}

impl Carry for Inline<Signed> {
    const PATHS: u64 = 5;

    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>) {
        builder.inline()
    }

    fn wrap(signed: Signed) -> Signed {
        signed
    }

    fn open(message: Signed) -> Signed {
        message
    }

    fn borrow(_: &mut Subscriber<Self>, path: u64) -> Result<Signed, RecvError> {
        panic!("no such path: {path}")
    }
}

/// With memory of its own: who looks at a message after its drop looks at what was freed.
impl Carry for Boxed<Box<Signed>> {
    const PATHS: u64 = 8;

    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>) {
        builder.boxed()
    }

    fn wrap(signed: Signed) -> Box<Signed> {
        Box::new(signed)
    }

    fn open(message: Box<Signed>) -> Signed {
        *message
    }

    fn borrow(subscriber: &mut Subscriber<Self>, path: u64) -> Result<Signed, RecvError> {
        look(subscriber, path)
    }
}

/// Receives by reference, in one of the ways of a boxed ring.
pub(crate) fn look<T: Deref<Target = Signed> + Send + Sync + 'static>(
    subscriber: &mut Subscriber<Boxed<T>>,
    path: u64,
) -> Result<Signed, RecvError> {
    match path {
        5 => subscriber.recv_ref().map(linger),
        6 => block_on(subscriber.recv_ref_async()).map(linger),
        _ => loop {
            match subscriber.try_recv_ref() {
                Ok(message) => return Ok(linger(message)),
                Err(TryRecvError::Empty) => thread::yield_now(),
                Err(TryRecvError::Closed) => return Err(RecvError::Closed),
                Err(TryRecvError::Lagged(lagged)) => return Err(RecvError::Lagged(lagged)),
            }
        },
    }
}

/// Holds a message for a while, and looks again and again.
#[allow(clippy::needless_pass_by_value, reason = "let go of at the end")]
fn linger<T: Deref<Target = Signed>>(message: Ref<'_, T>) -> Signed {
    let signed = **message;
    for _ in 0..signed[1] % 3 {
        verify(**message);
        thread::yield_now();
    }
    assert_eq!(**message, signed);
    signed
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
        assert_eq!((self.received, self.start), (subscriber.received(), subscriber.start_sequence()), "{subscriber:?}");
    }
}

/// Receives by one of the paths, waiting if need be; how many messages it put in `buffer`.
pub(crate) fn receive<S: Carry>(
    subscriber: &mut Subscriber<S>,
    path: u64,
    buffer: &mut Vec<S::Item>,
) -> Result<usize, RecvError> {
    match path % S::PATHS {
        0 => subscriber.recv().map(|message| buffer.push(message)).map(|()| 1),
        1 => subscriber.recv_many(buffer, 7),
        2 => block_on(subscriber.recv_async()).map(|message| buffer.push(message)).map(|()| 1),
        3 => block_on(subscriber.recv_many_async(buffer, 3)),
        4 => loop {
            match subscriber.try_recv() {
                Ok(message) => {
                    buffer.push(message);
                    break Ok(1);
                }
                Err(TryRecvError::Empty) => thread::yield_now(),
                Err(TryRecvError::Closed) => break Err(RecvError::Closed),
                Err(TryRecvError::Lagged(lagged)) => break Err(RecvError::Lagged(lagged)),
            }
        },
        path => S::borrow(subscriber, path).map(|signed| buffer.push(S::wrap(signed))).map(|()| 1),
    }
}

/// Reads to the end of the ring, by one of the receiving paths; the account is settled on the way.
pub(crate) fn read_to_end<S: Carry>(
    subscriber: &mut Subscriber<S>,
    path: u64,
    account: &mut Account,
    mut each: impl FnMut(&Subscriber<S>, Signed),
) {
    let mut buffer = Vec::new();
    loop {
        match receive(subscriber, path, &mut buffer) {
            Ok(count) => {
                assert_eq!(count, buffer.len());
                account.received(subscriber, count);
                buffer.drain(..).for_each(|message| each(subscriber, S::open(message)));
            }
            Err(RecvError::Lagged(lagged)) => account.lagged(subscriber, lagged),
            Err(RecvError::Closed) => break,
        }
        account.settle(subscriber);
    }
    account.settle(subscriber);
}
