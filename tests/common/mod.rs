//! Code shared by several tests, the soak and the fuzz targets.
//!
//! | file | |
//! |---|---|
//! | `account.rs` | checks that received and missed messages add up |
//! | `counted.rs` | messages that must be dropped exactly once |
//! | `driver/` | operations on a ring, compared with the trivial `model.rs` |
//! | `files.rs` | the files of a folder; the tests that read the repository name it by its path |
//! | `panics.rs` | panics on purpose |
//! | `stress.rs` | many publishers and subscribers in parallel |
//! | `testing.rs` | the crate's `testing` module |
//! | `wakers.rs` | wakers that count, run a closure or own a value |
//! | `whole.rs` | messages of many kinds that show whether they are whole |
//!
//! The loom models use `account.rs`, `testing.rs` and `wakers.rs` only.
#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod account;
pub(crate) mod counted;
pub(crate) mod driver;
pub(crate) mod model;
pub(crate) mod panics;
pub(crate) mod stress;
pub(crate) mod testing;
pub(crate) mod wakers;
pub(crate) mod whole;

#[allow(unused_imports, reason = "each test uses a part of it")]
pub(crate) use account::Account;

/// Threads, and futures on threads. Under shuttle, these are shuttle's.
#[cfg(not(shuttle))]
pub(crate) use {futures::executor::block_on, std::thread};
#[cfg(shuttle)]
pub(crate) use {shuttle::future::block_on, shuttle::thread};

use seqcast::{Boxed, Builder, Inline, Publisher, Receive, RecvError, RecvTimeoutError, Ref, Subscriber, TryRecvError};
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The capacities with which every law is tested.
pub(crate) const CAPACITIES: [usize; 4] = [2, 4, 64, 1024];

/// First sequences: the default, and one close to the largest.
pub(crate) const FIRSTS: [u64; 2] = [0, (1 << 63) - (1 << 32) - 1_000_000];

/// Returns a seed from `SEQCAST_SEED` or the clock, and prints it so that a failure can be
/// repeated.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("SEQCAST_SEED").map_or_else(
        |_| std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs(),
        |seed| seed.parse().expect("SEQCAST_SEED must be a number"),
    );
    println!("SEQCAST_SEED={seed}");
    seed
}

/// Evaluates `holds` repeatedly until it is true. Fails after 30 seconds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !holds() {
        assert!(began.elapsed().as_secs() < 30, "never: {what}");
        thread::yield_now();
    }
}

/// Locks a mutex and ignores poisoning: panics while it is held leave its content valid.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Converts the error, with a timeout as `Empty`.
pub(crate) fn untimed(error: RecvTimeoutError) -> TryRecvError {
    match error {
        RecvTimeoutError::Timeout => TryRecvError::Empty,
        RecvTimeoutError::Closed => TryRecvError::Closed,
        RecvTimeoutError::Lagged(lagged) => TryRecvError::Lagged(lagged),
    }
}

/// A message that shows its publisher, its number, and whether it is torn.
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
    /// The number of ways to receive from it.
    const PATHS: u64;

    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>);
    fn wrap(signed: Signed) -> Self::Item;
    fn open(message: Self::Item) -> Signed;

    /// Reads one message by reference.
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

/// Each message has its own allocation, so a read after its drop is a use after free.
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

/// Holds a message for some time, and verifies it repeatedly.
#[allow(clippy::needless_pass_by_value, reason = "dropped at the end")]
fn linger<T: Deref<Target = Signed>>(message: Ref<'_, T>) -> Signed {
    let signed = **message;
    for _ in 0..signed[1] % 3 {
        verify(**message);
        thread::yield_now();
    }
    assert_eq!(**message, signed);
    signed
}

/// Receives by one of the paths, waiting if necessary. Returns the number of messages put into
/// `buffer`.
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

/// Receives to the end of the ring by one of the paths, and settles the account after each receive.
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
